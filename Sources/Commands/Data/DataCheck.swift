import ArgumentParser
import Corpora
import Foundation
import JSONValues
import Parallelism
import Reports

/// `sgmse data check`: whether a corpus is what it should be.
struct DataCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check all audio of a corpus, pair by pair.",
        discussion: """
            Reads every file of {train,valid,test,...}/{clean,noisy} (or {anechoic,reverb}) and gives a verdict for \
            each rule: rates, pairing, lengths, silence, clipping, mean, delay of each pair in ms, exchanged folders, \
            levels, SNR, speakers and recordings in two splits. Copies are found at another level, trimmed, resampled, \
            requantised or coded anew, by fingerprints that the signals then confirm. The report of unchanged files is \
            kept, and printed again at once. Exits 3 on an error.
            """)

    @Argument(help: "The folder of a corpus, or of one set.")
    var folder: String

    @Option(help: "The sample rate that files must have, in Hz; what most have, if not given.", in: 1000...1_000_000)
    var rate: Int?

    @Flag(help: "Read all audio, although the report of unchanged files is there.")
    var fresh = false

    @Flag(help: "Print a JSON document.")
    var json = false

    @OptionGroup var threads: ThreadOptions

    func run() throws {
        try threads.apply()
        let sets = try Corpus(orSetAt: folder).sets
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        let progress = CountPrinter("pairs", of: sets.reduce(0) { $0 + $1.files.count })
        defer {
            progress.finish()
            signals.stop()
        }
        let cache = fresh ? nil : Self.cachePath(of: folder)
        let report = try CorpusReport(
            on: sets.map { ($0, SetRole(name: $0.name)) }, sampleRate: rate, cachePath: cache,
            interruption: interruption, observe: progress.show)
        progress.finish()
        if json { try emit(report.document(of: folder)) } else { try tell(report) }
        if report.hasErrors { throw ExitCode(3) }
    }

    private func tell(_ report: CorpusReport) throws {
        for set in report.sets {
            try emit("\(set.name) (\(set.role)): \(set.pairs) pairs, \(String(format: "%.2f", set.hours)) h")
            for line in set.histogram { try emit("    " + line) }
        }
        let names = ["rule", "verdict", "checked"]
        var table = Table(columns: names.map { Table.Column($0, alignment: .leading, isKey: $0 == "rule") })
        table.rows = CorpusReport.rules.map { rule in
            Table.Row([
                .text(rule.rawValue), .text(report.verdict(on: rule)?.rawValue ?? "ok"),
                .text(CorpusReport.title(of: rule)),
            ])
        }
        try emit(table)
        for finding in report.findings { try emit("\(finding)") }
    }

    /// Where the report on a folder is kept: in the person's cache, since the data may not be writable.
    private static func cachePath(of folder: String) -> String? {
        let home = environmentVariable("HOME").map { $0 + "/.cache" }
        guard let root = environmentVariable("XDG_CACHE_HOME").flatMap({ $0.isEmpty ? nil : $0 }) ?? home else {
            return nil
        }
        let cache = root + "/sgmse/checks"
        guard (try? FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)) != nil else {
            return nil
        }
        let path = URL(fileURLWithPath: folder).standardizedFileURL.resolvingSymlinksInPath().path
        return "\(cache)/\(ContentHash(of: path)).json"
    }
}

extension CorpusReport.SetDigest {
    /// A line for each step of 5 dB that has pairs, with a mark where steps between have none.
    var histogram: [String] {
        guard let least = snrs.keys.min(), let most = snrs.keys.max(), let highest = snrs.values.max() else {
            return []
        }
        let median = medianSNR.map { ["SNR measured, median \(String(format: "%.1f", $0)) dB:"] } ?? []
        return median
            + stride(from: least, through: most, by: 5).compactMap { start in
                guard let count = snrs[start] else { return snrs[start - 5] == nil ? nil : "         …" }
                let bar = String(repeating: "█", count: (40 * count + highest - 1) / highest)
                return
                    """
                    \(Self.padded("\(start)")) to \(Self.padded("\(start + 5)")) dB \(Self.padded("\(count)", 6)) \
                    \(bar)
                    """
            }
    }

    private static func padded(_ text: String, _ width: Int = 4) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

extension CorpusReport {
    /// The report as JSON.
    func document(of folder: String) -> Reports.JSON {
        [
            "folder": .string(folder), "ok": .bool(!hasErrors), "sample_rate": .integer(sampleRate),
            "sets": .array(
                sets.map { set -> Reports.JSON in
                    [
                        "name": .string(set.name), "role": .string(set.role), "pairs": .integer(set.pairs),
                        "hours": .number(set.hours),
                        "median_snr_db": set.medianSNR.map(Reports.JSON.number) ?? .null,
                        "snr_histogram": .array(
                            set.snrs.sorted { $0.key < $1.key }.map { start, count -> Reports.JSON in
                                ["from_db": .integer(start), "to_db": .integer(start + 5), "pairs": .integer(count)]
                            }),
                    ]
                }),
            "rules": .array(
                Self.rules.map { rule -> Reports.JSON in
                    ["rule": .string(rule.rawValue), "verdict": .string(verdict(on: rule)?.rawValue ?? "ok")]
                }),
            "findings": .array(findings.map { Problem($0, of: nil).json }),
        ]
    }
}
