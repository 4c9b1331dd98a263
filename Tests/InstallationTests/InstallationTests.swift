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

    @Test(arguments: ["", "0123abcd 2026-11-26 6.3.1", String(repeating: "x", count: 40) + " a b", String(repeating: "a", count: 40)])
    func otherTextIsNoStamp(text: String) { #expect(BuildStamp(text) == nil) }

    /// Tests run a build that no script wrote a commit into.
    @Test func aBuildOfItsOwnHasNoStamp() { #expect(BuildFacts.stamp == nil) }

    private func withFolders(_ folders: [String], files: [String] = [], _ body: (String) throws -> Void) throws {
        let root = NSTemporaryDirectory() + "installation-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: root) }
        for folder in folders { try FileManager.default.createDirectory(atPath: "\(root)/\(folder)", withIntermediateDirectories: true) }
        for file in files { try Data().write(to: URL(fileURLWithPath: "\(root)/\(file)")) }
        try body(root)
    }

    @Test func filesAreFoundBelowThePrefix() throws {
        let plugins = ["prefix/lib/sgmse/b.so", "prefix/lib/sgmse/a.so", "prefix/lib/sgmse/README"]
        try withFolders(["prefix/bin", "prefix/lib/sgmse", "prefix/share/sgmse/experiments"], files: plugins) { root in
            let files = InstalledFiles(ofProgramAt: root + "/prefix/bin/sgmse")
            #expect(files.experiments == root + "/prefix/share/sgmse/experiments")
            #expect(files.devicePlugins == ["a", "b"].map { root + "/prefix/lib/sgmse/\($0).so" })
            #expect(InstalledFiles(ofProgramAt: root + "/prefix/bin/sgmse", experiments: "/mine").experiments == "/mine")
        }
    }

    @Test func aProgramOfACheckoutHasItsExperiments() throws {
        try withFolders(["checkout/.build/x/release", "checkout/experiments"]) { root in
            #expect(InstalledFiles(ofProgramAt: root + "/checkout/.build/x/release/sgmse").experiments == root + "/checkout/experiments")
            #expect(InstalledFiles(ofProgramAt: root + "/bin/sgmse").experiments == nil)
        }
    }
}
