import Audio
import Corpora
import CorpusRecipes
import Foundation
import Kernels
import SpecLanguage
import TestFolders
import Testing

@Suite struct MixingTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private func decibels(_ samples: [Float]) -> Double {
        10 * log10(samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(samples.count))
    }

    private func pair(_ file: PairedFile) throws -> (clean: [Float], noise: [Float]) {
        let (clean, noisy) = (try SoundFile.readMono(file.cleanPath), try SoundFile.readMono(file.noisyPath))
        return (clean, zip(noisy, clean).map { $0 - $1 })
    }

    /// WSJ0's folders with speakers' folders inside, and CHiME3's files for each channel.
    private func wsj0() throws {
        for (index, set) in [
            "si_tr_s/011/011a0101", "si_tr_s/01t/01ta0102", "si_dt_05/050/050a0501", "si_et_05/440/440c0201",
        ].enumerated() {
            try folder.write(TestFolder.speech(seed: index, count: 9000 + index), "wsj0/\(set).wav")
        }
        for (index, place) in ["BUS", "CAF"].enumerated() {
            for channel in 0...2 {
                try folder.write(
                    TestFolder.noise(seed: 10 * index + channel, count: 40_000, level: channel == 1 ? 0.05 : 0.2),
                    "chime3/BGD_150203_010_\(place).CH\(channel).wav")
            }
        }
    }

    @Test func wsj0InCHiME3NoiseHasTheAskedLevelsTheFirstChannelAndWSJ0sSplits() throws {
        try wsj0()
        let outcome = try folder.make(
            try RecipeLoader().load("wsj0-chime3"), from: ["wsj0": "wsj0", "chime3": "chime3"], to: "made")
        #expect(outcome.record.pairs == ["train": 2, "valid": 1, "test": 1])
        let corpus = try Corpus(at: folder.path + "/made")
        #expect(try corpus.set("train").files.map(\.name) == ["011a0101.wav", "01ta0102.wav"])
        #expect(try corpus.set("train").files.map(\.speaker) == ["011", "01t"])
        for file in corpus.sets.flatMap(\.files) {
            let entry = try #require(file.entry)
            let snr = try #require(entry.snr)
            let (clean, noise) = try pair(file)
            #expect((0...20).contains(snr) && abs(decibels(clean) - decibels(noise) - snr) < 0.01)
            #expect(abs((Double(entry.other["snr_measured_db"] ?? "") ?? 99) - snr) < 0.01)
            #expect(["BUS", "CAF"].contains(entry.noise) && entry.other["noise_file"]?.contains(".CH1.") == true)
            #expect(
                entry.other["clean_file"]?.hasSuffix(file.name) == true && entry.seed == 0
                    && entry.other["clipped"] == "0")
            // No scaling: the clean file is the recording itself.
            let source = try SoundFile.readMono(folder.path + "/" + (entry.other["clean_file"] ?? ""))
            #expect(source == clean)
            #expect(
                AudioFacts(of: try SoundFile.read(file.noisyPath)).content.description == entry.other["content_noisy"])
        }
    }

    @Test func theCarOfQUTLosesItsEnds() throws {
        try wsj0()
        // Loud ends of 120 s at 1 kHz; only the middle is quiet.
        let ends = TestFolder.noise(seed: 1, count: 120 * 4000, level: 0.5)
        try folder.write(
            ends + TestFolder.noise(seed: 2, count: 4000 * 4, level: 0.01) + ends, "qut/CAR-WINDOWNB-1.wav",
            rate: 4000)
        let recipe = try RecipeLoader().load("wsj0-qut")
        #expect(recipe.sources.map(\.name) == ["wsj0", "qut"])
        try folder.make(recipe, from: ["wsj0": "wsj0", "qut": "qut"], to: "made")
        for file in try Corpus(at: folder.path + "/made").sets.flatMap(\.files) {
            let start = try #require(Double(file.entry?.other["noise_start_s"] ?? ""))
            #expect(start >= 120 && start + 9000.0 / 16_000 <= 124.1 && file.entry?.noise == "CAR-WINDOWNB")
        }
    }

    /// Rates and depths differ, one noise is short, one digitally silent.
    private func anyFolders() throws {
        for index in 0..<4 {
            try folder.write(
                TestFolder.speech(seed: index, count: 8000 + 10 * index),
                "clean/sub\(index % 2)/clean_fileid_\(index).flac")
        }
        try folder.write(TestFolder.noise(seed: 1, count: 60_000), "noise/rain/1-100-A-10.wav", rate: 48_000)
        try folder.write(TestFolder.noise(seed: 2, count: 900), "noise/dog/1-101-A-0.wav")
        try folder.write([Float](repeating: 0, count: 30_000), "noise/mouse/1-102-A-31.wav")
    }

    @Test func levelsShareOneNoisePerFileOrDrawTheirOwn() throws {
        try anyFolders()
        let sources = ["clean": "clean", "noise": "noise"]
        try folder.make(try RecipeLoader().load("ood-mixtures"), from: sources, to: "shared")
        let sets = try ["test-0dB", "test-5dB", "test-10dB"].map { try Corpus(at: folder.path + "/shared").set($0) }
        for index in 0..<4 {
            let entries = sets.compactMap { $0.files[index].entry }
            #expect(Set(entries.map { $0.other["noise_file"] }).count == 1 && entries.map(\.snr) == [0, 5, 10])
            #expect(entries.allSatisfy { ["rain", "dog"].contains($0.noise) })
            for set in sets {
                let (clean, noise) = try pair(set.files[index])
                #expect(abs(decibels(clean) - decibels(noise) - (set.files[index].entry?.snr ?? 99)) < 0.01)
            }
        }
        #expect(sets[0].files.map(\.name).contains("sub0/clean_fileid_2.wav"))
        try folder.make(
            try RecipeLoader().load("ood-mixtures", overrides: ["law.draw=level"]), from: sources, to: "own")
        let starts = try Corpus(at: folder.path + "/own").sets.map { $0.files.map { $0.entry?.other["noise_start_s"] } }
        #expect(Set(starts).count == 3)
    }

    @Test func classesOfESC50AreNamedInTheirGroups() throws {
        try anyFolders()
        let overrides = ["sets=[{ name: test, speech: clean, count: 3 }]", "law.shortest_noise=0"]
        try folder.make(
            try RecipeLoader().load("ood-esc50", overrides: overrides), from: ["clean": "clean", "noise": "noise"],
            to: "made")
        let files = try Corpus(at: folder.path + "/made").sets.flatMap(\.files)
        #expect(files.count == 9)
        for entry in files.compactMap(\.entry) {
            #expect(
                (entry.noise == "rain" && entry.other["noise_group"] == "nature")
                    || (entry.noise == "dog" && entry.other["noise_group"] == "animals"))
        }
        let animals = try RecipeLoader().load("ood-esc50", overrides: overrides + ["law.noise_groups=[animals]"])
        try folder.make(animals, from: ["clean": "clean", "noise": "noise"], to: "animals")
        #expect(try Corpus(at: folder.path + "/animals").sets.flatMap(\.files).allSatisfy { $0.entry?.noise == "dog" })
    }

    @Test func clippingIsCountedWithoutAGuardAndAvoidedWithOne() throws {
        try folder.write(TestFolder.speech(seed: 1, count: 8000).map { 2 * $0 }, "clean/a.wav")
        try folder.write(TestFolder.noise(seed: 1, count: 9000), "noise/n.wav")
        let sources = ["clean": "clean", "noise": "noise"]
        func record(_ name: String, _ options: [String]) throws -> RecipeRecord {
            try folder.make(
                try RecipeLoader().load("ood-mixtures", overrides: ["law.levels=[-10]"] + options), from: sources,
                to: name
            ).record
        }
        #expect(try record("none", ["law.guard=none"]).clippedSamples > 0)
        #expect(try record("scaled", ["law.guard=scale"]).clippedSamples == 0)
        #expect(try record("raised", ["law.guard=raise"]).clippedSamples == 0)
        #expect(try record("floats", ["law.guard=none", "encoding=float32"]).clippedSamples == 0)
        #expect(try record("wide", ["law.guard=none", "encoding=pcm24"]).clippedSamples > 0)
        let raised = try Corpus(at: folder.path + "/raised").sets[0].files[0]
        let snr = try #require(raised.entry?.snr)
        #expect(snr > -10 && (snr + 10).truncatingRemainder(dividingBy: 1) == 0)
        let (clean, noise) = try pair(raised)
        #expect(abs(decibels(clean) - decibels(noise) - snr) < 0.01)
    }

    @Test func badSourcesAreNamedAndLeftOutOnlyWhenAsked() throws {
        try anyFolders()
        try Data("no sound".utf8).write(to: URL(fileURLWithPath: folder.path + "/clean/text.wav"))
        let sources = ["clean": "clean", "noise": "noise"]
        let recipe = try RecipeLoader().load("ood-mixtures")
        let error = #expect(throws: SoundFileError.self) { try folder.make(recipe, from: sources, to: "made") }
        #expect(error?.path.hasSuffix("clean/text.wav") == true)
        let record = try folder.make(recipe, from: sources, to: "made", skipsBad: true).record
        #expect(record.skipped.count == 1 && record.skipped[0].contains("text.wav") && record.pairs["test-0dB"] == 4)
    }

    @Test func aMissingSourceSaysWhatItIsAndWhereItIsPublished() throws {
        let recipe = try RecipeLoader().load("voicebank-demand")
        let missing = #expect(throws: CorpusError.self) { try SourceFolders(recipe, given: [:]) }
        #expect(missing?.description.contains("--from voicebank=FOLDER") == true)
        #expect(
            missing?.description.contains("datashare.ed.ac.uk") == true
                && missing?.description.contains("11,572 and 824 pairs") == true)
        _ = try folder.file("vb/clean_testset_wav/x")
        try Data().write(to: URL(fileURLWithPath: folder.path + "/vb/noisy_testset_wav.zip"))
        let incomplete = #expect(throws: CorpusError.self) {
            try SourceFolders(recipe, given: ["voicebank": folder.path + "/vb"])
        }
        #expect(
            incomplete?.hint?.contains(
                "must hold clean_trainset_28spk_wav, noisy_trainset_28spk_wav, as folders or as zip archives") == true)
        #expect(throws: CorpusError.self) { try SourceFolders(recipe, given: ["voicebank": folder.path + "/nowhere"]) }
    }
}
