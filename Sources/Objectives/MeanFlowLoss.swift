import Foundation
import Tensors

/// Mean flow: the average velocity `u` over `t … r` is learned from its derivative, beside the velocity at `t`.
///
///     (1 − w) · mean_b ½ Σ |u(x_t, t, t) − v|² + w · mean_b ½ Σ |u(x_t, r, t) − sg[v − c (t − r) (v ∂ₓ + ∂_t) u]|²
///
/// With `c` = 1 the second target is the identity of mean flows, `u = v − (t − r) du/dt`; MeanFlowSE takes ½. The
/// derivative is a product of the network's Jacobian with one direction; its norm over a sample is limited. `w` grows
/// over the first part of training; `r = t − U^γ t` with γ falling, so that intervals grow, and sometimes `r = t`. The
/// reference draws `r` no lower than `t_eps`; here it reaches 0, where sampling ends.
///
/// Geng et al., *Mean Flows for One-step Generative Modeling*, 2025, Eq. (6); MeanFlowSE, arXiv 2509.14858.
public struct MeanFlowLoss: IntervalLoss, Hashable {
    /// `w` once it has reached its final value.
    public var weight: Double
    /// The share of training, 0 to 1, over which `w` grows from 0; 0 sets it to ``weight`` at once.
    public var warmup: Double
    /// `c`.
    public var correction: Double
    /// The largest norm of the derivative over a sample; `nil` for no limit.
    public var clip: Double?
    /// The probability of `r = t`.
    public var equal: Double

    /// γ at the start, its final value, and the share of training over which it falls.
    static let gamma = (start: 8.0, end: 1.0, share: 0.7)
    /// Below this weight the second term is left out.
    static let leastWeight = 0.05

    public init(
        weight: Double = 0.25, warmup: Double = 0.5, correction: Double = 0.5, clip: Double? = 5, equal: Double = 0.1
    ) {
        (self.weight, self.warmup, self.correction, self.clip, self.equal) = (weight, warmup, correction, clip, equal)
    }

    /// `w` after a share of training.
    func weight(at progress: Double) -> Double { warmup > 0 ? weight * min(1, progress / warmup) : weight }

    /// The end `r` of an interval that begins at `t`.
    func end(from t: Double, _ draw: IntervalDraw, progress: Double) -> Double {
        guard draw.uniforms.1 >= equal else { return t }
        let gamma = Self.gamma.start + min(1, progress / Self.gamma.share) * (Self.gamma.end - Self.gamma.start)
        return t - pow(draw.uniforms.0, gamma) * t
    }

    /// The velocity term alone while `w` is below 0.05, since the second term needs a derivative of the network.
    public func callAsFunction(_ batch: PathBatch, _ network: IntervalNetwork) -> LossValue {
        let t = batch.times
        let (x, v) = (batch.state(at: t), batch.velocity(at: t))
        let shares = [Double](repeating: 1 / Double(t.count), count: t.count)
        let velocity = (network.average(x, t, t) - v).halfSquares(sampleWeights: shares)
        let w = weight(at: batch.progress)
        var terms = ["velocity": Double(velocity.item)]
        guard w >= Self.leastWeight else { return LossValue(total: velocity, terms: terms) }
        let r = zip(t, batch.draws).map { end(from: $0, $1, progress: batch.progress) }
        let slope = limited(network.derivative(x, t, r, v))
        let target = v - slope.scaledSamples(by: zip(t, r).map { correction * ($0 - $1) })
        let average = (network.average(x, t, r) - target.detached).halfSquares(sampleWeights: shares)
        terms["average"] = Double(average.item)
        return LossValue(total: .weighted(1 - w, velocity, w, average), terms: terms)
    }

    private func limited(_ slope: Tensor) -> Tensor {
        guard let clip else { return slope }
        let norms = (0..<slope.shape[0]).map { slope.samples($0..<$0 + 1).squaredNorm.squareRoot() }
        return slope.scaledSamples(by: norms.map { $0 > clip ? clip / $0 : 1 })
    }
}
