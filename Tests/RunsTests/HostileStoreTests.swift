import Foundation
import JSONValues
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// A store that is damaged, or was made to harm: every reading function gives rows or a typed error, and never traps.
@Suite struct HostileStoreTests {
    /// Two runs with everything that a store can hold; its schema allows anything in any column.
    private static let template = Result<Data, any Error> {
        let scratch = try TestFolder()
        let store = try RunStore(at: scratch.store)
        for name in ["a", "b"] { try fill(name, store) }
        try store.record([
            ReportedFigure(
                paper: "p", row: "r", testSet: "test", metric: "pesq", value: 1, mark: .verified, source: "s")
        ])
        _ = try store.claim("work")
        var second = Sample.run("second name")
        second.key = Sample.run("a").key
        _ = try store.register(second)
        try store.willMake(["a/checkpoints/x"])
        try store.backup(to: scratch.path + "/copy.sqlite")
        return try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/copy.sqlite"))
    }

    private static func fill(_ name: String, _ store: RunStore) throws {
        let run = try store.register(Sample.run(name))
        try store.begin(run.id, provenance: Sample.provenance)
        try store.add(tag: "t", to: run.id)
        let path = "\(run.folder)/checkpoints/last.bin"
        try store.record(
            TrainingBatch(
                steps: (1...3).map {
                    StepRecord(step: $0, loss: 1, terms: ["mse": 1], gradientNorm: 1, learningRate: 1, seconds: 1)
                },
                validations: [ValidationRecord(step: 2, metric: "si_sdr", value: 3, n: 2)],
                checkpoints: [CheckpointRecord(step: 2, kind: .last, path: path, sha256: "ab", bytes: 3, emaUpdates: 2)]
            ),
            of: run.id)
        let (set, metric) = (try Sample.set(files: 2, in: store), try Sample.siSDR(in: store))
        try Sample.evaluation(of: .anchor("noisy"), on: set, metric, [0, 1], in: store)
        let used = try #require(try store.checkpoint(of: run.id, kind: .last)?.id)
        let point = EvaluationPoint(steps: 30, sampler: "pc", snr: 0.5, guidance: 1, weights: "ema", noiseSeed: 1)
        let evaluation = try Sample.evaluation(
            of: .run(run.id, checkpoint: used), on: set, at: point, metric, [1, nil], in: store)
        let result = FileResult(
            file: set.files[0].id!, nfe: 60, seconds: 1, realTimeFactor: 1, output: "\(run.folder)/audio/a.wav",
            reference: "{}")
        try store.record(scores: [], results: [result], of: evaluation.id)
        try store.record([
            GateFinding(subject: run.shortID, gate: "rate", severity: .note, message: "16 kHz", run: run.id)
        ])
        try store.end(run.id, as: .finished, reason: "done")
    }

    /// A copy of the template in which nothing is constrained any more.
    private static func open(in scratch: TestFolder) throws -> RunStore {
        try template.get().write(to: URL(fileURLWithPath: scratch.store))
        let store = try RunStore(at: scratch.store)
        try store.execute(
            """
            PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON;
            UPDATE sqlite_master SET sql = replace(replace(replace(sql, 'TEXT NOT NULL', 'TEXT'), 'INTEGER NOT NULL', \
            'INTEGER'),
            'REAL NOT NULL', 'REAL') WHERE type = 'table';
            PRAGMA writable_schema = RESET
            """)
        return store
    }

    private static let values = [
        "NULL", "9e999", "-9e999", "9223372036854775807", "-9223372036854775808", "-1", "0", "1e300", "-1.5",
        "253402300800",
        "'text'", "''", "'../../../tmp/x'", "'/etc/passwd'", "char(27) || '[2J'", "char(0x202E) || 'abc'",
        "'a' || char(0) || 'b'",
        "replace(hex(zeroblob(500000)), '0', 'x')", "x'00FF80'", "zeroblob(100000)", "'running'", "'[1e999, {'",
        "'{\"a\":\"b\"}'",
    ]

