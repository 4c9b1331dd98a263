import Audio
import Corpora
import Diffusion
import Enhancement
import Experiments
import Foundation
import Kernels
import Models
import Objectives
import Parallelism
import SpecLanguage
import Specs
import SpeechMetrics
import Synchronization
import Tensors
import Testing

/// Recordings that are sampled in one batch.
@Suite struct BatchedEnhancementTests {
    private static let networks = [
        "ncsnpp", "ncsnpp_v2", "ncsnpp_48k", "ncsnpp_v2_cond", "ncsnpp_interval", "edm2", "dcunet", "storm",
    ]

    private static func spec(_ network: String) throws -> ExperimentSpec {
        let small = "nf: 8, ch_mult: [1, 2], num_res_blocks: 1, attn_resolutions: [16]"
        let backbone =
            switch network {
            case "storm": "ncsnpp_v2, \(small)"
            case "dcunet": "dcunet, dcunet_architecture: DCUNet-10"
            case "edm2":
                """
                edm2, model_channels: 8, channel_mult: [1, 2], num_blocks: 1, attn_resolutions: [16], \
                channels_per_head: 8
                """
            default: "\(network), \(small)"
            }
        let regression = "regression: { backbone: { name: ncsnpp_v2, \(small) }, condition: both }"
        let (sde, loss, sampler) =
            switch network {
            case "ncsnpp_interval": ("flow", "composition", "mean_flow")
            case "edm2": ("sbve_edm2", "data_prediction", "edm2_sde")
            default: ("ouve", "score_matching", "pc")
            }
        let text = """
            name: together
            data: { path: somewhere, num_frames: 16 }
            transform: { n_fft: \(network == "dcunet" ? 512 : 62), hop_length: 16 }
            backbone: { name: \(backbone) }
            \(network == "storm" ? regression : "")
            \(network == "ncsnpp_v2_cond" ? "conditioning: { noise_encoder_type: default }" : "")
            sde: \(sde)
            objective: { loss_type: \(loss) }
            train: { max_steps: 1, num_eval_files: 0 }
            evaluate: { checkpoint: last, N: [2], sampler: \(sampler) }

            """
        return try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text).spec
    }

    private static func enhancer(_ network: String, _ sampler: (any Sampler)? = nil, segments: Segments? = nil) throws
        -> Enhancer
    {
        let spec = try spec(network)
        let builder = ModelBuilder(spec: spec, catalog: .standard)
        let model = try builder.model(seed: 1)
        let sampler = try sampler ?? builder.sampler(spec.evaluate.samplers[0], steps: 2, finalTime: 0.03)
        return Enhancer(
            model: model, sampler: sampler, frontEnd: builder.frontEnd, padding: .reflection, guidance: Guidance(1.5),
            segments: segments)
    }

    private static func recording(_ name: String, samples: Int) -> Enhancer.Recording {
        let stream = RandomStream(seed: 5, purpose: name)
        let reference = stream.normals(800, standardDeviation: 0.05)
        return Enhancer.Recording(
            noisy: MemorySamples(stream.normals(samples, standardDeviation: 0.1)), name: name,
            reference: name == "unknown noise" ? .zero : .segment(reference))
    }
    /// Three of like length, one of another, and one that has no reference.
    private static var recordings: [Enhancer.Recording] {
        [
            recording("a", samples: 1500), recording("b", samples: 900), recording("c", samples: 1490),
            recording("unknown noise", samples: 1480), recording("d", samples: 1520),
        ]
    }

    /// The same bits alone and together, on the host.
    @Test(arguments: networks) func aRecordingDoesNotDependOnItsBatch(network: String) throws {
        let counted = try BatchSizes(Self.enhancer(network).sampler)
        let enhancer = try Self.enhancer(network, counted)
        let alone = try Self.recordings.map { recording in
            try enhancer.enhance([recording], seed: 3, states: 2)[0].get()
        }
        #expect(counted.taken == [1, 1, 1, 1, 1])
        let together = try enhancer.enhance(Self.recordings, seed: 3, states: 2, together: 3).map { try $0.get() }
        #expect(counted.taken == [3, 1, 1])
        for (one, other) in zip(alone, together) {
            #expect(one.audio == other.audio && one.nfe == other.nfe && one.nfe > 0)
            #expect(one.states.map(\.audio) == other.states.map(\.audio) && one.states.count == 2)
            #expect(other.seconds > 0)
        }
        #expect(Set(alone.map(\.audio)).count == alone.count)
    }

    /// Segments of several recordings are sampled together, too.
    @Test func longRecordingsAreEnhancedSegmentBySegment() throws {
        let segments = Segments(length: 600, overlap: 100)
        let counted = try BatchSizes(Self.enhancer("ncsnpp_v2").sampler)
        let enhancer = try Self.enhancer("ncsnpp_v2", counted, segments: segments)
        let alone = try Self.recordings.map { try enhancer.enhance([$0], seed: 3, states: 2)[0].get() }
        _ = counted.taken
        var order: [Int] = []
        var audio = Self.recordings.map { _ in [Float]() }
        let efforts = try enhancer.enhance(Self.recordings, seed: 3, states: 2, together: 4) { place, chunk in
            order.append(place)
            audio[place] += chunk.audio
        }
        #expect(order == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 2, 3, 4])
        #expect(counted.taken == [4, 1, 4, 1, 4])
        #expect(audio == alone.map(\.audio))
        #expect(try efforts.map { try $0.get().segments } == [3, 2, 3, 3, 3])
        #expect(try efforts.map { try $0.get().nfe } == alone.map(\.nfe))
    }

    /// What shares its step sizes is sampled alone.
    @Test func dependentSamplesAreNotPutTogether() throws {
        let sde = OUVE()
        let dependent: [any Sampler] = [
            PredictorCorrector(sde: sde, corrector: Langevin(sharesStepAcrossBatch: true), steps: 1),
            ProbabilityFlow(sde: sde, solver: .rk45(relativeTolerance: 1, absoluteTolerance: 1)),
        ]
        for sampler in dependent {
            let counted = BatchSizes(sampler)
            let outputs = try Self.enhancer("ncsnpp_v2", counted).enhance(Self.recordings, seed: 3, together: 8)
            #expect(counted.taken == [1, 1, 1, 1, 1] && outputs.count == 5)
        }
    }

    private struct Unreadable: SampleSource {
        struct Failure: Error {}
        let count = 1500
        func samples(in range: Range<Int>) throws -> [Float] { throw Failure() }
    }

    /// A recording fails alone: silent, too short, unreadable, or not finite.
    @Test func aFailureIsThatOfOneRecording() throws {
        let counted = try BatchSizes(Self.enhancer("ncsnpp_v2").sampler, spoilt: 4)
        let enhancer = try Self.enhancer("ncsnpp_v2", counted)
        func given(_ samples: [Float], _ name: String) -> Enhancer.Recording {
            Enhancer.Recording(noisy: MemorySamples(samples), name: name)
        }
        var recordings = Self.recordings
        recordings[1] = given([Float](repeating: 0, count: 1500), "silent")
        recordings.insert(given([0.5, 0.25], "short"), at: 0)
        recordings.insert(Enhancer.Recording(noisy: Unreadable(), name: "unreadable"), at: 3)
        recordings.append(Self.recording("spoilt", samples: 1500))
        var audio: [Int: [Float]] = [:]
        let results = try enhancer.enhance(recordings, seed: 3, together: 8) { place, chunk in
            audio[place, default: []] += chunk.audio
        }
        func error(_ place: Int) -> (any Error)? {
            #expect(throws: (any Error).self) { try results[place].get() }
        }
        #expect(error(0) as? EnhancementError == .tooShort(samples: 2, needed: enhancer.frontEnd.stft.shortestSignal))
        #expect(error(2) as? EnhancementError == .silent)
        #expect(error(3) is Unreadable.Failure)
        #expect(error(7) as? EnhancementError == .notFinite)
        #expect(counted.taken == [5])
        for place in [1, 4, 5, 6] {
            let alone = try enhancer.enhance([recordings[place]], seed: 3)[0].get()
            #expect(audio[place] == alone.audio)
        }
    }

    /// Whoever takes the audio, such as a full disk, ends all at once.
    @Test func whatTakesTheAudioMayEndAll() throws {
        struct Full: Error {}
        let counted = try BatchSizes(Self.enhancer("ncsnpp_v2").sampler)
        let enhancer = try Self.enhancer("ncsnpp_v2", counted)
        #expect(throws: Full.self) {
            try enhancer.enhance(Self.recordings, seed: 3, together: 2) { _, _ in throw Full() }
        }
        #expect(counted.taken == [2])
    }

    // MARK: Files

    private static func write(_ samples: [Float], _ path: String, channels: Int = 1, rate: Int = 16_000) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        let rows = (0..<channels).map { channel in
            channel == 2 ? samples.map { _ in 0 } : samples.map { $0 / Float(channel + 1) }
        }
        try SoundFile.write(Sound(channels: rows, sampleRate: rate), to: path)
    }

    private static func signal(_ name: String, _ count: Int) -> [Float] {
        RandomStream(seed: 5, purpose: name).normals(count, standardDeviation: 0.1)
    }

    /// Outputs, states and failures are those of one file after the other; every batch but the smaller ones is full.
    @Test func aFolderIsEnhancedInBatches() throws {
        try withFolder { folder in
            for (name, count) in [("a", 1500), ("b", 900), ("c", 1490), ("e", 1510), ("f", 3000)] {
                try Self.write(Self.signal(name, count), "\(folder)/in/\(name).wav")
            }
            try Self.write(Self.signal("d", 1480), folder + "/in/d.wav", channels: 3)
            try Self.write([Float](repeating: 0, count: 1500), folder + "/in/silent.wav")
            try Self.write(Self.signal("r", 700), folder + "/in/r.wav", rate: 8000)
            try Data("no sound".utf8).write(to: URL(fileURLWithPath: folder + "/in/wrong.wav"))
            func run(_ output: String, filesPerBatch: Int) throws -> ([String: Data], [Int]) {
                let counted = try BatchSizes(Self.enhancer("ncsnpp_v2").sampler)
                let enhancer = try Self.enhancer("ncsnpp_v2", counted, segments: Segments(length: 1600, overlap: 200))
                var progress: [Int] = []
                let summary = try FolderEnhancer(
                    enhancer: enhancer, sampleRate: 16_000,
                    options: .init(states: 2, channels: .each, filesPerBatch: filesPerBatch)
                ).run(input: folder + "/in", output: folder + output) { progress.append($0.done) }
                #expect((summary.enhanced, summary.segmented, summary.resampled) == (7, 1, 1))
                #expect(summary.failed.map(\.file) == ["silent.wav", "wrong.wav"])
                #expect(summary.nfe == 4 * 9 && progress == Array(1...8))
                var files: [String: Data] = [:]
                for place in [output, output + "-states"] {
                    for name in try FileManager.default.subpathsOfDirectory(atPath: folder + place)
                    where name.hasSuffix(".wav") {
                        files[place.dropFirst(output.count) + name] = FileManager.default.contents(
                            atPath: "\(folder)\(place)/\(name)")
                    }
                }
                return (files, counted.taken)
            }
            let (alone, sizes) = try run("/alone", filesPerBatch: 1)
            let (together, batches) = try run("/together", filesPerBatch: 4)
            #expect(alone == together && alone.count == 7 + 2 * 8)
            #expect(sizes == [Int](repeating: 1, count: 9))
            // The longest four are f in two segments, e, a and silent; the others c, d with two channels that sound,
            // r and b.
            #expect(batches.sorted() == [1, 1, 3, 4])
        }
    }

    /// Scores, times and references are those of files alone, and a file that fails ends the evaluation behind the
    /// others of its batch.
    @Test func aSetIsScoredInBatches() throws {
        try withFolder { folder in
            let files = try [("a", 4000), ("b", 2200), ("c", 3990), ("silent", 4010), ("d", 3980)].map { name, count in
                let clean = Self.signal("clean " + name, count)
                let noise = Self.signal("noise " + name, count)
                try Self.write(clean, "\(folder)/clean/\(name).wav")
                try Self.write(
                    name == "silent" ? clean.map { _ in 0 } : zip(clean, noise).map { $0 + $1 },
                    "\(folder)/noisy/\(name).wav")
                return PairedFile(
                    name: name + ".wav", cleanPath: "\(folder)/clean/\(name).wav",
                    noisyPath: "\(folder)/noisy/\(name).wav")
            }
            let counted = try BatchSizes(Self.enhancer("ncsnpp_v2_cond").sampler)
            let enhancer = try Self.enhancer("ncsnpp_v2_cond", counted)
            func evaluate(_ files: [PairedFile], _ filesPerBatch: Int, _ done: (String) -> Void = { _ in }) throws
                -> [FileEvaluator.Outcome]
            {
                let evaluator = FileEvaluator(
                    sampleRate: 16_000, rates: .convert, metrics: [try #require(Catalog.standard.metrics["si_sdr"])],
                    noiseSeed: 1, filesPerBatch: filesPerBatch)
                let references = ReferenceChooser(
                    NoiseReferenceSpec(mode: .oracle), count: 800, sampleRate: 16_000, files: files)
                return try evaluator.evaluate(
                    files, interruption: Interruption(), process: evaluator.enhancing(enhancer, references: references)
                ) { outcome, _ in done(outcome.file.name) }
            }
            let alone = try evaluate(files, 1)
            #expect(counted.taken == [1, 1, 1, 1])
            let together = try evaluate(files, 8)
            #expect(counted.taken == [3, 1])
            for (one, other) in zip(alone, together) {
                #expect(one.file == other.file && one.processed.audio == other.processed.audio)
                #expect(one.score(of: "si_sdr") == other.score(of: "si_sdr") && one.duration == other.duration)
                #expect(
                    one.processed.reference == other.processed.reference && one.processed.nfe == other.processed.nfe)
            }
            #expect(alone[0].processed.reference != nil && alone[3].processed.audio.allSatisfy { $0 == 0 })
            try FileManager.default.removeItem(atPath: files[2].cleanPath)
            var done: [String] = []
            #expect(throws: SoundFileError.self) { try evaluate(files, 8) { done.append($0) } }
            #expect(done.sorted() == ["a.wav", "b.wav", "d.wav", "silent.wav"])
        }
    }

    @Test func anInterruptionEndsAll() throws {
        let interruption = Interruption()
        let enhancer = try Self.enhancer("ncsnpp_v2")
        #expect(throws: Interrupted.self) {
            try enhancer.enhance(Self.recordings, seed: 3, together: 2, interruption: interruption) { _, _ in
                interruption.request()
            }
        }
    }
}

