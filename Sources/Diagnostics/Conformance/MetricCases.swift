import Audio
import Foundation
import Models
import SpeechMetrics

extension ConformanceChecker {
    /// Scores of pairs of files; where the reference raises or returns no number, ours must be a failure.
    static let metrics = ConformanceChecker("metrics") { one, catalog, report in
        let rate = one.hyperparameters["sample_rate"]?.int ?? 16000
        let names = [
            "pesq_wb": "pesq", "pesq_nb": "pesq_nb", "pesq_wb_after_resampling_to_16k": "pesq", "stoi": "stoi",
            "estoi": "estoi", "si_sdr": "si_sdr", "si_sir": "si_sir", "si_sar": "si_sar",
        ]
        for pair in one.json["pairs"]?.elements ?? [] {
            let label = pair["name"]?.text ?? "pair"
            func read(_ key: String) throws -> [Float]? {
                try pair[key]?.text.map { try SoundFile.readMono(one.folder + "/" + $0, sampleRate: rate) }
            }
            guard let clean = try read("clean"), let degraded = try read("degraded") else {
                throw ConformanceError(id: one.id, reason: "\(label) names no files")
            }
            let analysis = PairAnalysis(
                SpeechPair(clean: clean, noisy: try read("noisy"), enhanced: degraded, sampleRate: rate))
            for (key, expected) in (pair["expected"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
                guard let name = names[key], let metric = catalog.metrics[name] else { continue }
                let outcome = metric.evaluate(analysis, allowing: .resampling)
                let quantity = "\(label) \(key)"
                let tolerance = try one.tolerance(
                    key.hasPrefix("pesq") ? "pesq_abs" : key.hasPrefix("si_") ? "si_db_abs" : key + "_abs")
                compare(quantity, outcome.value, with: expected, tolerance: tolerance, &report)
            }
        }
    }

    private static func compare(
        _ quantity: String, _ value: Double?, with expected: JSON, tolerance: Double, _ report: inout ConformanceReport
    ) {
        // The reference's stand-ins for "no number": an exception, NaN, and STOI's 1e-5 with a warning.
        let stored = expected.number ?? expected["value"]?.number
        if expected["exception"] != nil || stored?.isNaN == true || expected["warning"] != nil && stored == 1e-5 {
            return report.require(quantity, value == nil, "gave \(value ?? 0) where the reference has no number")
        }
        guard let stored, let value else {
            return report.require(quantity, false, "gave no number where the reference has \(stored ?? .nan)")
        }
        if let least = expected["accept_at_least"]?.number {
            return report.require(quantity, value >= least, "\(value) is below \(least)")
        }
        let spread = expected["random"]?.bool == true ? (expected["spread"]?.number ?? 0) * 2 : 0
        report.add(quantity, error: value == stored ? 0 : abs(value - stored), tolerance: tolerance + spread)
    }
}
