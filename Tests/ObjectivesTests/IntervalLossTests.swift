import Diffusion
import Foundation
import Objectives
import Tensors
import Testing

/// Objectives over two times, with networks whose answers are known.
@Suite struct IntervalLossTests {
    private static let flow = FlowMatching.flow(sigmaMin: 0.1, sigmaMax: 0.6)
    private static let shape = [2, 3, 4, 2]

    private static func spectrogram(_ rate: Double) -> Tensor {
        Tensor((0..<48).map { Float(sin(Double($0) * rate)) }, shape: shape)
    }

    private func batch(step: Int = 0, progress: Double = 1) -> PathBatch {
        PathBatch(
            process: Self.flow, clean: Self.spectrogram(1.3), noisy: Self.spectrogram(0.7),
            noise: Self.spectrogram(2.9),
            times: [0.9, 0.4],
            draws: [
                IntervalDraw(uniforms: (0.3, 0.5), normals: (0.4, -0.9)),
                IntervalDraw(uniforms: (0.8, 0.9), normals: (-1.1, 0.6)),
            ], step: step, progress: progress)
    }

    /// When clean speech is certain, paths are straight lines: the velocity is the same at all times of a path.
    private func certain(_ batch: PathBatch, off: Double = 0) -> IntervalNetwork {
        func velocity(_ x: Tensor, _ t: [Double]) -> Tensor {
            let (p, v) = (t.map { Self.flow.marginal(at: $0) }, t.map { Self.flow.velocity(at: $0) })
            let mean = batch.clean.scaledSamples(by: p.map(\.clean)) + batch.noisy.scaledSamples(by: p.map(\.noisy))
            return batch.clean.scaledSamples(by: v.map(\.clean)) + batch.noisy.scaledSamples(by: v.map(\.noisy))
                + (x - mean).scaledSamples(by: zip(v, p).map { $0.std / $1.std })
        }
        return IntervalNetwork(
            average: { x, t, r in velocity(x, t) + off },
            // The velocity does not change along a path.
            derivative: { _, _, _, direction in .zeros(direction.shape) })
    }

    @Test(arguments: [0, 1]) func theTrueAverageHasNoLoss(step: Int) {
        let batch = batch(step: step)
        for loss in [MeanFlowLoss(correction: 1, clip: nil), CompositionLoss()] as [any IntervalLoss] {
            #expect(abs(loss(batch, certain(batch)).total.item) < 1e-8)
            #expect(
                loss(batch, certain(batch, off: 0.1)).total.item > (step == 0 && loss is CompositionLoss ? -1 : 1e-3))
        }
    }

    /// The averages of a curved flow compose; velocities taken for averages do not.
    @Test func averagesCompose() {
        let batch = batch()
        func moments(_ t: Double) -> (mean: Double, std: Double) {
            let p = Self.flow.marginal(at: t)
            return (0.6 * p.clean + p.noisy, hypot(0.3 * p.clean, p.std))
        }
        func network(shortest: Double) -> IntervalNetwork {
            IntervalNetwork(
                average: { x, t, r in
                    let ends = zip(t, r).map { t, r in shortest > 0 ? t - shortest : r }
                    let ratio = zip(t, ends).map { moments($1).std / moments($0).std }
                    let shift = zip(zip(t, ends), ratio).map { moments($0.1).mean - $1 * moments($0.0).mean }
                    let end = x.scaledSamples(by: ratio) + batch.noisy.scaledSamples(by: shift)
                    return (x - end).scaledSamples(by: zip(t, ends).map { 1 / ($0 - $1) })
                }, derivative: { _, _, _, direction in .zeros(direction.shape) })
        }
        #expect(CompositionLoss()(batch, network(shortest: 0)).total.item < 1e-6)
        #expect(CompositionLoss()(batch, network(shortest: 1e-3)).total.item > 1e-3)
    }

    /// The identity `u = v − (t − r) du/dt` is what is asked of a network whose derivative is known.
    @Test func theDerivativeCorrectsTheTarget() {
        let batch = batch()
        func loss(_ slope: Double, clip: Double?, progress: Double = 1) -> LossValue {
            var known = batch
            known.progress = progress
            let network = certain(batch)
            return MeanFlowLoss(weight: 1, warmup: 0.5, correction: 1, clip: clip, equal: 0)(
                known, IntervalNetwork(average: network.average, derivative: { _, _, _, d in .zeros(d.shape) + slope }))
        }
        // r = t − U t, so t − r is 0.27 and 0.32; the target is off by slope (t − r) in 24 numbers of each sample.
        let expected = 0.5 * 0.5 * 24 * 4 * (0.27 * 0.27 + 0.32 * 0.32)
        #expect(abs(Double(loss(2, clip: nil).total.item) - expected) < 1e-3 * expected)
        // A norm of 2 √24 cut to 1.
        #expect(abs(Double(loss(2, clip: 1).total.item) - expected / 96) < 1e-3 * expected)
        // At the beginning the velocity alone is learned.
        #expect(abs(loss(2, clip: nil, progress: 0).total.item) < 1e-8)
        #expect(loss(2, clip: nil, progress: 0).terms["average"] == nil)
    }
}
