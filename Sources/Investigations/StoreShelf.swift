import Foundation
import Reports
import Runs

/// The evaluations of the store that cells ask for, read at once.
struct StoreShelf: Sendable {
    private let snapshot: ScoreSnapshot
    /// The runs of each name that a cell asks for, the newest of each seed.
    private let runs: [String: [Run]]
    private let folder: String

    init(of cells: [StoredCell], in store: RunStore) throws(StoreError) {
        var runs: [String: [Run]] = [:]
        for name in Set(cells.map(\.run)) {
            let found: [Run]
            do throws(StoreError) { found = try store.runs(called: name) } catch { continue }
            var newest: [UInt64: Run] = [:]
            for run in found where newest[run.key.seed].map({ $0.created < run.created }) ?? true { newest[run.key.seed] = run }
            runs[name] = newest.values.sorted { $0.key.seed < $1.key.seed }
        }
        (self.runs, folder) = (runs, store.folder)
        snapshot = try store.scores(of: runs.values.flatMap { $0.map(\.id) }, sets: Set(cells.map(\.set)))
    }

    func settings(of cell: StoredCell) -> [String: String] {
        runs[cell.run]?.first.flatMap { snapshot.settings[$0.id] } ?? [:]
    }

    /// What checks found about the first run of a cell; nil where there is none.
    func findings(of cell: StoredCell) -> [GateFinding]? {
        runs[cell.run]?.first.map { snapshot.findings[$0.id] ?? [] }
    }

    /// A number of the report that `sgmse probe` wrote about the first run of a cell, by its path in the document.
    func probed(_ path: String, of cell: StoredCell) -> Double? {
        guard let run = runs[cell.run]?.first,
            let data = FileManager.default.contents(atPath: "\(folder)/\(run.folder)/probe/probe.json"),
            var value = try? JSONSerialization.jsonObject(with: data)
        else { return nil }
        for key in path.split(separator: ".") {
            guard let members = value as? [String: Any], let next = members[String(key)] else { return nil }
            value = next
        }
        return (value as? NSNumber)?.doubleValue
    }

    /// The scores of a cell.
    ///
    /// - Throws: `AbsentCell` where there are none, or where several evaluations are meant.
    func cell(_ cell: StoredCell, _ metric: String, label: String) throws(AbsentCell) -> MeasuredCell {
        let isAnchor = snapshot.evaluations.contains { $0.anchor == cell.run }
        let runs = runs[cell.run] ?? []
        guard isAnchor || !runs.isEmpty else { throw AbsentCell(cell, label, "the store has no run '\(cell.run)'") }
        var (series, found): ([ScoreSnapshot.Series], [Run]) = ([], [])
        if isAnchor {
            let own = snapshot.evaluations.filter { $0.anchor == cell.run && matches($0, cell) }
            series = try one(of: own, metric, cell, label).map { [$0] } ?? []
        } else {
            for run in runs {
                let own = snapshot.evaluations.filter { $0.run == run.id && matches($0, cell) }
                guard let scores = try one(of: own, metric, cell, label) else { continue }
                series.append(scores)
                found.append(run)
            }
        }
        guard !series.isEmpty else {
            throw AbsentCell(cell, label, "'\(cell.run)' was not evaluated so", work: isAnchor ? .scan : .evaluate)
        }
        return measured(series, runs: found, cell, label: label, isAnchor: isAnchor)
    }

    private func one(
        of evaluations: [Evaluation], _ metric: String, _ cell: StoredCell, _ label: String
    ) throws(AbsentCell) -> ScoreSnapshot.Series? {
        let ids = snapshot.metrics.values.filter { $0.name == metric }.map(\.id)
        let series = evaluations.flatMap { evaluation in
            ids.compactMap { snapshot.series[.init(evaluation: evaluation.id, metric: $0)] }
        }
        guard series.count <= 1 else {
            let reason = "\(series.count) evaluations of '\(cell.run)' are so; name N, guidance, reference or weights in 'at'"
            throw AbsentCell(label: label, reason: reason)
        }
        return series.first
    }

    private func matches(_ evaluation: Evaluation, _ cell: StoredCell) -> Bool {
        guard evaluation.status == .finished, snapshot.testSets[evaluation.testSet]?.name == cell.set else { return false }
        let factors = Dictionary(evaluation.point.factors.map { ($0.name, $0.value) }) { $1 }
        return cell.factors.allSatisfy { name, wanted in
            if name == "checkpoint" { return evaluation.checkpoint?.kind.rawValue == wanted }
            guard let value = factors[name] else { return false }
            if let a = Double(value), let b = Double(wanted) { return a == b }
            return value == wanted
        }
    }

    private func measured(
        _ series: [ScoreSnapshot.Series], runs: [Run], _ cell: StoredCell, label: String, isAnchor: Bool
    ) -> MeasuredCell {
        let files = series.map { one in
            Dictionary(zip(one.files, one.values).filter { $0.1.isFinite }) { first, _ in first }
        }
        let means = files.map { values in values.isEmpty ? .nan : values.values.reduce(0, +) / Double(values.count) }
        let mean = means.reduce(0, +) / Double(means.count)
        let first = files[0]
        let variance = first.count > 1 ? first.values.reduce(0) { $0 + pow($1 - means[0], 2) } / Double(first.count - 1) : 0
        var measured = MeasuredCell(
            label: label, mean: mean, std: variance.squareRoot(), count: first.count, runs: isAnchor ? 0 : series.count,
            settings: settings(of: cell), place: isAnchor ? "anchor \(cell.run)" : "run \(runs.map(\.shortID).joined(separator: ", "))",
            family: "store: \(cell.set)", set: cell.set)
        (measured.files, measured.runMeans) = (files, isAnchor ? [] : means)
        measured.speakers = snapshot.files.compactMapValues(\.speaker)
        return measured
    }
}
