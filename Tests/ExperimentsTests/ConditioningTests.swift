import Audio
import Experiments
import Foundation
import Kernels
import Models
import Parallelism
import Progress
import Runs
import SpecLanguage
import Specs
import TestFolders
import Testing
import Training

/// A conditioned spec that is trained and evaluated in a second.
let conditionedSpec = """
    name: told
    data:
      corpus: { name: synthetic, train: 6, valid: 2, test: 3, test_ood: 2, shortest: 0.5, longest: 0.7 }
      num_frames: 16
    transform: { n_fft: 126, hop_length: 63 }
    backbone: { name: ncsnpp_v2_cond, nf: 8, ch_mult: [1, 1], num_res_blocks: 1, attn_resolutions: [] }
    conditioning: { noise_embed_dim: 8, noise_encoder_nf: 4, ref_num_frames: 9, cond_drop_prob: 0.4 }
    sde: ouve
    objective: { network_scaling: 1/sigma }
    train: { lr: 1.0e-3, batch_size: 2, max_steps: 6, num_eval_files: 1, validate_every: 3, validation_N: 2 }
    evaluate:
      sets: [test]
      N: [3]
      sampler: { name: pc, corrector: none }
      checkpoint: last
      metrics: [si_sdr]
      anchors: []
      keep_audio: all

    """

@Suite struct ConditionedRunTests {
    private func evaluations(
        _ overrides: [String], _ body: (Evaluation, [FileResult]) throws -> Void
    ) throws {
        let temporary = try TestFolder()
        try temporary.run(conditionedSpec, overrides: overrides)
        let store = try temporary.open()
        defer { try? store.close() }
        let run = try #require(try store.runs().first)
        for evaluation in try store.evaluations(of: run.id) {
            try body(evaluation, try store.results(of: evaluation.id))
        }
    }

    private func record(_ result: FileResult) throws -> ReferenceRecord {
        let json = try #require(result.reference)
        return try JSONDecoder().decode(ReferenceRecord.self, from: Data(json.utf8))
    }

