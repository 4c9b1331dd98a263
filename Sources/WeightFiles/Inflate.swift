/// Decompresses DEFLATE data (RFC 1951) into a buffer of known size.
///
/// The size is claimed by the archive and bounds the output: data that decompress to more, or to less, are
/// damaged or hostile.
struct Inflate {
    enum Failure: Error { case truncated, malformed }

    private let input: [UInt8]
    private var position = 0
    private var bits: UInt64 = 0
    private var bitCount = 0

    private init(_ input: [UInt8]) { self.input = input }

    static func decompress(_ input: [UInt8], size: Int) throws(Failure) -> [UInt8] {
        var inflate = Inflate(input)
        var output: [UInt8] = []
        output.reserveCapacity(size)
        var isLast = false
        while !isLast {
            isLast = try inflate.take(1) == 1
            switch try inflate.take(2) {
            case 0: try inflate.storedBlock(onto: &output, limit: size)
            case 1: try inflate.block(.fixedLiterals, .fixedDistances, onto: &output, limit: size)
            case 2:
                let (literals, distances) = try inflate.dynamicCodes()
                try inflate.block(literals, distances, onto: &output, limit: size)
            default: throw .malformed
            }
        }
        guard output.count == size else { throw .malformed }
        return output
    }

    // MARK: Bits

    private mutating func fill() {
        while bitCount <= 48, position < input.count {
            bits |= UInt64(input[position]) << UInt64(bitCount)
            position += 1
            bitCount += 8
        }
    }

    private mutating func take(_ count: Int) throws(Failure) -> Int {
        if bitCount < count { fill() }
        guard bitCount >= count else { throw .truncated }
        let value = bits & (1 << UInt64(count) - 1)
        bits >>= UInt64(count)
        bitCount -= count
        return Int(value)
    }

    private mutating func symbol(_ code: PrefixCode) throws(Failure) -> Int {
        if bitCount < 15 { fill() }
        let entry = code.table[Int(bits & UInt64(code.table.count - 1))]
        let length = Int(entry & 15)
        guard length > 0 else { throw .malformed }
        guard length <= bitCount else { throw .truncated }
        bits >>= UInt64(length)
        bitCount -= length
        return Int(entry >> 4)
    }

    // MARK: Blocks

    private mutating func storedBlock(onto output: inout [UInt8], limit: Int) throws(Failure) {
        _ = try take(bitCount % 8)
        let (length, complement) = (try take(16), try take(16))
        guard length ^ complement == 0xFFFF, length <= limit - output.count else { throw .malformed }
        for _ in 0..<length { output.append(UInt8(try take(8))) }
    }

    private mutating func block(
        _ literals: PrefixCode, _ distances: PrefixCode, onto output: inout [UInt8], limit: Int
    ) throws(Failure) {
        while true {
            let symbol = try symbol(literals)
            if symbol < 256 {
                guard output.count < limit else { throw .malformed }
                output.append(UInt8(symbol))
                continue
            }
            if symbol == 256 { return }
            let lengthCode = symbol - 257
            guard lengthCode < Self.lengths.count else { throw .malformed }
            let length = Self.lengths[lengthCode].base + (try take(Self.lengths[lengthCode].extra))
            let distanceCode = try self.symbol(distances)
            guard distanceCode < 30 else { throw .malformed }
            // Distance codes come in pairs that share a number of extra bits.
            let extra = max(0, distanceCode / 2 - 1)
            let base = distanceCode < 2 ? 1 + distanceCode : (2 + distanceCode % 2) << extra + 1
            let distance = base + (try take(extra))
            guard distance <= output.count, length <= limit - output.count else { throw .malformed }
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }

    /// Base length and number of extra bits of codes 257...285.
    private static let lengths: [(base: Int, extra: Int)] = {
        var table: [(base: Int, extra: Int)] = []
        var base = 3
        for code in 0..<28 {
            let extra = max(0, code / 4 - 1)
            table.append((base, extra))
            base += 1 << extra
        }
        return table + [(258, 0)]
    }()

    /// The order in which the lengths of the code-length code are stored.
    private static let lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

    private mutating func dynamicCodes() throws(Failure) -> (PrefixCode, PrefixCode) {
        let (literals, distances) = (try take(5) + 257, try take(5) + 1)
        var lengths = [Int](repeating: 0, count: 19)
        for index in 0..<(try take(4) + 4) { lengths[Self.lengthOrder[index]] = try take(3) }
        let lengthCode = try PrefixCode(lengths)
        lengths = []
        while lengths.count < literals + distances {
            let symbol = try symbol(lengthCode)
            switch symbol {
            case 16:
                guard let last = lengths.last else { throw .malformed }
                lengths += [Int](repeating: last, count: 3 + (try take(2)))
            case 17: lengths += [Int](repeating: 0, count: 3 + (try take(3)))
            case 18: lengths += [Int](repeating: 0, count: 11 + (try take(7)))
            default: lengths.append(symbol)
            }
        }
        guard lengths.count == literals + distances, lengths[256] > 0 else { throw .malformed }
        return (try PrefixCode(lengths[..<literals]), try PrefixCode(lengths[literals...]))
    }
}

/// A canonical prefix code as a table over the next bits: symbol · 16 + length, 0 where no code begins so.
private struct PrefixCode {
    let table: [UInt16]

    init(_ lengths: some Collection<Int>) throws(Inflate.Failure) {
        let longest = max(1, lengths.max() ?? 0)
        var table = [UInt16](repeating: 0, count: 1 << longest)
        var code = 0
        for length in 1...longest {
            for (symbol, _) in lengths.enumerated().filter({ $0.element == length }) {
                guard code < 1 << length else { throw .malformed }
                // Codes are sent most significant bit first, and the table is read from the least.
                let reversed = (0..<length).reduce(0) { $0 << 1 | code >> $1 & 1 }
                for entry in stride(from: reversed, to: table.count, by: 1 << length) {
                    table[entry] = UInt16(symbol << 4 | length)
                }
                code += 1
            }
            code <<= 1
        }
        self.table = table
    }

    private init(checked lengths: [Int]) {
        do { self = try PrefixCode(lengths) } catch { preconditionFailure("a fixed code is complete") }
    }

    static let fixedLiterals = PrefixCode(
        checked: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
    static let fixedDistances = PrefixCode(checked: [Int](repeating: 5, count: 30))
}
