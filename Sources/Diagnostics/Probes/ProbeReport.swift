public import Foundation
import Models

/// Whether a conditioned model uses its noise reference: the measurements of all probes, and a verdict.
public struct ProbeReport: Sendable, Codable {
    /// The name of the run.
    public var run: String
    /// The step of the weights that were probed.
    public var step: Int
    /// The test sets whose files were used.
    public var sets: [String]
    /// Whether guidance computes what it should, on the averaged weights.
    public var nullTests: NullTests
    /// Of the averaged weights, and of the raw ones.
    public var averaged, raw: ScoreSensitivity
    /// Statistics of the embeddings by the averaged weights, over several references of each file.
    public var embeddings: EmbeddingStatistics
    /// From the recorded steps of the training.
    public var gradients: EncoderGradients
    /// `nil` where nothing was enhanced.
    public var effects: ReferenceEffects?

    public init(
        run: String, step: Int, sets: [String], nullTests: NullTests, averaged: ScoreSensitivity, raw: ScoreSensitivity,
        embeddings: EmbeddingStatistics, gradients: EncoderGradients, effects: ReferenceEffects?
    ) {
        (self.run, self.step, self.sets, self.nullTests) = (run, step, sets, nullTests)
        (self.averaged, self.raw, self.embeddings) = (averaged, raw, embeddings)
        (self.gradients, self.effects) = (gradients, effects)
    }

    /// The conditioning-sensitivity index of the averaged weights.
    public var index: ProbeEstimate { averaged.index }

    /// What the probes found.
    public enum Verdict: String, Hashable, Sendable, Codable {
        /// The guided score leads away from the reference, or is not the line it should be.
        case guidanceFlipped, guidanceWrong
        /// The score does not depend on the reference.
        case ignores
        /// It does, and the enhanced speech is better, worse, or neither for the right one.
        case helps, hurts, noBenefit
        /// It does; nothing was enhanced.
        case reacts
        /// No change, or an effect on the enhanced speech, from fewer than ``fewestFiles`` files.
        case tooFewFiles
    }

    /// Below this relative change of the score a reference makes no difference.
    public static let threshold = 1e-3

    /// The fewest files from which a conclusion is drawn.
    public static let fewestFiles = 5

    /// The metric that decides whether the right reference helps.
    static let decidingMetric = "si_sdr"

    /// The first of the cases that applies, faults of guidance before anything else.
    public var verdict: Verdict {
        if nullTests.isFlipped { return .guidanceFlipped }
        if !nullTests.passes { return .guidanceWrong }
        if (index.upper ?? index.mean) < Self.threshold { return index.n < Self.fewestFiles ? .tooFewFiles : .ignores }
        guard let cost = effects?.cost(of: Self.decidingMetric) else { return .reacts }
        guard cost.n >= Self.fewestFiles, let lower = cost.lower, let upper = cost.upper else { return .tooFewFiles }
        return lower > 0 ? .helps : upper < 0 ? .hurts : .noBenefit
    }

    /// The result in one sentence, with the number of files behind each figure.
    public var sentence: String {
        func percent(_ value: Double) -> String { String(format: "%.2g %%", 100 * value) }
        func range(_ estimate: ProbeEstimate, _ format: (Double) -> String) -> String {
            let files = "(n = \(estimate.n) \(estimate.n == 1 ? "file" : "files"))"
            guard let lower = estimate.lower, let upper = estimate.upper else {
                return "\(format(estimate.mean)) \(files)"
            }
            return "\(format(estimate.mean)) [\(format(lower)), \(format(upper))] \(files)"
        }
        func decibels(_ value: Double) -> String { String(format: "%+.2f dB", value) }
        let change = "exchanging the reference for another noise's changes the score by \(range(index, percent))"
        // The difference is that from the wrong reference to the right one.
        let effect =
            effects?.cost(of: Self.decidingMetric).map {
                ", and the right one changes SI-SDR by \(range($0, decibels))"
            } ?? ""
        switch verdict {
        case .guidanceFlipped:
            return String(
                format: "Guidance has the wrong sign: the guided score moves by %.2f times the conditional difference, "
                    + "away from the reference.", nullTests.slope)
        case .guidanceWrong:
            return String(
                format:
                    """
                    Guidance is not s₀ + w (s₁ − s₀): it misses the conditional score by %.1e and the unconditional by \
                    %.1e.
                    """,
                nullTests.errorAtOne, nullTests.errorAtZero)
        case .ignores:
            return "The model ignores its reference: \(change)."
        case .helps:
            return "The model uses its reference: \(change)\(effect)."
        case .hurts:
            return "The model reacts to its reference, and the right one makes it worse: \(change)\(effect)."
        case .noBenefit:
            return "The model reacts to its reference without a benefit that these files show: \(change)\(effect)."
        case .reacts:
            return "The model reacts to its reference: \(change)."
        case .tooFewFiles:
            return "These are too few files to conclude from, \(Self.fewestFiles) are needed: \(change)\(effect)."
        }
    }

    /// The report as a JSON object, with infinite and missing numbers as text.
    public var json: Data {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            return try encoder.encode(Summary(index: index, verdict: verdict, sentence: sentence, measured: self))
        }
    }

    private struct Summary: Encodable {
        var index: ProbeEstimate
        var verdict: Verdict
        var sentence: String
        var measured: ProbeReport
    }
}
