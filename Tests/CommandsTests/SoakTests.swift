import Foundation
import Runs
import TestFolders
import Testing

/// SIGKILL at random moments of every phase, each proven to have struck inside it; `SGMSE_SOAK=200` kills more often.
@Suite(.serialized) struct SoakTests {
    private static let kills = ProcessInfo.processInfo.environment["SGMSE_SOAK"].flatMap { Int($0) } ?? 20

    private static let spec =
        tinySpec
        .replacingOccurrences(
            of: "max_steps: 6, num_eval_files: 1, validate_every: 3",
            with: "max_steps: 400, num_eval_files: 0, validate_every: 400, resume_steps: 3"
        )
        .replacingOccurrences(of: "test: 2, test_ood: 2", with: "test: 6, test_ood: 2")
        .replacingOccurrences(of: "N: [2, 3]", with: "N: [2, 3, 4, 5]")

    /// The weights and scores of a run that nothing disturbed.
    private static let undisturbed = Result<(weights: Data?, scores: String), any Error> {
        let scratch = try TestFolder()
        let end = try Program.run("run", scratch.spec(spec), "--no-table", in: scratch.path)
        #expect(end.code == 0, "\(end.error)")
        return try outcome(scratch)
    }

    private static func outcome(_ scratch: TestFolder) throws -> (weights: Data?, scores: String) {
        (
            scratch.files("step-400.safetensors").first.flatMap(scratch.data),
            try Program.run("compare", "--format", "csv", in: scratch.path).out
        )
    }

    /// The next command finds a sound store in which nothing is running, within a second.
    private func expectSound(_ scratch: TestFolder, _ check: (RunStore) throws -> Void = { _ in }) throws {
        let start = ContinuousClock.now
        let store = try RunStore(at: scratch.store)
        #expect(ContinuousClock.now - start < .seconds(1))
        for run in try store.runs() {
            #expect(run.status != .running && run.status != .failed)
            let steps = try store.steps(of: run.id).map(\.step)
            #expect(steps == Array(steps.indices.map { $0 + 1 }), "a step is missing or doubled")
        }
        #expect(try store.claims().isEmpty && store.integrityProblems().isEmpty)
        try check(store)
        try store.close()
    }

    /// Kills the run of a spec whenever `phase` has begun, until it was struck often enough, and lets it end.
    private func disturb(_ marks: [String], longest: UInt32, isOver: (RunStore) throws -> Bool) throws {
        var (struck, tries) = (0, 0)
        while struck < Self.kills {
            tries += 1
            try #require(tries < 10 + Self.kills, "the phase is over before it can be struck")
            let scratch = try TestFolder()
            let path = try scratch.spec(Self.spec)
            var promised = 0
            while struck < Self.kills {
                let program = try Program(["run", path, "--no-table", "--threads", "1"], in: scratch.path)
                guard program.waitUntil({ marks.contains { program.messages.contains($0) } }) else { break }
                usleep(UInt32.random(in: 0...longest))
                guard program.kill() else { break }
                var over = false
                try expectSound(scratch) { store in
                    over = try isOver(store)
                    let rows = try store.rowCounts()
                    let kept = (rows["trainingStep"] ?? 0) + (rows["score"] ?? 0)
                    #expect(kept >= promised, "a committed row is lost")
                    promised = kept
                }
                if over { break }
                struck += 1
            }
            let end = try Program.run("run", path, "--no-table", in: scratch.path)
            #expect(end.code == 0, "\(end.error)")
            let (mine, expected) = (try Self.outcome(scratch), try Self.undisturbed.get())
            #expect(mine.weights != nil && mine.weights == expected.weights)
            #expect(mine.scores == expected.scores)
        }
    }

    @Test func trainingSurvives() throws {
        try disturb(["training steps"], longest: 60_000) { store in try store.runs().contains { $0.status == .finished }
        }
    }

    @Test func evaluationSurvives() throws {
        let files = 32  // four N of six and two files
        try disturb(["+ evaluate", "> evaluate"], longest: 40_000) { store in
            try (store.rowCounts()["score"] ?? 0) >= files
        }
    }

    /// Before training: the corpus is made, read and checked, runs are registered.
    @Test func planningSurvives() throws {
        var (struck, tries) = (0, 0)
        while struck < Self.kills {
            tries += 1
            try #require(tries < 20 * Self.kills, "the phase is over before it can be struck")
            let scratch = try TestFolder()
            let path = try scratch.spec(Self.spec)
            let program = try Program(["check", path], in: scratch.path)
            guard program.waitUntil({ program.hasOpen("store.sqlite") }) else { continue }
            usleep(UInt32.random(in: 0...60_000))
            guard program.kill() else { continue }
            try expectSound(scratch)
            struck += 1
            if struck % 10 == 0 {
                #expect(try Program.run("check", path, in: scratch.path).code == 0)
                // A process that was killed just before the renaming leaves its temporary folder, which gc removes
                // later.
                #expect(scratch.files("recipe.json").count { !$0.contains(".sgmse-part-") } == 1)
            }
        }
    }

