import Foundation
import TestFolders
import Testing

/// `sgmse init` and `sgmse data`, as a person calls them.
@Suite struct DataCommandTests {
    private let scratch: TestFolder
    init() throws { scratch = try TestFolder() }

    private func sgmse(_ arguments: String...) throws -> Program.End {
        try Program.run(arguments: arguments, in: scratch.path)
    }

    @Test func ownFoldersBecomeACorpusAndASpecThatCheckAccepts() throws {
        let made = try sgmse(
            "data", "make", "synthetic", "--to", "syn", "--set", "law.train=6", "--set", "law.valid=1", "--set",
            "law.test=1", "--set", "law.test_ood=1")
        #expect(made.code == 0 && made.out.contains("train 6"))
        // The folders of somebody else: one pair of folders, no sets.
        for part in ["clean", "noisy"] {
            try FileManager.default.createDirectory(atPath: scratch.path + "/own", withIntermediateDirectories: true)
            try FileManager.default.moveItem(
                atPath: "\(scratch.path)/syn/train/\(part)", toPath: "\(scratch.path)/own/my \(part) files")
        }
        let begun = try sgmse("init", "exp", "--data", "own")
        #expect(begun.code == 0 && begun.out.contains("6 pairs"), "\(begun.error)")
        let commands = begun.out.split(separator: "\n").filter { $0.hasPrefix("  sgmse ") }
        #expect(commands.count == 4)
        #expect(try sgmse("data", "make", "exp/recipe.yaml", "--to", "exp/data").code == 0)
        let checked = try sgmse("check", "exp/experiment.yaml")
        #expect(checked.code == 0, "\(checked.out)\(checked.error)")
        #expect(try sgmse("init", "exp", "--data", "own").code == 2)
        let data = try sgmse("data", "check", "exp/data", "--json", "--fresh")
        #expect(
            data.code == 0 && data.out.contains("\"ok\": true") && data.out.contains("\"rule\": \"near-duplicate\""))
        #expect(try sgmse("data", "show", "exp/data").out.contains("made by the recipe 'exp'"))
    }

    @Test func mistakesOfTheCommandLineAreUsageErrorsAndMissingSourcesChecksThatFail() throws {
        #expect(try sgmse("data", "make", "voicebank-deman").code == 2)
        #expect(try sgmse("data", "make", "voicebank-demand", "--from", "x=y").code == 2)
        #expect(try sgmse("data", "make", "voicebank-demand", "--from", "voicebank").code == 2)
        let missing = try sgmse("data", "make", "voicebank-demand")
        #expect(missing.code == 3 && missing.error.contains("datashare.ed.ac.uk"))
        #expect(try sgmse("data", "check", "nowhere").code == 3)
        #expect(try sgmse("data", "show").out.contains("wsj0-chime3"))
    }
}
