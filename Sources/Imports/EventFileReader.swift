import Foundation

/// Reads the scalars of a TensorBoard event file: records of the protocol buffer `Event`, framed as TFRecord.
///
/// Source: `event.proto`, `summary.proto`, `tensor.proto` of TensorBoard; see `EventFile` of the exports for the frame.
struct EventFileReader {
    struct Scalar: Hashable {
        var tag: String
        var step: Int
        var value: Double
        /// s since 1970.
        var time: Double
    }

    private(set) var scalars: [Scalar] = []
    /// Whether the file ends in the middle of a record, as one that is still written does.
    private(set) var isCut = false

    /// - Throws: `ImportFailure` for a file that does not begin with a record.
    init(_ data: Data, path: String) throws(ImportFailure) {
        let bytes = [UInt8](data)
        var place = 0
        while place < bytes.count {
            guard place + 12 <= bytes.count else {
                isCut = true
                break
            }
            let length = Self.little(bytes, place, 8)
            guard length <= UInt64(bytes.count - place - 12), Int(length) + 16 <= bytes.count - place else {
                guard place > 0 else {
                    throw ImportFailure(
                        path,
                        [
                            .init(
                                "format", "this is no TensorBoard event file",
                                fix: "give a file called events.out.tfevents.*")
                        ])
                }
                isCut = true
                break
            }
            read(event: bytes[(place + 12)..<(place + 12 + Int(length))])
            place += 16 + Int(length)
        }
    }

    private mutating func read(event bytes: ArraySlice<UInt8>) {
        var (time, step): (Double, Int) = (0, 0)
        var summaries: [ArraySlice<UInt8>] = []
        for field in Fields(bytes) {
            switch (field.number, field.value) {
            case (1, .fixed64(let bits)): time = Double(bitPattern: bits)
            case (2, .varint(let value)): step = Int(truncatingIfNeeded: value)
            case (5, .bytes(let summary)): summaries.append(summary)
            default: break
            }
        }
        for summary in summaries {
            for case (1, .bytes(let value)) in Fields(summary).map({ ($0.number, $0.value) }) {
                if let (tag, number) = Self.scalar(value) {
                    scalars.append(Scalar(tag: tag, step: step, value: number, time: time))
                }
            }
        }
    }

    /// The tag and the number of a `Summary.Value`: `simple_value`, or a tensor of one number.
    private static func scalar(_ bytes: ArraySlice<UInt8>) -> (String, Double)? {
        var (tag, number): (String?, Double?) = (nil, nil)
        for field in Fields(bytes) {
            switch (field.number, field.value) {
            case (1, .bytes(let text)): tag = String(decoding: text, as: UTF8.self)
            case (2, .fixed32(let bits)): number = Double(Float(bitPattern: bits))
            case (8, .bytes(let tensor)): number = number ?? self.tensor(tensor)
            default: break
            }
        }
        return tag.flatMap { tag in number.map { (tag, $0) } }
    }

    /// The one number of a `TensorProto` of type float (1) or double (2).
    private static func tensor(_ bytes: ArraySlice<UInt8>) -> Double? {
        var type: UInt64 = 0
        for field in Fields(bytes) {
            switch (field.number, field.value) {
            case (1, .varint(let value)): type = value
            case (4, .bytes(let content)) where type == 1 && content.count == 4:
                return Double(Float(bitPattern: UInt32(little(Array(content), 0, 4))))
            case (4, .bytes(let content)) where type == 2 && content.count == 8:
                return Double(bitPattern: little(Array(content), 0, 8))
            case (5, .fixed32(let bits)): return Double(Float(bitPattern: bits))
            case (5, .bytes(let packed)) where packed.count == 4:
                return Double(Float(bitPattern: UInt32(little(Array(packed), 0, 4))))
            case (6, .fixed64(let bits)): return Double(bitPattern: bits)
            case (6, .bytes(let packed)) where packed.count == 8: return Double(bitPattern: little(Array(packed), 0, 8))
            default: break
            }
        }
        return nil
    }

    private static func little(_ bytes: [UInt8], _ start: Int, _ count: Int) -> UInt64 {
        (0..<count).reversed().reduce(0) { $0 << 8 | UInt64(bytes[start + $1]) }
    }

    // MARK: Protocol buffers

    /// The fields of a message, in order; what cannot be read ends them.
    private struct Fields: Sequence, IteratorProtocol {
        enum Value {
            case varint(UInt64)
            case fixed64(UInt64)
            case fixed32(UInt32)
            case bytes(ArraySlice<UInt8>)
        }

        private var rest: ArraySlice<UInt8>

        init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

        mutating func next() -> (number: UInt64, value: Value)? {
            guard let key = varint() else { return nil }
            switch key & 7 {
            case 0: return varint().map { (key >> 3, .varint($0)) }
            case 1: return take(8).map { (key >> 3, .fixed64(EventFileReader.little(Array($0), 0, 8))) }
            case 2:
                return varint().flatMap { $0 <= UInt64(rest.count) ? take(Int($0)) : nil }.map {
                    (key >> 3, .bytes($0))
                }
            case 5: return take(4).map { (key >> 3, .fixed32(UInt32(EventFileReader.little(Array($0), 0, 4)))) }
            default: return nil
            }
        }

        private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= rest.count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }

        private mutating func varint() -> UInt64? {
            var (value, shift): (UInt64, UInt64) = (0, 0)
            while let byte = rest.popFirst() {
                guard shift < 64 else { return nil }
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
            return nil
        }
    }
}
