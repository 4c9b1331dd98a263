import Foundation
import Reports
import Runs

/// The evaluations of the store that cells name, read in one transaction.
struct StoredScores: Sendable {
    private let snapshot: ScoreSnapshot
    /// The runs of each name that a cell has.
    private let runs: [String: NamedTrainings]
    private let folder: String

    init(of cells: [StoredCell], in store: RunStore) throws(StoreError) {
        let all = try store.runs()
        var runs: [String: NamedTrainings] = [:]
        for name in Set(cells.map(\.run)) {
            do throws(StoreError) { runs[name] = try NamedTrainings(called: name, in: store, among: all) } catch {
                continue
            }
        }
        (self.runs, folder) = (runs, store.folder)
        snapshot = try store.scores(of: runs.values.flatMap { $0.runs.map(\.id) }, sets: Set(cells.map(\.set)))
    }

    /// The runs of a cell.
    ///
    /// - Throws: `AbsentCell` where several configurations are called so.
    private func trainings(of cell: StoredCell, _ label: String) throws(AbsentCell) -> [Run] {
        guard let found = runs[cell.run] else { return [] }
        guard found.configurations.count <= 1 else {
            let (count, one) = (found.configurations.count, found.configurations[0])
            throw AbsentCell(
                label: label, reason: "'\(cell.run)' is \(count) configurations; name one of them, such as '\(one)'")
        }
        return found.runs
    }

    /// Whether a larger value is a better one; nil where no score of the metric is known.
    func isHigherBetter(_ metric: String) -> Bool? {
        snapshot.metrics.values.first { $0.name == metric }?.higherIsBetter
    }

    /// The settings of a cell's runs, the factors of its evaluation, and the samples that training saw.
    func settings(of cell: StoredCell) -> [String: String] {
        guard let run = (try? trainings(of: cell, cell.run))?.first, var settings = snapshot.settings[run.id] else {
            return [:]
        }
        for (name, value) in cell.factors {
            let path =
                ["snr", "corrector", "predictor"].contains(name) ? "evaluate.sampler.\(name)" : "evaluate.\(name)"
            settings[settings[path + ".name"] == nil ? path : path + ".name"] = value
        }
        let factors = ["max_steps", "batch_size", "devices", "accumulate_grad_batches"].map {
            settings["train.\($0)"].flatMap(Double.init)
        }
        if let steps = factors[0], let batch = factors[1] {
            settings["train.samples"] = String(Int(steps * batch * (factors[2] ?? 1) * (factors[3] ?? 1)))
        }
        return settings
    }

    /// What checks found about the runs of a cell; nil where there is none.
    func findings(of cell: StoredCell) -> [GateFinding]? {
        guard let own = runs[cell.run]?.runs, !own.isEmpty else { return nil }
        return own.flatMap { snapshot.findings[$0.id] ?? [] }
    }

    /// A number of the report that `sgmse probe` wrote about the first run of a cell, by its path in the document.
    func probed(_ path: String, of cell: StoredCell) -> Double? {
        guard let run = runs[cell.run]?.runs.first,
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
        let runs = try trainings(of: cell, label)
        guard isAnchor || !runs.isEmpty else { throw AbsentCell(cell, label, "the store has no run '\(cell.run)'") }
        var (series, found): ([ScoreSnapshot.Series], [Run]) = ([], [])
        if isAnchor {
            let own = snapshot.evaluations.filter { $0.anchor == cell.run && matches($0, cell) }
            series = try one(of: own, metric, cell, label).map { [$0] } ?? []
        } else {
            for run in runs {
                let all = snapshot.evaluations.filter { $0.run == run.id && matches($0, cell) }
                // What the cell does not name is as the run's own spec has it, where there is more than one.
                let usual = all.filter { isUsual($0, of: run, besides: cell.factors) }
                let own = all.count > 1 && !usual.isEmpty ? usual : all
                guard let scores = try one(of: own, metric, cell, label) else { continue }
                series.append(scores)
                found.append(run)
            }
        }
        guard !series.isEmpty else {
            throw AbsentCell(cell, label, "'\(cell.run)' was not evaluated so", work: isAnchor ? .scan : .evaluate)
        }
        guard series.contains(where: { $0.values.contains(where: \.isFinite) }) else {
            throw AbsentCell(label: label, reason: "no file of it has a \(metric)")
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
            let reason =
                "\(series.count) evaluations of '\(cell.run)' are so; name N, guidance, reference or weights in 'at'"
            throw AbsentCell(label: label, reason: reason)
        }
        return series.first
    }

    private func matches(_ evaluation: Evaluation, _ cell: StoredCell) -> Bool {
        guard evaluation.status == .finished, snapshot.testSets[evaluation.testSet]?.name == cell.set else {
            return false
        }
        let factors = Dictionary(evaluation.point.factors.map { ($0.name, $0.value) }) { $1 }
        return cell.factors.allSatisfy { name, wanted in
            if name == "checkpoint" { return evaluation.checkpoint?.kind.rawValue == wanted }
            guard let value = factors[name] else { return false }
            if let a = Double(value), let b = Double(wanted) { return a == b }
            return value == wanted
        }
    }

    /// Whether an evaluation is at the factors that the run's spec asks for, as far as it says and besides those that
    /// are named.
    private func isUsual(_ evaluation: Evaluation, of run: Run, besides named: [String: String]) -> Bool {
        let settings = snapshot.settings[run.id] ?? [:]
        func asked(_ path: String) -> [String]? {
            (settings[path] ?? settings[path + ".name"])?.components(separatedBy: ", ")
        }
        return evaluation.point.factors.allSatisfy { name, value in
            guard named[name] == nil, let usual = asked("evaluate.\(name)") else { return true }
            switch name {
            case "padding", "weights": return usual.contains(value)
            case "N", "guidance": return usual.contains { Double($0) == Double(value) }
            case "reference":
                let parts = value.split(separator: "/").map(String.init)
                let trained = asked("conditioning.ref_num_frames") ?? []
                let frames = asked("evaluate.reference.num_frames") ?? trained
                return usual.contains(parts[0])
                    && (parts.count > 1
                        ? frames.contains(parts[1]) : frames.isEmpty || !Set(frames).isDisjoint(with: trained))
            default: return true
            }
        }
    }

    private func measured(
        _ series: [ScoreSnapshot.Series], runs: [Run], _ cell: StoredCell, label: String, isAnchor: Bool
    ) -> MeasuredCell {
        // Trainings without any score are left out.
        let scored = series.enumerated().map { place, one in
            (place, Dictionary(zip(one.files, one.values).filter { $0.1.isFinite }) { first, _ in first })
        }.filter { !$0.1.isEmpty }
        let own = isAnchor ? [] : scored.map { runs[$0.0] }
        var measured = MeasuredCell(
            label: label, mean: 0, count: 0, runs: own.count, settings: settings(of: cell),
            place: isAnchor ? "anchor \(cell.run)" : "run \(own.map(\.shortID).joined(separator: ", "))",
            family: "store: \(cell.set)", set: cell.set)
        measured.files = scored.map(\.1)
        measured.runMeans = own.map { _ in 0 }
        measured.runNames = own.map { "seed \($0.key.seed)" }
        measured.summarize()
        measured.speakers = snapshot.files.compactMapValues(\.speaker)
        return measured
    }
}
