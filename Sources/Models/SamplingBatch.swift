import Synchronization

/// How many files this process samples in one batch, if they are of like length; 1 unless told otherwise.
public enum SamplingBatch {
    private static let chosen = Mutex(1)

    /// Files in one batch, at most.
    public static var files: Int { chosen.withLock { $0 } }

    /// Sets the number for all evaluations and enhancements to come.
    public static func use(_ files: Int) {
        precondition(files > 0, "batches of \(files) files")
        chosen.withLock { $0 = files }
    }
}