    @Test func theTableSurvives() throws {
        let scratch = try TestFolder()
        let store = try RunStore(at: scratch.store)
        _ = try store.fill(runs: 150, scoresPerRun: 500)
        try store.close()
        let expected = try Program.run("compare", "--format", "csv", in: scratch.path).out
        var (struck, tries) = (0, 0)
        while struck < Self.kills {
            tries += 1
            try #require(tries < 20 * Self.kills, "the phase is over before it can be struck")
            let program = try Program(["compare", "--format", "csv"], in: scratch.path)
            guard program.waitUntil({ program.hasOpen("store.sqlite") }) else { continue }
            usleep(UInt32.random(in: 0...40_000))
            if program.kill() { struck += 1 }
        }
        #expect(try Program.run("compare", "--format", "csv", in: scratch.path).out == expected)
        try expectSound(scratch)
    }

    @Test func migrationSurvives() throws {
        let original = try TestFolder()
        try RunStore.makeEarlierVersion(
            at: original.store, steps: 1,
            filledBy: """
                INSERT INTO provenance VALUES (1, '', 0, '1', 'm', 1, 'c');
                INSERT INTO run (id, shortID, name, identity, seed, dataFingerprint, origin, status, provenanceID, \
                created)
                VALUES (1, 'abcdefgh', 'old', 'i', 0, 'd', 'trained', 'finished', 1, 0);
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)
                INSERT INTO event (runID, time, kind, message) SELECT 1, i, 'note', 'event ' || i FROM n;
                """)
        var (struck, tries, versions) = (0, 0, Set<Int>())
        while struck < Self.kills {
            tries += 1
            try #require(tries < 20 * Self.kills, "the phase is over before it can be struck")
            let scratch = try TestFolder()
            try FileManager.default.copyItem(atPath: original.store, toPath: scratch.store)
            let program = try Program(["tag", "old", "found"], in: scratch.path)
            guard program.waitUntil({ program.hasOpen("store.sqlite") }) else { continue }
            usleep(UInt32.random(in: 0...25_000))
            guard program.kill() else { continue }
            let reader = try RunStore(at: scratch.store, access: .readOnly)
            let applied = try reader.appliedMigrations().count
            try reader.close()
            versions.insert(applied)
            struck += applied < RunStore.latestVersion ? 1 : 0
            #expect(try Program.run("tag", "old", "found", in: scratch.path).code == 0)
            try expectSound(scratch) { store in
                let (events, tags) = (try store.rowCounts()["event"], try store.runs()[0].tags)
                #expect(events == 40_000 && tags == ["found"])
            }
        }
        #expect(!versions.isEmpty)
    }

    @Test func garbageCollectionSurvives() throws {
        let scratch = try TestFolder()
        let end = try Program.run("run", scratch.spec(tinySpec), "--no-table", in: scratch.path)
        #expect(end.code == 0, "\(end.error)")
        let kept = scratch.files(".safetensors") + scratch.files(".wav").filter { $0.contains("/audio/") }
        let folder = scratch.path + "/gone-abcdefgh/checkpoints"
        func left() -> Int { ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).count }
        var (struck, tries) = (0, 0)
        while struck < Self.kills {
            tries += 1
            try #require(tries < 20 * Self.kills, "the phase is over before it can be struck")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for file in left()..<1500 {
                try Data([1]).write(to: URL(fileURLWithPath: "\(folder)/\(file)-\(struck)-x.bin"))
            }
            let store = try RunStore(at: scratch.store)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            try store.willMake(names.map { "gone-abcdefgh/checkpoints/" + $0 })
            try store.close()
            let all = left()
            let program = try Program(["gc", "--delete"], in: scratch.path)
            _ = program.waitUntil { left() < all }
            usleep(UInt32.random(in: 0...3000))
            if program.kill(), left() > 0 { struck += 1 }
            try expectSound(scratch)
        }
        #expect(try Program.run("gc", "--delete", in: scratch.path).code == 0)
        #expect(left() == 0)
        #expect(scratch.files(".safetensors") + scratch.files(".wav").filter { $0.contains("/audio/") } == kept)
    }
}
