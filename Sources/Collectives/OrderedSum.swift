import CCollective

/// The sum of vectors that are made by several processes, in the order of the vectors.
///
/// Vector `v` is made by process `v mod count`. In each round every process sends the others the slices that they add
/// up, so the sums are those of one process that adds the vectors one after the other, to the bit.
public struct OrderedSum {
    private let group: ProcessGroup
    private let length, each: Int
    private var sum: [Float]
    private var isEmpty = true

    public init(of length: Int, in group: ProcessGroup) {
        self.group = group
        self.length = length
        each = (length + group.count - 1) / group.count
        sum = [Float](repeating: 0, count: each)
    }

    /// Adds the vectors of the first `active` processes.
    ///
    /// - Parameter mine: This process's vector; `nil` where it is not among them.
    public mutating func add(_ mine: [Float]?, active: Int) throws(GroupFailure) {
        precondition(
            (mine != nil) == (group.rank < active) && mine?.count ?? length == length,
            "a vector of \(mine?.count ?? 0) elements")
        var from = [Float](repeating: 0, count: each * group.count)
        let parts = mine.map { $0 + [Float](repeating: 0, count: each * group.count - length) } ?? []
        try group.exchange(parts, &from, each: each, active: active)
        // The first vector is taken as it is: a sum with zero would lose the sign of its zeros.
        let skipped = isEmpty ? 1 : 0
        if isEmpty { sum = Array(from[..<each]) }
        isEmpty = false
        unsafe from.withUnsafeBufferPointer { from in
            guard let first = from.baseAddress else { return }
            unsafe sgc_add_in_order(&sum, first + skipped * each, Int64(each), Int32(active - skipped))
        }
    }

    /// The whole sum, for everybody.
    public func total() throws(GroupFailure) -> [Float] {
        Array(try group.gather(sum, filler: 0).joined().prefix(length))
    }
}

extension ProcessGroup {
    fileprivate func exchange(_ parts: [Float], _ from: inout [Float], each: Int, active: Int) throws(GroupFailure) {
        try run { table in unsafe table.exchange(parts, &from, Int64(each), Int32(active)) }
    }
}
