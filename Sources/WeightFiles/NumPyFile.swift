/// NumPy's `.npy`: one array behind a header that is a Python dictionary literal.
///
/// Format 1, 2 and 3, little-endian, row- or column-major (given back row-major). Written: format 1,
/// `<f4` or, for integer arrays, `<i8`. Source: NumPy enhancement proposal 1 and `numpy.lib.format`.
public enum NumPyFile {
    private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Reads the array at `path`.
    public static func read(path: String) throws(WeightFileError) -> NamedArray {
        try read(ByteSource(path: path))
    }

    static func read(_ source: ByteSource) throws(WeightFileError) -> NamedArray {
        let start = try source.read(0..<min(12, source.count), place: "header")
        guard start.count >= 10, Array(start[..<6]) == magic else {
            throw WeightFileError(.malformed, file: source.name, "does not begin like a .npy file")
        }
        let (lengthBytes, version) = (start[6] == 1 ? 2 : 4, start[6])
        guard (1...3).contains(version), start.count >= 8 + lengthBytes else {
            throw WeightFileError(.unsupported, file: source.name, "format version \(version)")
        }
        let length = Int(start[8..<8 + lengthBytes].littleEndian(UInt32.self))
        let data = 8 + lengthBytes + length
        let text = try source.read(8 + lengthBytes..<data, place: "header")
        var parser = HeaderParser(String(decoding: text, as: UTF8.self), file: source.name)
        let header = try parser.parse()
        let type = try elementType(header.descriptor, file: source.name)
        guard let count = NamedArray.elementCount(of: header.shape) else {
            throw WeightFileError(.malformed, file: source.name, "impossible shape \(header.shape)")
        }
        let elements = try source.elements(type, count: count, at: data, place: "data")
        let array = NamedArray(name: nil, shape: header.shape, type: type, elements: elements)
        return header.isColumnMajor && header.shape.count > 1 ? array.fromColumnMajor() : array
    }

    /// Writes `array` to `path`.
    public static func write(_ array: NamedArray, to path: String) throws(WeightFileError) {
        let shape = array.shape.map { "\($0)" }.joined(separator: ", ") + (array.shape.count == 1 ? "," : "")
        let descriptor = array.writtenType == .int64 ? "<i8" : "<f4"
        var header = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(shape)), }"
        header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
        var sink = try ByteSink(path: path)
        try sink.write(magic + [1, 0] + UInt16(header.utf8.count).littleEndianBytes + Array(header.utf8))
        try array.forEachChunk { (bytes) throws(WeightFileError) in try sink.write(bytes) }
        try sink.commit()
    }

    private static func elementType(_ descriptor: String, file: String) throws(WeightFileError) -> ElementType {
        let known: [String: ElementType] = [
            "f2": .float16, "f4": .float32, "f8": .float64, "b1": .bool, "c8": .complex64, "c16": .complex128,
            "i1": .int8, "i2": .int16, "i4": .int32, "i8": .int64,
            "u1": .uint8, "u2": .uint16, "u4": .uint32, "u8": .uint64,
        ]
        guard let type = known[String(descriptor.dropFirst())],
            descriptor.hasPrefix("<") || (type.byteCount == 1 && descriptor.hasPrefix("|"))
        else {
            throw WeightFileError(
                .unsupported, file: file, "elements of type '\(descriptor)'",
                hint: "save it as little-endian numbers, such as array.astype('<f4')")
        }
        return type
    }
}

extension NamedArray {
    /// The same array, from values that lie first index fastest.
    fileprivate func fromColumnMajor() -> NamedArray {
        let inner = type.isComplex ? 2 : 1
        let axes = type.isComplex ? Array(shape.dropLast()) : shape
        var strides = [Int](repeating: 1, count: axes.count)
        for axis in axes.indices.dropFirst() { strides[axis] = strides[axis - 1] * axes[axis - 1] }
        let source = (0..<axes.reduce(1, *)).map { flat in
            var (rest, offset) = (flat, 0)
            for axis in axes.indices.reversed() {
                offset += rest % axes[axis] * strides[axis]
                rest /= axes[axis]
            }
            return offset
        }
        var copy = self
        copy.values = source.flatMap { offset in (0..<inner).map { values[offset * inner + $0] } }
        copy.integers = integers.map { integers in source.map { integers[$0] } }
        return copy
    }
}

/// Reads the one dictionary that a header holds, and nothing else of Python.
private struct HeaderParser {
    private var text: Substring.UTF8View
    private let file: String

    init(_ text: String, file: String) {
        self.text = Substring(text).utf8
        self.file = file
    }

    struct Header {
        var descriptor = ""
        var isColumnMajor = false
        var shape: [Int] = []
    }

    mutating func parse() throws(WeightFileError) -> Header {
        var header = Header()
        var found: Set<String> = []
        try expect("{")
        while try !accept("}") {
            let key = try string()
            try expect(":")
            switch key {
            case "descr": header.descriptor = try string()
            case "fortran_order": header.isColumnMajor = try boolean()
            case "shape": header.shape = try tuple()
            default: throw malformed("key '\(key)'")
            }
            guard found.insert(key).inserted else { throw malformed("key '\(key)' occurs twice") }
            if try !accept(",") {
                try expect("}")
                break
            }
        }
        guard found.count == 3 else { throw malformed("it has only \(found.sorted())") }
        return header
    }

    private mutating func tuple() throws(WeightFileError) -> [Int] {
        var extents: [Int] = []
        try expect("(")
        while try !accept(")") {
            skipSpace()
            let digits = text.prefix { (0x30...0x39).contains($0) }
            guard let extent = Int(String(Substring(digits))) else { throw malformed("shape") }
            text = text.dropFirst(digits.count)
            if text.first == UInt8(ascii: "L") { text = text.dropFirst() }
            extents.append(extent)
            if try !accept(",") {
                try expect(")")
                break
            }
        }
        return extents
    }

    private mutating func boolean() throws(WeightFileError) -> Bool {
        skipSpace()
        for (word, value) in [("True", true), ("False", false)] where text.starts(with: word.utf8) {
            text = text.dropFirst(word.utf8.count)
            return value
        }
        throw malformed("fortran_order")
    }

    private mutating func string() throws(WeightFileError) -> String {
        skipSpace()
        guard let quote = text.first, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
            throw malformed("a string is missing (structured types are not read)")
        }
        text = text.dropFirst()
        let content = text.prefix { $0 != quote }
        text = text.dropFirst(content.count + 1)
        return String(Substring(content))
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(WeightFileError) {
        guard try accept(character) else { throw malformed("'\(character)' is missing") }
    }

    private mutating func accept(_ character: Unicode.Scalar) throws(WeightFileError) -> Bool {
        skipSpace()
        guard let next = text.first else { throw malformed("it ends early") }
        guard next == UInt8(ascii: character) else { return false }
        text = text.dropFirst()
        return true
    }

    private mutating func skipSpace() {
        text = text.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x09 }
    }

    private func malformed(_ summary: String) -> WeightFileError {
        WeightFileError(.malformed, file: file, place: "header", summary)
    }
}
