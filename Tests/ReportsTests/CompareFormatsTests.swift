import Foundation
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// How a comparison is written: goldens of every format, hostile names, the width of a terminal, the time it takes.
@Suite struct CompareFormatsTests {
    let scratch: TestFolder
    let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    private func fill(_ names: [String]) throws -> ComparisonReport {
        let study = try StudySample(in: store)
        for (place, name) in names.enumerated() { try study.run(name, level: Double(place) - 0.5) }
        return try ComparisonReport(of: try store.runs().reversed().map(\.id), in: store)
    }

    @Test(arguments: TableFormat.allCases)
    func aFormatIsAsRecorded(format: TableFormat) throws {
        var table = try fill(["base", "[A] with_50%", "=1+1", "<b>&\"x\"|y"]).table
        (table.caption, table.label) = ("Results on both sets", "tab:results")
        let text = table.written(as: format, width: 120)
        #expect(text == table.written(as: format, width: 120))
        try Golden.expect(text, as: "compare.\(format.fileEnding)")
    }

    @Test func fourRunsOnTwoSetsAtTwoNWithFiveMetricsFit120Columns() throws {
        let report = try fill(["baseline", "cfg-p0.1", "cfg-p0.2", "bridge"])
        let lines = report.table.terminal(width: 120).split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
        let drawn = lines.prefix { !$0.hasPrefix("n = ") }
        #expect(drawn.allSatisfy { $0.displayWidth <= 120 }, "\(lines.joined(separator: "\n"))")
        #expect(lines.filter { $0.hasPrefix("cfg-p0.2") }.count == 2, "\(lines.joined(separator: "\n"))")
    }

    @Test func formulasAreGuardedAndNumbersStayNumbers() {
        let table = Table(
            columns: [Table.Column("x")],
            rows: ["=1+1", "+a", "-b", "@c", "\td", "-1.5", "+2", "-1e-3", "-", "-inf"].map { Table.Row([.text($0)]) })
        #expect(table.csv == "x\n'=1+1\n'+a\n'-b\n'@c\n'\td\n-1.5\n+2\n-1e-3\n'-\n-inf\n")
    }

    /// A name cannot end a row, a tag, a comment or a command.
    @Test func hostileNamesAreHarmless() throws {
        let names = ["[A] base", "*star", "x \\\\ y", "100% $x$ #1 _^~{}", "<script>alert(1)</script>", "|a|\\"]
        var table = try fill(names).table
        table.rows[0].cells[0] = .text("a\nb\r\\end{table}")
        #expect(!table.html.contains("<script>") && table.html.contains("&lt;script&gt;"))
        let latex = table.latex
        for line in latex.split(separator: "\n") where line.hasPrefix("[") || line.hasPrefix("*") || line.hasPrefix("(")
        {
            Issue.record("a line begins as an argument does: \(line)")
        }
        #expect(latex.contains("{}[A] base") && !latex.contains("\n\\end{table}\n"))
        let rows = table.markdown.split(separator: "\n").filter { $0.hasPrefix("|") }
        #expect(rows.count == 2 + table.rows.count && !table.markdown.contains(/[^\\]<script/))
        #expect(table.csv.contains("\"a\nb\r\\end{table}\""))
    }

    @Test func aTableTooWideForAPageIsSplitBetweenSets() throws {
        let table = try fill(["a", "b"]).table
        #expect(table.latex.components(separatedBy: "\\begin{tabular}").count == 3)
        #expect(table.latex.contains("SI-SDR [dB] $\\uparrow$") && table.latex.contains("PESQ [MOS] $\\uparrow$"))
    }

    @Test(.enabled(if: LaTeX.isInstalled, "pdflatex is not installed"), arguments: LaTeX.pages)
    func latexCompilesAndFitsItsColumns(page: String) throws {
        var table = try fill(["[A] base", "*star", "x \\\\ y", "100% $x$ #1 _^~{}", "<b>|\"q\""]).table
        (table.caption, table.label) = ("50 % & more", "tab:x y")
        let complaints = try LaTeX.complaints(of: page, table.latex, in: scratch.path)
        #expect(complaints.isEmpty, "\(complaints)")
    }

    /// Below one second; three for machines that are busy.
    @Test func fiftyRunsTakeLessThanASecond() throws {
        let study = try StudySample(in: store, files: 100)
        for run in 0..<50 { try study.run("r\(run)", level: Double(run % 7)) }
        let runs = try store.runs().map(\.id)
        let start = ContinuousClock.now
        let text = try ComparisonReport(of: runs, in: store).table.terminal(width: 120)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        print("a table of 50 runs, 2 sets, 2 N, 5 metrics, 100 files: \(seconds) s")
        #expect(seconds < 3 && text.contains("r49"))
    }
}
