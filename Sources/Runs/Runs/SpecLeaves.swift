import GRDB

/// The leaves of a resolved spec under the paths that a spec and `--set` use: `train.lr`, `sde.theta`, `evaluate.N`,
/// ...
///
/// A choice is stored as `{"name": …, "parameters": {…}}`; its parameters have the paths of the choice's own keys.
/// The elements of a list share the list's path. A truth value is the text `true` or `false`, null is the text
/// `null`; numbers stay numbers.
struct SpecLeaves {
    /// By path, in the order of the document.
    private(set) var values: [(path: String, values: [DatabaseValue])] = []

    init(json: String, _ db: Database) throws {
        var places: [String: Int] = [:]
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT fullkey, CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'null' THEN 'null'
                ELSE atom END FROM json_tree(?) WHERE type NOT IN ('object', 'array')
                """, arguments: [json])
        while let row = try rows.next() {
            let path = Self.path(fullKey: row[0])
            if let place = places[path] {
                values[place].values.append(row[1])
            } else {
                places[path] = values.count
                values.append((path, [row[1]]))
            }
        }
    }

    /// `$.sweep.grid[0]."a b"` becomes `sweep.grid.a b`.
    private static func path(fullKey: String) -> String {
        var path = ""
        var (isQuoted, isIndex) = (false, false)
        for character in fullKey.dropFirst() {
            switch character {
            case "\"": isQuoted.toggle()
            case "[" where !isQuoted: isIndex = true
            case "]" where isIndex: isIndex = false
            default: if !isIndex { path.append(character) }
            }
        }
        return path.split(separator: ".").filter { $0 != "parameters" }.joined(separator: ".")
    }
}
