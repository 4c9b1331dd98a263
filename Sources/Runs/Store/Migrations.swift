import GRDB

/// The schema as a list of named migrations. A released migration is never changed; new ones are appended.
///
/// Times are seconds since 1970; JSON is text; ±∞ is stored as such, and "not a number" as NULL.
extension RunStore {
    struct Step: Sendable {
        var name: String
        var sql: String
    }

    static let steps = [
        Step(name: "runs", sql: runTables),
        Step(name: "training history", sql: trainingTables),
        Step(name: "evaluations and scores", sql: evaluationTables),
        Step(name: "reported figures and gate findings", sql: figureTables),
        Step(
            name: "noise references",
            sql: "ALTER TABLE fileResult ADD COLUMN reference TEXT CHECK (reference IS NULL OR json_valid(reference))"),
        Step(name: "views", sql: StoreViews.sql),
        Step(name: "files made by the store", sql: madeFiles),
        Step(
            name: "systems from elsewhere",
            sql: """
                ALTER TABLE evaluation ADD COLUMN external TEXT \
                CHECK (external IS NULL OR (json_valid(external) AND anchor IS NOT NULL))
                """),
        Step(name: "aliases and pending changes", sql: aliases),
        Step(name: "checksums of scores", sql: scoreSums),
        Step(name: "findings of each run", sql: findingsByRun),
        Step(name: "paths of settings as in a spec", sql: settingPaths),
    ]

    static var migrationNames: [String] { steps.map(\.name) }

    static var migrator: DatabaseMigrator { migrator(through: steps.count) }

    /// The migrator of the version that had the first `count` steps.
    static func migrator(through count: Int) -> DatabaseMigrator {
        steps.prefix(count).reduce(into: DatabaseMigrator()) { migrator, step in
            migrator.registerMigration(step.name) { try $0.execute(sql: step.sql) }
        }
    }

    private static let runTables = """
        PRAGMA application_id = \(applicationID);
        CREATE TABLE owner (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            pid INTEGER NOT NULL, startTicks INTEGER NOT NULL, bootID TEXT NOT NULL, host TEXT NOT NULL,
            since REAL NOT NULL
        );
        CREATE TABLE provenance (
            id INTEGER PRIMARY KEY,
            gitCommit TEXT NOT NULL, dirty INTEGER NOT NULL, version TEXT NOT NULL, machine TEXT NOT NULL,
            threads INTEGER NOT NULL, commandLine TEXT NOT NULL,
            UNIQUE (commandLine, gitCommit, dirty, version, machine, threads)
        );
        CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            shortID TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            identity TEXT NOT NULL, seed INTEGER NOT NULL, dataFingerprint TEXT NOT NULL,
            origin TEXT NOT NULL CHECK (origin IN ('trained', 'imported')),
            status TEXT NOT NULL CHECK (status IN ('planned', 'running', 'finished', 'failed', 'interrupted')),
            reason TEXT,
            ownerID INTEGER REFERENCES owner,
            provenanceID INTEGER NOT NULL REFERENCES provenance,
            created REAL NOT NULL, started REAL, ended REAL,
            notes TEXT NOT NULL DEFAULT '',
            UNIQUE (identity, seed, dataFingerprint)
        );
        CREATE INDEX runByOwner ON run (ownerID) WHERE ownerID IS NOT NULL;
        CREATE INDEX runByName ON run (name);
        CREATE TABLE spec (
            runID INTEGER PRIMARY KEY REFERENCES run ON DELETE CASCADE,
            file TEXT, written TEXT NOT NULL, resolved TEXT NOT NULL CHECK (json_valid(resolved))
        );
        CREATE TABLE parameterPath (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
        CREATE TABLE parameter (
            runID INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
            pathID INTEGER NOT NULL REFERENCES parameterPath,
            position INTEGER NOT NULL,
            value,
            PRIMARY KEY (runID, pathID, position)
        ) WITHOUT ROWID;
        CREATE INDEX parameterByValue ON parameter (pathID, value);
        CREATE TABLE tag (
            runID INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, tag TEXT NOT NULL, PRIMARY KEY (runID, tag)
        ) WITHOUT ROWID;
        CREATE INDEX tagByName ON tag (tag);
        CREATE TABLE event (
            id INTEGER PRIMARY KEY,
            runID INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
            time REAL NOT NULL, kind TEXT NOT NULL, message TEXT NOT NULL,
            UNIQUE (runID, time, kind, message)
        );
        CREATE TABLE claim (step TEXT PRIMARY KEY, ownerID INTEGER NOT NULL REFERENCES owner, since REAL NOT NULL)
            WITHOUT ROWID;
        CREATE TABLE completedStep (step TEXT PRIMARY KEY, output TEXT NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
        """

