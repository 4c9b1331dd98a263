import Reported
import SpecLanguage

/// Reads the list `hypotheses`.
struct HypothesisReader {
    let cells: [String: CellSource]
    /// The names of the cells of each group, which rows may name as one.
    let groups: [String: [String]]
    let defaults: TestDefaults

    func hypothesis(_ node: SpecNode, _ errors: inout [SpecError]) -> Hypothesis? {
        var section = SectionReader(node, "a hypothesis", errors: [])
        let (id, claim) = (section.text("id"), section.text("claim"))
        let (tests, measurements) = (section.optionalList("tests") ?? [], section.optionalList("needs") ?? [])
        section.finish()
        errors += section.errors
        let readTests = tests.compactMap { test($0, &errors) }
        let readMeasurements = measurements.compactMap { measurement($0, &errors) }
        guard let id, let claim else { return nil }
        if tests.isEmpty, measurements.isEmpty {
            errors.append(SpecError("missing-value", at: node.mark, "hypothesis '\(id)' has neither tests nor needs"))
        }
        return Hypothesis(id: id, claim: claim, tests: readTests, measurements: readMeasurements, place: node.mark)
    }

    private func measurement(_ node: SpecNode, _ errors: inout [SpecError]) -> MissingMeasurement? {
        var section = SectionReader(node, "a need", errors: [])
        let (what, work, command) = (
            section.text("what"), section.choice("work", MissingMeasurement.Work.self), section.text("command")
        )
        if work == nil, section.errors.isEmpty { _ = section.missing("work") }
        section.finish()
        errors += section.errors
        guard let what, let work, let command else { return nil }
        return MissingMeasurement(what: what, work: work, command: command)
    }

    private func test(_ node: SpecNode, _ errors: inout [SpecError]) -> EvidenceTest? {
        var section = SectionReader(node, "a test", errors: [])
        let questions = Self.kinds.compactMap { section.question($0, groups) }
        if questions.count != 1, section.errors.isEmpty {
            section.fail(
                "contradiction", at: "",
                "a test asks one question, and this asks \(questions.isEmpty ? "none" : "\(questions.count)")",
                hint: "one of \(Self.kinds.joined(separator: ", "))")
        }
        let metric = section.optionalText("metric") ?? defaults.metric
        let effect = section.optionalNumber("effect")
        let (alpha, scope) = (section.level("alpha"), section.choice("over", EvidenceTest.Scope.self))
        let gap = section.texts("share_of")
        let (holds, fails) = (
            section.choice("holds", EvidenceTest.Meaning.self), section.choice("fails", EvidenceTest.Meaning.self)
        )
        section.finish()
        var mistakes = section.errors
        guard let question = questions.first, mistakes.isEmpty else {
            errors += mistakes
            return nil
        }
        let test = EvidenceTest(
            question, metric: metric ?? "", effect: effect ?? 0, alpha: alpha ?? defaults.alpha, scope: scope ?? .seeds,
            gap: gap,
            whenHolds: holds ?? .supports, whenFails: fails ?? .refutes, place: node.mark)
        if test.comparesScores, metric == nil {
            mistakes.append(SpecError("missing-value", at: node.mark, "a test lacks 'metric'"))
        }
        if effect.map({ $0 < 0 }) ?? false {
            mistakes.append(SpecError("range", at: node.mark, "'effect' is the size of a difference, 0 or more"))
        }
        if !gap.isEmpty, gap.count != 2 {
            mistakes.append(SpecError("type", at: node.mark, "'share_of' names two cells, and this names \(gap.count)"))
        }
        for name in test.cells where cells[name] == nil {
            mistakes.append(SpecError.unknown("cell", name, known: cells.keys.sorted(), at: node.mark))
        }
        errors += mistakes
        return mistakes.isEmpty ? test : nil
    }

    static let kinds = [
        "above", "below", "equal", "interaction", "below_input", "collapsed", "collapsed_seed", "differ_only", "less",
        "recorded", "finding", "probe",
    ]
}

extension SectionReader {
    /// The question of a kind; nil where the section has no such key.
    fileprivate mutating func question(_ kind: String, _ groups: [String: [String]]) -> EvidenceTest.Question? {
        guard let node = optionalNode(kind) else { return nil }
        switch kind {
        case "above": return names(of: node, kind, 2).map { .above(first: $0[0], second: $0[1]) }
        case "below": return names(of: node, kind, 2).map { .above(first: $0[1], second: $0[0]) }
        case "equal": return names(of: node, kind, 2).map { .equal(first: $0[0], second: $0[1]) }
        case "interaction": return names(of: node, kind, 4).map { .interaction(a: $0[0], b: $0[1], c: $0[2], d: $0[3]) }
        default: break
        }
        var inner = SectionReader(node, "'\(kind)'", errors: [])
        let question: EvidenceTest.Question?
        switch kind {
        case "below_input":
            let (rows, input) = (inner.texts("rows").flatMap { groups[$0] ?? [$0] }, inner.text("input"))
            question = input.map { .belowInput(rows: rows, input: $0) }
        case "collapsed":
            let (rows, path) = (inner.texts("rows").flatMap { groups[$0] ?? [$0] }, inner.text("over"))
            question = path.map { .collapsed(rows: rows, path: $0) }
        case "collapsed_seed":
            let names = inner.texts("cells").flatMap { groups[$0] ?? [$0] }
            if names.isEmpty {
                inner.fail("missing-value", at: "cells", "'cells' names the cells whose trainings are compared")
            }
            question = .collapsedSeed(cells: names)
        case "differ_only":
            let (names, paths) = (inner.texts("cells"), inner.texts("in"))
            if names.count != 2 {
                inner.fail("type", at: "cells", "'cells' names two cells, and this names \(names.count)")
            }
            question = names.count == 2 ? .differOnly(first: names[0], second: names[1], paths: paths) : nil
        case "less":
            let (names, path) = (inner.texts("cells"), inner.text("path"))
            if names.count != 2 {
                inner.fail("type", at: "cells", "'cells' names two cells, and this names \(names.count)")
            }
            question =
                if let path, names.count == 2 { .less(first: names[0], second: names[1], path: path) } else { nil }
        case "recorded":
            let (cell, path, value) = (inner.text("cell"), inner.text("path"), inner.text("value"))
            question = if let cell, let path, let value { .recorded(cell: cell, path: path, value: value) } else { nil }
        case "finding":
            let (cell, gate) = (inner.text("cell"), inner.text("gate"))
            question = if let cell, let gate { .finding(cell: cell, gate: gate) } else { nil }
        default:
            let (cell, value) = (inner.text("cell"), inner.text("value"))
            let (below, above) = (inner.optionalNumber("below"), inner.optionalNumber("above"))
            if below == nil, above == nil {
                inner.fail("missing-value", at: "value", "'probe' needs 'below' or 'above'")
            }
            question =
                if let cell, let value { .probe(cell: cell, value: value, below: below, above: above) } else { nil }
        }
        inner.finish()
        for error in inner.errors { fail(error.code, at: kind, error.summary, hint: error.hint) }
        return inner.errors.isEmpty ? question : nil
    }

    private mutating func names(of node: SpecNode, _ key: String, _ count: Int) -> [String]? {
        let names = (node.elements ?? []).compactMap(\.text)
        guard names.count == count else {
            fail("type", at: key, "'\(key)' names \(count) cells, and this names \(names.count)")
            return nil
        }
        return names
    }
}
