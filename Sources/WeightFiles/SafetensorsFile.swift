import Foundation

/// A safetensors file: a JSON header with names, types, shapes and byte ranges, then the bytes.
///
/// Opening reads the header only; arrays are read one by one. As the format demands, the ranges must tile
/// the data without overlap or hole. Source: the safetensors format description (huggingface/safetensors).
public struct SafetensorsFile: Sendable {
    /// An array as the header declares it.
    public struct Entry: Hashable, Sendable {
        /// Unique in the file.
        public var name: String
        /// Of its elements.
        public var type: ElementType
        /// Extents of the axes, outermost first; empty for a scalar.
        public var shape: [Int]
        /// The bytes of the file that hold the elements.
        public var bytes: Range<Int>
    }

    /// The largest header that is read, in bytes; the format's own limit.
    public static let headerLimit = 100_000_000

    /// The texts under `__metadata__`; empty where the header has none.
    public let metadata: [String: String]
    /// The arrays, in the order in which they lie in the file.
    public let entries: [Entry]
    private let source: ByteSource
    private let index: [String: Int]

    public init(path: String) throws(WeightFileError) {
        try self.init(ByteSource(path: path))
    }

    init(_ source: ByteSource) throws(WeightFileError) {
        if let foreign = try ForeignFile.error(source) { throw foreign }
        let length = try source.read(0..<8, place: "header length").littleEndian(UInt64.self)
        guard length <= Self.headerLimit else {
            throw WeightFileError(
                .tooLarge, file: source.name, place: "header", "claims \(length) bytes",
                hint: "this is not a safetensors file, or it is damaged")
        }
        let data = 8 + Int(length)
        let text = try source.read(8..<data, place: "header")
        guard text.first == UInt8(ascii: "{") else {
            throw WeightFileError(.malformed, file: source.name, place: "header", "does not begin with '{'")
        }
        let header: Header
        do { header = try JSONDecoder().decode(Header.self, from: Data(text)) } catch {
            throw WeightFileError(.malformed, file: source.name, place: "header", "is not the JSON expected")
        }
        var entries: [Entry] = []
        for (name, raw) in header.arrays {
            entries.append(try Self.entry(name, raw, dataStart: data, file: source.name))
        }
        entries.sort {
            ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name) < ($1.bytes.lowerBound, $1.bytes.upperBound, $1.name)
        }
        var end = data
        for entry in entries {
            guard entry.bytes.lowerBound == end else {
                throw WeightFileError(
                    .malformed, file: source.name, place: "tensor '\(entry.name)'",
                    entry.bytes.lowerBound < end ? "overlaps another" : "leaves a hole before it")
            }
            end = entry.bytes.upperBound
        }
        guard end == source.count else {
            throw WeightFileError(
                end > source.count ? .truncated : .malformed, file: source.name,
                "the header describes \(end) bytes, the file has \(source.count)",
                hint: "copy or download the file again")
        }
        (self.metadata, self.entries, self.source) = (header.metadata, entries, source)
        index = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.name, $0) })
    }

    /// The names, in the order in which the arrays lie in the file.
    public var names: [String] { entries.map(\.name) }

    /// Reads one array.
    public func array(_ name: String) throws(WeightFileError) -> NamedArray {
        guard let position = index[name] else {
            throw WeightFileError(.missing, file: source.name, "has no tensor '\(name)'")
        }
        let entry = entries[position]
        let elements = try source.elements(
            entry.type, count: entry.bytes.count / entry.type.byteCount, at: entry.bytes.lowerBound,
            place: "tensor '\(name)'")
        return NamedArray(name: name, shape: entry.shape, type: entry.type, elements: elements)
    }

    /// Reads all arrays.
    public func arrays() throws(WeightFileError) -> [NamedArray] {
        var arrays: [NamedArray] = []
        for entry in entries { arrays.append(try array(entry.name)) }
        return arrays
    }

    private static func entry(
        _ name: String, _ raw: Header.Entry, dataStart: Int, file: String
    ) throws(WeightFileError) -> Entry {
        let place = "tensor '\(name)'"
        guard let type = typeNames[raw.dtype] else {
            throw WeightFileError(.unsupported, file: file, place: place, "elements of type '\(raw.dtype)'")
        }
        let offsets = raw.data_offsets
        guard offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1], offsets[1] <= .max - dataStart else {
            throw WeightFileError(.malformed, file: file, place: place, "impossible offsets \(offsets)")
        }
        let byteCount = NamedArray.elementCount(of: raw.shape).map {
            $0.multipliedReportingOverflow(by: type.byteCount)
        }
        guard let byteCount, !byteCount.overflow, byteCount.partialValue == offsets[1] - offsets[0] else {
            throw WeightFileError(
                .malformed, file: file, place: place,
                "shape \(raw.shape) of \(type) does not take \(offsets[1] - offsets[0]) bytes")
        }
        return Entry(name: name, type: type, shape: raw.shape, bytes: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    static let typeNames: [String: ElementType] = [
        "F16": .float16, "BF16": .bfloat16, "F32": .float32, "F64": .float64, "BOOL": .bool,
        "I8": .int8, "I16": .int16, "I32": .int32, "I64": .int64,
        "U8": .uint8, "U16": .uint16, "U32": .uint32, "U64": .uint64, "C64": .complex64,
    ]
}

extension SafetensorsFile {
    /// The header as JSON: an object of entries, with the metadata under a name of its own.
    private struct Header: Decodable {
        struct Entry: Decodable {
            var dtype: String
            var shape: [Int]
            var data_offsets: [Int]
        }
        struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        var metadata: [String: String] = [:]
        var arrays: [(String, Entry)] = []

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            for key in container.allKeys {
                if key.stringValue == "__metadata__" {
                    metadata = try container.decode([String: String].self, forKey: key)
                } else {
                    arrays.append((key.stringValue, try container.decode(Entry.self, forKey: key)))
                }
            }
        }
    }

    /// Writes `arrays`, in their order, to `path`: integers as `I64`, all others as `F32`.
    ///
    /// - Precondition: Every array has a name, and no two have the same.
    public static func write(
        _ arrays: [NamedArray], metadata: [String: String] = [:], to path: String
    ) throws(WeightFileError) {
        var fields: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            fields.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var (offset, names) = (0, Set<String>())
        for array in arrays {
            guard let name = array.name else { preconditionFailure("an array of shape \(array.shape) has no name") }
            precondition(names.insert(name).inserted, "two arrays are named '\(name)'")
            let end = offset + array.values.count * array.writtenType.byteCount
            let type = array.writtenType == .int64 ? "I64" : "F32"
            fields.append(
                "\(quoted(name)):{\"dtype\":\"\(type)\",\"shape\":\(array.shape),\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var header = Array("{\(fields.joined(separator: ","))}".utf8)
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        var sink = try ByteSink(path: path)
        try sink.write(UInt64(header.count).littleEndianBytes + header)
        for array in arrays {
            try array.forEachChunk { (bytes) throws(WeightFileError) in try sink.write(bytes) }
        }
        try sink.commit()
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
