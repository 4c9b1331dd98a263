import Reports
import Statistics

/// Questions about many rows at once.
extension EvidenceTest {
    func belowInput(_ rows: [String], _ input: String, _ book: CellBook) throws(AbsentCell) -> TestAnswer {
        let floor = try book.cell(input, metric)
        var (measured, absent): ([MeasuredCell], AbsentCell?) = ([], nil)
        for row in rows {
            do throws(AbsentCell) { measured.append(try book.cell(row, metric)) } catch { absent = error }
        }
        guard !measured.isEmpty else { throw absent ?? AbsentCell(label: "rows", reason: "are not named") }
        var values: [(cell: MeasuredCell, difference: Double, p: Double?)] = []
        for cell in measured {
            let estimate = try? Estimate([(1, cell), (-1, floor)], metric, scope: .files, in: book)
            values.append((cell, cell.mean - floor.mean, estimate?.p))
        }
        let adjusted = HolmCorrection.adjusted(values.map { $0.p ?? 1 })
        let below = values.filter { $0.difference < -effect }
        let shown = zip(values, adjusted).filter { $0.difference < -effect && $1 <= alpha }.map(\.0)
        let shownAbove = zip(values, adjusted).count { $0.difference > 0 && $1 <= alpha }
        var sentence = below.count == 1 && values.count == 1
            ? "\(below[0].cell.text) lies below \(floor.text) in \(measure)"
            : "\(below.count) of \(values.count) rows lie below \(floor.text) in \(measure)"
        if values.count > 1, !below.isEmpty {
            sentence += ": " + below.map { "\($0.cell.label) \($0.cell.mean.fixed($0.cell.digits))" }.joined(separator: ", ")
        }
        let beyond = shown.count == below.count ? "beyond chance" : "\(shown.count) of them beyond chance"
        if below.isEmpty {
            sentence = "none of \(values.count) rows lies below \(floor.text) in \(measure)"
        } else {
            sentence += ", \(beyond) (t test over files, Holm)"
            sentence += ". A system below its own input does less than nothing: something is broken before N, guidance or any "
                + "other setting of such systems matters"
        }
        let outcome: TestAnswer.Outcome = !shown.isEmpty ? .holds : shownAbove == values.count ? .fails : .undecided(needed: nil)
        return answer(outcome, sentence + ".", rows + [input], book)
    }

    func collapsed(_ rows: [String], _ path: String, _ book: CellBook) throws(AbsentCell) -> TestAnswer {
        var points: [(at: Double, cell: MeasuredCell)] = []
        for row in rows {
            let cell = try book.cell(row, metric)
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
                    let estimate = try? Estimate([(1, neighbour), (-1, points[place].cell)], metric, scope: .files, in: book)
                else { return false }
                return estimate.interval(alpha).lowerBound > 0
            }
            if isBelow { found.append((points[place].at, points[place].cell, neighbours)) }
        }
        let name = path.split(separator: ".").last.map(String.init) ?? path
        guard !found.isEmpty else {
            return answer(.fails, "no run over \(name) lies below both its neighbours by \(effect.fixed(2)) in \(measure).", rows, book)
        }
        let runs = found.map { "\($0.cell.text) between \($0.neighbours[0].text) and \($0.neighbours[1].text)" }
            .joined(separator: "; ")
        let sentence = "\(found.count == 1 ? "a run" : "\(found.count) runs") over \(name) collapsed among good neighbours in \(measure): \(runs). "
            + "A setting between two good ones does not do that: what these runs say of \(name) holds for no other seed"
        return answer(.holds, sentence + ".", rows, book)
    }
}
