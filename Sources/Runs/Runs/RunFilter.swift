public import Failures
import Foundation
import GRDB

/// Which runs to list: `backbone=ncsnpp and N=50`.
///
///     expression  = term { "or" term }            term = factor { "and" factor }
///     factor      = "not" factor | "(" expression ")" | field comparison
///     comparison  = ("=" | "!=" | "<" | "<=" | ">" | ">=") value | "~" text | "in" "(" value { "," value } ")"
///
/// A field is a column of the run (`name`, `status`, `seed`, `tag`, `commit`, ...), a path of the resolved spec
/// (`train.lr`, or its end, `lr`; an object with a `name` stands for it), an evaluation factor (`N`, `set`, `sampler`,
/// ...), which holds where the spec asks for it or an evaluation has it, or a metric (`pesq`), which holds where the
/// mean of an evaluation does. A list holds what one of its elements holds. `~` finds a part of a text, whatever its
/// case, or a pattern with `*`.
public struct RunFilter: Hashable, Sendable {
    /// The expression as given, for messages.
    public let text: String
    let root: Node

    /// - Throws: ``FilterError`` with the place of the first mistake.
    public init(_ text: String) throws(FilterError) {
        self.text = text
        var parser = try FilterParser(text)
        root = try parser.whole()
    }

    indirect enum Node: Hashable, Sendable {
        case comparison(field: String, Comparison, [Literal])
        case not(Node)
        case and(Node, Node)
        case or(Node, Node)
    }

    enum Comparison: String, Hashable, Sendable {
        case equal = "="
        case unequal = "!="
        case less = "<"
        case atMost = "<="
        case greater = ">"
        case atLeast = ">="
        case like = "~"
        case among = "in"
    }

    enum Literal: Hashable, Sendable {
        case number(Double)
        case text(String)
    }
}

/// A mistake in a filter, with the place of it.
public struct FilterError: Diagnostic, Hashable, Sendable {
    /// The whole expression.
    public var text: String
    /// Characters before the mistake.
    public var offset: Int
    public var summary: String
    public var hint: String?

    public var category: FailureCategory { .request }

    public var description: String {
        let caret = String(repeating: " ", count: offset) + "^" + (hint.map { " " + $0 } ?? "")
        return "filter: error: \(summary)\n    \(text)\n    \(caret)"
    }
}

/// A part of an SQL WHERE clause, with the values of its question marks.
struct SQLCondition {
    var sql: String
    var arguments: StatementArguments = []

    func joined(_ word: String, _ other: SQLCondition) -> SQLCondition {
        SQLCondition(sql: "(\(sql) \(word) \(other.sql))", arguments: arguments + other.arguments)
    }
}

extension RunFilter {
    /// The filter as SQL over the table `run` of `db`, whose specs decide what the fields mean.
    func condition(_ db: Database) throws -> SQLCondition { try condition(root, db) }

    private func condition(_ node: Node, _ db: Database) throws -> SQLCondition {
        switch node {
        case .and(let a, let b): return try condition(a, db).joined("AND", try condition(b, db))
        case .or(let a, let b): return try condition(a, db).joined("OR", try condition(b, db))
        case .not(let inner):
            let inner = try condition(inner, db)
            return SQLCondition(sql: "NOT coalesce(\(inner.sql), 0)", arguments: inner.arguments)
        case .comparison(let field, .unequal, let values):
            return try condition(.not(.comparison(field: field, .equal, values)), db)
        case .comparison(let field, let comparison, let values):
            return try condition(field, comparison, values, db)
        }
    }

