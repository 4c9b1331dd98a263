import Foundation
import Investigations
import Reported
import Reports
import SpecLanguage
import Testing

/// Declarations over other figures than the study's.
@Suite struct DeclarationTests {
    /// A library of one paper, with a row for each of `values`.
    static func library(_ rows: [String]) throws -> ReportedLibrary {
        let text = "paper: a\nmark: V\nsource: page 1\nset: s\nfigures:\n" + rows.map { "  - { \($0) }\n" }.joined()
        return ReportedLibrary([try ReportedFile(text: text, file: "a.yaml")])
    }

    static func report(_ tests: String, of names: [String], _ library: ReportedLibrary) throws -> InvestigationReport {
        let cells = names.map { "  \($0): { paper: a, system: \($0), set: s }\n" }.joined()
        let text =
            "title: t\nmetric: pesq\ncells:\n\(cells)hypotheses:\n  - id: H\n    claim: c\n    tests: [\(tests)]\n"
        let investigation = try Investigation(text: text, file: "t.yaml")
        return try InvestigationReport(of: investigation, reporting: library, from: nil)
    }

    @Test(arguments: [(3.0, Verdict.supported), (2.3, .inconclusive), (2.0, .refuted)])
    func aDifferenceOverFilesIsSupportedRefutedOrNeither(mean: Double, verdict: Verdict) throws {
        let library = try Self.library([
            "system: x, n: 100, values: { pesq: \(mean) ± 1.0 }", "system: y, n: 100, values: { pesq: 2.0 ± 1.0 }",
        ])
        let report = try Self.report("{ above: [x, y], effect: 0.3, over: files }", of: ["x", "y"], library)
        #expect(report.findings[0].verdict == verdict, "\(report.text)")
    }

