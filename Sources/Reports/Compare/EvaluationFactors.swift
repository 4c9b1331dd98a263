import Foundation
public import Runs

/// The factors by which scores are distinguished, by the names that `--rows` and `--columns` take.
public enum ComparisonFactor {
    /// Of an evaluation, in the order in which labels name them.
    static let ofEvaluations = [
        "system", "run", "seed", "checkpoint", "N", "sampler", "predictor", "corrector", "corrector_steps",
        "corrector_snr",
        "guidance", "reference", "weights",
    ]
    /// Properties of the files of a set; scores are split by them where rows or columns name them.
    static let ofFiles = ["noise_type", "snr", "speaker"]
    /// Factors that decide which numbers are comparable in one column.
    static let ofColumns = ["set", "noise_seed", "metric", "signature"]
    /// Counts of the enhancement; shown where rows or columns name them.
    static let ofCounts = ["nfe"]
    /// That say what was known to be wrong when a run was made.
    static let ofGates = ["waived", "failed_gates"]

    /// Every name besides the paths of specs.
    public static let names =
        ofEvaluations + ["t_eps", "padding", "segment", "max_files", "precision"] + ofCounts + ofFiles + ofColumns
        + ofGates

    /// What is a part of another factor, by its name; a label names it where wholes of one name differ in it.
    static let parts = [
        "predictor": "sampler", "corrector": "sampler", "corrector_steps": "sampler", "corrector_snr": "sampler",
        "signature": "metric",
    ]
}

extension EvaluationPoint {
    /// Every factor that applies, by name, but the noise seed's.
    package var factors: [(name: String, value: String)] {
        let known: [(String, String?)] = [
            ("N", steps.map { String($0) }), ("sampler", sampler), ("predictor", predictor), ("corrector", corrector),
            ("corrector_steps", correctorSteps.map { String($0) }), ("corrector_snr", snr.map { String($0) }),
            ("guidance", guidance.map { String($0) }), ("reference", reference), ("weights", weights),
            ("noise_seed", noiseSeed.map { String($0) }),
        ]
        return known.compactMap { name, value in value.map { (name, $0) } } + otherFactors
    }

    /// The further factors by name: the members of a JSON object, or the `name=value` pairs of older stores.
    public var otherFactors: [(name: String, value: String)] {
        guard let other, !other.isEmpty else { return [] }
        if let members = try? JSONSerialization.jsonObject(with: Data(other.utf8)) as? [String: Any] {
            return members.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        }
        return other.components(separatedBy: ", ").map { part in
            let pieces = part.split(separator: "=", maxSplits: 1).map(String.init)
            return pieces.count == 2 ? (pieces[0], pieces[1]) : ("other", part)
        }
    }
}

extension String {
    /// Whether this value is sorted before another: numbers by size, other texts by their letters.
    func isBefore(_ other: String) -> Bool {
        if let mine = Double(self), let theirs = Double(other), mine != theirs { return mine < theirs }
        return self < other
    }
}
