public import Runs

/// The gradient that reached the noise encoder in parts of a training.
public struct EncoderGradients: Hashable, Sendable, Codable {
    /// The mean gradients in one stretch of the training.
    public struct Part: Hashable, Sendable, Codable {
        /// The first and the last recorded step of the part.
        public var firstStep, lastStep: Int
        /// Means over the part's steps: the norm of the encoder's gradient, and of the whole.
        public var encoder, whole: Double
        /// The share of pairs whose reference was dropped.
        public var dropped: Double
    }

    /// From the beginning of the training to its end; empty where no step recorded the encoder's gradient.
    public var parts: [Part]

    /// Whether no gradient ever reached the encoder; `nil` where nothing was recorded.
    public var isCut: Bool? { parts.isEmpty ? nil : parts.allSatisfy { $0.encoder == 0 } }

    /// - Parameter count: The number of parts of about equal length.
    public init(_ steps: [StepRecord], parts count: Int = 5) {
        let recorded = steps.filter { $0.terms["encoder_gradient_norm"] != nil }
        let size = max(1, (recorded.count + count - 1) / count)
        parts = stride(from: 0, to: recorded.count, by: size).map { first in
            let part = recorded[first..<min(recorded.count, first + size)]
            func mean(_ value: (StepRecord) -> Double) -> Double {
                part.reduce(0) { $0 + value($1) } / Double(part.count)
            }
            return Part(
                firstStep: part.first?.step ?? 0, lastStep: part.last?.step ?? 0,
                encoder: mean { $0.terms["encoder_gradient_norm"] ?? 0 }, whole: mean(\.gradientNorm),
                dropped: mean { $0.terms["cond_dropped"] ?? 0 })
        }
    }
}