    private static let trainingTables = """
        CREATE TABLE trainingStep (
            runID INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
            step INTEGER NOT NULL, loss REAL, gradientNorm REAL, learningRate REAL, seconds REAL, terms TEXT,
            PRIMARY KEY (runID, step)
        ) WITHOUT ROWID;
        CREATE TABLE validation (
            runID INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
            step INTEGER NOT NULL, metric TEXT NOT NULL, value REAL, n INTEGER NOT NULL,
            PRIMARY KEY (runID, step, metric)
        ) WITHOUT ROWID;
        CREATE TABLE checkpoint (
            id INTEGER PRIMARY KEY,
            runID INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
            step INTEGER NOT NULL, kind TEXT NOT NULL,
            path TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, emaUpdates INTEGER NOT NULL,
            value REAL, time REAL NOT NULL, superseded INTEGER NOT NULL DEFAULT 0,
            UNIQUE (runID, kind, step)
        );
        """

    private static let evaluationTables = """
        CREATE TABLE testSet (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, fingerprint TEXT NOT NULL, folder TEXT NOT NULL,
            sampleRate INTEGER NOT NULL, UNIQUE (name, fingerprint)
        );
        CREATE TABLE testFile (
            id INTEGER PRIMARY KEY, setID INTEGER NOT NULL REFERENCES testSet,
            path TEXT NOT NULL, speaker TEXT, noise TEXT, snr REAL, seconds REAL NOT NULL,
            UNIQUE (setID, path)
        );
        CREATE TABLE metric (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, signature TEXT NOT NULL UNIQUE, unit TEXT NOT NULL,
            higherIsBetter INTEGER NOT NULL
        );
        CREATE TABLE evaluation (
            id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE,
            runID INTEGER REFERENCES run ON DELETE CASCADE, anchor TEXT,
            checkpointID INTEGER REFERENCES checkpoint, checkpointKind TEXT, checkpointStep INTEGER,
            setID INTEGER NOT NULL REFERENCES testSet,
            steps INTEGER, sampler TEXT, predictor TEXT, corrector TEXT, correctorSteps INTEGER, snr REAL,
            guidance REAL, reference TEXT, weights TEXT, noiseSeed INTEGER, other TEXT,
            status TEXT NOT NULL CHECK (status IN ('planned', 'running', 'finished', 'failed', 'interrupted')),
            reason TEXT, ownerID INTEGER REFERENCES owner,
            provenanceID INTEGER NOT NULL REFERENCES provenance,
            started REAL, ended REAL,
            CHECK ((runID IS NULL) <> (anchor IS NULL))
        );
        CREATE INDEX evaluationByRun ON evaluation (runID);
        CREATE INDEX evaluationByAnchor ON evaluation (anchor, setID) WHERE anchor IS NOT NULL;
        CREATE INDEX evaluationByCheckpoint ON evaluation (checkpointID) WHERE checkpointID IS NOT NULL;
        CREATE INDEX evaluationByOwner ON evaluation (ownerID) WHERE ownerID IS NOT NULL;
        CREATE TABLE score (
            evaluationID INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,
            metricID INTEGER NOT NULL REFERENCES metric,
            fileID INTEGER NOT NULL REFERENCES testFile,
            value REAL, reason TEXT,
            PRIMARY KEY (evaluationID, metricID, fileID),
            CHECK ((value IS NULL) = (reason IS NOT NULL))
        ) WITHOUT ROWID;
        CREATE TABLE fileResult (
            evaluationID INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,
            fileID INTEGER NOT NULL REFERENCES testFile,
            nfe INTEGER NOT NULL, seconds REAL NOT NULL, realTimeFactor REAL NOT NULL, output TEXT,
            PRIMARY KEY (evaluationID, fileID)
        ) WITHOUT ROWID;
        """

