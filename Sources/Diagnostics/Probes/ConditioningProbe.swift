import Checkpoints
import Corpora
import Diffusion
import Experiments
import Foundation
import Kernels
import Models
import Objectives
public import Parallelism
public import Runs
import SpecLanguage
import Specs
import SpeechMetrics
import Tensors
public import Training

/// Finds out whether a run's model uses its noise reference.
public struct ConditioningProbe: Sendable {
    /// What is measured, and on how much.
    public struct Options: Sendable {
        /// Test sets by name; all of the spec's if empty.
        public var sets: [String] = []
        /// Files of each set.
        public var filesPerSet = 8
        /// References of each file, in the statistics of embeddings.
        public var referencesPerFile = 4
        /// Times at which scores are compared.
        public var times = 8
        /// Reverse steps of the enhancement; 0 leaves it out.
        public var steps = 10
        /// Names of the metrics by which enhanced speech is compared.
        public var metrics = ["si_sdr", "estoi"]
        /// Which checkpoint of the run is probed.
        public var checkpoint = CheckpointRecord.Kind.last
        /// The seed of the choice of references and of all noise draws.
        public var seed: UInt64 = 0

        public init() {}
    }

    let workspace: Workspace
    let run: Run
    let options: Options
    let interruption: Interruption
    private let builder: ModelBuilder

    /// - Throws: `IncompatibleParts` for a run without conditioning, `UnknownMetric`.
    public init(
        of run: Run, in workspace: Workspace, options: Options = Options(), interruption: Interruption = Interruption()
    ) throws {
        (self.workspace, self.run, self.options, self.interruption) = (workspace, run, options, interruption)
        let stored = try workspace.store.spec(of: run.id).resolved
        let value = try JSONDecoder().decode(SettingValue.self, from: Data(stored.utf8))
        guard case .section(let settings) = value else {
            throw IncompatibleParts(reason: "run \(run.name) has no readable spec")
        }
        builder = ModelBuilder(spec: ExperimentSpec(settings), catalog: workspace.catalog)
        guard builder.spec.conditioning != nil else {
            throw IncompatibleParts(reason: "run \(run.name) has no conditioning to probe")
        }
        _ = try workspace.catalog.metrics.named(options.metrics)
    }

    /// Runs all probes on the files of the run's test sets.
    public func report() throws -> ProbeReport {
        let store = workspace.store
        guard let checkpoint = try store.checkpoint(of: run.id, kind: options.checkpoint) else {
            throw IncompatibleParts(
                reason:
                    """
                    run \(run.name) has no checkpoint '\(options.checkpoint.rawValue)'; sgmse show \(run.name) lists \
                    them
                    """
            )
        }
        let averaged = try model(checkpoint, averaged: true)
        let raw = try model(checkpoint, averaged: false)
        let files = try self.files()
        let times = self.times(of: averaged)
        let states = try states(averaged, files)
        return ProbeReport(
            run: run.name, step: checkpoint.step, sets: Array(Set(files.map(\.set))).sorted(),
            nullTests: NullTests(
                ProbeSubject(averaged), Array(states.prefix(2)), times: [times[0], times[times.count - 1]]),
            averaged: ScoreSensitivity(ProbeSubject(averaged), states, times: times, seed: options.seed),
            raw: ScoreSensitivity(ProbeSubject(raw), try self.states(raw, files), times: times, seed: options.seed),
            embeddings: try embeddings(averaged, files),
            gradients: EncoderGradients(try store.steps(of: run.id)),
            effects: options.steps > 0 ? try effects(averaged, files) : nil)
    }

    // MARK: Material

    private struct ProbeFile {
        var set: String
        var pair: PairedFile
        var recording: ReferenceChooser.Recording
        /// All files of the set, whose noises are the wrong ones.
        var neighbours: [PairedFile]
    }

    private func model(_ checkpoint: CheckpointRecord, averaged: Bool) throws -> ScoreModel {
        let model = try builder.model(seed: run.key.seed)
        try model.load(
            TrainingCheckpoint.weights(at: workspace.folder + "/" + checkpoint.path, averaged: averaged, model: model))
        return model
    }

    private func files() throws -> [ProbeFile] {
        var preparer = DataPreparer(workspace: workspace)
        let data = try preparer.prepare(builder.spec)
        let names = options.sets.isEmpty ? data.tests.keys.sorted() : options.sets
        return try names.flatMap { name -> [ProbeFile] in
            guard let test = data.tests[name] else {
                throw IncompatibleParts(
                    reason:
                        """
                        run \(run.name) has no test set '\(name)'; it has \
                        \(data.tests.keys.sorted().joined(separator: ", "))
                        """
                )
            }
            let evaluator = evaluator(metrics: [])
            return try Self.spread(test.set.files, options.filesPerSet).map { pair in
                let (clean, noisy) = (try evaluator.read(pair.cleanPath), try evaluator.read(pair.noisyPath))
                return ProbeFile(
                    set: name, pair: pair,
                    recording: .init(id: pair.name, noisy: noisy, clean: clean, file: pair),
                    neighbours: test.set.files)
            }
        }
    }

    /// `count` files, spread evenly over the whole list.
    private static func spread(_ files: [PairedFile], _ count: Int) -> [PairedFile] {
        guard files.count > count else { return files }
        return (0..<count).map { files[$0 * files.count / count] }
    }

    private func evaluator(metrics: [String]) -> FileEvaluator {
        FileEvaluator(
            sampleRate: builder.spec.data.sampleRate, rates: builder.spec.ratePolicy,
            metrics: metrics.compactMap { builder.catalog.metrics[$0] }, noiseSeed: options.seed)
    }

