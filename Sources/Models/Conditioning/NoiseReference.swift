public import Failures

/// The noise reference of a recording, as a conditioned network receives it.
public enum NoiseReference: Hashable, Sendable {
    /// Samples of noise at the recording's own level.
    case segment([Float])
    /// The embedding of zeros that training's dropout uses.
    case zero
    /// The conditioning layers are left out, which no network is trained for.
    case skipped
}

/// Where a reference came from; what the store keeps for each file.
public struct ReferenceRecord: Hashable, Sendable, Codable {
    /// The mode with its form, such as `estimated/quietest`.
    public var mode: String
    /// The recording it was cut from; `nil` where there is none, or it is the noisy file itself.
    public var source: String?
    /// Hz; ``start`` and ``count`` are in samples at this rate.
    public var sampleRate: Int?
    /// First sample of the reference in its source, at ``sampleRate``; `nil` where no recording was cut.
    public var start: Int?
    public var count: Int?
    /// Root mean square of the samples.
    public var level: Double?

    public init(
        mode: String, source: String? = nil, sampleRate: Int? = nil, start: Int? = nil, count: Int? = nil,
        level: Double? = nil
    ) {
        (self.mode, self.source, self.sampleRate) = (mode, source, sampleRate)
        (self.start, self.count, self.level) = (start, count, level)
    }
}

/// Why a noise reference cannot be made.
public struct ReferenceError: Diagnostic, Hashable, Sendable {
    /// The reference's mode as the spec writes it.
    public var mode: String
    /// What is missing or wrong.
    public var reason: String

    public init(mode: String, reason: String) { (self.mode, self.reason) = (mode, reason) }

    public var place: String? { "reference '\(mode)'" }
    public var summary: String { reason }
    public var category: FailureCategory { .request }
    public var description: String { line }
}
