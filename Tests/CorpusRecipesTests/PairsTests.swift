import Audio
import Corpora
import CorpusRecipes
import Foundation
import TestFolders
import Testing

@Suite struct PairsTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    /// The published folders of VoiceBank-DEMAND in small: 48 kHz, speakers in names, tables of noises beside them.
    private func voiceBank(test: Int = 3) throws {
        func pair(_ set: String, _ name: String, seed: Int) throws {
            let clean = TestFolder.speech(seed: seed, count: 24_000 + 48 * seed, rate: 48_000)
            let noise = TestFolder.noise(seed: seed, count: clean.count, level: 0.01)
            try folder.write(clean, "vb/clean_\(set)_wav/\(name).wav", rate: 48_000)
            try folder.write(zip(clean, noise).map { $0 + $1 }, "vb/noisy_\(set)_wav/\(name).wav", rate: 48_000)
        }
        for (index, speaker) in ["p226", "p227", "p228", "p287"].enumerated() {
            for number in 1...2 { try pair("trainset_28spk", "\(speaker)_00\(number)", seed: 2 * index + number) }
        }
        for number in 1...test { try pair("testset", "p232_00\(number)", seed: 20 + number) }
        let log = (1...test).map { "p232_00\($0) bus \([17.5, 2.5, 7.5][$0 % 3])\n" }.joined()
        try Data(log.utf8).write(to: URL(fileURLWithPath: try folder.file("vb/logfiles/log_testset.txt")))
    }

    @Test func voiceBankComesTo16kHzWithItsSpeakersHeldOutAndItsNoisesNamed() throws {
        try voiceBank()
        let recipe = try RecipeLoader().load("voicebank-demand")
        let maker = try RecipeMaker(
            recipe, sources: try SourceFolders(recipe, given: ["voicebank": folder.path + "/vb"]))
        #expect(maker.incomplete.count == 1 && maker.incomplete[0].contains("3 of 824 files"))
        #expect(maker.remarks.contains { $0.contains("log_trainset_28spk.txt") })
        let record = try maker.make(at: folder.path + "/made").record
        #expect(record.pairs == ["train": 4, "valid": 4, "test": 3] && record.incomplete == maker.incomplete)
        let corpus = try Corpus(at: folder.path + "/made")
        #expect(Set(try corpus.set("valid").files.map(\.speaker)) == ["p226", "p287"])
        #expect(Set(try corpus.set("train").files.map(\.speaker)) == ["p227", "p228"])
        let test = try corpus.set("test").files[1]
        #expect(
            test.entry?.noise == "bus" && test.entry?.snr == 7.5
                && test.entry?.other["noisy_file"]?.hasSuffix("noisy_testset_wav/p232_002.wav") == true)
        let scan = try CorpusScan(reading: corpus)
        #expect(scan.findings(expecting: .init(sampleRate: 16_000)).allSatisfy { $0.severity != .error })
        // The files are those of libsoxr, rounded to 16 bits.
        let source = try SoundFile.readMono(folder.path + "/vb/clean_testset_wav/p232_002.wav")
        let expected = try Resampler(from: 48_000, to: 16_000).resample(source)
        let made = try SoundFile.readMono(test.cleanPath, sampleRate: 16_000)
        #expect(made.count == expected.count && zip(made, expected).allSatisfy { abs($0 - $1) <= 0.51 / 32768 })
    }

    @Test func allSpeakersTrainInThePublishedVariant() throws {
        try voiceBank()
        let record = try folder.make(
            try RecipeLoader().load("voicebank-demand-11572"), from: ["voicebank": "vb"], to: "made"
        ).record
        #expect(record.pairs == ["train": 8, "test": 3] && record.incomplete.count == 2)
    }

    @Test func unequalLengthsAndMissingPartnersAreNamed() throws {
        try voiceBank()
        let recipe = try RecipeLoader().load("voicebank-demand")
        let odd = folder.path + "/vb/noisy_testset_wav/p232_001.wav"
        try FileManager.default.removeItem(atPath: odd)
        let missing = #expect(throws: CorpusError.self) {
            try folder.make(recipe, from: ["voicebank": "vb"], to: "made")
        }
        #expect(missing?.path.hasSuffix("clean_testset_wav/p232_001.wav") == true)
        try folder.write(
            TestFolder.speech(seed: 3, count: 30_000), "vb/noisy_testset_wav/p232_001.wav", rate: 48_000)
        let unequal = #expect(throws: CorpusError.self) {
            try folder.make(recipe, from: ["voicebank": "vb"], to: "made")
        }
        #expect(unequal?.path == odd && unequal?.summary.contains("not a pair") == true)
        let record = try folder.make(recipe, from: ["voicebank": "vb"], to: "skipping", skipsBad: true).record
        #expect(record.pairs["test"] == 2 && record.skipped.count == 1)
    }

    @Test func namesOfTheDNSChallengePairAndTellTheirLevel() throws {
        for number in 0..<3 {
            let clean = TestFolder.speech(seed: number, count: 9000)
            try folder.write(clean, "dns/clean/clean_fileid_\(number).wav")
            try folder.write(
                clean.map { 0.9 * $0 },
                "dns/noisy/book_0\(number)_chp_reader_1_snr\(5 * number - 5)_tl-20_fileid_\(number).wav")
        }
        let text = """
            name: dns
            sources: [{ name: dns }]
            sets: [{ name: test, speech: dns/clean, noisy: dns/noisy }]
            law: pairs
            """
        try folder.make(try RecipeLoader().load(text: text), from: ["dns": "dns"], to: "made")
        #expect(try Corpus(at: folder.path + "/made").set("test").files.map { $0.entry?.snr } == [-5, 0, 5])
    }
}
