import CCollective

/// The sum of vectors that are made by several processes, in the order of the vectors.
///
/// Vector `v` is made by process `v mod count`. In each round every process sends the others the slices that they add
/// up, so the sums are those of one process that adds the vectors one after the other, to the bit.
///
/// One object serves many sums, one after the other, and keeps its memory of two and a half vectors: new memory for
/// vectors of 65.6 million numbers would cost half a second in each step of a training.
public final class OrderedSum {
    private let group: ProcessGroup
    private let length, each: Int
    /// This process's vector, filled up to `each` numbers for every process.
    private var mine: [Float]
    /// What the others sent, and in the end the whole sum.
    private var received: [Float]
    /// The slice that this process adds up.
    private var slice: [Float]
    private var isEmpty = true

    /// - Parameter length: Numbers of each vector.
    public init(of length: Int, in group: ProcessGroup) {
        self.group = group
        self.length = length
        each = (length + group.count - 1) / group.count
        mine = [Float](repeating: 0, count: each * group.count)
        received = mine
        slice = [Float](repeating: 0, count: each)
    }

    /// Forgets what was added.
    public func reset() { isEmpty = true }

    /// Takes a part of this process's vector.
    public func put(_ part: [Float], at start: Int) {
        precondition(start >= 0 && start + part.count <= length, "\(part.count) numbers at \(start) of \(length)")
        unsafe mine.withUnsafeMutableBufferPointer { mine in
            _ = unsafe UnsafeMutableBufferPointer(rebasing: mine[start..<start + part.count]).update(
                fromContentsOf: part)
        }
    }

    /// Adds the vectors of the first `active` processes.
    public func add(active: Int) throws(GroupFailure) {
        try group.exchange(mine, &received, each: each, active: active)
        // The first vector is taken as it is: a sum with zero would lose the sign of its zeros.
        let isFirst = isEmpty
        isEmpty = false
        unsafe received.withUnsafeBufferPointer { received in
            guard let first = received.baseAddress else { return }
            if isFirst {
                unsafe slice.withUnsafeMutableBufferPointer { slice in
                    _ = unsafe slice.update(fromContentsOf: received[..<each])
                }
            }
            let skipped = isFirst ? 1 : 0
            unsafe sgc_add_in_order(&slice, first + skipped * each, Int64(each), Int32(active - skipped))
        }
    }

    /// Gives everybody the whole sum, which ``total(from:count:)`` then reads.
    public func finish() throws(GroupFailure) { try group.gather(slice, into: &received) }

    /// A part of the whole sum, after ``finish()``.
    public func total(from start: Int, count: Int) -> [Float] {
        precondition(start >= 0 && start + count <= length, "\(count) numbers at \(start) of \(length)")
        return Array(received[start..<start + count])
    }
}

extension ProcessGroup {
    fileprivate func exchange(_ parts: [Float], _ from: inout [Float], each: Int, active: Int) throws(GroupFailure) {
        try run { table in unsafe table.exchange(parts, &from, Int64(each), Int32(active)) }
    }

    fileprivate func gather(_ mine: [Float], into all: inout [Float]) throws(GroupFailure) {
        try run { table in unsafe table.gather(mine, &all, Int64(4 * mine.count)) }
    }
}
