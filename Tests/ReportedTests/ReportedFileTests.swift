import Foundation
import Reported
import SpecLanguage
import Testing

/// What papers report, read from files.
@Suite struct ReportedFileTests {
    private static let good = """
        paper: "[2]"
        mark: V
        source: the page
        set: VB-DMD
        figures:
          - system: SGMSE+
            n: 824
            values: { pesq: 2.93 ± 0.62, si_sdr: 17.3 }
          - { system: Noisy, set: OOD, N: 30, conditions: w = 3, mark: C, source: elsewhere, values: { si_sdr: -0.6 } }

        """

    @Test func valuesKeepTheirSpreadAndTheirDecimals() throws {
        let file = try ReportedFile(text: Self.good, file: "a.yaml")
        let (first, second) = (file.figures[0], file.figures[1])
        #expect(first.values["pesq"] == ReportedValue(2.93, std: 0.62, digits: 2))
        #expect(first.values["si_sdr"] == ReportedValue(17.3, digits: 1) && first.values["estoi"] == nil)
        #expect(first.set == "VB-DMD" && first.mark == .verified && first.source == "the page" && first.count == 824)
        #expect(second.set == "OOD" && second.mark == .computed && second.source == "elsewhere" && second.steps == 30)
        #expect(second.conditions == "w = 3" && second.values["si_sdr"]?.value == -0.6 && second.paper == "[2]")
    }

    @Test(arguments: [
        ("mark: V\n", "mark: R\n", "a.yaml:2:7", "a figure that was only recalled is not reported as a fact"),
        ("2.93 ± 0.62", "2.93 ± ", "a.yaml:8:21", "is no figure"),
        ("2.93 ± 0.62", "nan", "a.yaml:8:21", "'nan' is no figure"),
        ("2.93 ± 0.62", "0x1p3", "a.yaml:8:21", "'0x1p3' is no figure"),
        ("n: 824", "n: -1", "a.yaml:7:8", "'n' is a whole number above 0, and this is '-1'"),
        ("source: the page\n", "", "a.yaml:5:5", "a figure lacks 'source'"),
        ("values: { pesq", "valeus: { pesq", "a.yaml:8:5", "unknown key 'valeus'"),
        ("figures:", "figure:", "a.yaml:5:1", "unknown key 'figure'"),
    ])
    func mistakesAreSaidInTheirPlace(old: String, new: String, place: String, summary: String) throws {
        let text = Self.good.replacingOccurrences(of: old, with: new)
        let errors = #expect(throws: SpecErrors.self) { try ReportedFile(text: text, file: "a.yaml") }
        let lines = errors?.all.map(\.description) ?? []
        #expect(lines.contains { $0.hasPrefix(place) && $0.contains(summary) }, "\(lines)")
    }

    @Test func anEmptyFileSaysWhatItLacks() {
        let errors = #expect(throws: SpecErrors.self) { try ReportedFile(text: "", file: "a.yaml") }
        #expect(errors?.all.map(\.summary) == ["the file lacks 'paper'", "the file lacks 'figures'"])
    }

    @Test func oneFigureWithTwoValuesIsFound() throws {
        func library(_ value: String, conditions: String) throws -> ReportedLibrary {
            let other = """
                paper: "[4]"
                figures:
                  - { system: SGMSE+, set: VB-DMD, conditions: \(conditions), mark: V2, source: b, values: { pesq: \
                \(value) } }

                """
            return ReportedLibrary([
                try ReportedFile(text: Self.good, file: "a.yaml"), try ReportedFile(text: other, file: "b.yaml"),
            ])
        }
        let found = try library("2.90", conditions: "''").contradictions
        #expect(
            found.map(\.metric) == ["pesq"]
                && found.first.map { "\($0)".contains("b.yaml:3") && "\($0)".contains("a.yaml:6") } == true)
        #expect(try library("2.9", conditions: "''").contradictions.isEmpty)  // 2.93 rounded
        #expect(try library("2.90", conditions: "issue 57").contradictions.isEmpty)
    }

    @Test func theFilesOfTheRepositoryAreRightAndAgree() throws {
        let library = try ReportedLibrary(folder: Repository.folder("reported"))
        #expect(library.files.count >= 8 && library.contradictions.isEmpty, "\(library.contradictions)")
        #expect(library.figures(of: "SGMSE+", in: "[2]", set: "VB-DMD", conditions: nil)?.values["pesq"]?.value == 2.93)
        let guided = library.figures(of: "PoC, p 0.2", in: "study", set: "ESC-50 0 dB", conditions: "w = 5")
        #expect(guided?.values["si_sdr"] == ReportedValue(0.2, digits: 1))
    }
}

/// The folder `experiments` of this clone.
enum Repository {
    static func folder(_ name: String, file: String = #filePath) -> String {
        URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .path + "/experiments/" + name
    }
}
