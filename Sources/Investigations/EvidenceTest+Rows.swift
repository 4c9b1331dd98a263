import Reports
import Statistics

/// Questions about many rows at once.
extension EvidenceTest {
    func belowInput(_ rows: [String], _ input: String, _ lookup: CellLookup) throws(AbsentCell) -> TestAnswer {
        let floor = try lookup.cell(input, metric)
        var (measured, absent): ([MeasuredCell], AbsentCell?) = ([], nil)
        for row in rows {
            do throws(AbsentCell) { measured.append(try lookup.cell(row, metric)) } catch { absent = error }
        }
        guard !measured.isEmpty else { throw absent ?? AbsentCell(label: "rows", reason: "are not named") }
        var values: [(cell: MeasuredCell, difference: Double, p: Double?)] = []
        let sign: Double = lookup.isHigherBetter(metric) ? 1 : -1
        for cell in measured {
            let pair = MeasuredCell.onSharedFiles([cell, floor])
            let estimate = try? Estimate([(1, pair[0]), (-1, pair[1])], metric, scope: .files, in: lookup)
            values.append((cell, sign * (pair[0].mean - pair[1].mean), estimate?.p))
        }
        let adjusted = HolmCorrection.adjusted(values.map { $0.p ?? 1 })
        let below = values.filter { $0.difference < -effect }
        let shown = zip(values, adjusted).filter { $0.difference < -effect && $1 <= alpha }.map(\.0)
        let shownAbove = zip(values, adjusted).count { $0.difference > 0 && $1 <= alpha }
        var sentence =
            below.count == 1 && values.count == 1
            ? "\(below[0].cell.text) \(sign > 0 ? "lies below" : "lies above") \(floor.text) in \(measure)"
            : """
            \(below.count) of \(values.count) rows \(sign > 0 ? "lie below" : "lie above") \(floor.text) in \
            \(measure)
            """
        if values.count > 1, !below.isEmpty {
            sentence +=
                ": " + below.map { "\($0.cell.label) \($0.cell.mean.fixed($0.cell.digits))" }.joined(separator: ", ")
        }
        let beyond = shown.count == below.count ? "beyond chance" : "\(shown.count) of them beyond chance"
        if below.isEmpty {
            sentence =
                "none of \(values.count) rows \(sign > 0 ? "lies below" : "lies above") \(floor.text) in \(measure)"
        } else {
            sentence += ", \(beyond) (t test over files, Holm)"
            sentence +=
                ". A system below its own input does less than nothing: something is broken before N, guidance or any "
                + "other setting of such systems matters"
        }
        let outcome: TestAnswer.Outcome =
            !shown.isEmpty ? .holds : shownAbove == values.count ? .fails : .undecided(needed: nil)
        return answer(outcome, sentence + ".", rows + [input], lookup)
    }

    func collapsed(_ rows: [String], _ path: String, _ lookup: CellLookup) throws(AbsentCell) -> TestAnswer {
        var points: [(at: Double, cell: MeasuredCell)] = []
        for row in rows {
            let cell = try lookup.cell(row, metric)
            guard let at = cell.settings[path].flatMap(Double.init) else {
                throw AbsentCell(label: cell.label, reason: "'\(path)' is not recorded as a number")
            }
            points.append((at, cell))
        }
        points.sort { $0.at < $1.at }
        var found: [(at: Double, cell: MeasuredCell, neighbours: [MeasuredCell])] = []
        for place in points.indices.dropFirst().dropLast() {
            let neighbours = [points[place - 1].cell, points[place + 1].cell]
            let isBelow = neighbours.allSatisfy { neighbour in
                guard neighbour.mean - points[place].cell.mean >= effect,
                    let estimate = try? Estimate(
                        [(1, neighbour), (-1, points[place].cell)], metric, scope: .files, in: lookup)
                else { return false }
                return estimate.interval(alpha).lowerBound > 0
            }
            if isBelow { found.append((points[place].at, points[place].cell, neighbours)) }
        }
        let name = path.split(separator: ".").last.map(String.init) ?? path
        guard !found.isEmpty else {
            return answer(
                .fails, "no run over \(name) lies below both its neighbours by \(effect.fixed(2)) in \(measure).", rows,
                lookup)
        }
        let runs = found.map { "\($0.cell.text) between \($0.neighbours[0].text) and \($0.neighbours[1].text)" }
            .joined(separator: "; ")
        let sentence =
            "\(found.count == 1 ? "a run" : "\(found.count) runs") over \(name) collapsed among good neighbours in "
            + "\(measure): \(runs). A setting between two good ones does not do that: "
            + "what these runs say of \(name) holds for no other seed"
        return answer(.holds, sentence + ".", rows, lookup)
    }

    /// Trainings of one cell are compared with each other; the spread is pooled over all cells that are named.
    func collapsedSeed(_ names: [String], _ lookup: CellLookup) throws(AbsentCell) -> TestAnswer {
        var cells: [MeasuredCell] = []
        for name in names { cells.append(try lookup.cell(name, metric)) }
        let most = cells.map(\.runMeans.count).max() ?? 0
        guard most >= 3 else {
            let sentence =
                "no cell has the three trainings that show which one collapsed: "
                + cells.map { "\($0.label) has \($0.runMeans.count)" }.joined(separator: ", ")
            return answer(.undecided(needed: "3 trainings of each"), sentence + ".", names, lookup)
        }
        let found = CollapsedTraining.find(
            in: cells.map(\.runMeans), effect: effect, isHigherBetter: lookup.isHigherBetter(metric),
            alpha: min(alpha, 0.002))
        guard !found.isEmpty else {
            return answer(
                .fails, "no training of \(cells.map(\.label).joined(separator: ", ")) collapsed in \(measure).", names,
                lookup)
        }
        let texts = found.map { one in
            let cell = cells[one.group]
            let others = cell.runMeans.indices.filter { place in
                !found.contains { $0.group == one.group && $0.place == place }
            }
            let level = others.reduce(0) { $0 + cell.runMeans[$1] } / Double(others.count)
            let name =
                cell.runNames.indices.contains(one.place) ? cell.runNames[one.place] : "training \(one.place + 1)"
            return
                "\(name) of \(cell.label) scores \(cell.runMeans[one.place].fixed(2)), its other \(others.count) "
                + "trainings \(level.fixed(2)) on average (p \(one.p < 0.001 ? "< 0.001" : "= " + one.p.fixed(3)))"
        }
        return answer(
            .holds,
            """
            \(texts.joined(separator: "; ")) in \(measure). A mean over trainings with a collapsed one says little of \
            the others.
            """,
            names, lookup)
    }
}