    private func condition(
        _ field: String, _ comparison: Comparison, _ values: [Literal], _ db: Database
    ) throws -> SQLCondition {
        if let column = Self.columns[field.lowercased()] {
            let test = Self.test(column.expression, comparison, values.map { column.isTime ? $0.asTime : $0 })
            return SQLCondition(sql: column.wrapped(test.sql), arguments: test.arguments)
        }
        let inEvaluations = Self.evaluationFields[field].map { expression in
            let test = Self.test(expression, comparison, values)
            let sql = """
                EXISTS (SELECT 1 FROM evaluation JOIN testSet ON testSet.id = setID
                WHERE evaluation.runID = run.id AND \(test.sql))
                """
            return SQLCondition(sql: sql, arguments: test.arguments)
        }
        let paths = try Self.paths(field, db)
        guard !paths.isEmpty else {
            if let inEvaluations { return inEvaluations }
            if try Self.isMetric(field, db) { return Self.mean(of: field, comparison, values) }
            throw try unknown(field, db)
        }
        let test = Self.test("value", comparison, values)
        let list = paths.map(String.init).joined(separator: ",")
        let inSpec = SQLCondition(
            sql: "run.id IN (SELECT runID FROM parameter WHERE pathID IN (\(list)) AND \(test.sql))",
            arguments: test.arguments)
        return inEvaluations.map { inSpec.joined("OR", $0) } ?? inSpec
    }

    // MARK: Fields

    private struct Column: Sendable {
        var expression: String
        var isTime = false
        /// The table to look in, and how it joins the run.
        var source: String?

        func wrapped(_ test: String) -> String {
            source.map { "EXISTS (SELECT 1 FROM \($0) AND \(test))" } ?? test
        }
    }

    private static let columns: [String: Column] = {
        let provenance = "provenance WHERE provenance.id = run.provenanceID"
        return [
            "id": Column(expression: "run.shortID"), "name": Column(expression: "run.name"),
            "alias": Column(expression: "alias.name", source: "alias WHERE alias.runID = run.id"),
            "status": Column(expression: "run.status"), "seed": Column(expression: "run.seed"),
            "origin": Column(expression: "run.origin"), "notes": Column(expression: "run.notes"),
            "reason": Column(expression: "run.reason"), "identity": Column(expression: "run.identity"),
            "fingerprint": Column(expression: "run.dataFingerprint"),
            "created": Column(expression: "run.created", isTime: true),
            "started": Column(expression: "run.started", isTime: true),
            "ended": Column(expression: "run.ended", isTime: true),
            "tag": Column(expression: "tag.tag", source: "tag WHERE tag.runID = run.id"),
            "commit": Column(expression: "gitCommit", source: provenance),
            "dirty": Column(expression: "iif(dirty, 'true', 'false')", source: provenance),
            "version": Column(expression: "version", source: provenance),
            "machine": Column(expression: "machine", source: provenance),
            "threads": Column(expression: "threads", source: provenance),
        ]
    }()

    private static let evaluationFields = [
        "N": "evaluation.steps", "set": "testSet.name", "sampler": "evaluation.sampler",
        "predictor": "evaluation.predictor", "corrector": "evaluation.corrector",
        "corrector_steps": "evaluation.correctorSteps", "snr": "evaluation.snr", "guidance": "evaluation.guidance",
        "reference": "evaluation.reference", "weights": "evaluation.weights",
        "checkpoint": "evaluation.checkpointKind",
    ]

    /// The stored paths that `field` names: the path itself, or else those that end in it.
    private static func paths(_ field: String, _ db: Database) throws -> [Int64] {
        let exact = try Int64.fetchAll(
            db, sql: "SELECT id FROM parameterPath WHERE path IN (?1, ?1 || '.name')", arguments: [field])
        guard exact.isEmpty else { return exact }
        return try Int64.fetchAll(
            db,
            sql: """
                SELECT id FROM parameterPath WHERE substr(path, -length(?1) - 1) = '.' || ?1
                OR substr(path, -length(?1) - 6) = '.' || ?1 || '.name'
                """, arguments: [field])
    }

