import Corpora
import Foundation
import SpeechMetrics

/// The two files that the field's evaluation scripts leave beside enhanced audio.
///
/// `_results.csv` has a row per file: its name, a column per metric, the labels of its group, and then for each metric why
/// it has no value, what it was computed by, and what was converted for it. `_avg_results.txt` has a line per metric.
public struct ResultFiles: Sendable, Hashable {
    public static let scoresName = "_results.csv"
    public static let averagesName = "_avg_results.txt"

    private let scores: [ItemScores]

    public init(_ scores: [ItemScores]) { self.scores = scores }

    /// `_results.csv`, by RFC 4180: `filename,pesq,…,noise,…,pesq/reason,pesq/signature,pesq/conversion,…`.
    ///
    /// Numbers at full precision, `inf` for `+∞`; a failure is an empty field, and its reason reads `code: description`.
    public var csv: String {
        let names = scores.first?.outcomes.map(\.name) ?? []
        let labels = Set(scores.flatMap(\.labels.keys)).sorted()
        let heading = ["filename"] + names + labels + names.flatMap { name in ["reason", "signature", "conversion"].map { "\(name)/\($0)" } }
        let rows = scores.map { one in
            [one.name] + one.outcomes.map { $0.value.map { "\($0)" } ?? "" } + labels.map { one.labels[$0] ?? "" }
                + one.outcomes.flatMap { [$0.failure.map { "\($0.code): \($0)" } ?? "", $0.signature, $0.conversions.joined(separator: "; ")] }
        }
        return ([heading] + rows).map { $0.map(CSV.quoted).joined(separator: ",") + "\n" }.joined()
    }

    /// `_avg_results.txt`: `pesq: 1.96 ± 0.40 (n 823, 1 failed) pesq|wb|16000|soxr-hq|v1`.
    public var averages: String {
        zip(scores.summaries(), scores.computations).map { summary, computations in
            var counts = ["n \(summary.count)"]
            if summary.infinite > 0 { counts.append("\(summary.infinite) inf") }
            if summary.failures > 0 { counts.append("\(summary.failures) failed") }
            let mean = summary.mean.map { $0.isFinite ? String(format: "%.2f", $0) : "inf" } ?? "none"
            let spread = summary.standardDeviation.map { String(format: " ± %.2f", $0) } ?? ""
            return "\(summary.name): \(mean)\(spread) (\(counts.joined(separator: ", "))) "
                + computations.map(\.description).joined(separator: "; ") + "\n"
        }.joined()
    }
}
