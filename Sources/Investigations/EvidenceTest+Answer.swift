import Reports
import Runs
import Statistics

extension EvidenceTest {
    /// The answer that the cells give.
    func answer(in lookup: CellLookup) -> TestAnswer {
        do throws(AbsentCell) {
            switch question {
            case .above(let first, let second): return try above(first, second, lookup)
            case .equal(let first, let second): return try equal(first, second, lookup)
            case .interaction(let a, let b, let c, let d): return try interaction([a, b, c, d], lookup)
            case .belowInput(let rows, let input): return try belowInput(rows, input, lookup)
            case .collapsed(let rows, let path): return try collapsed(rows, path, lookup)
            case .collapsedSeed(let names): return try collapsedSeed(names, lookup)
            case .differOnly(let first, let second, let paths): return try differOnly(first, second, paths, lookup)
            case .less(let first, let second, let path): return try less(first, second, path, lookup)
            case .recorded(let cell, let path, let value): return try recorded(cell, path, value, lookup)
            case .finding(let cell, let gate): return try finding(cell, gate, lookup)
            case .probe(let cell, let value, let below, let above): return try probe(cell, value, below, above, lookup)
            }
        } catch {
            return missing(error, lookup)
        }
    }

    /// What is missing: every cell of the test that has no scores, or what one of them lacks otherwise.
    private func missing(_ absent: AbsentCell, _ lookup: CellLookup) -> TestAnswer {
        var all: [AbsentCell] = []
        if comparesScores {
            for name in cells.unique {
                do throws(AbsentCell) { _ = try lookup.cell(name, metric) } catch { all.append(error) }
            }
        }
        if all.isEmpty { all = [absent] }
        let reasons = all.map(\.reason).unique.map { reason in
            "\(all.filter { $0.reason == reason }.map(\.label).joined(separator: ", ")) (\(reason))"
        }
        return TestAnswer(
            outcome: .missing, meaning: .nothing, sentence: "not measured: \(reasons.joined(separator: "; ")).",
            places: [],
            measurements: all.compactMap(\.measurement).unique)
    }

    func answer(
        _ outcome: TestAnswer.Outcome, _ sentence: String, _ cells: [String], _ lookup: CellLookup,
        _ estimate: Estimate? = nil
    ) -> TestAnswer {
        let meaning: Meaning =
            switch outcome {
            case .holds: whenHolds
            case .fails: whenFails
            case .undecided, .missing: .nothing
            }
        return TestAnswer(
            outcome: outcome, meaning: meaning, sentence: sentence, places: cells.map { lookup.place($0) },
            difference: estimate?.value, interval: estimate.map { $0.interval(alpha) }, measurements: [])
    }

    // MARK: Differences

    private func above(_ first: String, _ second: String, _ lookup: CellLookup) throws(AbsentCell) -> TestAnswer {
        let pair = MeasuredCell.onSharedFiles([try lookup.cell(first, metric), try lookup.cell(second, metric)])
        let (a, b) = (pair[0], pair[1])
        let share = try share(a.mean - b.mean, lookup)
        return decided(
            [(1, a), (-1, b)], difference(a, b), lookup, share: share, others: others(first, second, lookup)
        ) { estimate in
            let interval = estimate.interval(alpha)
            if interval.lowerBound > 0, estimate.value >= effect { return .holds }
            if effect > 0 ? interval.upperBound < effect : interval.upperBound <= 0 { return .fails }
            return nil
        }
    }

    private func equal(_ first: String, _ second: String, _ lookup: CellLookup) throws(AbsentCell) -> TestAnswer {
        let pair = MeasuredCell.onSharedFiles([try lookup.cell(first, metric), try lookup.cell(second, metric)])
        let (a, b) = (pair[0], pair[1])
        let share = try share(a.mean - b.mean, lookup)
        return decided(
            [(1, a), (-1, b)], difference(a, b), lookup, share: share, others: others(first, second, lookup)
        ) { estimate in
            let interval = estimate.interval(alpha)
            if interval.lowerBound > -effect, interval.upperBound < effect { return .holds }
            if !interval.contains(0), abs(estimate.value) >= effect { return .fails }
            return nil
        }
    }

    private func interaction(_ names: [String], _ lookup: CellLookup) throws(AbsentCell) -> TestAnswer {
        var cells: [MeasuredCell] = []
        for name in names { cells.append(try lookup.cell(name, metric)) }
        cells = MeasuredCell.onSharedFiles(cells)
        let (here, there) = (cells[0].mean - cells[1].mean, cells[2].mean - cells[3].mean)
        let opening =
            "\(cells[0].text) − \(cells[1].text) is \(here.signed(cells[0].digits)), and "
            + "\(cells[2].text) − \(cells[3].text) is \(there.signed(cells[2].digits)): "
            + "the two differ by \((here - there).signed(cells[0].digits))"
        return decided(Array(zip([1, -1, -1, 1], cells)), opening, lookup) { estimate in
            let interval = estimate.interval(alpha)
            if interval.lowerBound > 0, estimate.value >= effect { return .holds }
            return interval.upperBound < max(effect, 0) ? .fails : nil
        }
    }

