public import Failures
import Foundation
import Kernels
import SpeechMetrics
public import Tensors

/// Why a pair of recordings has no perceptual distance.
public enum PerceptualLossError: Diagnostic, Hashable, Sendable {
    /// There are fewer than the 20 frames over which disturbances are pooled.
    case tooShort(samples: Int, least: Int)
    case differentLengths(clean: Int, estimate: Int)
    /// Nothing is left of a recording between 325 and 3250 Hz, so its level cannot be set.
    case silentClean
    case silentEstimate
    case notFinite

    public var category: FailureCategory { .work }
    public var description: String { summary }

    public var summary: String {
        switch self {
        case .tooShort(let samples, let least): "\(samples) samples are too few; use at least \(least)"
        case .differentLengths(let clean, let estimate):
            "\(clean) clean and \(estimate) estimated samples; cut them to one length"
        case .silentClean: "the clean recording is silent; leave it out"
        case .silentEstimate: "the estimate is silent, so that no level can be set"
        case .notFinite: "a sample is infinite or not a number"
        }
    }
}

/// The perceptual distances of an estimate from clean speech.
public struct PerceptualDistance: Hashable, Sendable {
    /// The pooled symmetric disturbance, at most 45.
    public var symmetric: Double
    /// The pooled asymmetric disturbance, which weighs added components more than lost ones; at most 45.
    public var asymmetric: Double

    public init(symmetric: Double, asymmetric: Double) {
        self.symmetric = symmetric
        self.asymmetric = asymmetric
    }

    /// `0.1 d_s + 0.0309 d_a`
    public var penalty: Double { Self.symmetricWeight * symmetric + Self.asymmetricWeight * asymmetric }

    /// The mean opinion score, from 1 to 4.64, after the mapping of ITU-T P.862.2:
    ///
    ///     0.999 + 4 / (1 + exp(−1.3669 (4.5 − 0.1 d_s − 0.0309 d_a) + 3.8224))
    public var meanOpinionScore: Double { 0.999 + 4 / (1 + exp(-1.3669 * (4.5 - penalty) + 3.8224)) }

    static let symmetricWeight = 0.1
    static let asymmetricWeight = 0.0309
}

/// A differentiable PESQ: the perceptual disturbance of an estimate relative to clean speech.
///
///     loss = factor · (0.1 d_s + 0.0309 d_a)
///
/// PESQ's perceptual model at 16 kHz, without alignment in time and with a Butterworth filter to set levels; see
/// ``PerceptualDistance`` for the distances. It is scale-invariant in both waveforms. Computed in double
/// precision, with gradients for both waveforms.
///
/// ITU-T P.862 (2001) and P.862.2 (2007); the differentiable form is that of the package torch-pesq. Where its common
/// normalisation of peaks makes the gradient NaN (digital silence in the clean speech), the gradient here is finite:
/// the levels set afterwards undo that normalisation, so it has no gradient and is left out.
public struct PerceptualLoss: Sendable {
    /// Hz; other rates than 16000 are converted first.
    public let sampleRate: Int
    /// The factor of the penalty; 1 gives `0.1 d_s + 0.0309 d_a`.
    public let factor: Double
    let analysis: BandAnalysis
    let model: LoudnessModel

    /// - Precondition: The rate is positive.
    public init(sampleRate: Int, factor: Double = 1) {
        precondition(sampleRate > 0, "a sample rate of \(sampleRate) Hz")
        self.sampleRate = sampleRate
        self.factor = factor
        analysis = BandAnalysis(sampleRate: sampleRate)
        model = LoudnessModel(analysis.bands)
    }

    /// The number of samples that gives 20 frames.
    public var shortestSignal: Int {
        // 5248 samples are 20 frames, because 5248 mod 256 zeros follow them.
        let (shortest, resampling) = (5248, analysis.resampling)
        return resampling?.shortestSource(of: shortest) ?? shortest
    }

    /// The loss of every pair, `[B]` from waveforms `[B, L]`.
    ///
    /// The loss of a silent or infinite waveform is NaN, without gradient.
    ///
    /// - Precondition: `L` is at least ``shortestSignal``.
    public func callAsFunction(_ clean: Tensor, _ estimate: Tensor) -> Tensor {
        if let device = Device.current { return losses(clean, estimate, on: device) }
        let outcomes = outcomes(clean, estimate)
        return Tensor(outcomes.map { Float($0.value) }, shape: [outcomes.count], from: [clean, estimate]) { dy in
            Self.gradients(outcomes, weights: dy.values.map(Double.init), shape: clean.shape)
        }
    }