    @Test func oneRunAgainstTheSpreadOfTwoTrainingsDoesNotDecide() throws {
        let made = "settings: { p: 1 }"
        let library = try Self.library([
            "system: x, n: 1000, values: { pesq: 3.0 ± 0.1 }, settings: { p: 2 }",
            "system: y, n: 1000, values: { pesq: 2.0 ± 0.1 }, \(made)",
            "system: again, n: 1000, values: { pesq: 2.8 ± 0.1 }, \(made)",
        ])
        let report = try Self.report("{ above: [x, y], effect: 0.3 }", of: ["x", "y"], library)
        #expect(report.findings[0].verdict == .inconclusive)
        guard case .undecided(let needed?) = report.findings[0].answers[0].outcome else { throw Missing() }
        #expect(needed.hasSuffix("trainings of each"))
        let close = try Self.library([
            "system: x, n: 1000, values: { pesq: 3.0 ± 0.1 }, settings: { p: 2 }",
            "system: y, n: 1000, values: { pesq: 2.0 ± 0.1 }, \(made)",
            "system: again, n: 1000, values: { pesq: 2.01 ± 0.1 }, \(made)",
        ])
        #expect(
            try Self.report("{ above: [x, y], effect: 0.3 }", of: ["x", "y"], close).findings[0].verdict == .supported)
    }

    private struct Missing: Error {}

    @Test func withoutTwoTrainingsOfOneConfigurationNothingIsSaidOfSeeds() throws {
        let library = try Self.library([
            "system: x, n: 9, values: { pesq: 3.0 ± 0.1 }", "system: y, n: 9, values: { pesq: 2.0 ± 0.1 }",
        ])
        let report = try Self.report("{ above: [x, y], effect: 0.3 }", of: ["x", "y"], library)
        #expect(report.findings[0].verdict == .inconclusive)
        #expect(report.text.contains("no configuration here was trained twice"))
    }

    @Test func withoutFiguresAHypothesisIsMissing() throws {
        let library = try Self.library(["system: x, values: { estoi: 0.9 }"])
        let report = try Self.report("{ above: [x, x], over: files }", of: ["x"], library)
        #expect(report.findings[0].verdict == .missing)
        #expect(report.text.contains("reports no pesq"))
    }

    @Test func contradictingTestsAreInconclusive() throws {
        let library = try Self.library([
            "system: x, n: 100, values: { pesq: 3.0 ± 0.1 }", "system: y, n: 100, values: { pesq: 2.0 ± 0.1 }",
        ])
        let report = try Self.report(
            "{ above: [x, y], over: files }, { above: [y, x], over: files }", of: ["x", "y"], library)
        #expect(report.findings[0].verdict == .inconclusive)
    }

    @Test func settingsTellWhatElseDiffers() throws {
        let library = try Self.library([
            "system: x, values: { pesq: 3 }, settings: { net: a, data.rate: 16 }",
            "system: y, values: { pesq: 2 }, settings: { net: b, data.rate: 48 }",
        ])
        let alone = try Self.report("{ differ_only: { cells: [x, y], in: [data, net] } }", of: ["x", "y"], library)
        #expect(alone.findings[0].verdict == .supported)
        let more = try Self.report("{ differ_only: { cells: [x, y], in: [data] } }", of: ["x", "y"], library)
        #expect(more.findings[0].verdict == .refuted)
        #expect(more.text.contains("net (a against b)"))
    }

    @Test func aCollapsedRunIsOneBelowBothItsNeighbours() throws {
        func rows(_ middle: Double) -> [String] {
            [2.0, middle, 2.1].enumerated().map {
                "system: \("xyz".map(String.init)[$0]), n: 50, values: { pesq: \($1) ± 0.3 }, settings: { p: \($0) }"
            }
        }
        let test = "{ collapsed: { rows: [x, y, z], over: p }, effect: 0.3 }"
        let report = try Self.report(test, of: ["x", "y", "z"], try Self.library(rows(1.1)))
        #expect(report.findings[0].verdict == .supported)
        #expect(
            report.text.contains(
                """
                a run over p collapsed among good neighbours in PESQ: y (1.1, one run) between x (2.0, one run) and z \
                (2.1, one run)
                """
            ), "\(report.text)")
        for good in [1.8, 2.05, 2.5] {
            #expect(
                try Self.report(test, of: ["x", "y", "z"], try Self.library(rows(good))).findings[0].verdict == .refuted
            )
        }
    }

    @Test func aSystemBelowItsInputIsFoundAndOneAboveItIsNot() throws {
        let library = try Self.library([
            "system: input, n: 100, values: { pesq: 2.0 ± 0.5 }", "system: low, n: 100, values: { pesq: 1.7 ± 0.5 }",
            "system: near, n: 100, values: { pesq: 1.98 ± 0.5 }", "system: high, n: 100, values: { pesq: 2.6 ± 0.5 }",
        ])
        for (name, verdict) in [("low", Verdict.supported), ("near", .inconclusive), ("high", .refuted)] {
            let report = try Self.report(
                "{ below_input: { rows: [\(name)], input: input } }", of: ["input", name], library)
            #expect(report.findings[0].verdict == verdict, "\(report.text)")
        }
    }

    @Test func mistakesOfADeclarationAreToldInOnePass() throws {
        let text = """
            title: t
            cells: { x: { paper: a, system: x } }
            hypotheses:
              - { id: A, claim: c, tests: [{ above: [x, z], metric: pesq }, { over: files }, { equal: [x], metric: \
            pesq }] }
              - { id: A, claim: c, tests: [{ above: [x, x], metric: pesq, over: nights }] }
            """
        let errors = #expect(throws: SpecErrors.self) { try Investigation(text: text, file: "t.yaml") }
        let summaries = errors?.all.map(\.summary).joined(separator: "\n") ?? ""
        for wanted in [
            "lacks 'set'", "unknown cell 'z'", "asks none", "names 2 cells, and this names 1", "unknown over 'nights'",
            "two hypotheses are called 'A'",
        ] {
            #expect(summaries.contains(wanted), "\(wanted) in\n\(summaries)")
        }
    }

    @Test func aHundredHypothesesTakeLessThanASecond() throws {
        let rows = (0..<200).map {
            "system: s\($0), n: 100, values: { pesq: \(2 + Double($0 % 7) / 10) ± 0.5 }, settings: { p: \($0 / 2) }"
        }
        let library = try Self.library(rows)
        let cells = (0..<200).map { "  s\($0): { paper: a, system: s\($0), set: s }\n" }.joined()
        let hypotheses = (0..<100).map {
            "  - { id: H\($0), claim: c, tests: [{ above: [s\($0), s\($0 + 100)], effect: 0.2 }] }\n"
        }.joined()
        let investigation = try Investigation(
            text: "title: t\nmetric: pesq\ncells:\n\(cells)hypotheses:\n\(hypotheses)", file: "t.yaml")
        let clock = ContinuousClock()
        var report: InvestigationReport?
        let time = try clock.measure {
            report = try InvestigationReport(of: investigation, reporting: library, from: nil)
        }
        #expect(report?.findings.count == 100)
        #expect(time < .seconds(1), "\(time)")
    }
}
