public import JSONValues
public import Reported
import Reports
public import Runs

/// The verdict on every hypothesis of an investigation, and what is still to be measured.
public struct InvestigationReport: Sendable {
    /// The file that was read.
    public let investigation: Investigation
    /// One for each hypothesis, in the order of the file.
    public let findings: [Finding]

    /// One hypothesis with what its tests say.
    public struct Finding: Sendable {
        /// The claim with its tests.
        public var hypothesis: Hypothesis
        /// What all answers say together.
        public var verdict: Verdict
        /// One for each test of the hypothesis.
        public var answers: [TestAnswer]
        /// What would decide it, or confirm it.
        public var measurements: [MissingMeasurement]
    }

    /// One command, with the hypotheses that it serves.
    public struct Step: Hashable, Sendable {
        /// What is measured, and by which command.
        public var measurement: MissingMeasurement
        /// Their names.
        public var hypotheses: [String]
        /// How many of them are open.
        public var open: Int
    }

    /// - Parameter store: nil where there is none yet.
    public init(of investigation: Investigation, reporting library: ReportedLibrary, from store: RunStore?)
        throws(StoreError)
    {
        self.init(of: investigation, in: try CellLookup(investigation, reporting: library, from: store))
    }

    init(of investigation: Investigation, in lookup: CellLookup) {
        self.investigation = investigation
        findings = investigation.hypotheses.map { hypothesis in
            let answers = hypothesis.tests.map { $0.answer(in: lookup) }
            let verdict = Verdict(answers)
            let isDecided = verdict.isDecided && answers.allSatisfy { $0.outcome != .missing }
            return Finding(
                hypothesis: hypothesis, verdict: verdict, answers: answers,
                measurements: answers.flatMap(\.measurements) + (isDecided ? [] : hypothesis.measurements))
        }
    }

    /// What is to be measured: the cheapest kind of work first, and of one kind what serves most open hypotheses.
    public var steps: [Step] {
        var (order, steps): ([String], [String: Step]) = ([], [:])
        for finding in findings {
            for measurement in finding.measurements {
                if steps[measurement.command] == nil {
                    order.append(measurement.command)
                    steps[measurement.command] = Step(measurement: measurement, hypotheses: [], open: 0)
                }
                guard steps[measurement.command]?.hypotheses.last != finding.hypothesis.id else { continue }
                steps[measurement.command]?.hypotheses.append(finding.hypothesis.id)
                if !finding.verdict.isDecided { steps[measurement.command]?.open += 1 }
            }
        }
        return order.enumerated().compactMap { place, command in steps[command].map { (place, $0) } }
            .sorted { ($0.1.measurement.work, -$0.1.open, $0.0) < ($1.1.measurement.work, -$1.1.open, $1.0) }.map(\.1)
    }
}

extension InvestigationReport.Finding {
    /// The places of an answer's cells, with the lines of one file together.
    static func shown(_ places: [String]) -> String {
        var (order, lines): ([String], [String: [String]]) = ([], [:])
        for place in places.unique {
            let parts = place.split(separator: ":").map(String.init)
            let isMark = parts.count == 3 && Int(parts[1]) != nil
            let file = isMark ? parts[0] : place
            if lines[file] == nil { order.append(file) }
            lines[file, default: []] += isMark ? [parts[1]] : []
        }
        return order.map {
            ([$0] + [lines[$0] ?? []].filter { !$0.isEmpty }.map { $0.joined(separator: ", ") }).joined(separator: ":")
        }
        .joined(separator: "; ")
    }
}

extension InvestigationReport {
    /// The report as plain text, a paragraph for each hypothesis.
    public var text: String {
        var lines = [investigation.title, ""]
        let width = findings.map { $0.hypothesis.id.count }.max() ?? 1
        for finding in findings {
            let id = finding.hypothesis.id.padding(to: width)
            lines.append("\(id)  \(finding.verdict.rawValue.uppercased()): \(finding.hypothesis.claim)")
            let indent = String(repeating: " ", count: width + 2)
            for answer in finding.answers {
                lines.append(indent + answer.sentence)
                if !answer.places.isEmpty { lines.append(indent + "  [" + Finding.shown(answer.places) + "]") }
            }
            lines.append("")
        }
        lines += [conclusion, ""] + stepLines
        return lines.joined(separator: "\n") + "\n"
    }

    /// Which hypotheses are supported, refuted and open, by their names.
    public var conclusion: String {
        func names(_ verdict: Verdict) -> String {
            findings.filter { $0.verdict == verdict }.map(\.hypothesis.id).joined(separator: ", ")
        }
        let found = names(.supported)
        let rest = Verdict.allCases.filter { $0 != .supported && !names($0).isEmpty }.map {
            "\($0.rawValue): \(names($0))"
        }
        return ([found.isEmpty ? "nothing is supported" : "supported: \(found)"] + rest).joined(separator: "; ")
    }

    private var stepLines: [String] {
        let steps = steps
        guard !steps.isEmpty else {
            let isOpen = findings.contains { $0.answers.contains { $0.outcome == .missing } }
            return [isOpen ? "no command is declared that measures what is missing" : "nothing is missing"]
        }
        return ["what is missing, the cheapest and most decisive first:"]
            + steps.enumerated().map { place, step in
                """
                  \(place + 1). \(step.measurement.what) (\(step.hypotheses.joined(separator: ", ")); \
                \(step.measurement.work.rawValue))\n     \(step.measurement.command)
                """
            }
    }

    /// Every hypothesis with its evidence, and the steps that are missing.
    public var json: JSON {
        [
            "investigation": .string(investigation.name), "title": .string(investigation.title),
            "hypotheses": .array(findings.map(\.json)), "conclusion": .string(conclusion),
            "missing": .array(
                steps.map {
                    [
                        "what": .string($0.measurement.what), "work": .string($0.measurement.work.rawValue),
                        "command": .string($0.measurement.command),
                        "hypotheses": .array($0.hypotheses.map(JSON.string)),
                    ]
                }),
        ]
    }
}

extension InvestigationReport.Finding {
    fileprivate var json: JSON {
        [
            "id": .string(hypothesis.id), "claim": .string(hypothesis.claim), "verdict": .string(verdict.rawValue),
            "evidence": .array(answers.map(\.json)),
        ]
    }
}

extension TestAnswer {
    fileprivate var json: JSON {
        let (name, needed): (String, String?) =
            switch outcome {
            case .holds: ("holds", nil)
            case .fails: ("fails", nil)
            case .undecided(let needed): ("undecided", needed)
            case .missing: ("missing", nil)
            }
        return [
            "outcome": .string(name), "needed": JSON(needed), "sentence": .string(sentence),
            "cells": .array(places.unique.map(JSON.string)), "difference": difference.map(JSON.number) ?? .null,
            "low": interval.map { .number($0.lowerBound) } ?? .null,
            "high": interval.map { .number($0.upperBound) } ?? .null,
        ]
    }
}

extension Array where Element: Hashable {
    /// Each element once, in order.
    var unique: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

extension String {
    func padding(to width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
}