    /// The mean loss of a batch `[B, L]`, a scalar, over the pairs in which neither waveform is silent; 0 without any.
    ///
    /// Otherwise a crop of digital silence would make the step's loss NaN. Infinite waveforms still give NaN.
    ///
    /// - Precondition: `L` is at least ``shortestSignal``.
    public func mean(_ clean: Tensor, _ estimate: Tensor) -> Tensor {
        if let device = Device.current { return mean(clean, estimate, on: device) }
        let outcomes = outcomes(clean, estimate)
        let sounding = outcomes.filter { !$0.isSilent }
        let share = sounding.isEmpty ? 0 : 1 / Double(sounding.count)
        let value = sounding.reduce(0) { $0 + share * $1.value }
        return Tensor([Float(value)], shape: [], from: [clean, estimate]) { dy in
            let weight = share * Double(dy.item)
            return Self.gradients(outcomes, weights: outcomes.map { _ in weight }, shape: clean.shape)
        }
    }

    /// The distances of one estimate.
    public func distance(clean: [Float], estimate: [Float]) throws(PerceptualLossError) -> PerceptualDistance {
        try evaluation(clean, estimate).distance
    }

    /// The mean opinion score of one estimate, from 1 to 4.64.
    public func meanOpinionScore(clean: [Float], estimate: [Float]) throws(PerceptualLossError) -> Double {
        try distance(clean: clean, estimate: estimate).meanOpinionScore
    }
}

extension PerceptualLoss {
    /// The forward computation of a pair, kept for its gradient.
    private struct Evaluation: Sendable {
        var clean: BandPowers
        var estimate: BandPowers
        var disturbance: PerceptualDisturbance

        var distance: PerceptualDistance {
            PerceptualDistance(symmetric: disturbance.symmetric, asymmetric: disturbance.asymmetric)
        }
    }

    /// A pair's loss, and its evaluation where it has one.
    private struct Outcome: Sendable {
        var value = Double.nan
        var isSilent = false
        var factor = 0.0
        var evaluation: Evaluation?

        /// Gradients of `weight · value` with respect to both waveforms; nil where there are none.
        func gradients(weight: Double) -> (clean: [Double], estimate: [Double])? {
            guard let evaluation else { return nil }
            let slopes = evaluation.disturbance.gradients(
                symmetric: weight * factor * PerceptualDistance.symmetricWeight,
                asymmetric: weight * factor * PerceptualDistance.asymmetricWeight)
            return (evaluation.clean.gradient(slopes.clean), evaluation.estimate.gradient(slopes.estimate))
        }
    }

    private func evaluation(
        _ clean: some Collection<Float>, _ estimate: some Collection<Float>
    ) throws(PerceptualLossError) -> Evaluation {
        guard clean.count == estimate.count else {
            throw .differentLengths(clean: clean.count, estimate: estimate.count)
        }
        guard clean.count >= shortestSignal else { throw .tooShort(samples: clean.count, least: shortestSignal) }
        guard clean.allSatisfy(\.isFinite), estimate.allSatisfy(\.isFinite) else { throw .notFinite }
        guard let clean = BandPowers(of: clean, analysis) else { throw .silentClean }
        guard let estimate = BandPowers(of: estimate, analysis) else { throw .silentEstimate }
        return Evaluation(
            clean: clean, estimate: estimate,
            disturbance: PerceptualDisturbance(
                clean: clean.powers, estimate: estimate.powers, frames: clean.frames, model))
    }

    private func outcome(_ clean: some Collection<Float>, _ estimate: some Collection<Float>) -> Outcome {
        do throws(PerceptualLossError) {
            let evaluation = try evaluation(clean, estimate)
            return Outcome(value: factor * evaluation.distance.penalty, factor: factor, evaluation: evaluation)
        } catch {
            return Outcome(isSilent: error == .silentClean || error == .silentEstimate)
        }
    }

    func check(_ clean: Tensor, _ estimate: Tensor) {
        precondition(
            clean.rank == 2 && clean.shape == estimate.shape,
            "a perceptual loss of \(clean.shape) and \(estimate.shape)")
        let length = clean.shape[1]
        precondition(
            length >= shortestSignal, "\(length) samples are too few for a perceptual loss; it needs \(shortestSignal)")
    }

    private func outcomes(_ clean: Tensor, _ estimate: Tensor) -> [Outcome] {
        check(clean, estimate)
        let length = clean.shape[1]
        let (cleanValues, estimateValues) = (clean.values, estimate.values)
        return (0..<clean.shape[0]).map { sample in
            let range = sample * length..<(sample + 1) * length
            return outcome(cleanValues[range], estimateValues[range])
        }
    }

    private static func gradients(_ outcomes: [Outcome], weights: [Double], shape: [Int]) -> [Tensor?] {
        var (toClean, toEstimate) = ([Float](), [Float]())
        let silence = [Float](repeating: 0, count: shape[1])
        for (outcome, weight) in zip(outcomes, weights) {
            let slopes = outcome.gradients(weight: weight)
            toClean += slopes.map { $0.clean.map { Float($0) } } ?? silence
            toEstimate += slopes.map { $0.estimate.map { Float($0) } } ?? silence
        }
        return [Tensor(toClean, shape: shape), Tensor(toEstimate, shape: shape)]
    }
}
