import Foundation
import Installation
import Testing

@Suite struct InstallationTests {
    @Test func aStampNamesCommitDayAndCompiler() throws {
        let commit = String(repeating: "0123abcd", count: 5)
        let clean = try #require(BuildStamp("\(commit) 2026-11-26 6.3.1"))
        #expect(clean.commit == commit && !clean.hasChanges && clean.date == "2026-11-26" && clean.compiler == "6.3.1")
        let changed = try #require(BuildStamp("\(commit)+changes 2026-11-26 6.3.1"))
        #expect(changed.commit == commit && changed.hasChanges)
    }

    @Test(arguments: [
        "", "0123abcd 2026-11-26 6.3.1", String(repeating: "x", count: 40) + " a b", String(repeating: "a", count: 40),
    ])
    func otherTextIsNoStamp(text: String) { #expect(BuildStamp(text) == nil) }

    /// Tests run a build that no script wrote a commit into.
    @Test func aBuildOfItsOwnHasNoStamp() { #expect(BuildFacts.stamp == nil) }

    private func withFolders(_ folders: [String], _ body: (String) throws -> Void) throws {
        let root = NSTemporaryDirectory() + "installation-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        for folder in folders {
            try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true)
        }
        try body(root)
    }

    @Test func filesAreFoundBelowThePrefix() throws {
        try withFolders(["prefix/bin", "prefix/share/sgmse/experiments"]) { root in
            let files = InstalledFiles(ofProgramAt: root + "/prefix/bin/sgmse")
            #expect(files.experiments == root + "/prefix/share/sgmse/experiments")
            #expect(
                InstalledFiles(ofProgramAt: root + "/prefix/bin/sgmse", experiments: "/mine").experiments == "/mine")
        }
    }

    @Test func aProgramOfACheckoutHasItsExperiments() throws {
        try withFolders(["checkout/.build/x/release", "checkout/experiments"]) { root in
            #expect(
                InstalledFiles(ofProgramAt: root + "/checkout/.build/x/release/sgmse").experiments == root
                    + "/checkout/experiments")
            #expect(InstalledFiles(ofProgramAt: root + "/bin/sgmse").experiments == nil)
        }
    }
}
