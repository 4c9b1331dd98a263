import Foundation
import TestFolders
import Testing

/// `scripts/performance-gap-tiny` at the size of the smoke profile: what faults can be found of any training. At its
/// own size, where networks learn, `scripts/soak` calls it; how shares are judged is tested on planted scores.
@Suite struct PerformanceGapReplayTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
        .path
    private static let hasSQLite = ["/usr/bin/sqlite3", "/usr/local/bin/sqlite3"].contains(
        where: FileManager.default.isExecutableFile)

    @Test(.enabled(if: hasSQLite, "the script plants a collapsed seed with sqlite3"))
    func plantedFaultsAreNamedAndRunsWithoutThemHaveNone() throws {
        let scratch = try TestFolder()
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [Self.root + "/scripts/performance-gap-tiny", scratch.path + "/tiny"]
        var environment = ProcessInfo.processInfo.environment
        environment["PROFILE"] = "smoke"
        environment["SGMSE"] = Program.path
        process.environment = environment
        let (out, messages) = (scratch.path + "/out.txt", scratch.path + "/messages.txt")
        for file in [out, messages] { try Data().write(to: URL(filePath: file)) }
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: out))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: messages))
        try process.run()
        process.waitUntilExit()
        let said = try String(contentsOfFile: messages, encoding: .utf8)
        #expect(process.terminationStatus == 0, "\(said.suffix(3000))")
        let parts = try String(contentsOfFile: out, encoding: .utf8).components(separatedBy: "$ sgmse investigate ")
            .dropFirst()
        try #require(parts.count == 5, "\(parts)")
        let (planted, ablation, network, mended, innocent) = (parts[1], parts[2], parts[3], parts[4], parts[5])
        for id in ["F", "I", "K", "R"] {
            #expect(planted.contains("\n\(id)  SUPPORTED"), "\(id) in \(planted)")
            #expect(mended.contains("\n\(id)  REFUTED"), "\(id) in \(mended)")
        }
        #expect(!planted.contains("MISSING") && !mended.contains("MISSING"), "\(planted)\(mended)")
        for factor in ["data", "evaluate.N", "evaluate.padding", "evaluate.reference"] {
            #expect(ablation.contains("\n\(factor) "), "\(ablation)")
        }
        for factor in ["backbone", "data"] { #expect(network.contains("\n\(factor) "), "\(network)") }
        #expect(innocent.contains("nothing is supported") && !innocent.contains("data"), "\(innocent)")
    }
}
