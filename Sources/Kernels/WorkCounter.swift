import Synchronization

/// Counts the multiplications and additions that products and convolutions stand for.
///
/// Counted is the defining sum, whatever the algorithm needs of it; maps, norms and transforms are not.
public enum WorkCounter {
    private static let total = Atomic<Int>(0)

    /// Operations since the process began.
    public static var operations: Int { total.load(ordering: .relaxed) }

    static func add(_ operations: Double) { total.add(Int(operations), ordering: .relaxed) }
}
