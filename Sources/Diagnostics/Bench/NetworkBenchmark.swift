import Backbones
public import Collectives
import Diffusion
import Foundation
import Kernels
public import Models
import Objectives
import SpecLanguage
import Specs
import Synchronization
public import Tensors
import Training

/// How large a benchmark's network and batch are.
public enum BenchmarkSize: String, CaseIterable, Sendable {
    /// The network as published, on one spectrogram of 256 bins and 256 frames (2 s).
    case full
    /// A network for a laptop: 16 channels, four levels, one block each; four spectrograms of 64 frames.
    case quickstart

    var batch: Int { self == .full ? 1 : 4 }
    var frames: Int { self == .full ? 256 : 64 }

    /// What differs from the published settings, where a backbone has them.
    var settings: [(String, SettingValue)] {
        guard self == .quickstart else { return [] }
        return [
            ("nf", .integer(16)), ("ch_mult", .list([1, 1, 2, 2].map(SettingValue.integer))),
            ("num_res_blocks", .integer(1)),
            ("attn_resolutions", .list([])),
            // As EDM2 calls them.
            ("model_channels", .integer(16)), ("channel_mult", .list([1, 1, 2, 2].map(SettingValue.integer))),
            ("num_blocks", .integer(1)), ("channels_per_head", .integer(16)),
        ]
    }
}

/// A network with random weights and data, to be timed.
public struct NetworkBenchmark: Sendable {
    /// The backbone's name in the catalog.
    public let name: String
    /// Published settings, or those for a laptop.
    public let size: BenchmarkSize
    private let backbone: any Backbone
    private let model: ScoreModel
    private let sde: any SDE = OUVE(theta: 1.5, sigmaMin: 0.05, sigmaMax: 0.5)
    private let batch, bins, frames: Int
    private let frontEnd: FrontEnd

    /// - Parameters:
    ///   - recompute: Trades time for memory in training, where the backbone can.
    ///   - batch, frames: Those of the size unless given.
    public init(
        backbone name: String, size: BenchmarkSize, recompute: Bool = false, batch: Int? = nil, frames: Int? = nil,
        catalog: Catalog = .standard
    ) throws {
        guard let entry = catalog.backbones[name] else {
            let known = catalog.backbones.entries.map(\.name).joined(separator: ", ")
            throw BackboneError(option: "--backbone", reason: "unknown backbone '\(name)'; known: \(known)")
        }
        var settings = entry.descriptor.defaults()
        for (key, value) in size.settings + [("recompute", .bool(recompute))] where settings[key] != nil {
            settings[key] = value
        }
        (self.name, self.size) = (name, size)
        (self.batch, self.frames) = (batch ?? size.batch, frames ?? size.frames)
        backbone = try entry.build(settings).make(BackboneContext())
        bins = backbone.divisor.bins > 1 ? 256 : 257
        try backbone.check(bins: bins, frames: self.frames)
        let need = MemoryNeed(
            of: "a batch of \(self.batch) spectrograms of \(self.frames) frames", settings: settings, batch: self.batch,
            bins: bins,
            frames: self.frames, trains: false, hint: "lower --batch or --frames")
        try need.check()
        frontEnd = FrontEnd(
            stft: ShortTimeFourier(size: 2 * (bins - 1), hop: 128), compression: .exponent(alpha: 0.5, factor: 0.15))
        let encoder =
            backbone is any ConditionedBackbone
            ? try catalog.noiseEncoders["default"]?.standard().make(NoiseEncoderContext()) : nil
        let preconditioned = entry.descriptor.traits.contains(.takesPreconditioning)
        model = ScoreModel(
            backbone: backbone, sde: sde,
            preconditioning: preconditioned
                ? Preconditioning(networkScaling: .inverseSigma, output: .inverseSigma) : nil,
            output: .score, encoder: encoder)
    }

    private func noise(_ purpose: String, _ index: Int = 0) -> Tensor {
        let shape = [batch, bins, frames, 2]
        let stream = RandomStream(seed: 1, purpose: "benchmark/" + purpose, index)
        return Tensor(stream.normals(shape.reduce(1, *), standardDeviation: 0.5.squareRoot()), shape: shape)
    }

    private var times: [Double] { (0..<batch).map { 0.2 + 0.6 * Double($0) / Double(batch) } }

    private func work(_ kind: String) -> String { "\(kind) \(name) \(size) \(batch)×\(bins)×\(frames)" }

    /// One evaluation without gradients.
    public func forward(repetitions: Int) -> Benchmark {
        let (x, y, t) = (noise("x"), noise("y"), times.map(Float.init))
        return Gradients.off {
            Benchmark.measure(work("forward"), repetitions: repetitions) { _ = model.network(x, y, t) }
        }
    }

