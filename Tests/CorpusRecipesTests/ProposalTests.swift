import Audio
import Corpora
import CorpusRecipes
import Foundation
import TestFolders
import Testing

@Suite struct ProposalTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private func pair(_ clean: String, _ noisy: String, seed: Int, rate: Int = 16_000) throws {
        let speech = TestFolder.speech(seed: seed, count: rate, rate: rate)
        try folder.write(speech, "own/" + clean, rate: rate)
        try folder.write(
            zip(speech, TestFolder.noise(seed: seed, count: rate, level: 0.02)).map { $0 + $1 }, "own/" + noisy,
            rate: rate)
    }

    private func proposal() throws -> FolderProposal { try FolderProposal(of: folder.path + "/own") }

    @Test func foldersOfThePublishedKindKeepTheirSets() throws {
        for (index, set) in ["train", "valid", "test"].enumerated() {
            for number in 0..<2 {
                try pair(
                    "clean_\(set)set_wav/p\(index)_\(number).wav", "noisy_\(set)set_wav/p\(index)_\(number).wav",
                    seed: 2 * index + number)
            }
        }
        let found = try proposal()
        #expect(found.sets == ["train", "valid", "test"] && found.pairs.count == 6 && found.unpaired.isEmpty)
        #expect(
            found.pairs.allSatisfy {
                ($0.clean as NSString).lastPathComponent == ($0.noisy as NSString).lastPathComponent
            })
    }

    @Test func endingsOfNamesTellTheRolesAndSpeakersMakeTheSets() throws {
        for speaker in 0..<5 {
            for number in 0..<2 {
                try pair(
                    "s\(speaker)/s\(speaker)_\(number)_clean.flac", "s\(speaker)/s\(speaker)_\(number)_noisy.flac",
                    seed: 2 * speaker + number, rate: 48_000)
            }
        }
        let found = try proposal()
        #expect(found.pairs.count == 10 && found.rate == 48_000 && found.sets == ["train", "valid", "test"])
        let bySet = Dictionary(grouping: found.pairs, by: \.set).mapValues { Set($0.compactMap(\.speaker)) }
        #expect(bySet["valid"]?.count == 1 && bySet["test"]?.count == 1 && bySet["train"]?.count == 3)
        #expect(bySet["train"]?.isDisjoint(with: bySet["test"] ?? []) == true)
    }

    @Test func foldersOfAnyNameAreToldApartByTheirPauses() throws {
        for number in 0..<4 { try pair("zoo/x\(number).wav", "alpha/x\(number).wav", seed: number, rate: 44_100) }
        let found = try proposal()
        #expect(
            found.pairs.allSatisfy { $0.clean.hasPrefix("zoo/") && $0.noisy.hasPrefix("alpha/") }
                && found.pairs.count == 4)
        #expect(
            found.rate == 16_000 && found.rates == [44_100: 8]
                && found.remarks.contains { $0.contains("its pauses are louder") })
    }

    @Test func numbersOfTheDNSChallengePairAndNoiseIsLeftOut() throws {
        for number in 0..<3 {
            try pair("clean/clean_fileid_\(number).wav", "noisy/book_\(9 - number)_fileid_\(number).wav", seed: number)
            try folder.write(TestFolder.noise(seed: number, count: 9000), "own/noise/noise_fileid_\(number).wav")
        }
        try folder.write(TestFolder.speech(seed: 9, count: 9000), "own/clean/clean_fileid_77.wav")
        let found = try proposal()
        #expect(found.pairs.count == 3 && found.others == 3 && found.unpaired == ["clean/clean_fileid_77.wav"])
        #expect(found.pairs.allSatisfy { $0.clean.hasSuffix("\($0.noisy.suffix(6))") })
    }

    @Test func aFolderWithoutPairsSaysWhatItHolds() throws {
        try folder.write(TestFolder.speech(seed: 1, count: 9000), "own/clean/a.wav")
        let error = #expect(throws: CorpusError.self) { try proposal() }
        #expect(
            error?.summary.contains("1 files are clean and 0 noisy") == true
                && error?.summary.contains("ood-mixtures") == true)
    }

    @Test func aTableOfPairsMakesTheCorpus() throws {
        try pair("a/one.wav", "b/first.wav", seed: 1)
        try pair("a/two.wav", "b/second.wav", seed: 2)
        try Data("clean;noisy;set;speaker\na/one.wav;b/first.wav;train;eva\na/two.wav;b/second.wav;test;tom\n".utf8)
            .write(to: URL(fileURLWithPath: folder.path + "/table.csv"))
        let sets = ["train", "test"].map { "{ name: \($0), speech: own, noisy: own, table: table.csv }" }.joined(
            separator: ", ")
        try Data("name: mine\nsources: [{ name: own }]\nsets: [\(sets)]\nlaw: pairs\n".utf8).write(
            to: URL(fileURLWithPath: folder.path + "/recipe.yaml"))
        let recipe = try RecipeLoader().load(folder.path + "/recipe.yaml")
        let record = try folder.make(recipe, from: ["own": "own"], to: "made").record
        #expect(record.pairs == ["train": 1, "test": 1])
        #expect(try Corpus(at: folder.path + "/made").sets.flatMap { $0.files.map(\.speaker) } == ["eva", "tom"])
        try Data("clean,loud\na,b\n".utf8).write(to: URL(fileURLWithPath: folder.path + "/table.csv"))
        let error = #expect(throws: CorpusError.self) { try folder.make(recipe, from: ["own": "own"], to: "other") }
        #expect(error?.summary.contains("columns clean and noisy") == true)
    }
}
