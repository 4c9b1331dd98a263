import Audio
import Corpora
import CorpusRecipes
import Foundation
import Kernels
import Parallelism
import TestFolders
import Testing

@Suite(.serialized) struct MakingTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private let synthetic = ["law.train=4", "law.valid=2", "law.test=2", "law.test_ood=2", "law.seconds=[0.5, 0.8]"]

    @Test func oneWorkerAndTwoMakeTheSameBytes() throws {
        defer { Engine.threads = ProcessInfo.processInfo.activeProcessorCount }
        let recipe = try RecipeLoader().load("synthetic", overrides: synthetic)
        Engine.threads = 1
        let one = try folder.make(recipe, to: "one")
        Engine.threads = 2
        let two = try folder.make(recipe, to: "two")
        #expect(
            one.record.content == two.record.content
                && one.record.pairs == ["train": 4, "valid": 2, "test": 2, "test-ood": 2])
        let bytes = try folder.bytes("one")
        #expect(bytes.count == 2 * 10 + 4 + 1)
        #expect(try bytes == folder.bytes("two"))
        let other = try folder.make(
            try RecipeLoader().load("synthetic", overrides: synthetic + ["seed=1"]), to: "three")
        #expect(other.record.content != one.record.content)
    }

    @Test func theSyntheticRecipeGivesTheAudioOfTheSpecsCorpus() throws {
        try folder.make(try RecipeLoader().load("synthetic", overrides: synthetic), to: "recipe")
        try SyntheticCorpus {
            ($0.train, $0.valid, $0.test, $0.testOOD) = (4, 2, 2, 2)
            $0.seconds = 0.5...0.8
        }.write(to: folder.path + "/spec")
        let (recipe, spec) = (try folder.bytes("recipe"), try folder.bytes("spec"))
        let sounds = spec.filter { $0.key.hasSuffix(".wav") }
        #expect(sounds.count == 20 && sounds == recipe.filter { $0.key.hasSuffix(".wav") })
    }

    @Test(arguments: [("synthetic-rooms", 16_000), ("synthetic-48k", 48_000)])
    func otherSyntheticCorporaPassTheChecks(name: String, rate: Int) throws {
        try folder.make(try RecipeLoader().load(name, overrides: synthetic), to: "made")
        let scan = try CorpusScan(reading: try Corpus(at: folder.path + "/made"))
        #expect(scan.findings(expecting: .init(sampleRate: rate)).isEmpty)
    }

    @Test func aSecondCallDoesNothingAndOtherSettingsAreAnError() throws {
        let recipe = try RecipeLoader().load("synthetic", overrides: synthetic)
        let first = try folder.make(recipe, to: "made")
        let second = try folder.make(recipe, to: "made")
        #expect(second.isUnchanged && second.record == first.record)
        let other = try RecipeLoader().load("synthetic", overrides: synthetic + ["law.snr=[0, 5]"])
        let error = #expect(throws: CorpusError.self) { try folder.make(other, to: "made") }
        #expect(error?.summary.contains("snr: [0.0, 10.0]") == true)
        try FileManager.default.removeItem(atPath: folder.path + "/made/test/clean/s24_0000.wav")
        #expect(throws: CorpusError.self) { try folder.make(recipe, to: "made") }
    }

    @Test func whatWasInterruptedGoesOnToTheSameBytes() throws {
        // So many pairs that some are left when the interruption comes.
        let recipe = try RecipeLoader().load("synthetic", overrides: synthetic + ["law.train=40"])
        try folder.make(recipe, to: "whole")
        let maker = try RecipeMaker(recipe, sources: try SourceFolders(recipe, given: [:]))
        let interruption = Interruption()
        #expect(throws: Interrupted.self) {
            try maker.make(at: folder.path + "/made", interruption: interruption) {
                if $0 == 3 { interruption.request() }
            }
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/made"))
        // A pair that was damaged since is made again; a line that was cut off is passed over.
        let journal = folder.path + "/made.part/journal.jsonl"
        let lines = try String(contentsOfFile: journal, encoding: .utf8).split(separator: "\n")
        #expect(lines.count >= 3)
        try (lines.joined(separator: "\n") + "\n{\"item\":").write(toFile: journal, atomically: true, encoding: .utf8)
        // One that the journal has: others may have been written when the interruption came.
        let names = try folder.bytes("made.part").keys.filter { name in
            name.hasSuffix(".wav") && lines.contains { $0.contains("\"" + (name as NSString).lastPathComponent + "\"") }
        }
        let name = try #require(names.min())
        try FileManager.default.removeItem(atPath: folder.path + "/made.part/" + name)
        let outcome = try maker.make(at: folder.path + "/made")
        #expect(outcome.resumed == lines.count - 1)
        #expect(try folder.bytes("made") == folder.bytes("whole"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/made.part"))
    }

    /// Settings that recipes got later leave the identity of corpora as it was, where they are not given.
    @Test func theIdentityOfACorpusHoldsNoSettingThatItsRecipeDidNotHave() throws {
        let folder = try TestFolder()
        for (name, seed) in [("s/a", 1), ("n/b", 2)] {
            try folder.write(TestFolder.speech(seed: seed, count: 8000), "\(name).wav")
        }
        let recipe = try RecipeLoader().load("ood-mixtures", overrides: ["law.levels=[5]"])
        let declaration = try folder.make(recipe, from: ["clean": "s", "noise": "n"], to: "made").record.declaration
        #expect(declaration.contains("shortest: ") && declaration.contains("pieces: null"))
        for name in ["cuts", "longest", "ramp", "kinds", "snr_parts", "short_noise"] {
            #expect(!declaration.contains("\(name):"), "\(name)")
        }
    }

    @Test func anUnfinishedCorpusOfOtherSettingsIsLeftAlone() throws {
        let recipe = try RecipeLoader().load("synthetic", overrides: synthetic)
        let interruption = Interruption()
        let maker = try RecipeMaker(recipe, sources: try SourceFolders(recipe, given: [:]))
        #expect(throws: Interrupted.self) {
            try maker.make(at: folder.path + "/made", interruption: interruption) {
                if $0 == 1 { interruption.request() }
            }
        }
        let before = try folder.bytes("made.part")
        let other = try RecipeLoader().load("synthetic", overrides: synthetic + ["seed=9"])
        #expect(throws: CorpusError.self) { try folder.make(other, to: "made") }
        #expect(try folder.bytes("made.part") == before)
    }
}