    /// Even times from the least one of training to the process's end.
    private func times(of model: ScoreModel) -> [Double] {
        let (low, high, count) = (builder.spec.train.tEps, model.sde.endTime, max(2, options.times))
        return (0..<count).map { low + (high - low) * Double($0) / Double(count - 1) }
    }

    /// Another noise's reference, of another type where the set states types and has several.
    private func wrongReference(_ files: [PairedFile]) -> NoiseReferenceSpec {
        let types = Set(files.map { $0.entry?.noise })
        return .init(mode: .mismatched, by: types.count > 1 && !types.contains(nil) ? .noiseType : .file)
    }

    private func chooser(_ reference: NoiseReferenceSpec, _ file: ProbeFile, seed: UInt64? = nil) throws
        -> ReferenceChooser
    {
        guard let chooser = builder.references(reference, file.neighbours, seed: seed ?? options.seed) else {
            throw IncompatibleParts(reason: "run \(run.name) has no conditioning to probe")
        }
        return chooser
    }

    // MARK: Probes

    /// Centre crops as training cuts them, with the embeddings of three references.
    private func states(_ model: ScoreModel, _ files: [ProbeFile]) throws -> [ProbeState] {
        let frontEnd = builder.frontEnd
        let rule = SegmentRule(
            samples: (builder.spec.data.numFrames - 1) * frontEnd.stft.hop,
            normalization: builder.spec.data.normalize)
        return try files.map { file in
            let recording = file.recording
            let crop = rule.cut(
                clean: recording.clean ?? [], noisy: recording.noisy, start: rule.centre(of: recording.noisy.count))
            func embedding(_ reference: NoiseReferenceSpec) throws -> Tensor {
                let chosen = try chooser(reference, file).reference(for: recording).reference
                return try embedded(model, chosen, dividedBy: crop.divisor)
            }
            let (clean, noisy) = (frontEnd.spectrogram([crop.clean]), frontEnd.spectrogram([crop.noisy]))
            let draw = RandomStream(seed: options.seed, purpose: "probe/" + recording.id)
                .normals(clean.count, standardDeviation: 0.5.squareRoot())
            return ProbeState(
                file: recording.id, noise: file.pair.entry?.noise, clean: clean, noisy: noisy,
                draw: Tensor(draw, shape: clean.shape), oracle: try embedding(.init(mode: .oracle)),
                mismatched: try embedding(wrongReference(file.neighbours)), random: try embedding(.init(mode: .random)))
        }
    }

    private func embedded(_ model: ScoreModel, _ reference: NoiseReference, dividedBy divisor: Float) throws -> Tensor {
        let condition = Gradients.off {
            model.condition(of: reference, dividedBy: divisor) { builder.frontEnd.spectrogram($0) }
        }
        guard case .embedding(let embedding) = condition else {
            throw IncompatibleParts(reason: "the model of run \(run.name) takes no reference")
        }
        return embedding
    }

    private func embeddings(_ model: ScoreModel, _ files: [ProbeFile]) throws -> EmbeddingStatistics {
        try EmbeddingStatistics(
            files.flatMap { file in
                try (0..<max(1, options.referencesPerFile)).map { place in
                    let chosen = try chooser(.init(mode: .oracle), file, seed: options.seed &+ UInt64(place))
                        .reference(for: file.recording).reference
                    let embedding = try embedded(
                        model, chosen, dividedBy: max(file.recording.peak, .leastNormalMagnitude))
                    return (file.recording.id, file.pair.entry?.noise, embedding.meanOverSequence)
                }
            })
    }

    private func effects(_ model: ScoreModel, _ files: [ProbeFile]) throws -> ReferenceEffects {
        let spec = builder.spec
        let enhancer = Enhancer(
            model: model,
            sampler: try builder.sampler(
                spec.train.validationSampler, steps: options.steps, finalTime: spec.evaluate.tEps),
            frontEnd: builder.frontEnd, padding: FramePadding(spec.evaluate.padding))
        let evaluator = evaluator(metrics: options.metrics)
        let sets = Dictionary(grouping: files, by: \.set).sorted { $0.key < $1.key }
        let modes: [NoiseReferenceSpec.Mode] = [.oracle, .mismatched, .random, .zero]
        let scores = try modes.map { mode -> (reference: String, files: [[String: Double]]) in
            let each = try sets.flatMap { _, members -> [[String: Double]] in
                let reference = mode == .mismatched ? wrongReference(members[0].neighbours) : .init(mode: mode)
                return try evaluator.evaluate(
                    members.map(\.pair), interruption: interruption,
                    process: evaluator.enhancing(enhancer, references: chooser(reference, members[0]))
                ) { _, _ in }.map { outcome in
                    Dictionary(
                        options.metrics.compactMap { name in outcome.score(of: name).map { (name, $0) } },
                        uniquingKeysWith: { first, _ in first })
                }
            }
            return (mode.rawValue, each)
        }
        return ReferenceEffects(
            scores, noises: sets.flatMap { $0.value.map { $0.pair.entry?.noise } }, metrics: options.metrics,
            seed: options.seed)
    }
}

extension Tensor {
    /// The elements of one embedding `[1, W]`, or the mean of a sequence `[1, L, W]`.
    fileprivate var meanOverSequence: [Float] {
        guard rank == 3 else { return values }
        let (length, width, all) = (shape[1], shape[2], values)
        return (0..<width).map { column in
            (0..<length).reduce(0) { $0 + all[$1 * width + column] } / Float(max(1, length))
        }
    }
}