    /// With every reference dropped, the first step of a conditioned training is the baseline's: the same initial
    /// weights, crops, times and noise.
    @Test(arguments: ["add", "film", "adagn", "cross_attention"])
    func aConditionedModelDiffersFromItsBaselineInConditioningAlone(injection: String) throws {
        let short = ["train.max_steps=1", "train.num_eval_files=0", "evaluate.max_files=1"]
        let (told, untold) = (try TestFolder(), try TestFolder())
        let encoder = injection == "cross_attention" ? ["conditioning.noise_encoder_type=sequence"] : []
        try told.run(
            conditionedSpec,
            overrides: short + encoder + [
                "backbone.noise_cond_type=\(injection)", "backbone.noise_cond_start=identity",
                "conditioning.cond_drop_prob=1",
                "waive.unseen-reference=it must make no difference",
            ])
        let baseline = conditionedSpec.replacing("ncsnpp_v2_cond", with: "ncsnpp_v2").split(separator: "\n")
            .filter { !$0.hasPrefix("conditioning") }.joined(separator: "\n")
        try untold.run(baseline, overrides: short)
        let first = try [told, untold].map { temporary in
            let store = try temporary.open()
            defer { try? store.close() }
            let run = try #require(try store.runs().first)
            return (loss: try #require(try store.steps(of: run.id).first).loss, data: run.key.dataFingerprint)
        }
        #expect(abs(first[0].loss - first[1].loss) <= 1e-5 * first[1].loss, "\(first)")
        #expect(first[0].data == first[1].data)
    }

    /// One call of the network for each step at w = 0 and 1, two at any other scale.
    @Test func evaluationsOfTheNetworkAreCounted() throws {
        var calls: [Double: Set<Int>] = [:]
        try evaluations(["evaluate.guidance=[0, 1, 2.5]"]) { evaluation, results in
            let scale = try #require(evaluation.point.guidance)
            calls[scale] = Set(results.map(\.nfe))
        }
        #expect(calls == [0: [3], 1: [3], 2.5: [6]])
    }

    @Test func everyReferenceModeIsRecordedForEachFile() throws {
        let modes =
            """
            [oracle, {name: estimated, by: quietest}, estimated, start, mismatched, {name: mismatched, by: \
            noise_type}, random, zero, none]
            """
        var records: [String: [ReferenceRecord]] = [:]
        try evaluations(["evaluate.reference=" + modes]) { evaluation, results in
            let mode = try #require(evaluation.point.reference)
            records[mode] = try results.map(record)
        }
        #expect(records.count == 9)
        for (mode, all) in records {
            #expect(all.count == 3 && all.allSatisfy { $0.mode == mode })
            let hasSamples = !["zero", "none"].contains(mode)
            #expect(all.allSatisfy { ($0.count == 8 * 63) == hasSamples }, "\(mode)")
        }
        #expect(records["mismatched/file"]?.allSatisfy { $0.source != nil } == true)
        #expect(Set(records["oracle"]?.map(\.start) ?? []).count == 3)
    }

    /// Equal seeds give equal references, whatever the guidance; another seed gives others.
    @Test func referencesAreSeeded() throws {
        var places: [UInt64: Set<[Int?]>] = [:]
        try evaluations(["evaluate.guidance=[1, 2]", "evaluate.noise_seed=[0, 1]"]) { evaluation, results in
            let starts = try results.sorted { $0.file < $1.file }.map { try record($0).start }
            let seed = try #require(evaluation.point.noiseSeed)
            places[seed, default: []].insert(starts)
        }
        #expect(places[0]?.count == 1 && places[1]?.count == 1 && places[0] != places[1])
    }

    /// Zero through the projection at any scale is the unconditional score; the oracle's at w = 0 is too.
    @Test func aZeroReferenceIsTheUnconditionalModel() throws {
        var audio: [String: [Data]] = [:]
        let temporary = try TestFolder()
        try temporary.run(
            conditionedSpec, overrides: ["evaluate.guidance=[0, 1]", "evaluate.reference=[oracle, zero]"])
        let store = try temporary.open()
        defer { try? store.close() }
        let run = try #require(try store.runs().first)
        for evaluation in try store.evaluations(of: run.id) {
            let point = evaluation.point
            audio["\(point.reference ?? "")\(point.guidance ?? -1)"] = try store.results(of: evaluation.id)
                .sorted { $0.file < $1.file }.map { temporary.data($0.output ?? "") ?? Data() }
        }
        #expect(audio.count == 4)
        for files in audio.values { #expect(files.count == 3 && !files.contains(Data())) }
        #expect(audio["zero0.0"] == audio["zero1.0"])
        #expect(audio["oracle0.0"] == audio["zero1.0"])
        #expect(audio["oracle1.0"] != audio["zero1.0"])
    }

    @Test func dropsAndEncoderGradientsAreLogged() throws {
        let temporary = try TestFolder()
        try temporary.run(
            conditionedSpec, overrides: ["train.max_steps=40", "train.num_eval_files=0", "evaluate.max_files=1"])
        let store = try temporary.open()
        defer { try? store.close() }
        let run = try #require(try store.runs().first)
        let steps = try store.steps(of: run.id)
        let rate = steps.reduce(0) { $0 + ($1.terms["cond_dropped"] ?? .nan) } / Double(steps.count)
        #expect(abs(rate - 0.4) < 0.2)
        #expect(steps.allSatisfy { ($0.terms["encoder_gradient_norm"] ?? -1) >= 0 })
        #expect(steps.contains { ($0.terms["encoder_gradient_norm"] ?? 0) > 0 })
        let event = try #require(try store.events(of: run.id).first { $0.kind == "conditioning" })
        let measured = String(format: "%.4f", rate)
        #expect(event.message.contains("of 80 references dropped: \(measured), asked for 0.4000"))
    }

    @Test func aResumedConditionedTrainingEqualsAnUndisturbedOne() throws {
        let (whole, broken) = (try TestFolder(), try TestFolder())
        try whole.run(conditionedSpec)
        let interruption = Interruption()
        #expect(throws: Interrupted.self) {
            try broken.run(conditionedSpec, interruption: interruption) { event in
                if case .trained(_, let progress) = event, progress.step == 4 { interruption.request() }
            }
        }
        try broken.run(conditionedSpec)
        let name = try #require(whole.files(containing: "step-6.safetensors").first)
        #expect(broken.data(name) == whole.data(name))
    }

    /// Four crops a step, as four batches of one or as one of four: the same losses, the same references dropped.
    @Test func theEffectiveBatchIsKeptOnFewerWorkers() throws {
        let (wide, split) = (try TestFolder(), try TestFolder())
        let short = ["train.max_steps=3", "train.num_eval_files=0", "evaluate.max_files=1"]
        try wide.run(conditionedSpec, overrides: short + ["train.batch_size=4"])
        try split.run(conditionedSpec, overrides: short + ["train.batch_size=1", "train.devices=4"])
        let steps = try [wide, split].map { temporary -> [StepRecord] in
            let store = try temporary.open()
            defer { try? store.close() }
            let run = try #require(try store.runs().first)
            return try store.steps(of: run.id)
        }
        for (a, b) in zip(steps[0], steps[1]) {
            #expect(abs(a.loss - b.loss) < 1e-4 * abs(a.loss))
            #expect(a.terms["cond_dropped"] == b.terms["cond_dropped"])
        }
    }

    @Test func aFrozenEncoderStaysAsItStarted() throws {
        let temporary = try TestFolder()
        try temporary.run(
            conditionedSpec, overrides: ["conditioning.train_noise_encoder=false", "conditioning.ref_from=elsewhere"])
        let store = try temporary.open()
        defer { try? store.close() }
        let run = try #require(try store.runs().first)
        let steps = try store.steps(of: run.id)
        #expect(steps.allSatisfy { $0.terms["encoder_gradient_norm"] == 0 })
        #expect(temporary.files(containing: "step-6.safetensors").count == 1)
    }

    @Test(arguments: ["film", "adagn", "cross_attention"])
    func everyInjectionTrains(injection: String) throws {
        try evaluations([
            "backbone.noise_cond_type=\(injection)", "backbone.noise_cond_start=identity",
            "conditioning.noise_encoder_type=sequence",
            "evaluate.guidance=[2]",
        ]) { _, results in
            #expect(results.count == 3 && results.allSatisfy { $0.nfe == 6 })
        }
    }

    @Test func noneIsTheNameOfAReference() throws {
        let loader = SpecLoader(vocabulary: Catalog.standard.vocabulary)
        let told = try loader.load(text: conditionedSpec, overrides: ["evaluate.reference=none"])
        #expect(told.spec.evaluate.references.map(\.mode) == [.none])
        #expect(told.warnings.map(\.code).contains("reference"))
        // Nothing is left out where nothing is told, as a spec with its defaults spelled out says.
        let (plain, spelled) = (
            try loader.load(text: tinySpec), try loader.load(text: tinySpec, overrides: ["evaluate.reference=none"])
        )
        #expect(spelled.spec.evaluate.references.isEmpty && spelled.spec.identity == plain.spec.identity)
    }

    /// References are told apart by their file and length; another recording under the same name is evaluated anew.
    @Test func aRecordedReferenceCountsByItsContent() throws {
        let temporary = try TestFolder()
        func write(_ name: String, _ seed: UInt64) throws {
            let noise = RandomStream(seed: seed, purpose: "noise").normals(9000, standardDeviation: 0.1)
            try SoundFile.write(noise, sampleRate: 16_000, to: temporary.path + "/" + name)
        }
        for (seed, name) in ["a.wav", "b.wav"].enumerated() { try write(name, UInt64(seed)) }
        let files = ["a", "b"].map { "{ name: file, path: \(temporary.path)/\($0).wav }" }.joined(separator: ", ")
        let overrides = ["evaluate.reference=[oracle, { name: oracle, num_frames: 12 }, \(files)]"]
        #expect(try temporary.run(conditionedSpec, overrides: overrides).done == 5)
        let store = try temporary.open()
        let run = try #require(try store.runs().first)
        let names = Set(try store.evaluations(of: run.id).compactMap(\.point.reference))
        #expect(names == ["oracle", "oracle/12", "file:\(temporary.path)/a.wav", "file:\(temporary.path)/b.wav"])
        try store.close()
        try write("b.wav", 7)
        #expect(try temporary.run(conditionedSpec, overrides: overrides).done == 1)
        // What cannot serve is told before anything is trained.
        for (kind, path) in [("file", "nowhere.wav"), ("folder", "nowhere")] {
            let wrong = "evaluate.reference={ name: \(kind), path: \(temporary.path)/\(path) }"
            #expect(throws: (any Error).self) {
                try temporary.run(conditionedSpec, overrides: [wrong, "train.lr=0.002"])
            }
        }
        let after = try temporary.open()
        #expect(try after.runs().count == 1)
        try after.close()
    }

    @Test func referencesThatDifferFromTrainingAreReported() throws {
        let loaded = try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(
            text: conditionedSpec,
            overrides: [
                "evaluate.reference=[{name: oracle, num_frames: 20}, none, zero]", "conditioning.cond_drop_prob=0",
            ])
        let said = loaded.warnings.map(\.summary).joined(separator: "\n")
        #expect(said.contains("has 20 frames, training had 9"))
        #expect(said.contains("'none' leaves the conditioning out"))
        #expect(said.contains("'zero' asks a network that never trained without a reference"))
    }
}
