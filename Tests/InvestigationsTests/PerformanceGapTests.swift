import Foundation
import Investigations
import Reported
import Reports
import Runs
import Testing

/// The investigation that the repository declares, from reported figures alone.
@Suite struct PerformanceGapTests {
    let report: InvestigationReport

    init() throws {
        let experiments = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../experiments")
            .standardized.path
        let investigation = try Investigation(named: "performance-gap", folder: experiments + "/investigations")
        report = try InvestigationReport(
            of: investigation, reporting: try ReportedLibrary(folder: experiments + "/reported"), from: nil)
    }

    private func finding(_ id: String) throws -> InvestigationReport.Finding {
        try #require(report.findings.first { $0.hypothesis.id == id })
    }

    @Test(arguments: [
        ("J", Verdict.supported), ("A", .refuted), ("F", .supported), ("K", .supported), ("H", .refuted),
        ("G", .refuted),
        ("C", .inconclusive), ("P", .supported), ("I", .supported), ("B", .missing), ("D", .missing), ("E", .missing),
    ])
    func figuresAloneGiveTheVerdictOnDayOne(id: String, verdict: Verdict) throws {
        #expect(try finding(id).verdict == verdict)
    }

    @Test(arguments: [
        ("J", "the scaled baseline (1.88, one run) lies below the unprocessed input (1.97) in PESQ"),
        ("J", "11 of 14 rows lie below"),
        ("A", "the published checkpoint in the study's pipeline (2.91, one run)"),
        ("A", "0.02 of the 1.05 between"),
        ("C", "by +1.4"),
        ("C", "differ by up to 1.00"),
        ("C", "There is no reversal to explain yet"),
        ("P", "'PoC, p 0.05' (1.07, one run) between"),
        ("P", "'PoC, p 0.25' (1.07, one run) between"),
        ("I", "backbone (ncsnpp against ncsnpp_v2_cond)"),
    ])
    func sentencesAreMadeOfTheCells(id: String, words: String) throws {
        let sentences = try finding(id).answers.map(\.sentence)
        #expect(sentences.contains { $0.contains(words) }, "\(sentences)")
    }

    @Test func everySentenceNamesTheCellsItStandsOn() {
        for answer in report.findings.flatMap(\.answers) where answer.outcome != .missing {
            #expect(answer.places.contains { $0.contains("experiments/reported") }, "\(answer.sentence)")
        }
    }

    @Test func whatIsMissingComesWithCommandsTheCheapestFirst() {
        let steps = report.steps
        #expect(steps.map(\.measurement.work) == steps.map(\.measurement.work).sorted())
        #expect(steps.first?.measurement.command.hasPrefix("sgmse check") == true)
        for wanted in [
            "evaluate.N=[30, 50]", "evaluate.guidance=[0, 1]", "zero, mismatched", "baseline-scaled.yaml && sgmse run",
        ] {
            #expect(steps.contains { $0.measurement.command.contains(wanted) }, "\(wanted)")
        }
    }
}
