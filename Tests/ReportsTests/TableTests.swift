import Foundation
import JSONValues
import Reports
import Testing

@Suite struct TableTests {
    private let table = Table(
        title: "two, \"three\"",
        columns: [
            Table.Column("system", alignment: .leading, isKey: true),
            Table.Column("pesq", groups: ["test", "N = 30"]),
            Table.Column("si_sdr", groups: ["test", "N = 30"], unit: "dB"),
            Table.Column("pesq", groups: ["test", "N = 50"]),
        ],
        rows: [
            Table.Row(
                [.text("noisy"), .statistic(Statistic([1, 2]), digits: 2), .empty, .number(-0.004, digits: 2)],
                section: "anchors"),
            Table.Row(
                [.text("語 é|&_"), .statistic(Statistic([3]), digits: 2, marks: .belowAnchor), .integer(7), .empty],
                section: "runs"),
        ], notes: ["a note"])

    @Test func theTerminalTableIsAlignedUnderItsHeadings() {
        #expect(
            table.terminal() == """
                two, "three"

                                         test
                         ─────────────────────────────────────
                                    N = 30              N = 50
                         ─────────────────────────────  ──────
                system               pesq  si_sdr [dB]    pesq
                ──────────────────────────────────────────────
                noisy    1.50 ± 0.50 (2)                  0.00
                ──────────────────────────────────────────────
                語 é|&_         3.00 (1)▼            7

                a note

                """)
    }

    @Test func aWideTableIsBrokenBetweenColumnsAndKeepsItsKeys() {
        let lines = table.terminal(width: 30).split(separator: "\n")
        #expect(lines.allSatisfy { String($0).displayWidth <= 30 })
        #expect(lines.filter { $0.hasPrefix("noisy") }.count == 2)
    }

    @Test func signsWithAMeaningAreWrittenOut() {
        #expect(table.markdown.contains("| 語 é\\|&_ | 3.00 (1)▼ | 7 |  |"))
        #expect(table.latex.contains("語 é$|$\\&\\_ & $3.00^{\\downarrow}$ (1) & 7 &  \\\\"))
        #expect(table.latex.contains("\\multicolumn{3}{c}{test}"))
        #expect(table.latex.contains("\\cmidrule(lr){2-3} \\cmidrule(lr){4-4}"))
    }

    @Test func csvKeepsFullPrecisionAndQuotesWhatItMust() {
        let table = Table(
            columns: [Table.Column("a,b"), Table.Column("x")],
            rows: [Table.Row([.text("say \"no\""), .statistic(Statistic([1.0 / 3, .infinity, .nan]), digits: 1)])])
        let lines = table.csv.split(separator: "\n")
        #expect(lines[0] == "\"a,b\",x/mean,x/std,x/n,x/plus_infinite,x/minus_infinite,x/missing,x/below_anchor")
        #expect(lines[1] == "\"say \"\"no\"\"\",0.3333333333333333,,1,1,0,1,false")
    }

    @Test func theDocumentIsJSON() throws {
        let document = try JSONSerialization.jsonObject(with: Data(table.json.text.utf8)) as? [String: Any]
        #expect(document?["title"] as? String == "two, \"three\"")
        #expect((document?["rows"] as? [Any])?.count == 2)
    }

    @Test(arguments: [
        (2.345, 1, "2.3"), (-0.04, 1, "0.0"), (0.05, 0, "0"), (-1.25, 1, "-1.2"), (99.999, 2, "100.00"),
        (.infinity, 1, "∞"), (.nan, 1, "–"), (12.0, 3, "12.000"),
    ])
    func numbersAreRounded(value: Double, digits: Int, text: String) {
        #expect(Table.Cell.number(value, digits: digits).text == text)
    }

    @Test(arguments: [("abc", 3), ("é", 1), ("e\u{301}", 1), ("語", 2), ("▼", 1), ("±", 1), ("👍🏽", 2), ("", 0)])
    func widthIsWhatATerminalShows(text: String, width: Int) {
        #expect(text.displayWidth == width)
    }
}

@Suite struct StatisticTests {
    @Test func theSpreadIsThePopulations() {
        let one = Statistic([2.0, 4, 4, 4, 5, 5, 7, 9])
        #expect(one.mean == 5 && abs(one.std - 2) < 1e-15 && one.n == 8)
    }

    /// Adding a constant moves the mean alone, even one that swamps the spread.
    @Test func aLargeOffsetLeavesTheSpreadAlone() {
        let values = (0..<1000).map { Double($0 % 7) }
        let (near, far) = (Statistic(values), Statistic(values.map { $0 + 1e9 }))
        #expect(abs(near.std - far.std) < 1e-6 && abs(far.mean - 1e9 - near.mean) < 1e-6)
    }

    @Test func nothingHasNoMean() {
        let one = Statistic([.nan, .infinity, -.infinity])
        #expect(one.mean.isNaN && one.n == 0 && one.missing == 1)
        #expect(one.positiveInfinities == 1 && one.negativeInfinities == 1)
    }
}
