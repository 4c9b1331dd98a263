import Foundation
import Reported
import SpecLanguage
import Testing

/// Tables of papers as declarations.
@Suite struct TableDeclarationTests {
    private static let good = """
        title: "[2]: VoiceBank-DEMAND"
        paper: "[2]"
        sets: [{ reported: VB-DMD, test_set: test, anchors: ../corpora/vb.yaml }]
        columns: [polqa, pesq]
        rows:
          - { label: Noisy, anchor: noisy, known: { pesq: 1.97 ± 0.02 } }
          - { label: MetricGAN+, system: metricgan-plus }
          - { label: ours, spec: ../papers/a.yaml, set: [train.max_steps=1], reported: SGMSE+, N: 30, guidance: 3 }
          - { label: SE-Mamba }

        """

    @Test func rowsSayWhereTheirNumbersComeFrom() throws {
        let table = try TableDeclaration(text: Self.good, file: "experiments/tables/two.yaml")
        #expect(table.name == "two" && table.sets[0].anchorSpec == "experiments/corpora/vb.yaml")
        #expect(
            table.rows.map(\.source) == [
                .anchor("noisy"), .system("metricgan-plus"), .spec("experiments/papers/a.yaml"), .none,
            ])
        #expect(
            table.rows[0].known["pesq"] == ReportedValue(1.97, std: 0.02, digits: 2)
                && table.rows[0].reported == "Noisy")
        #expect(table.rows[2].reported == "SGMSE+" && table.rows[2].steps == 30 && table.rows[2].guidance == 3)
    }

    @Test(arguments: [
        ("columns: [polqa, pesq]\n", "", "the table lacks 'columns'"),
        ("anchor: noisy", "anchor: noisy, spec: a.yaml", "a row comes from one place"),
        ("label: MetricGAN+, ", "", "a row lacks 'label'"),
        ("test_set: test,", "testset: test,", "unknown key 'testset'"),
        ("1.97 ± 0.02", "about 2", "'about 2' is no figure"),
    ])
    func mistakesAreSaidInTheirPlace(old: String, new: String, summary: String) {
        let text = Self.good.replacingOccurrences(of: old, with: new)
        let errors = #expect(throws: SpecErrors.self) { try TableDeclaration(text: text, file: "t.yaml") }
        #expect(errors?.all.contains { $0.summary.contains(summary) } == true, "\(errors?.description ?? "")")
    }

    @Test func aWrongNameIsToldTheNearestOne() {
        let errors = #expect(throws: SpecErrors.self) {
            try TableDeclaration(named: "sgmse-plas", folder: Repository.folder("tables"))
        }
        #expect(errors?.description.contains("did you mean 'sgmse-plus'?") == true, "\(errors?.description ?? "")")
    }

    /// Every row that names a paper's row finds it, so that no cell is empty by a misspelling.
    @Test func theTablesOfTheRepositoryFindWhatTheyReport() throws {
        let library = try ReportedLibrary(folder: Repository.folder("reported"))
        let tables = try TableDeclaration.all(folder: Repository.folder("tables"))
        #expect(tables.count >= 8)
        for table in tables {
            for row in table.rows {
                guard let reported = row.reported else { continue }
                let found = table.sets.contains {
                    library.figures(
                        of: reported, in: row.paper ?? table.paper, set: $0.reported, conditions: row.conditions) != nil
                }
                #expect(found, "\(row.place): \(reported)")
            }
            for case .spec(let path) in table.rows.map(\.source) {
                #expect(FileManager.default.fileExists(atPath: path), "\(path)")
            }
        }
    }
}
