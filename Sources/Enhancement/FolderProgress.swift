import Parallelism

/// How far a folder is, after each of its files.
public struct FolderProgress: Hashable, Sendable {
    /// What is done to it, such as `enhance`.
    public var work: String
    /// The file that was just finished.
    public var file: String
    /// Files that are finished, failed ones included.
    public var done: Int
    /// Files to be worked on in this call.
    public var total: Int
    /// Estimated from the mean time of the files that are done.
    public var secondsLeft: Double

    /// - Parameter start: When the first file was begun.
    init(_ work: String, file: String, done: Int, of total: Int, since start: ContinuousClock.Instant) {
        (self.work, self.file, self.done, self.total) = (work, file, done, total)
        secondsLeft = start.secondsUntilNow / Double(max(1, done)) * Double(max(0, total - done))
    }
}
