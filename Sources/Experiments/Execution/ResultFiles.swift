import AtomicFiles
public import Corpora
import Foundation
public import SpeechMetrics

/// The two result files that the reference's evaluation script writes beside enhanced audio.
///
/// `_results.csv` has a row per file: its name, a column per metric, the labels of its group, and then for each metric
/// why it has no value, what it was computed by, and what was converted for it. `_avg_results.txt` has a line per
/// metric.
public struct ResultFiles: Sendable, Hashable {
    /// The file with a row for each scored file.
    public static let scoresName = "_results.csv"
    /// The file with a line for each metric.
    public static let averagesName = "_avg_results.txt"

    private let scores: [ItemScores]
    private let missingOutputs: Int

    /// - Parameter missingOutputs: Files that should have been scored and are not there.
    public init(_ scores: [ItemScores], missingOutputs: Int = 0) {
        (self.scores, self.missingOutputs) = (scores, missingOutputs)
    }

    /// Writes both files into a folder: whole, and both or none.
    ///
    /// - Parameter keeping: Whether files of an earlier call stay; the new ones then have `.failed` in their names.
    /// - Returns: The names of the files that were written.
    /// - Throws: `CorpusError` with the disk's reason.
    public func write(to folder: String, keeping: Bool) throws(CorpusError) -> [String] {
        let isKept = keeping && FileManager.default.fileExists(atPath: folder + "/" + Self.scoresName)
        func name(_ name: String) -> String { isKept ? name.replacing(".", with: ".failed.") : name }
        let files = [(name(Self.scoresName), csv), (name(Self.averagesName), averages)]
        do {
            // Neither has its name before both are on the disk.
            var scores = try PendingFile(at: "\(folder)/\(files[0].0)")
            var averages = try PendingFile(at: "\(folder)/\(files[1].0)")
            try scores.write(files[0].1.utf8)
            try averages.write(files[1].1.utf8)
            try scores.commit()
            try averages.commit()
        } catch {
            throw CorpusError(error.path, .disk("cannot be written: \(error.reason)"))
        }
        return files.map(\.0)
    }

    /// `_results.csv`, by RFC 4180: `filename,pesq,…,noise,…,pesq/reason,pesq/signature,pesq/conversion,…`.
    ///
    /// Numbers at full precision, `inf` for `+∞`; a failure is an empty field, and its reason reads `code:
    /// description`.
    public var csv: String {
        let names = scores.first?.outcomes.map(\.name) ?? []
        let labels = Set(scores.flatMap(\.labels.keys)).sorted()
        let remarks = names.flatMap { ["\($0)/reason", "\($0)/signature", "\($0)/conversion"] }
        let heading = ["filename"] + names + labels + remarks
        let rows = scores.map { one -> [String] in
            let values = one.outcomes.map { outcome in outcome.value.map { "\($0)" } ?? "" }
            let remarks = one.outcomes.flatMap { outcome in
                let reason = outcome.failure.map { "\($0.code): \($0)" } ?? ""
                return [reason, outcome.signature, outcome.conversions.joined(separator: "; ")]
            }
            return [one.name] + values + labels.map { one.labels[$0] ?? "" } + remarks
        }
        return ([heading] + rows).map { $0.map(CSV.quoted).joined(separator: ",") + "\n" }.joined()
    }

    /// `_avg_results.txt`: `pesq: 1.96 ± 0.40 (n 823, 1 failed) pesq|wb|16000|soxr-hq|v1`.
    public var averages: String {
        zip(scores.summaries(), scores.computations).map { summary, computations in
            var counts = ["n \(summary.count)"]
            if summary.infinite > 0 { counts.append("\(summary.infinite) inf") }
            if summary.failures > 0 { counts.append("\(summary.failures) failed") }
            if missingOutputs > 0 { counts.append("\(missingOutputs) outputs missing") }
            let mean = summary.mean.map { $0.isFinite ? String(format: "%.2f", $0) : "inf" } ?? "none"
            let spread = summary.standardDeviation.map { String(format: " ± %.2f", $0) } ?? ""
            return "\(summary.name): \(mean)\(spread) (\(counts.joined(separator: ", "))) "
                + computations.map(\.description).joined(separator: "; ") + "\n"
        }.joined()
    }
}
