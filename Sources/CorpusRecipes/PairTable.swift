import Corpora
import Foundation

/// A table that says which files are pairs: columns `clean` and `noisy`, paths below the set's sources; `set` and
/// `speaker` if there are such columns.
struct PairTable: Sendable {
    struct Row: Hashable, Sendable {
        var set: String?
        var clean, noisy: String
        var speaker: String?
    }

    let rows: [Row]

    init(contentsOf path: String) throws(CorpusError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CorpusError(path, .badTable(line: 1, "it cannot be read"))
        }
        let table = try CSV.table(of: data, path: path)
        let header = (table.first?.fields ?? []).map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        guard let clean = header.firstIndex(of: "clean"), let noisy = header.firstIndex(of: "noisy") else {
            throw CorpusError(
                path,
                .badTable(
                    line: 1, "a table of pairs has the columns clean and noisy, not '\(header.joined(separator: ", "))'"
                ))
        }
        for row in table where row.fields.count != header.count {
            throw CorpusError(
                path, .badTable(line: row.line, "\(row.fields.count) fields, the header has \(header.count)"))
        }
        let (set, speaker) = (header.firstIndex(of: "set"), header.firstIndex(of: "speaker"))
        func optional(_ fields: [String], _ column: Int?) -> String? {
            column.map { fields[$0] }.flatMap { $0.isEmpty ? nil : $0 }
        }
        rows = table.dropFirst().map(\.fields).map {
            Row(set: optional($0, set), clean: $0[clean], noisy: $0[noisy], speaker: optional($0, speaker))
        }
    }
}
