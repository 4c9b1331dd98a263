import GRDB

/// What every column of the schema must hold, as conditions of SQL, so that whole tables are checked at SQLite's speed.
///
/// An import checks the other store with these rules before anything is written; `sgmse doctor --thorough` checks the
/// store itself.
enum RowRules {
    struct Rule: Sendable {
        var table: String
        var column: String
        /// Holds for a good value.
        var condition: String
        var wanted: String
    }

    /// The rows of `schema` that break a rule, at most `limit` of them.
    static func violations(_ db: Database, schema: String = "main", limit: Int = 20) throws -> [BadCell] {
        var found: [BadCell] = []
        for (table, rules) in Dictionary(grouping: all, by: \.table).sorted(by: { $0.key < $1.key }) {
            guard try Self.exists(table, schema, db) else { continue }
            for rule in rules {
                // The first column identifies a row for a person: the row's number, or that of what it belongs to.
                let rows = try Row.fetchAll(
                    db,
                    sql: """
                        SELECT *, \(rule.column) FROM \(schema).\(table) WHERE NOT coalesce(\(rule.condition), 0)
                        LIMIT \(limit - found.count)
                        """)
                found += rows.map { row in
                    let name = row.columnNames.first ?? ""
                    return BadCell(
                        table: table, row: "\(name) = \(BadCell.text(of: row[0]))", column: rule.column,
                        value: BadCell.text(of: row[row.count - 1]), wanted: rule.wanted)
                }
                if found.count >= limit { return found }
            }
        }
        return found
    }

    private static func exists(_ table: String, _ schema: String, _ db: Database) throws -> Bool {
        try Bool.fetchOne(
            db, sql: "SELECT EXISTS (SELECT 1 FROM \(schema).sqlite_master WHERE type = 'table' AND name = ?)",
            arguments: [table])
            ?? false
    }

    // MARK: Functions that SQLite has not