    /// One optimizer step: draws, forward, backward, Adam, and the average of the weights.
    ///
    /// - Parameters:
    ///   - batches: Whose gradients a step averages.
    ///   - group: The processes that share them, each of which measures; the exchange of gradients is measured by
    ///     itself, too.
    public func train(
        _ loss: BenchmarkLoss = .scoreMatching, batches: Int = 1, in group: ProcessGroup? = nil, repetitions: Int
    ) throws -> Benchmark {
        let loss = loss.make(frontEnd)
        let trained = ScoreModel(
            backbone: model.backbone, sde: sde, preconditioning: model.preconditioning, output: loss.output,
            encoder: model.encoder)
        let state = TrainingState(model: trained, loss: loss, rate: 1e-4, averageDecay: 0.999)
        let (clean, noisy) = (noise("clean"), noise("noisy"))
        func batch(_ part: Int) -> TrainingBatchInput {
            let draw = state.step * batches + part
            var batch = TrainingBatchInput(clean: clean, noisy: noisy, times: times, noise: noise("step", draw))
            batch.dropout = times.indices.map { RandomStream(seed: 1, purpose: "benchmark/dropout", draw, $0) }
            if trained.isConditioned { batch.reference = noise("reference", draw) }
            return batch
        }
        let title = work("train") + (batches > 1 ? " of \(batches) batches" : "")
        guard let group else {
            return try Benchmark.measure(title, repetitions: repetitions) {
                _ = try state.update((0..<batches).map(batch))
            }
        }
        let before = group.timeInCalls
        // The first step, which finds the order of the gradients, hides nothing and is not one of the repetitions.
        _ = try state.update(parts: batches, in: group, batch)
        let first = state.exchangeTimes
        var result = try Benchmark.measure(title, repetitions: repetitions) {
            _ = try state.update(parts: batches, in: group, batch)
        }
        let steps = repetitions + Benchmark.warmUps
        let inCalls = (group.timeInCalls - before) / .seconds(1) / Double(steps + 1)
        let spent = state.exchangeTimes
        let (exchanging, waited) = (spent.exchanging - first.exchanging, spent.waited - first.waited)
        let exchange = try Self.exchange(of: trained.weights, batches: batches, in: group, repetitions: repetitions)
        result.details += [
            ("processes", Double(group.count)), ("in_calls_share", inCalls / result.median),
            ("waited_share", waited / Double(steps) / result.median),
            ("hidden_share", 1 - min(1, waited / max(exchanging, .leastNormalMagnitude))),
            ("exchange_s", exchange.median), ("exchange_share", exchange.median / result.median),
        ]
        return result
    }

    /// The exchange of a step's gradients by itself.
    private static func exchange(
        of weights: [ModelWeight], batches: Int, in group: ProcessGroup, repetitions: Int
    ) throws -> Benchmark {
        let count = weights.filter(\.isTrained).reduce(0) { $0 + $1.parameter.count }
        let gradient = [Float](repeating: 1, count: count)
        let sum = OrderedSum(of: count, in: group)
        return try Benchmark.measure("exchange", repetitions: repetitions) {
            sum.reset()
            for first in stride(from: 0, to: batches, by: group.count) {
                sum.put(gradient, at: 0)
                try sum.add(active: min(group.count, batches - first))
            }
            try sum.finish()
            _ = sum.total(from: 0, count: count)
        }
    }

    /// Predictor–corrector sampling of one batch with `steps` steps; `around_network` is the share of the time that is
    /// not the network's.
    public func sample(_ kind: BenchmarkSampler = .ald, steps: Int, repetitions: Int) -> Benchmark {
        let y = noise("y")
        let sampler = kind.make(sde, steps: steps)
        let inside = Mutex(Duration.zero)
        var result = Gradients.off {
            Benchmark.measure(work("sample \(kind.rawValue) N=\(steps)"), repetitions: repetitions) {
                inside.withLock { $0 = .zero }
                var noise = NoiseSource.addressed(seed: 1, files: (0..<batch).map { "file\($0)" })
                _ = sampler.sample(given: y, noise: &noise) { x, y, t in
                    let start = ContinuousClock.now
                    defer { inside.withLock { $0 += ContinuousClock.now - start } }
                    return model.network(x, y, [Float](repeating: Float(t), count: batch))
                }
            }
        }
        let network = inside.withLock { $0 / .seconds(1) }
        result.details += [("around_network", 1 - network / max(result.seconds.last ?? 0, .leastNormalMagnitude))]
        return result
    }

    /// Samples `files` inputs, `workers` at once with one thread each or, for one worker, one after the other.
    ///
    /// - Returns: The measurement and the samples, which do not depend on `workers`.
    public func sampleFiles(_ files: Int, workers: Int, steps: Int, repetitions: Int) -> (Benchmark, [Tensor]) {
        let inputs = (0..<files).map { noise("file", $0) }
        let sampler = PredictorCorrector(sde: sde, steps: steps)
        let samples = Mutex([Int: Tensor]())
        let threads = Engine.threads
        Engine.threads = workers
        defer { Engine.threads = threads }
        let result = Benchmark.measure(work("sample \(files) files N=\(steps)"), repetitions: repetitions) {
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                Engine.serially {
                    for index in stride(from: worker, to: files, by: workers) {
                        var noise = NoiseSource.addressed(seed: 1, files: (0..<batch).map { "file\(index)/\($0)" })
                        let sample = Gradients.off {
                            sampler.sample(given: inputs[index], noise: &noise) { x, y, t in
                                model.network(x, y, [Float](repeating: Float(t), count: batch))
                            }
                        }
                        samples.withLock { $0[index] = sample.x }
                    }
                }
            }
        }
        return (result, samples.withLock { found in (0..<files).compactMap { found[$0] } })
    }
}
