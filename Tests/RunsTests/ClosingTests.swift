import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

/// A store that was closed is one whole file; a copy without its log says so.
@Suite struct ClosingTests {
    let scratch: TestFolder
    var copy: String { scratch.path + "/copy/store.sqlite" }

    init() throws {
        scratch = try TestFolder()
        try FileManager.default.createDirectory(atPath: scratch.path + "/copy", withIntermediateDirectories: true)
    }

    /// What `cp store.sqlite copy/` gives.
    private func copyFileAlone() throws {
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: scratch.store, toPath: copy)
    }

    @Test func aClosedStoreIsOneWholeFile() throws {
        let store = try RunStore(at: scratch.store)
        let run = try store.register(Sample.run())
        try store.begin(run.id, provenance: Sample.provenance)
        try store.close()
        try store.close()
        let log = (try? FileManager.default.attributesOfItem(atPath: scratch.store + "-wal"))?[.size] as? Int
        #expect(log == nil || log == 0)
        try copyFileAlone()
        let reader = try RunStore(at: copy, access: .readOnly)
        #expect(try reader.runs().map(\.status) == [.interrupted])
    }

    /// The last of several writers moves the log, not the first.
    @Test func theLastWriterMovesTheLog() throws {
        let first = try RunStore(at: scratch.store)
        let second = try RunStore(at: scratch.store)
        _ = try first.register(Sample.run("a"))
        try first.close()
        _ = try second.register(Sample.run("b"))
        try second.close()
        try copyFileAlone()
        #expect(try RunStore(at: copy, access: .readOnly).runs().count == 2)
    }

    @Test(arguments: [RunStore.Access.readOnly, .readWrite])
    func aCopyMadeWhileTheStoreIsInUseSaysWhatIsMissing(access: RunStore.Access) throws {
        let store = try RunStore(at: scratch.store)
        _ = try store.register(Sample.run())
        try copyFileAlone()
        let error = #expect(throws: StoreError.self) { try RunStore(at: copy, access: access) }
        #expect(
            error?.kind == .corrupt && error?.summary.contains("write-ahead log store.sqlite-wal is missing") == true)
        #expect(error?.hint?.contains("sgmse backup") == true)
        // With its log it is whole.
        try? FileManager.default.removeItem(atPath: copy + "-wal")
        try FileManager.default.copyItem(atPath: scratch.store + "-wal", toPath: copy + "-wal")
        #expect(try RunStore(at: copy, access: access).runs().count == 1)
    }

    /// Another program that opens and closes a store left by a killed process moves the log; nothing is missing then.
    @Test func aLogThatAnotherProgramMovedIsNotMissed() throws {
        let store = try RunStore(at: scratch.store)
        _ = try store.register(Sample.run())
        try store.execute("PRAGMA wal_checkpoint(FULL)")
        try copyFileAlone()
        #expect(try RunStore(at: copy, access: .readOnly).runs().count == 1)
    }

    /// A file of 4 KiB that says it has a log, and holds no table.
    @Test func aBareFileWithoutItsLogSaysSo() throws {
        try RunStore.makeEarlierVersion(at: scratch.store, steps: 0, filledBy: "PRAGMA journal_mode = WAL")
        try copyFileAlone()
        let error = #expect(throws: StoreError.self) { try RunStore(at: copy, access: .readOnly) }
        #expect(error?.summary.contains("write-ahead log") == true)
    }
}
