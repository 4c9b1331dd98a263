import Audio
import Foundation
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// The page of a report.
@Suite struct ReportPageTests {
    private let scratch: TestFolder
    private let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    private static let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"
    /// What a name may not hold, and a message may.
    private static let controls = "\u{1B}[31m\u{202E}"

    /// Runs with scores, history, findings, and audio of four files.
    private func fill(runs count: Int, name: String = "run", files: Int = 4, seconds: Double = 0.2) throws -> [Run] {
        let folder = scratch.path + "/set"
        let set = try store.register(
            testSet: "test", fingerprint: "fp", folder: folder, sampleRate: 16_000,
            files: (0..<files).map {
                TestFile(path: "f\($0).wav", speaker: "s\($0 % 2)", noise: "hum\($0 % 2)", snr: 5, seconds: seconds)
            })
        let samples = (0..<Int(16_000 * seconds)).map { Float(sin(0.05 * Double($0))) * 0.3 }
        for kind in ["clean", "noisy"] {
            for file in set.files { try write(samples, "\(folder)/\(kind)/\(file.path)") }
        }
        let metric = try store.register(
            metric: "pesq", signature: "pesq|\(Self.hostile)", unit: "MOS", higherIsBetter: true)
        try Sample.evaluation(
            of: .anchor("noisy"), on: set, metric, (0..<files).map { 1 + 0.1 * Double($0) }, in: store)
        return try (0..<count).map { number in
            let run = try store.register(Sample.run("\(name)\(number)"))
            try store.record(
                TrainingBatch(
                    steps: (1...200).map {
                        StepRecord(step: $0, loss: 9 / Double($0), gradientNorm: 1, learningRate: 1, seconds: 1)
                    }), of: run.id)
            try store.record([
                GateFinding(
                    subject: "test", gate: "rate", severity: .warning,
                    message: Self.hostile + Self.controls + " (waived: \(name))", run: run.id)
            ])
            for steps in [30, 50] {
                let evaluation = try Sample.evaluation(
                    of: .run(run.id, checkpoint: nil), on: set, at: .init(steps: steps), metric,
                    (0..<files).map { 2 + 0.2 * Double(($0 + number) % files) }, in: store)
                guard steps == 30, number < 3 else { continue }
                let results = try set.files.map { file in
                    try write(samples, "\(store.folder)/\(run.folder)/audio/\(file.path)")
                    return FileResult(
                        file: file.id!, nfe: 60, seconds: 1, realTimeFactor: 1,
                        output: "\(run.folder)/audio/\(file.path)")
                }
                try store.record(scores: [], results: results, of: evaluation.id)
            }
            return run
        }
    }

    private func write(_ samples: [Float], _ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try SoundFile.write(samples, sampleRate: 16_000, to: path)
    }

    @Test func itHoldsTablesPlotsFindingsDifferencesAndAudio() throws {
        let page = try ReportPage(of: fill(runs: 2), in: store, options: .init(title: "two runs", examples: 1)).html
        for heading in [
            "Runs", "Scores", "Training", "Findings and waivers", "Differences", "Files", "Worst files", "Best files",
        ] {
            #expect(page.contains(">\(heading)</h"), "\(heading)")
        }
        #expect(
            page.contains("(waived: run)") && page.contains("<svg") && page.contains("data:image/png;base64,")
                && page.contains("data:audio/wav;base64,UklGR"))
        #expect(page.components(separatedBy: "<audio").count - 1 == 2 * 4)  // clean, noisy and two runs, for two files
        #expect(
            !page.contains("http://")
                || page.components(separatedBy: "http://").dropFirst().allSatisfy {
                    $0.hasPrefix("www.w3.org/2000/svg")
                })
        #expect(!page.contains("https://"))
    }

    @Test func hostileNamesAreHarmless() throws {
        let page = try ReportPage(
            of: fill(runs: 2, name: Self.hostile), in: store, options: .init(title: Self.hostile + Self.controls)
        ).html
        #expect(
            page.components(separatedBy: "<script").count == 2 && !page.contains("<img src=x")
                && !page.contains("onerror=alert(1)>\""))
        #expect(!page.contains("\u{1B}") && !page.contains("\u{202E}"))
    }

    @Test func aReportOfTwentyRunsTakesLessThanFiveSeconds() throws {
        let runs = try fill(runs: 20, files: 60, seconds: 2)
        let start = ContinuousClock.now
        let page = try ReportPage(of: runs, in: store, options: .init(title: "twenty"))
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        #expect(seconds < 5 && page.html.utf8.count < 20_000_000, "\(seconds) s, \(page.html.utf8.count) bytes")
    }

    @Test func aRunWithoutAnythingHasAPageToo() throws {
        let run = try store.register(Sample.run())
        #expect(try ReportPage(of: [run], in: store, options: .init(title: "empty")).html.contains("quickstart"))
    }
}
