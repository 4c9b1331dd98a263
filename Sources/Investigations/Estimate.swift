import Foundation
import Reports
import Runs
import Statistics

/// A weighted sum of cells, such as a difference, with what is known of its error.
///
///     d = Σ wᵢ mᵢ,   s² = s²_files + s²_runs,   ν by Satterthwaite's rule
///
/// `s_files` is that of paired differences on shared files (clusters of speakers), or Σ wᵢ² sᵢ² / nᵢ of the means of
/// reported figures; `s²_runs = σ² Σ wᵢ² / Rᵢ` with the pooled spread σ between trainings of one configuration.
struct Estimate {
    var value: Double
    var standardError: Double
    var freedom: Double
    /// The standard deviation of one file's, and of one training's, contribution; what more of them would divide.
    var perFile: Double?
    var perRun: Double?

    /// What a test says of it at a level.
    func interval(_ alpha: Double) -> ClosedRange<Double> {
        guard standardError > 0 else { return value...value }
        let level = 1 - alpha / 2
        let t = freedom.isFinite ? StudentDistribution(freedom: freedom).quantile(level) : NormalDistribution.quantile(level)
        return (value - t * standardError)...(value + t * standardError)
    }

    /// The two-sided p value of "it is 0".
    var p: Double {
        guard standardError > 0 else { return value == 0 ? 1 : 0 }
        let t = value / standardError
        return freedom.isFinite ? StudentDistribution(freedom: freedom).twoSided(t) : 2 * NormalDistribution.cdf(-abs(t))
    }

    /// Why an error cannot be said.
    struct Unknown: Error {
        var reason: String
    }

    /// - Throws: `Unknown` where neither files nor trainings tell of the error that `scope` asks for.
    init(
        _ terms: [(weight: Double, cell: MeasuredCell)], _ metric: String, scope: EvidenceTest.Scope, in book: CellBook
    ) throws(Unknown) {
        value = terms.reduce(0) { $0 + $1.weight * $1.cell.mean }
        let files = Self.filePart(terms, metric, book)
        perFile = files?.perFile
        var parts: [(variance: Double, freedom: Double)] = []
        if let files { parts.append((files.variance, files.freedom)) }
        let trained = terms.filter { $0.cell.runs > 0 }
        if scope == .seeds, !trained.isEmpty {
            guard let spread = book.spread(of: trained.map(\.cell), metric) else {
                throw Unknown(
                    reason: "nothing tells how far two trainings of one configuration lie apart: "
                        + "no configuration here was trained twice")
            }
            let weight = trained.reduce(0) { $0 + $1.weight * $1.weight / Double($1.cell.runs) }
            parts.append((spread.variance * weight, spread.freedom))
            perRun = spread.deviation * trained.reduce(0) { $0 + $1.weight * $1.weight }.squareRoot()
        } else if files == nil {
            throw Unknown(reason: "neither the spread over files nor their number is known")
        }
        let total = parts.reduce(0) { $0 + $1.variance }
        standardError = total.squareRoot()
        let weighted = parts.reduce(0) { $0 + $1.variance * $1.variance / $1.freedom }
        freedom = weighted > 0 ? total * total / weighted : .infinity
    }

    private static func filePart(
        _ terms: [(weight: Double, cell: MeasuredCell)], _ metric: String, _ book: CellBook
    ) -> (variance: Double, freedom: Double, perFile: Double)? {
        if let paired = paired(terms) { return paired }
        var (variance, weighted, perFile) = (0.0, 0.0, 0.0)
        for (weight, cell) in terms where !cell.isExact {
            guard let std = cell.std ?? book.largestStd(like: cell, metric), let count = cell.count, count > 1 else { return nil }
            let part = weight * weight * std * std
            (variance, perFile) = (variance + part / Double(count), perFile + part)
            weighted += pow(part / Double(count), 2) / Double(count - 1)
        }
        return (variance, weighted > 0 ? variance * variance / weighted : .infinity, perFile.squareRoot())
    }

    /// The paired differences of cells whose scores by file are known.
    private static func paired(
        _ terms: [(weight: Double, cell: MeasuredCell)]
    ) -> (variance: Double, freedom: Double, perFile: Double)? {
        let averaged = terms.map { term in Self.averaged(term.cell.files) }
        guard let first = averaged.first, !first.isEmpty else { return nil }
        let shared = first.keys.filter { file in averaged.allSatisfy { $0[file] != nil } }.sorted()
        guard shared.count > 1 else { return nil }
        let values = shared.map { file in zip(terms, averaged).reduce(0) { $0 + $1.0.weight * ($1.1[file] ?? 0) } }
        var numbers: [String: Int] = [:]
        let clusters = shared.compactMap { file -> Int? in
            guard let speaker = terms[0].cell.speakers[file] else { return nil }
            if numbers[speaker] == nil { numbers[speaker] = numbers.count }
            return numbers[speaker]
        }
        // Few speakers say little of others: files stand for themselves then.
        let isBySpeaker = clusters.count == shared.count && numbers.count >= Bootstrap.fewestUnits
        let sample = PairedSample([values], clusters: isBySpeaker ? clusters : nil)
        let error = sample.standardError
        return (error * error, Double(sample.clusters - 1), error * Double(sample.clusters).squareRoot())
    }

    private static func averaged(_ runs: [[TestFile.ID: Double]]) -> [TestFile.ID: Double] {
        guard let first = runs.first else { return [:] }
        return first.reduce(into: [:]) { means, one in
            let values = runs.compactMap { $0[one.key] }
            if values.count == runs.count { means[one.key] = values.reduce(0, +) / Double(values.count) }
        }
    }

    /// How many files, or trainings, would show a difference of `effect` in 80 % of experiments.
    func needed(for effect: Double, _ scope: EvidenceTest.Scope, alpha: Double) -> Int? {
        guard effect > 0 else { return nil }
        switch scope {
        case .files: return perFile.flatMap { Power.units(forMean: effect, deviation: $0, alpha: alpha) }
        case .seeds: return perRun.flatMap { Power.units(forMean: effect, deviation: $0, alpha: alpha) }
        }
    }
}
