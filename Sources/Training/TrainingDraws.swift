import Diffusion
import Foundation
import Kernels
import Models
import Objectives
import SpecLanguage
import Specs
import Tensors

/// The batches of a run's steps with all that is drawn for them, addressed by (seed, purpose, pair).
///
/// Pair `k` has the same crop, time, noise, dropout and reference on every machine and after every interruption.
struct TrainingDraws: Sendable {
    private let spec: TrainSpec
    private let conditioning: ConditioningSpec?
    private let seed: UInt64
    /// `[t_eps, T]` of the diffusion.
    private let times: ClosedRange<Double>
    /// The steps of the whole training.
    private let total: Int

    init(_ builder: ModelBuilder, seed: UInt64, total: Int) throws {
        self.total = total
        (spec, conditioning, self.seed) = (builder.spec.train, builder.spec.conditioning, seed)
        times = spec.tEps...(try builder.catalog.sdes.make(builder.spec.sde).endTime)
    }

    /// Batches of one optimizer step: devices times accumulated batches.
    var parts: Int { spec.devices * spec.accumulateGradBatches }

    /// One of the batches of an optimizer step.
    func batch(_ part: Int, of step: Int, _ data: TrainingData) throws -> TrainingBatchInput {
        let first = step * spec.effectiveBatch + part * spec.batchSize
        let pairs = first..<first + spec.batchSize
        var batch = perturbation(try data.batch(pairs), pairs, purpose: "train")
        (batch.step, batch.progress) = (step, Double(step) / Double(max(1, total)))
        batch.dropout = pairs.map { RandomStream(seed: seed, purpose: "dropout", $0) }
        if let conditioning { batch.keepsReference = pairs.map { keeps($0, conditioning) } }
        return batch
    }

    /// Times uniform in `[t_eps, T]` and complex noise of unit variance, one stream per pair.
    func perturbation(_ data: TrainingData.Pairs, _ pairs: Range<Int>, purpose: String) -> TrainingBatchInput {
        let each = data.clean.count / data.clean.shape[0]
        var noise: [Float] = []
        noise.reserveCapacity(data.clean.count)
        for pair in pairs {
            noise += RandomStream(seed: seed, purpose: purpose + " noise", pair)
                .normals(each, standardDeviation: 0.5.squareRoot())
        }
        var batch = TrainingBatchInput(
            clean: data.clean, noisy: data.noisy,
            times: pairs.map { RandomStream(seed: seed, purpose: purpose + " time", $0).uniform(0, in: times) },
            noise: Tensor(noise, shape: data.clean.shape), reference: data.reference)
        batch.draws = pairs.map { interval($0, purpose: purpose) }
        return batch
    }

    private func interval(_ pair: Int, purpose: String) -> IntervalDraw {
        let stream = RandomStream(seed: seed, purpose: purpose + " interval", pair)
        let normals = stream.child(0).normals(2)
        return IntervalDraw(
            uniforms: (stream.uniform(0), stream.uniform(1)), normals: (Double(normals[0]), Double(normals[1])))
    }

    /// Whether a pair keeps its noise reference, with probability `1 − cond_drop_prob`.
    private func keeps(_ pair: Int, _ conditioning: ConditioningSpec) -> Bool {
        RandomStream(seed: seed, purpose: "conditioning", pair).uniform(0) >= conditioning.condDropProb
    }

    /// How often references were dropped in all steps so far, beside the rate that the spec asks for; `nil` without
    /// conditioning.
    func dropRateSummary(steps: Int) -> String? {
        guard let conditioning else { return nil }
        let pairs = steps * spec.effectiveBatch
        let dropped = (0..<pairs).count { !keeps($0, conditioning) }
        return String(
            format: "%d of %d references dropped: %.4f, asked for %.4f", dropped, pairs,
            Double(dropped) / Double(max(1, pairs)), conditioning.condDropProb)
    }
}
