import Reports
import Runs

/// Questions about how cells were made.
extension EvidenceTest {
    func differOnly(_ first: String, _ second: String, _ paths: [String], _ lookup: CellLookup) throws(AbsentCell)
        -> TestAnswer
    {
        let (a, b) = (lookup.settings(first), lookup.settings(second))
        for (name, settings) in [(first, a), (second, b)] where settings.isEmpty {
            throw AbsentCell(label: lookup.label(name), reason: "how it was made is not recorded")
        }
        let others = SettingDifferences(a, b).outside(paths)
        let asked = paths.joined(separator: " and ")
        let pair = "\(lookup.label(first)) and \(lookup.label(second))"
        guard !others.isEmpty else {
            return answer(.holds, "\(pair) differ in \(asked) alone.", [first, second], lookup)
        }
        let list = others.map(\.text).joined(separator: ", ")
        return answer(
            .fails,
            """
            \(pair) differ not in \(asked) alone, but in \(list) as well: their scores do not show which of these \
            matters.
            """,
            [first, second], lookup)
    }

    func less(
        _ first: String, _ second: String, _ path: String, _ lookup: CellLookup
    ) throws(AbsentCell) -> TestAnswer {
        var values: [Double] = []
        for name in [first, second] {
            guard let value = lookup.settings(name)[path].flatMap(Double.init) else {
                throw AbsentCell(label: lookup.label(name), reason: "'\(path)' is not recorded as a number")
            }
            values.append(value)
        }
        let (a, b) = (values[0], values[1])
        let relation = a == b ? "as much as" : a < b ? "less than" : "more than"
        return answer(
            a < b ? .holds : .fails,
            """
            \(path) of \(lookup.label(first)) is \(SettingNumber.text(a)), \(relation) the \(SettingNumber.text(b)) of \
            \(lookup.label(second)).
            """,
            [first, second], lookup)
    }

    func recorded(
        _ name: String, _ path: String, _ value: String, _ lookup: CellLookup
    ) throws(AbsentCell) -> TestAnswer {
        guard let found = lookup.settings(name)[path] else {
            throw AbsentCell(label: lookup.label(name), reason: "'\(path)' is not recorded")
        }
        let sentence = "of \(lookup.label(name)), \(path) is recorded as '\(found)'"
        return answer(
            found == value ? .holds : .fails, sentence + (found == value ? "." : ", not '\(value)'."), [name], lookup)
    }

    func finding(_ name: String, _ gate: String, _ lookup: CellLookup) throws(AbsentCell) -> TestAnswer {
        guard let stored = lookup.stored(name) else {
            throw AbsentCell(label: lookup.label(name), reason: "checks are known of runs alone")
        }
        guard let findings = lookup.storedScores?.findings(of: stored) else {
            throw AbsentCell(stored, lookup.label(name), "the store has no run '\(stored.run)'")
        }
        let found = findings.filter { $0.gate == gate && $0.severity != .note }
        guard let first = found.first else {
            return answer(.fails, "the check '\(gate)' found nothing in \(lookup.label(name)).", [name], lookup)
        }
        return answer(
            .holds, "the check '\(gate)' found this in \(lookup.label(name)): \(first.subject): \(first.message).",
            [name], lookup)
    }

    func probe(
        _ name: String, _ value: String, _ below: Double?, _ above: Double?, _ lookup: CellLookup
    ) throws(AbsentCell) -> TestAnswer {
        guard let stored = lookup.stored(name) else {
            throw AbsentCell(label: lookup.label(name), reason: "only runs can be probed")
        }
        guard let found = lookup.storedScores?.probed(value, of: stored) else {
            throw AbsentCell(
                label: lookup.label(name), reason: "'\(value)' was not probed",
                measurement: MissingMeasurement(
                    what: "\(value) of \(lookup.label(name))", work: .probe, command: "sgmse probe \(stored.run)"))
        }
        let holds = (below.map { found < $0 } ?? true) && (above.map { found > $0 } ?? true)
        let bounds = [below.map { "below \($0)" }, above.map { "above \($0)" }].compactMap(\.self).joined(
            separator: " and ")
        return answer(
            holds ? .holds : .fails,
            "\(value) of \(lookup.label(name)) is \(found.fixed(4)), \(holds ? "" : "not ")\(bounds).", [name], lookup)
    }
}

/// Numbers among settings, as people write them.
private enum SettingNumber {
    static func text(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
