/// The type of an array's elements in a file; all are little-endian.
public enum ElementType: String, Hashable, Sendable, CaseIterable {
    case float16, bfloat16, float32, float64
    case int8, int16, int32, int64
    case uint8, uint16, uint32, uint64
    case bool
    case complex64, complex128

    /// The bytes of one element.
    public var byteCount: Int {
        switch self {
        case .int8, .uint8, .bool: 1
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float32, .int32, .uint32: 4
        case .float64, .int64, .uint64, .complex64: 8
        case .complex128: 16
        }
    }

    /// Whether values are also kept exactly, as `Int64`; `true` for Booleans.
    public var isInteger: Bool {
        switch self {
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .bool: true
        default: false
        }
    }

    var isComplex: Bool { self == .complex64 || self == .complex128 }

    /// Decoded elements: `Float` always, `Int64` where the type is an integer.
    struct Elements {
        var values: [Float] = []
        var integers: [Int64]?
    }

    /// Decodes `bytes`, a whole number of elements, and appends them.
    func decode(_ bytes: [UInt8], onto elements: inout Elements) {
        precondition(bytes.count % byteCount == 0, "\(bytes.count) bytes of \(self)")
        switch self {
        case .float32, .complex64:
            append(bytes, of: UInt32.self, to: &elements.values) { Float(bitPattern: $0) }
        case .float64, .complex128:
            append(bytes, of: UInt64.self, to: &elements.values) { Float(Double(bitPattern: $0)) }
        case .float16:
            append(bytes, of: UInt16.self, to: &elements.values) { Float(Float16(bitPattern: $0)) }
        case .bfloat16:
            append(bytes, of: UInt16.self, to: &elements.values) { Float(bitPattern: UInt32($0) << 16) }
        case .int8: integers(bytes, of: UInt8.self, onto: &elements) { Int64(Int8(bitPattern: $0)) }
        case .int16: integers(bytes, of: UInt16.self, onto: &elements) { Int64(Int16(bitPattern: $0)) }
        case .int32: integers(bytes, of: UInt32.self, onto: &elements) { Int64(Int32(bitPattern: $0)) }
        case .int64, .uint64: integers(bytes, of: UInt64.self, onto: &elements) { Int64(bitPattern: $0) }
        case .uint8: integers(bytes, of: UInt8.self, onto: &elements) { Int64($0) }
        case .uint16: integers(bytes, of: UInt16.self, onto: &elements) { Int64($0) }
        case .uint32: integers(bytes, of: UInt32.self, onto: &elements) { Int64($0) }
        case .bool: integers(bytes, of: UInt8.self, onto: &elements) { $0 == 0 ? 0 : 1 }
        }
    }

    private func integers<Word: FixedWidthInteger>(
        _ bytes: [UInt8], of word: Word.Type, onto elements: inout Elements, _ convert: (Word) -> Int64
    ) {
        var integers = elements.integers ?? []
        elements.integers = nil  // so that `integers` is the only owner and grows in place
        let start = integers.count
        append(bytes, of: word, to: &integers, convert)
        elements.values.reserveCapacity(integers.count)
        for integer in integers[start...] {
            elements.values.append(self == .uint64 ? Float(UInt64(bitPattern: integer)) : Float(integer))
        }
        elements.integers = integers
    }

    @inline(__always)
    private func append<Word: FixedWidthInteger, Value>(
        _ bytes: [UInt8], of word: Word.Type, to values: inout [Value], _ convert: (Word) -> Value
    ) {
        let size = MemoryLayout<Word>.size
        values.reserveCapacity(values.count + bytes.count / size)
        unsafe bytes.withUnsafeBytes { raw in
            for offset in stride(from: 0, to: raw.count, by: size) {
                let stored = unsafe raw.loadUnaligned(fromByteOffset: offset, as: Word.self)
                values.append(convert(Word(littleEndian: stored)))
            }
        }
    }
}

extension NamedArray {
    /// The little-endian bytes of elements `range`: `int64` for integer arrays, `float32` for all others.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        if let integers {
            return unsafe integers[range].map { $0.littleEndian }.withUnsafeBytes { unsafe Array($0) }
        }
        return unsafe values[range].map { $0.bitPattern.littleEndian }.withUnsafeBytes { unsafe Array($0) }
    }

    /// The type under which the array is written.
    var writtenType: ElementType { integers == nil ? .float32 : .int64 }

    /// Calls `body` with the array's bytes, a few megabytes at a time.
    func forEachChunk<Failure: Error>(_ body: ([UInt8]) throws(Failure) -> Void) throws(Failure) {
        let step = 1 << 20
        for start in stride(from: 0, to: values.count, by: step) {
            try body(bytes(start..<min(start + step, values.count)))
        }
    }
}