    private static func isMetric(_ field: String, _ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM metric WHERE name = ?)", arguments: [field]) ?? false
    }

    /// Runs with an evaluation whose mean of a metric passes.
    private static func mean(of metric: String, _ comparison: Comparison, _ values: [Literal]) -> SQLCondition {
        let test = test("avg(score.value)", comparison, values)
        let sql = """
            EXISTS (SELECT 1 FROM evaluation JOIN score ON score.evaluationID = evaluation.id
            JOIN metric ON metric.id = score.metricID WHERE evaluation.runID = run.id AND metric.name = ?
            GROUP BY evaluation.id, metric.id HAVING \(test.sql))
            """
        return SQLCondition(sql: sql, arguments: [metric] + test.arguments)
    }

    private func unknown(_ field: String, _ db: Database) throws -> StoreError {
        let paths = try String.fetchAll(db, sql: "SELECT path FROM parameterPath")
        let parts = paths.map { $0.split(separator: ".").map(String.init) }
        let objects = parts.compactMap { $0.last == "name" ? $0.dropLast().last : $0.last }
        let metrics = try String.fetchAll(db, sql: "SELECT DISTINCT name FROM metric")
        let names = Set(paths + objects + metrics).union(Self.columns.keys).union(Self.evaluationFields.keys)
        let near = names.map { (name: $0, distance: $0.editDistance(to: field)) }
            .filter { $0.distance <= 2 }.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        return StoreError(
            .invalid, at: text, "no run has a field '\(field)'",
            hint: near.map { "did you mean '\($0.name)'?" }
                ?? "fields are \(Self.columns.keys.sorted().joined(separator: ", ")) and the paths of the spec")
    }

    // MARK: Comparisons

    private static func test(_ expression: String, _ comparison: Comparison, _ values: [Literal]) -> SQLCondition {
        switch (comparison, values.first) {
        case (.among, _):
            let marks = values.map { _ in "?" }.joined(separator: ",")
            return SQLCondition(
                sql: "\(expression) IN (\(marks))", arguments: StatementArguments(values.map(\.stored)))
        case (.like, let value?):
            let text = value.asText
            return text.contains("*")
                ? SQLCondition(sql: "lower(\(expression)) GLOB lower(?)", arguments: [text])
                : SQLCondition(sql: "instr(lower(\(expression)), lower(?)) > 0", arguments: [text])
        case (.less, .number(let bound)?), (.atMost, .number(let bound)?), (.greater, .number(let bound)?),
            (.atLeast, .number(let bound)?):
            // SQLite orders any text after all numbers.
            return SQLCondition(
                sql: "(typeof(\(expression)) IN ('integer', 'real') AND \(expression) \(comparison.rawValue) ?)",
                arguments: [bound])
        case (_, let value?):
            return SQLCondition(sql: "\(expression) \(comparison.rawValue) ?", arguments: [value.stored])
        case (_, nil): return SQLCondition(sql: "0")
        }
    }
}

extension RunFilter.Literal {
    fileprivate var stored: any DatabaseValueConvertible {
        switch self {
        case .number(let value): value
        case .text(let value): value
        }
    }

    fileprivate var asText: String {
        switch self {
        case .number(let value): value == value.rounded() ? String(format: "%.0f", value) : String(value)
        case .text(let value): value
        }
    }

    /// `2026-11-22` or `2026-11-22T08:00:00Z` as seconds since 1970 (UTC).
    fileprivate var asTime: Self {
        guard case .text(let text) = self else { return self }
        let full = text.contains("T") ? text : text + "T00:00:00Z"
        return (try? Date(full, strategy: .iso8601)).map { .number($0.stored) } ?? self
    }
}

extension String {
    /// The least number of letters to insert, remove or replace on the way to `other`.
    func editDistance(to other: String) -> Int {
        let letters = Array(other)
        var row = Array(0...letters.count)
        for (i, mine) in enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, theirs) in letters.enumerated() {
                let replaced = diagonal + (mine == theirs ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = Swift.min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[letters.count]
    }
}
