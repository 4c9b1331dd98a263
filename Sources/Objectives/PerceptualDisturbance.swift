import Foundation
import SpeechMetrics

/// The loudness of the difference of two recordings, frame by frame, from their powers in Bark bands.
///
/// Powers are `[F, bands]`: `R` of the clean recording, `D` of the estimate. 1. The clean powers are scaled to the
/// estimate's mean spectrum: `E = q_b R`, with `q_b = (D̄_b + 10³)/(R̄_b + 10³)`. 2. The estimate is scaled to the
/// clean level: `G = s_f D`, with `s` the ratio of audible powers, smoothed in time. 3. Loudness of both; their
/// difference beyond a dead zone of a quarter of the softer one is the disturbance `δ`. 4. Per frame, over bands of
/// width `w` and total width `W`, with `a = ((G + 50)/(E + 50))^1.2` (0 below 3, at most
///    12):  `S = √W ‖w δ‖₂ / h`  and  `A = ‖w a δ‖₁ / h`,  where `h = ((Σ E + 10⁵)/10⁷)^0.04`; at most 45 each.
/// 5. ``DisturbancePooling`` over frames.
///
/// ITU-T P.862, §10.2.4 to §10.2.13, without its delay alignment.
struct PerceptualDisturbance: Sendable {
    let symmetric: Double
    let asymmetric: Double

    private let model: LoudnessModel
    private let clean: [Double]
    private let estimate: [Double]
    private let equalization: Equalization
    private let alignment: FrameAlignment
    private let frames: [FrameDisturbance]

    init(clean: [Double], estimate: [Double], frames frameCount: Int, _ model: LoudnessModel) {
        self.model = model
        (self.clean, self.estimate) = (clean, estimate)
        equalization = Equalization(clean: clean, estimate: estimate, frames: frameCount, model)
        let alignment = FrameAlignment(
            equalized: equalization.apply(clean), estimate: estimate, frames: frameCount, model)
        self.alignment = alignment
        frames = (0..<frameCount).map { FrameDisturbance(alignment, frame: $0, model) }
        symmetric = DisturbancePooling.pool(frames.map(\.symmetric))
        asymmetric = DisturbancePooling.pool(frames.map(\.asymmetric))
    }

    /// The gradients of `p · symmetric + q · asymmetric` with respect to both powers.
    func gradients(symmetric p: Double, asymmetric q: Double) -> (clean: [Double], estimate: [Double]) {
        let bands = model.bands.count
        let toSymmetric = DisturbancePooling.gradient(frames.map(\.symmetric), pooled: symmetric)
        let toAsymmetric = DisturbancePooling.gradient(frames.map(\.asymmetric), pooled: asymmetric)
        var toEqualized = [Double](repeating: 0, count: clean.count)
        var toEstimate = [Double](repeating: 0, count: clean.count)
        var toScale = [Double](repeating: 0, count: frames.count)
        var toAudible = [Double](repeating: 0, count: frames.count)
        for (f, frame) in frames.enumerated() {
            let slopes = frame.gradients(
                alignment, frame: f, symmetric: p * toSymmetric[f], asymmetric: q * toAsymmetric[f], model)
            toAudible[f] = slopes.audible
            for band in 1..<bands {
                let index = f * bands + band
                toEqualized[index] = slopes.equalized[band]
                toEstimate[index] = slopes.aligned[band] * alignment.scales[f]
                toScale[f] += slopes.aligned[band] * estimate[index]
            }
        }
        alignment.addGradients(
            scales: toScale, audible: toAudible, equalized: &toEqualized, estimate: &toEstimate, estimate, model)
        let toClean = equalization.addGradients(
            equalized: toEqualized, estimate: &toEstimate, clean, estimate, model)
        return (toClean, toEstimate)
    }
}

/// One frame's disturbances and the values that their gradients need.
private struct FrameDisturbance: Sendable {
    /// `S` and `A`, at most 45.
    let symmetric: Double
    let asymmetric: Double
    /// Before the division by ``weight`` and the limit.
    private let rawSymmetric: Double
    private let rawAsymmetric: Double
    /// `h`
    private let weight: Double
    private let cleanLoudness: [Double]
    private let estimateLoudness: [Double]
    /// `a`
    private let asymmetry: [Double]