    /// Everything that a command reads; what is thrown must be a `StoreError`.
    private static func readAll(_ path: String, _ what: String) {
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch is StoreError {} catch { Issue.record("\(what): \(type(of: error)): \(error)") }
        }
        attempt {
            let store = try RunStore(at: path, access: .readOnly)
            attempt { _ = try RunListing(of: store).table.terminal() }
            attempt { _ = try RunListing(of: store, where: RunFilter("lr>1 or N=30 or backbone~n")).json.text }
            let runs = (try? store.readableRuns().runs) ?? []
            for run in runs {
                attempt { _ = try RunReport(of: run, in: store).text }
                attempt { _ = try RunReport(of: run, in: store).json.text }
                for format in ExportFormat.allCases {
                    attempt {
                        var export = format.export(
                            of: run.id, in: store, to: (path as NSString).deletingLastPathComponent + "/out")
                        try export.update()
                        try export.update()
                    }
                }
                attempt { _ = try store.measuredSpeed(of: run.id) }
                attempt { _ = try store.isWorkedOn(run) }
                attempt { _ = try store.evaluations(of: run.id).map { try store.results(of: $0.id) } }
            }
            attempt {
                _ = try ComparisonReport(of: runs.map(\.id), in: store, options: .init(baseline: runs.first?.id)).table
                    .terminal()
            }
            attempt { _ = try ComparisonReport(of: [], in: store).json.text }
            if runs.count == 2 {
                attempt { _ = try DiffReport(between: runs[0].id, and: runs[1].id, in: store).json.text }
            }
            attempt { _ = try store.inventory() }
            attempt { _ = try store.reportedFigures() }
            attempt { _ = try store.claims() }
            attempt { _ = try store.claimedWork() }
            attempt { _ = try store.garbage() }
            _ = DoctorReport(storeAt: path, journal: .wal, isThorough: true).table.terminal()
        }
    }

    private static let tables = [
        "run", "provenance", "spec", "parameterPath", "parameter", "tag", "event", "owner", "claim", "completedStep",
        "trainingStep",
        "validation", "checkpoint", "testSet", "testFile", "metric", "evaluation", "score", "fileResult",
        "reportedFigure", "finding", "madeFile", "alias", "pendingChange",
        "scoreSum",
    ]

    @Test(arguments: tables)
    func noValueInAnyColumnTraps(table: String) throws {
        let scratch = try TestFolder()
        let columns = try Self.open(in: scratch).columnNames(of: table)
        #expect(!columns.isEmpty)
        for (place, column) in columns.enumerated() {
            // A few values for each column, all of them across the columns; `SGMSE_SOAK` tries all with all.
            let isWhole = ProcessInfo.processInfo.environment["SGMSE_SOAK"] != nil
            for (number, value) in Self.values.enumerated() where isWhole || (number + place) % 11 == 0 {
                try? FileManager.default.removeItem(atPath: scratch.path)
                try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
                let store = try Self.open(in: scratch)
                try? store.execute(
                    """
                    UPDATE OR IGNORE \(table) SET \(column) = \(value) WHERE rowid IN (SELECT rowid FROM \(table) \
                    LIMIT 1)
                    """
                )
                try? store.execute(
                    """
                    UPDATE OR IGNORE \(table) SET \(column) = \(value) WHERE \(column) = (SELECT \(column) FROM \
                    \(table) LIMIT 1)
                    """
                )
                let path = scratch.store
                Self.readAll(path, "\(table).\(column) = \(value)")
                _ = try? store.takeOverAbandonedWork()
                try? store.close()
                if let again = try? RunStore(at: path) { try? again.close() }
                Self.importIt(path, scratch)
            }
        }
    }

    private static func importIt(_ path: String, _ scratch: TestFolder) {
        let target = scratch.path + "/target/store.sqlite"
        do {
            let store = try RunStore(at: target)
            do { try store.importRuns(from: path) } catch {
                #expect((try? store.rowCounts()["run"]) == 0, "a refused import wrote something")
            }
            for run in (try? store.runs()) ?? [] { #expect(RelativePath(run.folder)?.parts.count == 1) }
            #expect(try store.badRows().isEmpty)
            try store.close()
        } catch { Issue.record("\(error)") }
    }

    /// One run that cannot be read does not hide the others.
    @Test func aRunWithAnInfiniteTimeIsNamedAndTheOthersAreListed() throws {
        let scratch = try TestFolder()
        let store = try Self.open(in: scratch)
        try store.execute("UPDATE run SET started = 9e999 WHERE name = 'a'")
        let listing = try RunListing(of: store)
        #expect(listing.runs.map(\.name) == ["b"])
        #expect(listing.unreadable.map(\.kind) == [.corrupt])
        #expect(
            listing.unreadable[0].summary.contains("table run, row id = 1, column started: inf is not a time"),
            "\(listing.unreadable)")
        let report = DoctorReport(storeAt: store.path, journal: .wal, isThorough: true)
        #expect(report.findings.contains { $0.verdict == .problem && $0.text.contains("column started: inf") })
    }

    @Test(arguments: [
        ("run", "shortID", "'../../etc'"), ("run", "created", "-9e999"),
        ("trainingStep", "step", "9223372036854775807"),
        ("checkpoint", "path", "'../victim'"), ("fileResult", "output", "'/etc/passwd'"), ("tag", "tag", "''"),
        ("run", "name", "'a' || char(10) || 'b'"), ("run", "notes", "replace(hex(zeroblob(50000)), '0', 'x')"),
    ])
    func anImportOfABadRowIsRefusedWhole(table: String, column: String, value: String) throws {
        let scratch = try TestFolder()
        let source = try Self.open(in: scratch)
        try source.execute("UPDATE OR IGNORE \(table) SET \(column) = \(value)")
        let target = try RunStore(at: scratch.path + "/target/store.sqlite")
        let error = #expect(throws: StoreError.self) { try target.importRuns(from: source.path) }
        #expect(
            error?.kind == .corrupt && error?.summary.contains("table \(table), ") == true
                && error?.summary.contains("column \(column):") == true, "\(String(describing: error))")
        #expect(try target.rowCounts()["run"] == 0 && target.runs().isEmpty)
    }

    @Test func viewsAndTriggersOfAnotherStoreStayThere() throws {
        let scratch = try TestFolder()
        let source = try Self.open(in: scratch)
        try source.execute("CREATE VIEW x AS SELECT 1; CREATE TRIGGER y AFTER UPDATE ON run BEGIN DELETE FROM run; END")
        let target = try RunStore(at: scratch.path + "/target/store.sqlite")
        #expect(try target.importRuns(from: source.path).runs == 2)
        #expect(try target.query("SELECT name FROM sqlite_master WHERE name IN ('x', 'y')").isEmpty)
    }

    @Test(arguments: ["", " ", String(repeating: "x", count: 100_000), "a\nb", "a\u{1B}[2J", "a\u{202E}b"])
    func aTagIsShortAndPlain(tag: String) throws {
        let scratch = try TestFolder()
        let store = try RunStore(at: scratch.store)
        let run = try store.register(Sample.run())
        #expect(throws: StoreError.self) { try store.add(tag: tag, to: run.id) }
        #expect(try store.runs()[0].tags.isEmpty)
        #expect(throws: StoreError.self) { try store.setNotes("a\u{1B}[2J", of: run.id) }
        try store.setNotes("one\ntwo", of: run.id)
    }
}