    /// What else differs between two cells, where it is more than one thing.
    private func others(_ first: String, _ second: String, _ lookup: CellLookup) -> String? {
        let items = SettingDifferences(lookup.settings(first), lookup.settings(second), onlyShared: true).items
        guard items.count > 1 else { return nil }
        let rest = items.count > 4 ? " and \(items.count - 4) more" : ""
        let listed = items.prefix(4).map(\.text).joined(separator: ", ")
        return
            " The two differ in \(items.count) recorded settings, \(listed)\(rest): "
            + "their scores do not show which of these matters."
    }

    /// What part of the gap a difference is.
    private func share(_ difference: Double, _ lookup: CellLookup) throws(AbsentCell) -> String? {
        guard gap.count == 2 else { return nil }
        let (from, to) = (try lookup.cell(gap[0], metric), try lookup.cell(gap[1], metric))
        let whole = to.mean - from.mean
        guard whole != 0 else { return nil }
        return ": \(difference.fixed(2)) of the \(whole.fixed(2)) between \(from.text) and \(to.text)"
    }

    private func decided(
        _ terms: [(Double, MeasuredCell)], _ opening: String, _ lookup: CellLookup, share: String? = nil,
        others: String? = nil, rule: (Estimate) -> TestAnswer.Outcome?
    ) -> TestAnswer {
        do throws(Estimate.Unknown) {
            let estimate = try Estimate(terms.map { (weight: $0.0, cell: $0.1) }, metric, scope: scope, in: lookup)
            let interval = estimate.interval(alpha)
            let digits = max(2, terms.map(\.1.digits).max() ?? 2)
            let spread = scope == .seeds ? lookup.spread(of: terms.map(\.1).filter { $0.runs > 0 }, metric) : nil
            var sentence =
                """
                \(opening) (\(percent) interval \(interval.lowerBound.fixed(digits)) to \
                \(interval.upperBound.fixed(digits))
                """
            sentence += Self.basis(terms.map(\.1), scope, spread) + (share ?? "") + "." + (others ?? "")
            if let outcome = rule(estimate) { return answer(outcome, sentence, cells, lookup, estimate) }
            let wanted = effect > 0 ? effect : abs(estimate.value)
            let needed = estimate.needed(for: wanted, scope, alpha: alpha).map {
                "\($0) \(scope == .seeds ? "trainings of each" : "files")"
            }
            sentence +=
                " This does not decide"
                + (needed.map { "; \($0) would show a difference of \(wanted.fixed(2))." } ?? ".")
            if case .interaction = question { sentence += " There is no reversal to explain yet." }
            return answer(.undecided(needed: needed), sentence, cells, lookup, estimate)
        } catch {
            return answer(
                .undecided(needed: nil), "\(opening)\(share ?? ""); \(error.reason)." + (others ?? ""), cells, lookup)
        }
    }

    private var percent: String {
        let level = 100 * (1 - alpha)
        return level.fixed(level == level.rounded() ? 0 : 1) + " %"
    }

    /// The metric as papers print it.
    var measure: String { metric.asPrintedMetric }

    /// What the interval is over; it closes the bracket.
    private static func basis(_ cells: [MeasuredCell], _ scope: Scope, _ spread: RunSpread?) -> String {
        if let spread {
            let widest = spread.widest
            return
                """
                ), where two trainings of one configuration differ by up to \(widest.difference.fixed(2)) \
                (\(widest.text))
                """
        }
        let counts = Set(cells.filter { !$0.isExact }.compactMap(\.count)).sorted()
        let assumed = cells.contains(where: \.isCountAssumed) ? ", as assumed" : ""
        guard !counts.isEmpty else { return ")" }
        let others = cells.contains { $0.runs == 1 } ? "; other trainings may differ" : ""
        return ", \(counts.map(String.init).joined(separator: " and ")) files\(assumed)\(others))"
    }

    private func difference(_ a: MeasuredCell, _ b: MeasuredCell) -> String {
        let (difference, digits) = (a.mean - b.mean, min(a.digits, b.digits))
        let isLevel = difference.fixed(digits) == (0.0).fixed(digits)
        let relation = isLevel ? "is level with" : difference > 0 ? "lies above" : "lies below"
        return "\(a.text) \(relation) \(b.text) in \(measure), by \(difference.signed(max(a.digits, b.digits)))"
    }
}
