import Foundation
import SpeechMetrics

/// The step that gives the clean powers the estimate's mean spectrum: `E = q_b R`.
///
///     q_b = clamp((D̄_b + 10³)/(R̄_b + 10³), 0.01, 100)
///
/// Means are over all frames, of powers 20 dB above the threshold of hearing, in frames where the clean recording has
/// speech (10⁷ over all bands).
struct Equalization: Sendable {
    private let factors: [Double]
    private let isFree: [Bool]
    private let cleanMeans: [Double]
    private let speaks: [Bool]

    private static let margin = 100.0

    init(clean: [Double], estimate: [Double], frames: Int, _ model: LoudnessModel) {
        let count = model.bands.count
        let speaks = model.audible(clean, frames: frames, above: Self.margin).map { $0 >= 1e7 }
        func means(_ powers: [Double]) -> [Double] {
            (0..<count).map { band in
                var sum = 0.0
                for frame in 0..<frames where speaks[frame] {
                    let power = powers[frame * count + band]
                    if power > Self.margin * model.thresholds[band] { sum += power }
                }
                return sum / Double(frames)
            }
        }
        let (cleanMeans, estimateMeans) = (means(clean), means(estimate))
        let ratios = zip(estimateMeans, cleanMeans).map { ($0 + 1000) / ($1 + 1000) }
        factors = ratios.map { min(max($0, 0.01), 100) }
        isFree = ratios.map { 0.01...100 ~= $0 }
        (self.cleanMeans, self.speaks) = (cleanMeans, speaks)
    }

    func apply(_ clean: [Double]) -> [Double] { clean.indices.map { clean[$0] * factors[$0 % factors.count] } }

    /// The gradient with respect to `R`, from that with respect to `E`; what reaches `D` is added.
    func addGradients(
        equalized: [Double], estimate toEstimate: inout [Double], _ clean: [Double], _ estimate: [Double],
        _ model: LoudnessModel
    ) -> [Double] {
        let (count, frames) = (factors.count, speaks.count)
        var toClean = [Double](repeating: 0, count: clean.count)
        for band in 1..<count {
            var toFactor = 0.0
            for frame in 0..<frames {
                let index = frame * count + band
                toClean[index] = equalized[index] * factors[band]
                toFactor += equalized[index] * clean[index]
            }
            guard isFree[band] else { continue }
            let toMean = toFactor / (cleanMeans[band] + 1000) / Double(frames)
            let floor = Self.margin * model.thresholds[band]
            for frame in 0..<frames where speaks[frame] {
                let index = frame * count + band
                if clean[index] > floor { toClean[index] -= toMean * factors[band] }
                if estimate[index] > floor { toEstimate[index] += toMean }
            }
        }
        return toClean
    }
}

/// The step that scales the estimate to the clean recording's level in time: `G = s_f D`.
///
///     p_f = (Σ E + 5·10³)/(Σ D + 5·10³),    s_f = clamp(0.8 p_f + 0.2 p_{f−1}, 3·10⁻⁴, 5),    s₀ = clamp(p₀)
///
/// Sums are over powers above the threshold of hearing.
struct FrameAlignment: Sendable {
    /// `E`
    let equalized: [Double]
    /// `G`
    let aligned: [Double]
    let scales: [Double]
    /// `Σ E`
    let audibleEqualized: [Double]
    private let audibleEstimate: [Double]
    private let ratios: [Double]
    private let isFree: [Bool]

    private static let offset = 5e3

    init(equalized: [Double], estimate: [Double], frames: Int, _ model: LoudnessModel) {
        self.equalized = equalized
        audibleEqualized = model.audible(equalized, frames: frames)
        audibleEstimate = model.audible(estimate, frames: frames)
        let ratios = zip(audibleEqualized, audibleEstimate).map { ($0 + Self.offset) / ($1 + Self.offset) }
        let smooth = ratios.indices.map { $0 == 0 ? ratios[0] : 0.8 * ratios[$0] + 0.2 * ratios[$0 - 1] }
        let scales = smooth.map { min(max($0, 3e-4), 5) }
        isFree = smooth.map { 3e-4...5 ~= $0 }
        aligned = estimate.indices.map { estimate[$0] * scales[$0 / model.bands.count] }
        (self.ratios, self.scales) = (ratios, scales)
    }

    /// Adds what the gradients of `s` and of `Σ E` are with respect to `E` and `D`.
    func addGradients(
        scales: [Double], audible: [Double], equalized toEqualized: inout [Double], estimate toEstimate: inout [Double],
        _ estimate: [Double], _ model: LoudnessModel
    ) {
        let (count, frames) = (model.bands.count, ratios.count)
        for frame in 0..<frames {
            var toRatio = isFree[frame] ? (frame == 0 ? 1 : 0.8) * scales[frame] : 0
            if frame + 1 < frames && isFree[frame + 1] { toRatio += 0.2 * scales[frame + 1] }
            let toAudibleEqualized = audible[frame] + toRatio / (audibleEstimate[frame] + Self.offset)
            let toAudibleEstimate = -toRatio * ratios[frame] / (audibleEstimate[frame] + Self.offset)
            for band in 1..<count {
                let index = frame * count + band
                if equalized[index] > model.thresholds[band] { toEqualized[index] += toAudibleEqualized }
                if estimate[index] > model.thresholds[band] { toEstimate[index] += toAudibleEstimate }
            }
        }
    }
}

/// The mean over time of a disturbance: sixth powers within 20 frames, squares over such spans, which begin every 10.
///
///     v_k = (1/20 Σ_{f<20} S_{10k+f}⁶)^{1/6},    d = √(1/K Σ_k v_k²)
enum DisturbancePooling {
    static let span = 20
    static let step = 10

    private static func spans(_ frames: Int) -> Int { (frames - span) / step + 1 }

    private static func spanValue(_ values: [Double], _ k: Int) -> Double {
        // Relative to the largest, so that the sixth power of what is tiny does not vanish.
        let part = values[k * step..<k * step + span]
        let peak = part.max() ?? 0
        guard peak > 0 else { return 0 }
        let mean =
            part.reduce(0) { sum, value in
                let square = (value / peak) * (value / peak)
                return sum + square * square * square
            } / Double(span)
        return peak * pow(mean, 1.0 / 6)
    }

    static func pool(_ values: [Double]) -> Double {
        let count = spans(values.count)
        let squares = (0..<count).reduce(0.0) { $0 + spanValue(values, $1) * spanValue(values, $1) }
        return (squares / Double(count)).squareRoot()
    }

    /// `∂d/∂S_f = Σ_k v_k/(K d) · (S_f/v_k)⁵/20`
    static func gradient(_ values: [Double], pooled: Double) -> [Double] {
        let count = spans(values.count)
        var gradient = [Double](repeating: 0, count: values.count)
        guard pooled > 0 else { return gradient }
        for k in 0..<count {
            let value = spanValue(values, k)
            guard value > 0 else { continue }
            let weight = value / (Double(count) * pooled * Double(span))
            for frame in k * step..<k * step + span {
                let ratio = values[frame] / value
                gradient[frame] += weight * ratio * ratio * ratio * ratio * ratio
            }
        }
        return gradient
    }
}
