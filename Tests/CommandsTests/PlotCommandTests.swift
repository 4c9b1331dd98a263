import Foundation
import Runs
import TestFolders
import Testing

/// `sgmse plot` and `sgmse report`, and imports of another system, on one small run.
@Suite(.serialized) struct PlotCommandTests {
    private static let trained = Result<TestFolder, any Error> {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec)
        let end = try Program.run("run", spec, "--no-table", in: scratch.path)
        #expect(end.code == 0, "\(end.error)")
        return scratch
    }

    private let scratch: TestFolder

    init() throws { scratch = try Self.trained.get() }

    private func sgmse(_ arguments: String...) throws -> Program.End {
        try Program(arguments, in: scratch.path).wait()
    }

    @Test(arguments: [
        ["curves"], ["curves", "tiny", "--quantity", "si_sdr"], ["metric", "si_sdr"],
        ["metric", "si_sdr", "tiny", "--over", "step"],
        ["sweep", "si_sdr", "tiny", "--over", "train.lr"], ["pairs", "si_sdr", "tiny"],
        ["files", "si_sdr", "tiny", "--by", "speaker"],
    ])
    func plotsAreSVG(arguments: [String]) throws {
        let end = try Program(["plot"] + arguments + ["--width", "88mm"], in: scratch.path).wait()
        #expect(end.code == 0 && end.out.hasPrefix("<?xml") && end.out.contains("width=\"249.45pt\""), "\(end.error)")
    }

    @Test func aSpectrogramIsOfAKeptFile() throws {
        let store = try RunStore(at: scratch.store, access: .readOnly)
        let set = try #require(try store.testSets().first { $0.name == "test" })
        let file = try #require(try store.files(of: set.id).first)
        let end = try sgmse("plot", "spectrogram", "tiny", file.path, "--output", "s.svg")
        #expect(end.code == 0 && end.out.isEmpty, "\(end.error)")
        let text = String(decoding: try #require(scratch.data("s.svg")), as: UTF8.self)
        #expect(text.components(separatedBy: "data:image/png;base64,").count == 4)
        #expect(try sgmse("plot", "spectrogram", "tiny", "nothing").code == 2)
    }

    @Test func wrongOptionsAreUsageErrors() throws {
        #expect(try sgmse("plot", "metric", "si_sdr", "--width", "3 miles").code == 2)
        #expect(try sgmse("plot", "metric", "pesq").error.contains("no score of 'pesq'"))
        #expect(try sgmse("plot", "curves", "nobody").code == 2)
        #expect(try sgmse("plot", "curves", "--output", "/proc/no/a.svg").code == 5)
        #expect(try sgmse("report", "--html", "/proc/no/a.html").code == 5)
    }

    @Test func aReportIsOneFile() throws {
        let end = try sgmse("report", "tiny", "--html", "report.html")
        #expect(end.code == 0, "\(end.error)")
        let page = String(decoding: try #require(scratch.data("report.html")), as: UTF8.self)
        #expect(page.contains("<audio") && page.contains("Worst files") && page.contains("tiny"))
    }

    @Test func anotherSystemsOutputAndScoresStandInTheTable() throws {
        // The noisy files are the output of a system that does nothing.
        let store = try RunStore(at: scratch.store, access: .readOnly)
        let set = try #require(try store.testSets().first { $0.name == "test" })
        let folder = set.folder + "/noisy"
        let end = try sgmse(
            "import", "enhanced", folder, "--system", "other", "--set", "test", "--nfe", "1", "--seconds", "2")
        #expect(end.code == 0 && end.error.contains("other: 2 files of 'test' scored with si_sdr"), "\(end.error)")
        #expect(
            try sgmse("import", "enhanced", folder, "--system", "other", "--set", "test").error.contains(
                "nothing to do"))
        #expect(try sgmse("compare").out.contains("other"))
        let rows = try store.files(of: set.id).map { "\($0.path),2.5\n" }.joined()
        _ = try scratch.spec("filename,pesq\n" + rows, "_results.csv")
        let scores = try sgmse("import", "scores", "_results.csv", "--system", "theirs", "--set", "test")
        #expect(scores.code == 0, "\(scores.error)")
        #expect(try sgmse("compare").out.contains("theirs"))
        #expect(try sgmse("import", "scores", "_results.csv", "--system", "noisy", "--set", "test").code == 3)
        #expect(try sgmse("import", "scores", "_results.csv", "--system", "x", "--set", "tset").code == 2)
        _ = try scratch.spec("filename,pesq\n", "_short.csv")
        #expect(try sgmse("import", "scores", "_short.csv", "--system", "x", "--set", "test").code == 3)
        let logs = try sgmse("export", "csv", "tiny")
        #expect(logs.code == 0)
    }
}