    /// Whether a text has no control character and turns no direction of writing.
    static let printable = DatabaseFunction("sgmse_printable", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0])?.isPrintable ?? false
    }
    /// Whether a text is a path below a folder.
    static let relativePath = DatabaseFunction("sgmse_relative_path", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0]).flatMap(RelativePath.init) != nil
    }
    /// Whether a text is a short id of a run.
    static let shortID = DatabaseFunction("sgmse_short_id", argumentCount: 1, pure: true) { values in
        String.fromDatabaseValue(values[0]).flatMap(RunShortID.init) != nil
    }

    // MARK: Rules

    private typealias Test = (sql: @Sendable (String) -> String, wanted: String)

    private static func integer(_ range: ClosedRange<Int64>, _ wanted: String) -> Test {
        ({ "typeof(\($0)) = 'integer' AND \($0) BETWEEN \(range.lowerBound) AND \(range.upperBound)" }, wanted)
    }
    private static let row = integer(1...Int64.max, "a row number")
    private static let count = integer(0...1 << 53, "a whole number from 0 to 2⁵³")
    private static let any64: Test = ({ "typeof(\($0)) = 'integer'" }, "a whole number")
    private static let truth = integer(0...1, "0 or 1")
    private static let real: Test = ({ "typeof(\($0)) IN ('real', 'integer')" }, "a number")
    private static let time: Test = (
        {
            let (first, last) = (Instant.seconds.lowerBound, Instant.seconds.upperBound)
            return "typeof(\($0)) IN ('real', 'integer') AND \($0) BETWEEN \(first) AND \(last)"
        }, Instant.wanted
    )
    private static let path: Test = ({ "sgmse_relative_path(\($0))" }, RelativePath.wanted)

    /// A text of one line.
    private static func name(_ most: Int, least: Int = 0) -> Test {
        (
            {
                """
                typeof(\($0)) = 'text' AND length(CAST(\($0) AS BLOB)) BETWEEN \(least) AND \(most) AND \
                sgmse_printable(\($0))
                """
            }, "a printable text of \(least) to \(most) bytes"
        )
    }
    /// A text of many lines.
    private static func prose(_ most: Int) -> Test {
        (
            { "typeof(\($0)) = 'text' AND length(CAST(\($0) AS BLOB)) <= \(most) AND instr(\($0), char(0)) = 0" },
            "a text of at most \(most) bytes"
        )
    }
    private static let json: Test = ({ "typeof(\($0)) = 'text' AND json_valid(\($0))" }, "a JSON document")
    private static func word<Word: StoredWord>(_ type: Word.Type) -> Test {
        let words = Word.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
        return ({ "\($0) IN (\(words))" }, Word.wanted)
    }
    private static func optional(_ test: Test) -> Test {
        ({ "\($0) IS NULL OR (\(test.sql($0)))" }, test.wanted + ", or NULL")
    }
    private static let scalar: Test = (
        { "\($0) IS NULL OR typeof(\($0)) <> 'blob' AND length(CAST(\($0) AS BLOB)) <= 1048576" },
        "a number or a text of at most 1 MB"
    )

    static let all: [Rule] = [
        rules(
            "provenance",
            [
                ("gitCommit", name(200)), ("dirty", truth), ("version", name(200)), ("machine", name(2000)),
                ("threads", count),
                ("commandLine", prose(1 << 20)),
            ]),
        rules(
            "run",
            [
                ("shortID", ({ "sgmse_short_id(\($0))" }, RunShortID.wanted)),
                ("name", name(RunText.longestName, least: 1)),
                ("identity", name(1000, least: 1)), ("seed", any64), ("dataFingerprint", name(1000)),
                ("origin", word(Run.Origin.self)),
                ("status", word(RunStatus.self)), ("reason", optional(prose(1 << 20))), ("provenanceID", row),
                ("created", time),
                ("started", optional(time)), ("ended", optional(time)), ("notes", prose(RunText.longestNote)),
            ]),
        rules("spec", [("file", optional(prose(10_000))), ("written", prose(1 << 24)), ("resolved", json)]),
        rules("parameterPath", [("path", name(2000, least: 1))]),
        rules(
            "parameter",
            [
                ("position", count), ("value", scalar),
            ]),
        rules("tag", [("tag", name(RunText.longestTag, least: 1))]),
        rules("alias", [("name", name(RunText.longestName, least: 1))]),
        rules("pendingChange", [("newName", optional(name(RunText.longestName, least: 1)))]),
        rules("madeFile", [("path", ({ "sgmse_relative_path(rtrim(\($0), '/'))" }, RelativePath.wanted))]),
        rules("event", [("time", time), ("kind", name(200)), ("message", prose(1 << 20))]),
        rules(
            "trainingStep",
            [
                ("step", count), ("loss", optional(real)), ("gradientNorm", optional(real)),
                ("learningRate", optional(real)),
                ("seconds", optional(real)), ("terms", optional(json)),
            ]),
        rules("validation", [("step", count), ("metric", name(200)), ("value", optional(real)), ("n", count)]),
        rules(
            "checkpoint",
            [
                ("step", count), ("kind", word(CheckpointRecord.Kind.self)), ("path", path), ("sha256", name(200)),
                ("bytes", count),
                ("emaUpdates", count), ("value", optional(real)), ("time", time), ("superseded", truth),
            ]),
        rules(
            "testSet",
            [
                ("name", name(1000, least: 1)), ("fingerprint", name(1000)), ("folder", prose(10_000)),
                ("sampleRate", count),
            ]),
        rules(
            "testFile",
            [
                ("path", path), ("speaker", optional(name(1000))), ("noise", optional(name(1000))),
                ("snr", optional(real)),
                ("seconds", real),
            ]),
        rules(
            "metric",
            [
                ("name", name(200, least: 1)), ("signature", name(2000, least: 1)), ("unit", name(200)),
                ("higherIsBetter", truth),
            ]),
        rules(
            "evaluation",
            [
                ("identity", name(10_000, least: 1)), ("anchor", optional(name(1000, least: 1))),
                ("checkpointKind", optional(word(CheckpointRecord.Kind.self))), ("checkpointStep", optional(count)),
                ("setID", row),
                ("steps", optional(count)), ("sampler", optional(name(1000))), ("predictor", optional(name(1000))),
                ("corrector", optional(name(1000))), ("correctorSteps", optional(count)), ("snr", optional(real)),
                ("guidance", optional(real)), ("reference", optional(name(10_000))), ("weights", optional(name(200))),
                ("noiseSeed", optional(any64)), ("other", optional(name(100_000))), ("status", word(RunStatus.self)),
                ("reason", optional(prose(1 << 20))), ("provenanceID", row), ("started", optional(time)),
                ("ended", optional(time)),
                ("external", optional(json)),
            ]),
        rules("score", [("value", optional(real)), ("reason", optional(prose(100_000)))]),
        rules("scoreSum", [("count", count), ("hash", any64)]),
        rules(
            "fileResult",
            [
                ("nfe", count), ("seconds", real), ("realTimeFactor", real), ("output", optional(path)),
                ("reference", optional(json)),
            ]),
        rules(
            "reportedFigure",
            [
                ("paper", name(1000)), ("row", name(1000)), ("testSet", name(1000)), ("metric", name(1000)),
                ("conditions", name(10_000)), ("value", real), ("std", optional(real)),
                ("mark", word(ReportedFigure.Mark.self)), ("source", prose(10_000)),
            ]),
        rules(
            "finding",
            [
                ("subject", name(10_000)), ("gate", name(1000)), ("severity", word(GateFinding.Severity.self)),
                ("message", prose(1 << 20)), ("detail", optional(prose(1 << 24))), ("time", time),
            ]),
    ].flatMap { $0 }

    private static func rules(_ table: String, _ columns: [(String, Test)]) -> [Rule] {
        columns.map { column, test in
            Rule(table: table, column: column, condition: test.sql(column), wanted: test.wanted)
        }
    }
}