    private static let limit = 45.0
    /// Keeps the roots differentiable where the difference is 0.
    private static let least = 1e-20

    init(_ alignment: FrameAlignment, frame: Int, _ model: LoudnessModel) {
        let count = model.bands.count
        var (squares, sum) = (0.0, 0.0)
        var (cleanLoudness, estimateLoudness) = (
            [Double](repeating: 0, count: count), [Double](repeating: 0, count: count)
        )
        var asymmetry = [Double](repeating: 0, count: count)
        for band in 1..<count {
            let (e, g) = (alignment.equalized[frame * count + band], alignment.aligned[frame * count + band])
            (cleanLoudness[band], estimateLoudness[band]) = (model.loudness(e, band), model.loudness(g, band))
            let ratio = pow((g + 50) / (e + 50), 1.2)
            asymmetry[band] = ratio < 3 ? 0 : min(ratio, 12)
            let disturbance =
                model.widths[band] * Self.beyondDeadZone(cleanLoudness[band], estimateLoudness[band]).value
            squares += disturbance * disturbance
            sum += abs(disturbance) * asymmetry[band]
        }
        (self.cleanLoudness, self.estimateLoudness, self.asymmetry) = (cleanLoudness, estimateLoudness, asymmetry)
        rawSymmetric = (model.totalWidth * squares).squareRoot()
        rawAsymmetric = sum
        weight = pow((alignment.audibleEqualized[frame] + 1e5) / 1e7, 0.04)
        symmetric = min(max(rawSymmetric, Self.least) / weight, Self.limit)
        asymmetric = min(max(rawAsymmetric, Self.least) / weight, Self.limit)
    }

    /// Gradients with respect to the frame's `E` and `G`, and to its audible power in `E`.
    func gradients(
        _ alignment: FrameAlignment, frame: Int, symmetric p: Double, asymmetric q: Double, _ model: LoudnessModel
    ) -> (equalized: [Double], aligned: [Double], audible: Double) {
        let count = model.bands.count
        var (toEqualized, toAligned) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
        let (p, q) = (symmetric < Self.limit ? p : 0, asymmetric < Self.limit ? q : 0)
        // Both disturbances are inverse to h = ((Σ E + 10⁵)/10⁷)^0.04.
        let audible = -(p * symmetric + q * asymmetric) * 0.04 / (alignment.audibleEqualized[frame] + 1e5)
        let toSquares = rawSymmetric > Self.least ? p / weight * model.totalWidth / rawSymmetric : 0
        let toSum = rawAsymmetric > Self.least ? q / weight : 0
        for band in 1..<count {
            let (value, byClean, byEstimate) = Self.beyondDeadZone(cleanLoudness[band], estimateLoudness[band])
            guard value != 0 else { continue }
            let (width, a) = (model.widths[band], asymmetry[band])
            let (e, g) = (alignment.equalized[frame * count + band], alignment.aligned[frame * count + band])
            let slope = toSquares * width * width * value + toSum * width * a * (value > 0 ? 1 : -1)
            toEqualized[band] = slope * byClean * model.slope(e, loudness: cleanLoudness[band], band)
            toAligned[band] = slope * byEstimate * model.slope(g, loudness: estimateLoudness[band], band)
            if a > 0 && a < 12 {
                let toRatio = toSum * width * abs(value) * 1.2 * a
                toEqualized[band] -= toRatio / (e + 50)
                toAligned[band] += toRatio / (g + 50)
            }
        }
        return (toEqualized, toAligned, audible)
    }

    /// `sign(g − e) · max(|g − e| − min(e, g)/4, 0)` with its slopes.
    private static func beyondDeadZone(_ e: Double, _ g: Double) -> (value: Double, byClean: Double, byEstimate: Double)
    {
        if g > 1.25 * e { return (g - 1.25 * e, -1.25, 1) }
        if e > 1.25 * g { return (1.25 * g - e, -1, 1.25) }
        return (0, 0, 0)
    }
}
