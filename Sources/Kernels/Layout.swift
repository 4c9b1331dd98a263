import CDevice

/// Entries of the middle axis of `[rows, entries, width]` in another order, `[rows, count, width]`; zeros at −1.
public func selectEntries(_ x: FloatBuffer, rows: Int, entries: Int, width: Int, at places: [Int]) -> FloatBuffer {
    precondition(x.count == rows * entries * width, "selectEntries: \(x.count) elements as \(rows)×\(entries)×\(width)")
    precondition(places.allSatisfy { $0 >= -1 && $0 < entries }, "selectEntries: a place outside of \(entries) entries")
    let count = rows * places.count * width
    if let device = Device.current, count > 0, entries > 0 {
        let index = places.map(Int64.init)
        return device.made("selectEntries", count) {
            unsafe $0.select(x.on(device), Int64(rows), Int64(entries), Int64(width), index, Int64(index.count))
        }
    }
    let y = FloatBuffer(count: count)
    x.withSpan { x in
        y.withMutableSpan { y in
            var to = 0
            for row in 0..<rows {
                for place in places {
                    let from = (row * entries + place) * width
                    for offset in 0..<width { y[to + offset] = place < 0 ? 0 : x[from + offset] }
                    to += width
                }
            }
        }
    }
    return y
}
