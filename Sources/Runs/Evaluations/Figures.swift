import Foundation
import GRDB

/// A number from a paper or an older experiment, kept beside ours and never mixed with it.
public struct ReportedFigure: Hashable, Sendable {
    /// How sure it is.
    public enum Mark: String, Hashable, Sendable, CaseIterable {
        /// Read in the source itself.
        case verified = "V"
        /// Read where another work quotes it.
        case quoted = "V2"
        /// Computed from figures of the source.
        case computed = "C"
        /// Reported by someone, and not checked.
        case reported = "R"
    }

    /// What tables call the source, such as `[2]`.
    public var paper: String
    /// The row of its table: the system.
    public var row: String
    /// What the source calls the test set.
    public var testSet: String
    /// The metric by its name here, such as `pesq`.
    public var metric: String
    /// What further distinguishes figures, such as `N=30`.
    public var conditions: String
    /// As printed, in the unit of its metric.
    public var value: Double
    /// The standard deviation over files; nil where the source gives none.
    public var std: Double?
    /// How the value was obtained; tables print it beside the value.
    public var mark: Mark
    /// Where the source has it: table, page, file and commit.
    public var source: String

    public init(
        paper: String, row: String, testSet: String, metric: String, conditions: String = "", value: Double,
        std: Double? = nil, mark: Mark, source: String
    ) {
        (self.paper, self.row, self.testSet, self.metric) = (paper, row, testSet, metric)
        (self.conditions, self.value, self.std) = (conditions, value, std)
        (self.mark, self.source) = (mark, source)
    }
}

/// What a protocol gate found before or during a step.
public struct GateFinding: Hashable, Sendable {
    /// How much it matters: `failure` is an error that the spec does not waive, which stops the step.
    public enum Severity: String, Hashable, Sendable, CaseIterable { case note, warning, failure }

    /// What was looked at: a step of the plan, a set, a comparison.
    public var subject: String
    /// The gate's name, such as `sample-rate` or `leakage`.
    public var gate: String
    /// A waived error is a `warning`.
    public var severity: Severity
    /// One sentence for a person; it is a part of what makes findings equal.
    public var message: String
    /// The evidence, as JSON.
    public var detail: String?
    /// The run that it is about; nil for a finding about a set or a comparison.
    public var run: Run.ID?

    public init(
        subject: String, gate: String, severity: Severity, message: String, detail: String? = nil,
        run: Run.ID? = nil
    ) {
        (self.subject, self.gate, self.severity) = (subject, gate, severity)
        (self.message, self.detail, self.run) = (message, detail, run)
    }
}

extension RunStore {
    /// Records figures; one of equal paper, row, set, metric and conditions takes the earlier one's place.
    public func record(_ figures: [ReportedFigure]) throws(StoreError) {
        try write { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO reportedFigure (paper, row, testSet, metric, conditions, value, std, mark, source)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (paper, row, testSet, metric, conditions) DO UPDATE SET value = excluded.value,
                    std = excluded.std, mark = excluded.mark, source = excluded.source
                    """)
            for one in figures {
                try statement.execute(arguments: [
                    one.paper, one.row, one.testSet, one.metric, one.conditions, one.value, one.std,
                    one.mark.rawValue, one.source,
                ])
            }
        }
    }

    /// The figures of a paper, or of all, in the order they were recorded.
    public func reportedFigures(of paper: String? = nil) throws(StoreError) -> [ReportedFigure] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT paper, row, testSet, metric, conditions, value, std, mark, source FROM reportedFigure
                    WHERE ?1 IS NULL OR paper = ?1 ORDER BY id
                    """, arguments: [paper]
            ).map { Cells($0, of: "reportedFigure") }.map {
                try ReportedFigure(
                    paper: $0[0], row: $0[1], testSet: $0[2], metric: $0[3], conditions: $0[4], value: $0[5],
                    std: $0[6], mark: $0[7], source: $0[8])
            }
        }
    }

    /// Records findings; a repeated one changes nothing but its severity, detail and time.
    public func record(_ findings: [GateFinding]) throws(StoreError) {
        try write { db in
            let statement = try db.cachedStatement(
                sql: """
                    INSERT INTO finding (subject, gate, severity, message, detail, runID, time)
                    VALUES (?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (subject, gate, message, coalesce(runID, 0)) DO UPDATE SET severity = excluded.severity,
                    detail = excluded.detail, time = excluded.time
                    """)
            for one in findings {
                try statement.execute(arguments: [
                    one.subject, one.gate, one.severity.rawValue, one.message, one.detail, one.run?.rawValue,
                    Date().stored,
                ])
            }
        }
    }

    /// The findings about a run or a subject, or all, the oldest first.
    public func findings(
        of run: Run.ID? = nil, about subject: String? = nil
    ) throws(StoreError) -> [GateFinding] {
        try read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT subject, gate, severity, message, detail, runID FROM finding
                    WHERE (?1 IS NULL OR runID = ?1) AND (?2 IS NULL OR subject = ?2) ORDER BY time, id
                    """, arguments: [run?.rawValue, subject]
            ).map { Cells($0, of: "finding") }.map {
                try GateFinding(subject: $0[0], gate: $0[1], severity: $0[2], message: $0[3], detail: $0[4], run: $0[5])
            }
        }
    }
}
