import Digests
import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

/// The steps of the schema of version 0.1.0.
private let stepsOfVersion010 = [
    "a73b3443a1089bfe", "98347f8ba9980dd3", "f606d08b7b46e7ff", "8cd39f8c8c0728ad", "9f2a56be46c9039b",
    "bdb8f0c4de455bb6",
    "c6d22123d9494c22", "3c8485c7dbdcb7ca", "b779333661dac6eb", "4d0476f060dc6c75", "538637c23ef3f92c",
    "cb289acad82111f9",
]

@Suite struct MigrationTests {
    let scratch: TestFolder

    init() throws { scratch = try TestFolder() }

    @Test(arguments: 0..<RunStore.latestVersion)
    func aStoreOfAnyEarlierVersionIsBroughtUpToDate(steps: Int) throws {
        try RunStore.makeEarlierVersion(at: scratch.store, steps: steps)
        let store = try RunStore(at: scratch.store)
        let fresh = try RunStore(at: scratch.path + "/fresh.sqlite")
        #expect(try store.appliedMigrations() == fresh.appliedMigrations())
        #expect(try store.rowCounts().keys.sorted() == fresh.rowCounts().keys.sorted())
        #expect(try store.integrityProblems().isEmpty)
        _ = try store.register(Sample.run())
    }

    @Test func migratingKeepsTheRows() throws {
        try RunStore.makeEarlierVersion(
            at: scratch.store, steps: 1,
            filledBy: """
                INSERT INTO provenance VALUES (1, 'c', 0, 'v', 'm', 1, 'sgmse run');
                INSERT INTO run VALUES (1, 'abcdefgh', 'old', 'i', 0, 'd', 'trained', 'finished', NULL, NULL, 1, 1, 2, \
                3, 'n');
                INSERT INTO spec VALUES (1, NULL, '', '{}');
                """)
        let found = try RunStore(at: scratch.store).run(named: "abcdefgh")
        #expect(found.name == "old" && found.status == .finished && found.notes == "n")
    }