    private static let aliases = """
        CREATE TABLE alias (
            name TEXT NOT NULL, runID INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, PRIMARY KEY (name, runID)
        ) WITHOUT ROWID;
        CREATE INDEX aliasByRun ON alias (runID);
        CREATE TABLE pendingChange (runID INTEGER PRIMARY KEY REFERENCES run ON DELETE CASCADE, newName TEXT);
        """

    private static let scoreSums = """
        CREATE TABLE scoreSum (
            evaluationID INTEGER NOT NULL REFERENCES evaluation ON DELETE CASCADE,
            metricID INTEGER NOT NULL REFERENCES metric,
            count INTEGER NOT NULL, hash INTEGER NOT NULL, PRIMARY KEY (evaluationID, metricID)
        ) WITHOUT ROWID;
        """

    private static let madeFiles = """
        CREATE TABLE madeFile (path TEXT PRIMARY KEY) WITHOUT ROWID;
        INSERT OR IGNORE INTO madeFile SELECT path FROM checkpoint;
        INSERT OR IGNORE INTO madeFile SELECT output FROM fileResult WHERE output IS NOT NULL;
        """

    private static let figureTables = """
        CREATE TABLE reportedFigure (
            id INTEGER PRIMARY KEY,
            paper TEXT NOT NULL, row TEXT NOT NULL, testSet TEXT NOT NULL, metric TEXT NOT NULL,
            conditions TEXT NOT NULL DEFAULT '',
            value REAL NOT NULL, std REAL, mark TEXT NOT NULL CHECK (mark IN ('V', 'V2', 'C', 'R')),
            source TEXT NOT NULL,
            UNIQUE (paper, row, testSet, metric, conditions)
        );
        CREATE TABLE finding (
            id INTEGER PRIMARY KEY,
            subject TEXT NOT NULL, gate TEXT NOT NULL, severity TEXT NOT NULL
                CHECK (severity IN ('note', 'warning', 'failure')),
            message TEXT NOT NULL, detail TEXT, runID INTEGER REFERENCES run ON DELETE CASCADE, time REAL NOT NULL,
            UNIQUE (subject, gate, message)
        );
        CREATE INDEX findingByRun ON finding (runID) WHERE runID IS NOT NULL;
        """

    /// A finding that several runs share is a row of each.
    private static let findingsByRun = """
        CREATE TABLE findingOfRun (
            id INTEGER PRIMARY KEY,
            subject TEXT NOT NULL, gate TEXT NOT NULL, severity TEXT NOT NULL
                CHECK (severity IN ('note', 'warning', 'failure')),
            message TEXT NOT NULL, detail TEXT, runID INTEGER REFERENCES run ON DELETE CASCADE, time REAL NOT NULL
        );
        INSERT INTO findingOfRun SELECT id, subject, gate, severity, message, detail, runID, time FROM finding;
        DROP TABLE finding;
        ALTER TABLE findingOfRun RENAME TO finding;
        CREATE UNIQUE INDEX findingOnce ON finding (subject, gate, message, coalesce(runID, 0));
        CREATE INDEX findingByRun ON finding (runID) WHERE runID IS NOT NULL;
        """

    /// `sde.parameters.theta`, the place in the stored JSON, becomes `sde.theta`, the path in a spec.
    private static let settingPaths = """
        INSERT OR IGNORE INTO parameterPath (path)
        SELECT replace(path, '.parameters.', '.') FROM parameterPath WHERE path LIKE '%.parameters.%';
        UPDATE OR IGNORE parameter SET pathID = (
            SELECT plain.id FROM parameterPath stored JOIN parameterPath plain \
        ON plain.path = replace(stored.path, '.parameters.', '.')
            WHERE stored.id = pathID)
        WHERE pathID IN (SELECT id FROM parameterPath WHERE path LIKE '%.parameters.%');
        DELETE FROM parameter WHERE pathID IN (SELECT id FROM parameterPath WHERE path LIKE '%.parameters.%');
        DELETE FROM parameterPath WHERE path LIKE '%.parameters.%';
        """
}
