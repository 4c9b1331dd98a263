import Audio
import Corpora
import CorpusRecipes
import Foundation
import TestFolders
import Testing

/// Speech of espeak-ng, where it is installed.
@Suite struct SpokenTests {
    private static let isInstalled = ["/usr/bin", "/usr/local/bin", "/bin"].contains {
        FileManager.default.isExecutableFile(atPath: $0 + "/espeak-ng")
    }

    private func recipe(_ overrides: String...) throws -> Recipe {
        try RecipeLoader().load(
            "synthetic-spoken", overrides: ["law.train=4", "law.valid=1", "law.test=1", "law.test_ood=1"] + overrides)
    }

    @Test(.enabled(if: SpokenTests.isInstalled, "espeak-ng is not installed: apt-get install espeak-ng"))
    func spokenSentencesMakeACorpusThatRepeatsAndPassesTheChecks() throws {
        let folder = try TestFolder()
        let record = try folder.make(try recipe(), to: "one").record
        #expect(
            record.pairs == ["train": 4, "valid": 1, "test": 1, "test-ood": 1]
                && record.declaration.contains("# eSpeak NG "))
        #expect(
            try folder.make(try recipe(), to: "two").record.content == record.content
                && folder.bytes("one") == folder.bytes("two"))
        #expect(try folder.make(try recipe("seed=1"), to: "three").record.content != record.content)
        let corpus = try Corpus(at: folder.path + "/one")
        #expect(
            try CorpusScan(reading: corpus).findings(expecting: .init(sampleRate: 16_000)).allSatisfy {
                $0.severity == .note
            })
        var texts: Set<String> = []
        for file in corpus.sets.flatMap(\.files) {
            let entry = try #require(file.entry)
            #expect(
                entry.other["synthesiser"]?.hasPrefix("eSpeak NG ") == true
                    && entry.other["voice"]?.contains("pitch") == true)
            #expect(abs(try #require(entry.snr) - (try #require(Double(entry.other["snr_measured_db"] ?? "")))) < 0.01)
            #expect(try (1.5...4.01).contains(SoundFile.header(of: file.cleanPath).duration))
            texts.insert(try #require(entry.other["text"]))
        }
        #expect(texts.count == 7)
    }

    @Test(.enabled(if: !SpokenTests.isInstalled, "espeak-ng is installed"))
    func withoutTheProgramTheMessageSaysHowToGetIt() throws {
        let folder = try TestFolder()
        let error = #expect(throws: CorpusError.self) { try folder.make(try recipe(), to: "made") }
        #expect(error?.description.contains("apt-get install espeak-ng") == true)
    }
}
