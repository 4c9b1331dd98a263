import Foundation
import Tensors

/// Composition: average velocities of two stretches make that of the whole, so no derivative is needed.
///
///     (t − r) u(x_t, r, t) = (t − s) u(x_t, s, t) + (s − r) u(x_s, r, s),    x_s = x_t − (t − s) u(x_t, s, t)
///
/// Even steps draw `r < t`, `s = (1 − λ) t + λ r`, and move `u(x_t, r, t)` to `sg[(1 − λ) u(x_s, r, s) + λ u(x_t, s,
/// t)]`; odd steps are velocity matching, `r = t`. `t` and `r` are sigmoids of normals of mean −0.4, or of mean 0 in
/// odd steps. A squared distance `d²` of a frame, summed over its bins, counts as `d² / √(d² + 10⁻³)` with a constant
/// denominator; the loss is the mean over frames and samples.
///
/// COSE, arXiv 2509.15952.
public struct CompositionLoss: IntervalLoss, Hashable {
    public init() {}

    static let floor = 1e-3

    /// Composition in even steps, velocity matching in odd ones.
    public func callAsFunction(_ batch: PathBatch, _ network: IntervalNetwork) -> LossValue {
        batch.step.isMultiple(of: 2) ? composition(batch, network) : velocity(batch, network)
    }

    private func composition(_ batch: PathBatch, _ network: IntervalNetwork) -> LossValue {
        let times = batch.draws.map { (sigmoid($0.normals.0 - 0.4), sigmoid($0.normals.1 - 0.4)) }
        let (t, r) = (times.map { max($0.0, $0.1) }, times.map { min($0.0, $0.1) })
        let share = batch.draws.map(\.uniforms.0)
        let s = zip(share, zip(t, r)).map { share, times in (1 - share) * times.0 + share * times.1 }
        let x = batch.state(at: t)
        let target = Gradients.off {
            let early = network.average(x, t, s)
            let state = x - early.scaledSamples(by: zip(t, s).map { $0 - $1 })
            return network.average(state, s, r).scaledSamples(by: share.map { 1 - $0 }) + early.scaledSamples(by: share)
        }
        let total = Self.distance(network.average(x, t, r) - target)
        return LossValue(total: total, terms: ["composition": Double(total.item)])
    }

    private func velocity(_ batch: PathBatch, _ network: IntervalNetwork) -> LossValue {
        let t = batch.draws.map { sigmoid($0.normals.0) }
        let total = Self.distance(network.average(batch.state(at: t), t, t) - batch.velocity(at: t))
        return LossValue(total: total, terms: ["velocity": Double(total.item)])
    }

    private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// The weighted mean of squared distances `[B, F, N, 2]`.
    static func distance(_ error: Tensor) -> Tensor {
        let (batch, bins, frames) = (error.shape[0], error.shape[1], error.shape[2])
        var weights = [Double](repeating: 0, count: batch * frames)
        error.withSpan { e in
            for index in e.indices {
                let (sample, frame) = (index / (bins * frames * 2), index / 2 % frames)
                weights[sample * frames + frame] += Double(e[index]) * Double(e[index])
            }
        }
        weights = weights.map { 1 / ($0 + floor).squareRoot() }
        let spread = (0..<error.count).map { index in
            Float(weights[index / (bins * frames * 2) * frames + index / 2 % frames])
        }
        let weighted = error * Tensor(spread, shape: error.shape)
        return error.dot(weighted).scaled(by: 1 / Double(batch * frames))
    }
}