    /// Up to the step before it, a choice's settings had the path of their place in the stored JSON.
    @Test func settingsOfAnEarlierStoreAreFoundByTheirPathInASpec() throws {
        try RunStore.makeEarlierVersion(
            at: scratch.store, steps: 10,
            filledBy: """
                INSERT INTO provenance VALUES (1, 'c', 0, 'v', 'm', 1, 'sgmse run');
                INSERT INTO run VALUES (1, 'abcdefgh', 'old', 'i', 0, 'd', 'trained', 'finished', NULL, NULL, 1, 1, 2, \
                3, 'n');
                INSERT INTO parameterPath VALUES (1, 'sde.parameters.theta'), (2, 'train.lr'), (3, 'sde.name');
                INSERT INTO parameter VALUES (1, 1, 0, 1.5), (1, 2, 0, 0.1), (1, 3, 0, 'ouve');
                """)
        let store = try RunStore(at: scratch.store)
        #expect(try store.runs(where: RunFilter("sde.theta=1.5 and lr=0.1 and sde=ouve")).map(\.name) == ["old"])
        #expect(
            try store.query("SELECT path FROM v_setting ORDER BY path").map { $0[0] } == [
                "sde.name", "sde.theta", "train.lr",
            ])
    }

    /// What was released stays: version 0.1.0 has exactly these first steps, each known by the SHA-256 of its name and
    /// statements, and later versions append theirs.
    @Test func releasedStepsNeverChange() {
        #expect(
            RunStore.schemaSteps.prefix(stepsOfVersion010.count).map { SHA256.hex($0, digits: 16) } == stepsOfVersion010
        )
    }

    /// Each process finds the store at whatever step another has reached.
    @Test func manyMayMigrateAtOnce() throws {
        try RunStore.makeEarlierVersion(at: scratch.store, steps: 2)
        let path = scratch.store
        let errors = inParallel(8) { index in
            _ = try RunStore(at: path).register(Sample.run("w\(index)"))
        }
        #expect(errors.isEmpty, "\(errors)")
        #expect(try RunStore(at: path).runs().count == 8)
    }

    @Test(arguments: [RunStore.Access.readWrite, .readOnly])
    func theStoreOfANewerVersionIsRefusedAndLeftAlone(access: RunStore.Access) throws {
        let store = try RunStore(at: scratch.store)
        try store.execute("INSERT INTO grdb_migrations VALUES ('telepathy')")
        try store.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: scratch.store))
        let error = #expect(throws: StoreError.self) { try RunStore(at: scratch.store, access: access) }
        #expect(error?.kind == .newer && error?.summary.contains("telepathy") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.store)) == before)
    }

    @Test func aForeignFileIsRefusedAndLeftAlone() throws {
        let store = try RunStore(at: scratch.store)
        try store.execute("PRAGMA application_id = 7")
        try store.close()
        let error = #expect(throws: StoreError.self) { try RunStore(at: scratch.store) }
        #expect(error?.kind == .foreign)
    }

    @Test func whatIsNoDatabaseIsCalledDamaged() throws {
        try Data(repeating: 65, count: 8192).write(to: URL(fileURLWithPath: scratch.store))
        let error = #expect(throws: StoreError.self) { try RunStore(at: scratch.store) }
        #expect(error?.kind == .corrupt && error?.hint != nil)
    }

    @Test func damageIsFound() throws {
        let store = try RunStore(at: scratch.store)
        for seed in 0..<200 { _ = try store.register(Sample.run(seed: UInt64(seed))) }
        try store.close()
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: scratch.store))
        let size = try file.seekToEnd()
        for page in stride(from: UInt64(4096 * 8), to: size, by: 4096 * 3) {
            try file.seek(toOffset: page)
            try file.write(contentsOf: Data(repeating: 0xA5, count: 512))
        }
        try file.close()
        do {
            let damaged = try RunStore(at: scratch.store)
            #expect(try !damaged.integrityProblems().isEmpty)
        } catch {
            #expect(error.kind == .corrupt)
        }
    }

    @Test func aPlaceThatCannotBeUsedSaysSo() throws {
        let missing = #expect(throws: StoreError.self) { try RunStore(at: scratch.store, access: .readOnly) }
        #expect(missing?.kind == .missing)
        let impossible = #expect(throws: StoreError.self) { try RunStore(at: "/proc/sgmse/store.sqlite") }
        #expect(impossible?.kind == .unreachable && impossible?.hint != nil)
    }

    @Test func aReaderCannotWrite() throws {
        try RunStore(at: scratch.store).close()
        let reader = try RunStore(at: scratch.store, access: .readOnly)
        let error = #expect(throws: StoreError.self) { try reader.register(Sample.run()) }
        #expect(error?.kind == .readOnly)
    }

    /// SQLite's own page limit stands for a disk that is full at ever later points.
    @Test(arguments: [1, 3, 8, 20])
    func aFullDiskLosesNothingAndTheStoreGoesOn(pages: Int) throws {
        let store = try RunStore(at: scratch.store)
        try store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        let size = try #require(
            try FileManager.default.attributesOfItem(atPath: scratch.store)[.size] as? Int)
        try store.execute("PRAGMA max_page_count = \(size / 4096 + pages)")
        var (committed, failure) = (0, nil as StoreError?)
        while failure == nil {
            do {
                _ = try store.register(Sample.run(seed: UInt64(committed)))
                committed += 1
            } catch { failure = error }
        }
        #expect(failure?.kind == .full)
        #expect(try store.runs().count == committed)
        try store.execute("PRAGMA max_page_count = 1000000")
        _ = try store.register(Sample.run(seed: UInt64(committed)))
        #expect(try store.integrityProblems().isEmpty)
    }

    @Test func theMountOfAFolderIsTheLongestOne() {
        let mounts = "/dev/a / ext4 rw 0 0\nsrv:/x /home/lab\\040data nfs4 rw 0 0\ntmpfs /home tmpfs rw 0 0\n"
        #expect(FileSystem.type(of: "/home/lab data/runs", mounts: mounts) == "nfs4")
        #expect(FileSystem.type(of: "/home/me", mounts: mounts) == "tmpfs")
        #expect(FileSystem.type(of: "/homes", mounts: mounts) == "ext4")
    }

    @Test(arguments: [
        ("3.40.1", true), ("3.44.5", true), ("3.44.6", false), ("3.45.0", true), ("3.50.7", false), ("3.51.2", true),
        ("3.51.3", false), ("3.53.0", false),
    ])
    func theKnownFaultsOfSQLiteFollowItsVersion(version: String, isFaulty: Bool) {
        #expect(SQLiteFacts.faults(of: version).contains { $0.contains("WAL-reset") } == isFaulty)
    }
}
