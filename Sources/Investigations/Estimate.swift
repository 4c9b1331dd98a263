import Foundation
import Reports
import Runs
import Statistics

/// A weighted sum of cells, such as a difference, with its error.
///
///     d = Σ wᵢ mᵢ,   s² = s²_files + s²_runs,   ν by Satterthwaite's rule
///
/// `s_files` is that of paired differences on shared files (clusters of speakers), or Σ wᵢ² sᵢ² / nᵢ of the means of
/// reported figures; `s²_runs = σ² Σ wᵢ² / Rᵢ` with the pooled spread σ between trainings of one configuration.
struct Estimate {
    var value: Double
    var error: ErrorOfMean
    /// The standard deviation of one file's, and of one training's, contribution; what more of them would divide.
    var perFile: Double?
    var perRun: Double?

    func interval(_ alpha: Double) -> ClosedRange<Double> { error.interval(around: value, alpha: alpha) }
    /// The two-sided p value of "it is 0".
    var p: Double { error.p(of: value) }

    /// Why the error is not known.
    struct Unknown: Error {
        var reason: String
    }

    /// - Throws: `Unknown` where the error that `scope` names is known neither from files nor from trainings.
    init(
        _ terms: [(weight: Double, cell: MeasuredCell)], _ metric: String, scope: EvidenceTest.Scope,
        in lookup: CellLookup
    ) throws(Unknown) {
        value = terms.reduce(0) { $0 + $1.weight * $1.cell.mean }
        if let one = terms.first(where: { !$0.cell.isExact && $0.cell.count == 1 }) {
            throw Unknown(reason: "\(one.cell.label) has one file, and a test needs more")
        }
        let files = Self.filePart(terms, metric, lookup)
        perFile = files?.perFile
        var parts: [ErrorOfMean] = []
        if let files { parts.append(files.error) }
        let trained = terms.filter { $0.cell.runs > 0 }
        if scope == .seeds, !trained.isEmpty {
            guard let spread = lookup.spread(of: trained.map(\.cell), metric) else {
                throw Unknown(
                    reason: "the spread between two trainings of one configuration is not known: "
                        + "no configuration here was trained twice")
            }
            let weight = trained.reduce(0) { $0 + $1.weight * $1.weight / Double($1.cell.runs) }
            parts.append(.init(variance: spread.variance * weight, freedom: spread.freedom))
            perRun = spread.deviation * trained.reduce(0) { $0 + $1.weight * $1.weight }.squareRoot()
        } else if files == nil {
            throw Unknown(reason: "neither the spread over files nor their number is known")
        }
        error = ErrorOfMean(sumOf: parts)
    }

    private static func filePart(
        _ terms: [(weight: Double, cell: MeasuredCell)], _ metric: String, _ lookup: CellLookup
    ) -> (error: ErrorOfMean, perFile: Double)? {
        if let paired = paired(terms) { return paired }
        var (parts, perFile): ([ErrorOfMean], Double) = ([], 0)
        for (weight, cell) in terms where !cell.isExact {
            guard let std = cell.std ?? lookup.largestStd(like: cell, metric), let count = cell.count, count > 1 else {
                return nil
            }
            let part = weight * weight * std * std
            parts.append(.init(variance: part / Double(count), freedom: Double(count - 1)))
            perFile += part
        }
        return (ErrorOfMean(sumOf: parts), perFile.squareRoot())
    }

    /// The paired differences of cells whose scores by file are known.
    private static func paired(
        _ terms: [(weight: Double, cell: MeasuredCell)]
    ) -> (error: ErrorOfMean, perFile: Double)? {
        let averaged = terms.map { term in Self.averaged(term.cell.files) }
        guard let first = averaged.first, !first.isEmpty else { return nil }
        let shared = first.keys.filter { file in averaged.allSatisfy { $0[file] != nil } }.sorted()
        guard shared.count > 1 else { return nil }
        let values = shared.map { file in zip(terms, averaged).reduce(0) { $0 + $1.0.weight * ($1.1[file] ?? 0) } }
        let sample = PairedSample([values], clusters: SpeakerClusters.numbers(of: shared, terms[0].cell.speakers))
        let error = sample.standardError
        return (
            .init(variance: error * error, freedom: Double(sample.clusters - 1)),
            error * Double(sample.clusters).squareRoot()
        )
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
