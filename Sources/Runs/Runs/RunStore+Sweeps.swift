import Foundation
import GRDB

extension RunStore {
    /// The runs that `text` names: one run, all runs of that name (one for each seed), or those of a sweep
    /// or spec by its name, its file, or the file's name; the oldest first.
    ///
    /// - Throws: ``StoreError`` of kind `missing` where there is none.
    public func runs(called text: String) throws(StoreError) -> [Run] {
        do {
            return [try run(named: text)]
        } catch {
            guard error.kind == .missing else { throw error }
            let others = try runs(ofSpecCalled: text)
            if others.isEmpty { throw error }
            return others
        }
    }

    /// The runs of that name, or else of the sweep or spec of that name or file.
    private func runs(ofSpecCalled text: String) throws(StoreError) -> [Run] {
        let ids = try read { db in
            let named = try Int64.fetchAll(db, sql: "SELECT id FROM run WHERE name = ?", arguments: [text])
            if !named.isEmpty { return named }
            let rows = try Row.fetchCursor(db, sql: "SELECT runID, file, substr(written, 1, 4000) FROM spec")
            var found: [Int64] = []
            while let row = try rows.next() {
                let cells = Cells(row, of: "spec")
                if try Self.isSpec(text, file: cells[1], written: cells[2]) { found.append(try cells[0]) }
            }
            return found
        }
        return try runs(ids.sorted().map { Run.ID($0) })
    }

    private static func isSpec(_ text: String, file: String?, written: String) -> Bool {
        if let file {
            // The file, or sgmse: and a file of the library of experiments.
            let last = file.split(whereSeparator: { "/:".contains($0) }).last.map(String.init) ?? file
            if [file, last, (last as NSString).deletingPathExtension].contains(text) { return true }
        }
        return written.split(separator: "\n").contains { line in
            line.hasPrefix("name:")
                && line.dropFirst(5).trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\"'")) == text
        }
    }
}