/// A sampler that keeps the sizes of its batches, and may spoil one sample of them.
private final class BatchSizes: IntervalSampler {
    private let base: any Sampler
    private let sizes = Mutex<[Int]>([])

    private let spoilt: Int?

    init(_ base: any Sampler, spoilt: Int? = nil) { (self.base, self.spoilt) = (base, spoilt) }

    var start: Double { base.start }
    var samplesAreIndependent: Bool { base.samplesAreIndependent }
    /// The sizes since the last look.
    var taken: [Int] {
        sizes.withLock { sizes in
            defer { sizes = [] }
            return sizes
        }
    }

    func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample {
        sizes.withLock { $0.append(y.shape[0]) }
        let sample = base.sample(given: y, noise: &noise, observe: observe, predict: predict)
        let factors = (0..<y.shape[0]).map { $0 == spoilt ? Double.nan : 1 }
        return Sample(x: sample.x.scaledSamples(by: factors), nfe: sample.nfe)
    }

    func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        average: @escaping IntervalPrediction
    ) -> Sample {
        guard let base = base as? any IntervalSampler else { preconditionFailure("\(base) takes one time") }
        sizes.withLock { $0.append(y.shape[0]) }
        return base.sample(given: y, noise: &noise, observe: observe, average: average)
    }
}
