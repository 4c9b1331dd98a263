import Audio
import Corpora
import Experiments
import Foundation
import Gates
import Models
import Runs
import SpecLanguage
import Specs
import TestFolders
import Testing
import Training

/// The mistakes of a published study of noise conditioning, each stopped or shown before a training step.
@Suite struct GateTests {
    private func load(_ text: String, overrides: [String] = []) throws -> LoadedSpec {
        try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text, overrides: overrides)
    }

    private static let conditioned = """
        name: conditioned
        data: { corpus: synthetic }
        backbone: ncsnpp_v2_cond
        conditioning: { ref_num_frames: 32, cond_drop_prob: 0.0 }
        train: { batch_size: 4, max_steps: 50000 }
        evaluate: { reference: oracle }

        """

    /// The findings of a spec's protocol, thrown or let pass.
    private func findings(_ text: String, overrides: [String] = []) throws -> [Finding] {
        let loaded = try load(text, overrides: overrides)
        do {
            return try ProtocolGate.enforce(loaded)
        } catch let error as GateFailure {
            return error.findings
        }
    }

    /// A small corpus in a folder of its own, of different sounds in every set.
    private func corpus(_ temporary: TestFolder, rate: Int, validIsTest: Bool = false) throws -> String {
        let base = temporary.path + "/corpus"
        for (place, set) in ["train", "valid", "test"].enumerated() {
            for file in 0..<2 {
                let salt = validIsTest && set == "valid" ? 2 : place
                let frequency = Float(110 + 40 * salt + 15 * file)
                let clean: [Float] = (0..<rate).map { 0.4 * sin(Float($0) * frequency * 2 * .pi / Float(rate)) }
                let noisy = clean.enumerated().map { $1 + 0.05 * sin(Float($0 * $0 % (7919 + file + 10 * salt))) }
                for (folder, signal) in [("clean", clean), ("noisy", noisy)] {
                    try FileManager.default.createDirectory(
                        atPath: "\(base)/\(set)/\(folder)", withIntermediateDirectories: true)
                    try SoundFile.write(signal, sampleRate: rate, to: "\(base)/\(set)/\(folder)/p\(salt)_\(file).wav")
                }
            }
        }
        return base
    }

    private func failure(_ spec: String) throws -> GateFailure? {
        let temporary = try TestFolder()
        let error = #expect(throws: GateFailure.self) { try temporary.run(spec) }
        let store = try temporary.open()
        #expect(try store.runs().isEmpty)
        try store.close()
        return error
    }

    /// Row 1: 48 kHz files read as 16 kHz: every bin means three times its frequency.
    @Test func audioAtAnotherRateIsAnErrorThatNamesTheFix() throws {
        let temporary = try TestFolder()
        let base = try corpus(temporary, rate: 48000)
        let error = try failure("name: x\ndata: { path: \(base) }\ntrain: { max_steps: 3 }\n")
        let finding = try #require(error?.findings.first)
        #expect(finding.code == .rate && finding.message.contains("3 times its frequency"))
        #expect(finding.message.contains("a crop last 0.68 s instead of 2.04 s"))
        #expect(
            finding.fix
                == """
                resample the data to 16000 Hz before training, let the run do it with data.resample: true, or set \
                data.sample_rate to 48000
                """
        )
    }

    /// Row 4: the validation set is a copy of the test set.
    @Test func validationCopiedFromTheTestSetIsFound() throws {
        let temporary = try TestFolder()
        let base = try corpus(temporary, rate: 16000, validIsTest: true)
        let error = try failure("name: x\ndata: { path: \(base) }\ntrain: { max_steps: 3 }\n")
        let finding = try #require(error?.findings.first { $0.code == .contentOverlap })
        #expect(finding.set == "valid & test" && finding.message.contains("every pair of test among them"))
    }

    /// The set that is learned from, or that the checkpoint is chosen by, under the name of a test set.
    @Test(arguments: [
        "[train]", "[test, valid]", "[{ name: other, path: BASE/train }]",
        "[{ name: other, path: BASE, subset: valid }]",
    ])
    func evaluatingOnWhatWasLearnedFromIsFound(sets: String) throws {
        let temporary = try TestFolder()
        let base = try corpus(temporary, rate: 16000)
        let sets = sets.replacing("BASE", with: base)
        let error = try failure(
            "name: x\ndata: { path: \(base) }\ntrain: { max_steps: 3 }\nevaluate: { sets: \(sets) }\n")
        #expect(error?.findings.first?.code == .contentOverlap)
    }

    @Test func validationWithoutFilesIsFoundBeforeTraining() throws {
        let temporary = try TestFolder()
        let base = try corpus(temporary, rate: 16000)
        try FileManager.default.removeItem(atPath: base + "/valid")
        let spec = "name: x\ndata: { path: \(base) }\ntrain: { max_steps: 3 }\n"
        let error = try failure(spec)
        #expect(error?.findings.map(\.code) == [.empty])
        let store = try temporary.open()
        defer { try? store.close() }
        var preparer = DataPreparer(workspace: Workspace(store: store, commandLine: ["test"]))
        let last = try preparer.findings(try load(spec, overrides: ["evaluate.checkpoint=last"]).spec)
        #expect(last.first { $0.code == .empty }?.severity == .warning)
        let without = try preparer.findings(
            try load(spec, overrides: ["evaluate.checkpoint=last", "train.num_eval_files=0"]).spec)
        #expect(without.allSatisfy { $0.code != .empty })
    }

    /// A waived check lets the run through to its end: a wrong rate is read as if it were right, silence stays silence.
    @Test func waivedDataRuns() throws {
        let temporary = try TestFolder()
        let base = try corpus(temporary, rate: 8000)
        for folder in ["clean", "noisy"] {
            try SoundFile.write(
                [Float](repeating: 0, count: 8000), sampleRate: 8000, to: "\(base)/test/\(folder)/p2_9.wav")
        }
        let spec = tinySpec.replacingOccurrences(
            of: "corpus: { name: synthetic, train: 6, valid: 2, test: 2, test_ood: 2, shortest: 0.8, longest: 1.0 }",
            with: "path: \(base)"
        ).replacingOccurrences(of: "[test, test-ood]", with: "[test]")
        #expect(try #require(try failure(spec)).findings.map(\.code).contains(.rate))
        let waived = try temporary.run(spec, overrides: ["waive.rate=as the fork read it", "waive.silence=kept"])
        #expect(waived.failed.isEmpty, "\(waived.failed)")
        let store = try temporary.open()
        defer { try? store.close() }
        let run: Run.ID = try #require(waived.runs.first)
        let findings = try store.findings(of: run)
        #expect(findings.contains { $0.gate == "rate" && $0.message.contains("waived: as the fork read it") })
    }

    @Test func whatCannotBeReadCannotBeWaived() throws {
        let error = #expect(throws: SpecErrors.self) {
            try load("name: x\ndata: { path: a }\ntrain: { max_steps: 3 }\nwaive: { unreadable: x }\n")
        }
        #expect(error?.all.map(\.summary) == ["'unreadable' cannot be waived: such files cannot be used"])
    }

    /// Row 7: a reference of 32 frames in training, of 63 in evaluation.
    @Test func aReferenceOfAnotherLengthIsAnError() throws {
        let other = try findings(Self.conditioned, overrides: ["evaluate.reference={ name: oracle, num_frames: 63 }"])
        #expect(other.first?.code == .referenceLength && other.first?.severity == .error)
        #expect(
            other.first?.message
                == "the reference has 32 frames (0.248 s) in training, 63 frames (0.496 s) in evaluation")
        let both = try findings(
            Self.conditioned, overrides: ["evaluate.reference={ name: oracle, num_frames: [32, 63] }"])
        #expect(both.first { $0.code == .referenceLength }?.severity == .note)
        #expect(try findings(Self.conditioned).allSatisfy { $0.code != .referenceLength })
    }

    /// Row 9: an empty reference for a network that has never seen one.
    @Test func anEmptyReferenceThatTrainingNeverShowedIsAnError() throws {
        let never = try findings(Self.conditioned, overrides: ["evaluate.reference=zero"])
        #expect(never.first?.code == .unseenReference && never.first?.severity == .error)
        let seen = try findings(
            Self.conditioned, overrides: ["evaluate.reference=zero", "conditioning.cond_drop_prob=0.2"])
        #expect(seen.allSatisfy { $0.code != .unseenReference })
        // Any scale but 1 takes the score without a reference, too; and one may never have been shown.
        for (scale, drop) in [("0", "0"), ("3", "0"), ("1", "1")] {
            let found = try findings(
                Self.conditioned, overrides: ["evaluate.guidance=[\(scale)]", "conditioning.cond_drop_prob=\(drop)"])
            #expect(found.first { $0.code == .unseenReference }?.severity == .error, "w \(scale), p \(drop)")
        }
        #expect(
            try findings(Self.conditioned, overrides: ["evaluate.guidance=[1]"]).allSatisfy {
                $0.code != .unseenReference
            })
    }

    /// Row 12: the option said reflection, the code padded with zeros.
    @Test func paddingUnlikeTheAuthorsIsAWarning() throws {
        let found = try findings(Self.conditioned, overrides: ["evaluate.padding=zero_pad"])
        let finding = try #require(found.first { $0.code == .padding })
        #expect(
            finding.severity == .warning && finding.message.contains("'zero_pad'")
                && finding.message.contains("'reflection'"))
    }

    /// Row 16: step=50000.ckpt of one model beside last.ckpt of another.
    @Test func runsAtDifferentCheckpointsAreAnErrorUnlessWaived() throws {
        let text = """
            name: x
            data: { corpus: synthetic }
            train: { max_steps: 50000 }
            sweep:
              points:
                - { name: poc, evaluate.checkpoint: { name: step, step: 50000 } }
                - { name: scaled, train.max_steps: 58000, evaluate.checkpoint: last }

            """
        let found = try findings(text)
        #expect(found.first?.code == .checkpointChoice && found.first?.severity == .error)
        #expect(found.first?.message.contains("step(step=50000); last") == true)
        let waived = try findings(text + "waive: { checkpoint-choice: as the study did }\n")
        #expect(waived.contains { $0.code == .checkpointChoice && $0.severity == .error })
        #expect(throws: Never.self) {
            try ProtocolGate.enforce(try load(text + "waive: { checkpoint-choice: as the study did }\n"))
        }
    }

    @Test func otherDifferencesAreShown() throws {
        let found = try findings(
            Self.conditioned,
            overrides: ["data.normalize=clean", "evaluate.weights=raw", "evaluate.N=[50]", "train.validation_N=10"])
        let codes = Set(found.map(\.code))
        #expect(codes.isSuperset(of: [.normalization, .rawWeights, .validationSteps]))
    }

    @Test func findingsAreStoredWithTheRun() throws {
        let temporary = try TestFolder()
        try temporary.run(
            tinySpec,
            overrides: [
                "train.max_steps=1", "train.validate_every=9", "evaluate.N=[1]", "evaluate.sets=[test]",
                "evaluate.anchors=[noisy]",
            ])
        let store = try temporary.open()
        let run = try #require(try store.runs().first)
        #expect(try store.findings(of: run.id).contains { $0.gate == "checkpoint-choice" && $0.severity == .note })
        try store.close()
    }

    /// A corpus without a validation set is split by speakers; those of the test set must not be heard before it.
    @Test func publishedSplitsKeepSpeakersApart() throws {
        let temporary = try TestFolder()
        let base = temporary.path + "/corpora/voicebank-demand"
        func pair(_ set: String, _ name: String, _ pitch: Float) throws {
            for (folder, extra) in [("clean", Float(0)), ("noisy", 0.1)] {
                try FileManager.default.createDirectory(
                    atPath: "\(base)/\(set)/\(folder)", withIntermediateDirectories: true)
                let samples = (0..<8000).map {
                    0.3 * sin(Float($0) * pitch) + extra * sin(Float($0 * $0 % 7919) * pitch)
                }
                try SoundFile.write(samples, sampleRate: 16000, to: "\(base)/\(set)/\(folder)/\(name)")
            }
        }
        for (number, speaker) in ["p225", "p226", "p287", "p228"].enumerated() {
            try pair("train", "\(speaker)_001.wav", 0.05 + 0.01 * Float(number))
        }
        try pair("test", "p232_001.wav", 0.2)
        let spec = "name: x\ndata: { corpus: voicebank-demand }\ntrain: { max_steps: 3 }\n"
        let store = try temporary.open()
        defer { try? store.close() }
        var preparer = DataPreparer(workspace: Workspace(store: store, commandLine: ["test"]))
        let data = try preparer.prepare(try load(spec).spec)
        #expect(data.training.map(\.name) == ["p225_001.wav", "p228_001.wav"])
        #expect(data.validation.map(\.name) == ["p226_001.wav", "p287_001.wav"])
        try pair("train", "p257_001.wav", 0.3)
        var again = DataPreparer(workspace: Workspace(store: store, commandLine: ["test"]))
        let error = #expect(throws: GateFailure.self) { try again.prepare(try load(spec).spec) }
        #expect(error?.findings.first?.message == "p257 belongs to the published test set")
    }

    @Test func aCorpusThatIsNotThereSaysHowToComeByIt() throws {
        let temporary = try TestFolder()
        let error = #expect(throws: CorpusError.self) {
            try temporary.run("name: x\ndata: { corpus: voicebank-demand }\ntrain: { max_steps: 3 }\n")
        }
        #expect(error?.description.contains("sgmse data make voicebank-demand --from voicebank=FOLDER") == true)
    }
}
