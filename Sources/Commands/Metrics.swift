import ArgumentParser
import Audio
import Corpora
import Dispatch
import Experiments
import Foundation
import Kernels
import Reports
import SpeechMetrics
import Synchronization

/// `sgmse metrics`: scores a folder of enhanced files.
struct Metrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Score a folder of enhanced files against clean ones.",
        discussion: """
            An enhanced file belongs to the clean file of its name; failing that, to the one whose name is the part before \
            the first '_'. Beside the table, _results.csv (every metric of every file) and _avg_results.txt (mean ± std) are \
            written to --output, the enhanced folder unless given. Exits 1 if a metric of a file could not be computed.
            """)

    @Option(help: "Folder of clean files.")
    var clean: String

    @Option(help: "Folder of noisy files; SI-SIR, SI-SAR and the anchor row need it.")
    var noisy: String?

    @Option(help: "Folder of enhanced files.")
    var enhanced: String

    @Option(parsing: .upToNextOption, help: "Metrics; pesq, estoi, si_sdr, si_sir and si_sar if none is named.")
    var metrics: [String] = []

    @Option(help: "Folder for the result files.")
    var output: String?

    @Option(help: "terminal, markdown, csv, json or latex.")
    var format: TableFormat = .terminal

    @Flag(help: "The same as --format json.")
    var json = false

    @Flag(help: "Lower the sample rate where a metric needs it, and record that.")
    var resample = false

    @OptionGroup var threads: ThreadOptions

    func run() throws {
        threads.apply()
        let chosen = try chosenMetrics()
        let matching = FileMatching(
            enhanced: try SoundFolder.files(in: enhanced), clean: try SoundFolder.files(in: clean),
            noisy: try noisy.map { try SoundFolder.files(in: $0) })
        for name in matching.withoutClean { printError("warning: \(enhanced)/\(name) has no clean file in \(clean)") }
        for name in matching.withoutNoisy { printError("warning: \(enhanced)/\(name) has no noisy file in \(noisy ?? "")") }
        guard !matching.matches.isEmpty else {
            throw ValidationError("no file of \(enhanced) has a clean file in \(clean)")
        }
        let batch = MetricBatch(chosen, allowing: resample ? .resampling : [], workers: Engine.threads)
        let scores = score(try items(matching, isAnchor: false), batch)
        let anchors = noisy == nil ? [] : score(try items(matching, isAnchor: true), batch)
        try writeFiles(scores)
        let table = table(scores, anchors)
        print(table.written(as: json ? .json : format, width: Terminal.width), terminator: "")
        for one in scores {
            for outcome in one.outcomes where outcome.failure != nil {
                printError("\(one.name): \(outcome.name): \(outcome.failure.map { "\($0)" } ?? "")")
            }
        }
        if scores.contains(where: { $0.outcomes.contains { $0.failure != nil } }) { throw ExitCode(1) }
    }

    private func chosenMetrics() throws -> [any SpeechMetric] {
        let wanted = metrics.isEmpty ? ["pesq", "estoi", "si_sdr"] + (noisy == nil ? [] : ["si_sir", "si_sar"]) : metrics
        return try wanted.map { name in
            guard let metric = MetricCatalog.standard[name] else {
                throw ValidationError("unknown metric '\(name)'; known: \(MetricCatalog.standard.names.joined(separator: ", "))")
            }
            return metric
        }
    }

    /// The pairs to score; the noisy file in place of the enhanced one for the anchor row.
    private func items(_ matching: FileMatching, isAnchor: Bool) throws -> [MetricItem] {
        let manifest = try noisy.flatMap { noisy in
            let folder = URL(fileURLWithPath: noisy).deletingLastPathComponent().path
            return try Manifest(contentsOf: folder + "/" + Manifest.fileName)
        }
        return matching.matches.compactMap { match in
            guard !isAnchor || match.noisy != nil else { return nil }
            var labels: [String: String] = [:]
            if let entry = match.noisy.flatMap({ manifest?.entries[$0] }) {
                labels["noise"] = entry.noise
                labels["snr"] = entry.snr.map { String(format: "%.0f dB", $0) }
            }
            let (cleanPath, noisyPath) = (clean + "/" + match.clean, match.noisy.flatMap { name in noisy.map { $0 + "/" + name } })
            let enhancedPath = enhanced + "/" + match.enhanced
            return MetricItem(match.enhanced, labels: labels) {
                let rate = try SoundFile.header(of: cleanPath).sampleRate
                return SpeechPair(
                    clean: try SoundFile.readMono(cleanPath, sampleRate: rate),
                    noisy: try noisyPath.map { try SoundFile.readMono($0, sampleRate: rate) },
                    enhanced: try SoundFile.readMono(isAnchor ? noisyPath ?? enhancedPath : enhancedPath, sampleRate: rate),
                    sampleRate: rate)
            }
        }
    }

    /// All items, several at once; the order, and each result, do not depend on how many.
    private func score(_ items: [MetricItem], _ batch: MetricBatch) -> [ItemScores] {
        let results = Mutex<[Int: ItemScores]>([:])
        DispatchQueue.concurrentPerform(iterations: items.count) { index in
            let scores = batch.scores(of: items[index])
            let done = results.withLock { results in
                results[index] = scores
                return results.count
            }
            if Terminal.isInteractive {
                FileHandle.standardError.write(Data("\r\u{1B}[K  \(done)/\(items.count) files".utf8))
            }
        }
        if Terminal.isInteractive { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
        return results.withLock { results in items.indices.compactMap { results[$0] } }
    }

    private func table(_ scores: [ItemScores], _ anchors: [ItemScores]) -> Table {
        let names = scores.first?.outcomes.map(\.name) ?? []
        var table = Table(
            columns: [Table.Column("files", alignment: .leading, isKey: true), Table.Column("n")]
                + names.map { Table.Column($0, unit: MetricCatalog.standard[$0]?.unit) })
        func add(_ label: String, _ rows: [ItemScores], section: String) {
            guard !rows.isEmpty else { return }
            table.rows.append(
                Table.Row([.text(label), .text(String(rows.count))] + rows.summaries().map { .text(Self.cell($0)) }, section: section))
        }
        add("noisy", anchors, section: "anchors")
        add("enhanced", scores, section: "systems")
        for label in ["noise", "snr"] {
            let groups = Dictionary(grouping: scores.filter { $0.labels[label] != nil }, by: { $0.labels[label] ?? "" })
            for (value, rows) in groups.sorted(by: { $0.key < $1.key }) { add("\(label) \(value)", rows, section: label) }
        }
        table.notes = ["mean ± standard deviation [95 % bootstrap interval of the mean]"]
        return table
    }

    private static func cell(_ summary: MetricSummary) -> String {
        guard let mean = summary.mean, let deviation = summary.standardDeviation else { return "none (\(summary.failures) failed)" }
        var text = String(format: "%.2f ± %.2f", mean, deviation)
        if let interval = summary.interval { text += String(format: " [%.2f, %.2f]", interval.lowerBound, interval.upperBound) }
        if summary.failures > 0 { text += " (\(summary.failures) failed)" }
        if summary.infinite > 0 { text += " (\(summary.infinite) inf)" }
        return text
    }

    /// `_results.csv` and `_avg_results.txt`.
    private func writeFiles(_ scores: [ItemScores]) throws {
        let folder = output ?? enhanced
        let names = scores.first?.outcomes.map(\.name) ?? []
        var csv = (["filename"] + names).joined(separator: ",") + "\n"
        for one in scores {
            let name = one.name.contains(",") ? "\"\(one.name)\"" : one.name
            csv += ([name] + one.outcomes.map { $0.value.map { "\($0)" } ?? "" }).joined(separator: ",") + "\n"
        }
        let averages = scores.summaries().map { summary in
            let values = summary.mean.flatMap { mean in summary.standardDeviation.map { String(format: "%.2f ± %.2f", mean, $0) } }
            return "\(summary.name): \(values ?? "none") (n \(summary.count))\n"
        }
        try Data(csv.utf8).write(to: URL(fileURLWithPath: folder + "/_results.csv"), options: .atomic)
        try Data(averages.joined().utf8).write(to: URL(fileURLWithPath: folder + "/_avg_results.txt"), options: .atomic)
    }
}
