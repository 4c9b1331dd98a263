import Synchronization

/// Counts the multiplications and additions of matrix products and convolutions.
///
/// The defining sum is counted, independently of the algorithm; elementwise operations, norms and transforms are not.
public enum WorkCounter {
    private static let total = Atomic<Int>(0)

    /// Operations since the process began.
    public static var operations: Int { total.load(ordering: .relaxed) }

    static func add(_ operations: Double) { total.add(Int(operations), ordering: .relaxed) }
}
