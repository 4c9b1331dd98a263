import Corpora
import Foundation
import TestFolders
import Testing

/// Tables as spreadsheets save them.
@Suite struct ManifestTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private func manifest(_ data: Data) throws -> Manifest? {
        try data.write(to: URL(fileURLWithPath: folder.file("manifest.csv")))
        return try Manifest(contentsOf: folder.path + "/manifest.csv")
    }

    private static let table = "file,noise,snr_db\nZo\u{EB}_1.wav,caf\u{E9},-2.5\n"

    @Test(
        arguments: [
            table, "\u{FEFF}" + table, table.replacing("\n", with: "\r\n"), table.replacing("\n", with: "\r"),
            table.replacing(",", with: ";"), table.replacing(",", with: "\t"),
            table.replacing(",", with: ";").replacing("2.5", with: "2,5"),
            "sep=;\r\n" + table.replacing(",", with: ";"),
            "\u{FEFF}" + table.replacing("file,noise,snr_db", with: "File, Noise ,SNR_dB"),
            table + ",,\n",
        ], [String.Encoding.utf8, .utf16LittleEndian, .utf16BigEndian])
    func spreadsheetsSaveTablesInManyWays(text: String, encoding: String.Encoding) throws {
        let data = try #require(text.data(using: encoding))
        let entry = try #require(try manifest(data)?["Zo\u{EB}_1"])
        #expect(entry.noise == "caf\u{E9}" && entry.snr == -2.5, "\(entry)")
    }

    @Test func anotherEncodingIsNamedAndNothingReplaced() throws {
        let latin = try #require(Self.table.data(using: .isoLatin1))
        let error = #expect(throws: CorpusError.self) { try manifest(latin) }
        #expect(
            error?.summary.contains("line 2") == true && error?.summary.contains("Latin-1") == true, "\(error as Any)")
        #expect(error?.hint?.contains("UTF-8") == true)
        let wide = try #require(Self.table.data(using: .utf32))
        #expect(throws: CorpusError.self) { try manifest(wide) }
        #expect(throws: CorpusError.self) { try manifest(Data([0x50, 0x4B, 3, 4, 0, 0, 0])) }
    }

    @Test func theSeparatorIsNamedWhereTheTableDoesNotFit() throws {
        let missing = #expect(throws: CorpusError.self) { try Manifest(csv: "name|noise\na|b\n", path: "m.csv") }
        #expect(missing?.summary.contains("separated by commas") == true)
        let short = #expect(throws: CorpusError.self) { try Manifest(csv: "file;noise\na\n", path: "m.csv") }
        #expect(short?.summary.contains("separated by semicolons") == true)
    }
}
