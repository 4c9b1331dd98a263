import Parallelism
import Runs
import Statistics

/// Marks the cells of a comparison: worse than the noisy input, the best of a column, not clearly worse than the best.
struct ComparisonMarking {
    private(set) var cells: [[ComparisonReport.Cell?]]
    private(set) var shortfalls: [ComparisonReport.Shortfall] = []
    private(set) var notes: [String] = []
    private let layout: ComparisonLayout

    init(_ layout: ComparisonLayout, _ snapshot: ScoreSnapshot, _ options: ComparisonReport.Options) {
        (self.layout, cells) = (layout, layout.cells)
        let speakers = SpeakerClusters(snapshot, options)
        markShortfalls(except: options.unfloored)
        var undecided: Set<String> = []
        for column in layout.columns.indices { markBest(in: column, speakers, &undecided) }
        notes = undecided.sorted()
        if options.showsIntervals { addIntervals(speakers) }
    }

    /// The rows in the order of the metric's first column, the best first; anchors stay above, rows without it below.
    func order(by metric: String?) -> [Int] {
        let all = Array(layout.rows.indices)
        guard let metric, let column = layout.columns.firstIndex(where: { $0.factors["metric"] == metric }) else {
            return all
        }
        func value(_ row: Int) -> Double {
            guard let cell = cells[row][column], !cell.mean.isNaN else { return -.infinity }
            return cell.metric.higherIsBetter ? cell.mean : -cell.mean
        }
        let systems = all.filter { layout.rows[$0].anchor == nil }
        return all.filter { layout.rows[$0].anchor != nil }
            + systems.sorted { value($0) == value($1) ? $0 < $1 : value($0) > value($1) }
    }

    /// Marks what is worse than the noisy input, on the files that both have.
    private mutating func markShortfalls(except unfloored: Set<String>) {
        for column in layout.columns.indices {
            for row in layout.rows.indices where layout.rows[row].anchor != "noisy" {
                guard let cell = cells[row][column], !unfloored.contains(cell.metric.name),
                    let floor = noisy(for: cell, row, column), let means = cell.means(with: floor),
                    cell.metric.higherIsBetter ? means.mine < means.other : means.mine > means.other
                else { continue }
                cells[row][column]?.marks.insert(.belowAnchor)
                let factors = layout.rows[row].key.factors.merging(layout.columns[column].factors) { $1 }
                shortfalls.append(
                    .init(
                        row: layout.rows[row].label, set: cell.set.name, steps: factors["N"].flatMap { Int($0) },
                        metric: cell.metric.name, value: means.mine, anchor: means.other))
            }
        }
    }

    /// The noisy input's cell in the column, of the same metric and set where rows show them.
    private func noisy(for cell: ComparisonReport.Cell, _ row: Int, _ column: Int) -> ComparisonReport.Cell? {
        layout.rows.indices.lazy.filter { layout.rows[$0].anchor == "noisy" }.compactMap { other in
            guard let floor = cells[other][column], floor.metric.id == cell.metric.id, floor.set.id == cell.set.id,
                ComparisonFactor.ofFiles.allSatisfy({
                    layout.rows[other].key.factors[$0] == layout.rows[row].key.factors[$0]
                })
            else { return nil }
            return floor
        }.first
    }

    /// Marks the best complete cell of a column, and those that a paired t test (Holm over the column) does not find
    /// to be different.
    private mutating func markBest(in column: Int, _ speakers: SpeakerClusters, _ undecided: inout Set<String>) {
        guard layout.columns[column].metric != nil, layout.columns[column].factors["set"] != nil else { return }
        let candidates = layout.rows.indices.filter { row in
            guard layout.rows[row].anchor != "noisy", let cell = cells[row][column] else { return false }
            return !cell.marks.contains(.partial) && cell.mean.isFinite
        }
        guard candidates.count > 1, let best = candidates.max(by: { isWorse($0, than: $1, column) }),
            let top = cells[best][column]
        else { return }
        cells[best][column]?.marks.insert(.best)
        var tests: [(row: Int, p: Double)] = []
        for row in candidates where row != best {
            guard let found = cells[row][column]?.differences(from: top, speakers) else { continue }
            guard found.sample.clusters >= Bootstrap.fewestUnits, let p = found.sample.tTestP else {
                let set = layout.columns[column].factors["set"] ?? ""
                undecided.insert(Self.lack(of: found.unit, found.sample.clusters, set))
                continue
            }
            tests.append((row, p))
        }
        for (test, adjusted) in zip(tests, HolmCorrection.adjusted(tests.map(\.p))) where adjusted > 0.05 {
            cells[test.row][column]?.marks.insert(.tied)
        }
    }

    private static func lack(of unit: String, _ count: Int, _ set: String) -> String {
        let hint = unit == "speakers" ? "; --cluster file takes files for independent" : ""
        return
            "\(set): \(count) \(count == 1 ? String(unit.dropLast()) : unit) \(count == 1 ? "is" : "are") too few to "
            + "say what is as good as the best (\(Bootstrap.fewestUnits) are needed\(hint))"
    }

    private func isWorse(_ row: Int, than other: Int, _ column: Int) -> Bool {
        guard let mine = cells[row][column], let theirs = cells[other][column] else { return false }
        return mine.metric.higherIsBetter ? mine.mean < theirs.mean : mine.mean > theirs.mean
    }

    /// The 95 % interval of each mean: over speakers or files by the clustered bootstrap; over seeds by Student's t.
    private mutating func addIntervals(_ speakers: SpeakerClusters) {
        let places = cells.indices.flatMap { row in cells[row].indices.map { (row, $0) } }
        let intervals = places.map { cells[$0.0][$0.1] }.parallelMap(block: 1) { cell in
            cell.flatMap { $0.interval(of: speakers) }
        }
        for (place, interval) in zip(places, intervals) { cells[place.0][place.1]?.interval = interval }
    }
}

extension ComparisonReport.Cell {
    fileprivate func interval(of speakers: SpeakerClusters) -> ClosedRange<Double>? {
        if let seeds {
            guard seeds.n > 1 else { return nil }
            let count = Double(seeds.n)
            let half = StudentDistribution(freedom: count - 1).quantile(0.975) * seeds.std / (count - 1).squareRoot()
            return seeds.mean - half...seeds.mean + half
        }
        guard let series = samples.first?.series else { return nil }
        let finite = series.values.indices.filter { series.values[$0].isFinite }
        guard !finite.isEmpty else { return nil }
        let clusters = speakers.clusters(of: finite.map { series.files[$0] })
        let sample = PairedSample([finite.map { series.values[$0] }], clusters: clusters)
        return sample.clusters < Bootstrap.fewestUnits ? nil : Bootstrap.interval(of: sample)
    }
}
