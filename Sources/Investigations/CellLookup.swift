import Foundation
public import Reported
import Reports
public import Runs

/// Finds the numbers of an investigation's cells among the reported figures and in the store.
///
/// The store is read once, in the initialiser.
public struct CellLookup: Sendable {
    private let sources: [String: CellSource]
    private let library: ReportedLibrary
    private let figures: [FigureKey: PaperFigures]
    let storedScores: StoredScores?
    /// The spreads of reported trainings of one configuration, by paper and set, and metric.
    private let replicates: [String: [String: [RunSpread]]]
    /// The largest reported spread over files, by set and metric.
    private let widest: [String: [String: Double]]

    private struct FigureKey: Hashable {
        var paper: String
        var system: String
        var set: String
        var conditions: String?
    }

    /// - Parameter store: nil where there is none yet.
    public init(_ investigation: Investigation, reporting library: ReportedLibrary, from store: RunStore?)
        throws(StoreError)
    {
        (sources, self.library) = (investigation.cells, library)
        var figures: [FigureKey: PaperFigures] = [:]
        for one in library.figures {
            for conditions in [one.conditions, nil] {
                let key = FigureKey(paper: one.paper, system: one.system, set: one.set, conditions: conditions)
                if figures[key] == nil { figures[key] = one }
            }
        }
        self.figures = figures
        replicates = Dictionary(grouping: library.figures) { "\($0.paper) on \($0.set)" }.mapValues { figures in
            Set(figures.flatMap(\.values.keys)).reduce(into: [:]) { $0[$1] = RunSpread.replicates(among: figures, $1) }
        }
        widest = library.figures.reduce(into: [:]) { widest, one in
            for (metric, value) in one.values {
                if let std = value.std {
                    widest[one.set, default: [:]][metric] = max(std, widest[one.set]?[metric] ?? 0)
                }
            }
        }
        let stored = investigation.cells.values.compactMap { source in
            if case .stored(let cell) = source.origin { cell } else { nil }
        }
        storedScores = if let store, !stored.isEmpty { try StoredScores(of: stored, in: store) } else { nil }
    }

    /// The cell of a name in a metric.
    ///
    /// - Throws: `AbsentCell` where nothing was reported or measured.
    public func cell(_ name: String, _ metric: String) throws(AbsentCell) -> MeasuredCell {
        guard let source = sources[name] else { throw AbsentCell(label: name, reason: "is not declared") }
        switch source.origin {
        case .known(let value, let reason):
            var cell = MeasuredCell(label: source.label, mean: value, runs: 0, place: reason)
            cell.isExact = true
            return cell
        case .stored(let stored):
            guard let storedScores else { throw AbsentCell(stored, source.label, "there is no store yet") }
            return try storedScores.cell(stored, metric, label: source.label)
        case .reported(let paper, let system, let set, let conditions):
            return try reported(
                FigureKey(paper: paper, system: system, set: set, conditions: conditions), metric, source)
        }
    }

    /// The settings of a cell, whether or not it has scores.
    func settings(_ name: String) -> [String: String] {
        guard let source = sources[name] else { return [:] }
        switch source.origin {
        case .known: return [:]
        case .stored(let stored): return storedScores?.settings(of: stored) ?? [:]
        case .reported(let paper, let system, let set, let conditions):
            return figures[FigureKey(paper: paper, system: system, set: set, conditions: conditions)]?.settings ?? [:]
        }
    }

    /// Whether a larger value of a metric is a better one; true for a metric that the store does not have.
    func isHigherBetter(_ metric: String) -> Bool { storedScores?.isHigherBetter(metric) ?? true }

    func label(_ name: String) -> String { sources[name]?.label ?? name }

    func place(_ name: String) -> String {
        guard case .reported(let paper, let system, let set, let conditions)? = sources[name]?.origin,
            let one = figures[FigureKey(paper: paper, system: system, set: set, conditions: conditions)]
        else {
            if case .stored(let stored)? = sources[name]?.origin { return "run \(stored.run)" }
            return sources[name].map { "\($0.place)" } ?? name
        }
        return "\(one.place)"
    }

    func stored(_ name: String) -> StoredCell? {
        if case .stored(let cell)? = sources[name]?.origin { cell } else { nil }
    }

    private func reported(_ key: FigureKey, _ metric: String, _ source: CellSource) throws(AbsentCell) -> MeasuredCell {
        guard let one = figures[key] else {
            throw AbsentCell(label: source.label, reason: "'\(key.paper)' reports no '\(key.system)' on '\(key.set)'")
        }
        guard let value = one.values[metric] else {
            throw AbsentCell(label: source.label, reason: "'\(key.paper)' reports no \(metric) of it")
        }
        var cell = MeasuredCell(
            label: source.label, mean: value.value, digits: value.digits, std: value.std,
            count: one.count ?? source.assumedCount,
            runs: source.runs, settings: one.settings, place: "\(one.place)", mark: one.mark,
            family: "\(one.paper) on \(one.set)", set: one.set)
        cell.isCountAssumed = one.count == nil && source.assumedCount != nil
        return cell
    }

    /// The spread between trainings of one configuration, pooled over the families of some cells; nil where none is
    /// known.
    func spread(of cells: [MeasuredCell], _ metric: String) -> RunSpread? {
        var parts: [RunSpread] = cells.filter { $0.runMeans.count > 1 }.map {
            RunSpread(means: $0.runMeans, label: $0.label)
        }
        for family in Set(cells.map(\.family)).sorted() {
            parts += replicates[family]?[metric] ?? []
        }
        return RunSpread(pooling: parts)
    }

    /// The largest spread over files that is reported on the set of a cell, used where the cell's source gives none.
    func largestStd(like cell: MeasuredCell, _ metric: String) -> Double? { widest[cell.set]?[metric] }
}

extension AbsentCell {
    /// A cell of the store, with the command that measures it where its spec is known.
    init(_ cell: StoredCell, _ label: String, _ reason: String, work: MissingMeasurement.Work = .train) {
        let measurement = cell.spec.map { MissingMeasurement(what: label, work: work, command: cell.command(of: $0)) }
        self.init(label: label, reason: reason, measurement: measurement)
    }
}

extension StoredCell {
    /// The command that makes the runs of a spec with the cell's factors.
    func command(of spec: String) -> String {
        let paths = [
            "N": "evaluate.N", "guidance": "evaluate.guidance", "weights": "evaluate.weights",
            "reference": "evaluate.reference",
            "padding": "evaluate.padding", "snr": "evaluate.sampler.snr", "corrector": "evaluate.sampler.corrector",
        ]
        let lists: Set = ["N", "guidance", "weights", "reference"]
        let asked = factors.sorted { $0.key < $1.key }.compactMap { name, value -> String? in
            paths[name].map { path in lists.contains(name) ? "'\(path)=[\(value)]'" : "\(path)=\(value)" }
        }
        return (["sgmse run \(spec)"] + (asked + overrides).map { "--set \($0)" }).joined(separator: " ")
    }
}
