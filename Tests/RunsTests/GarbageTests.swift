import AtomicFiles
import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

/// Only what the store recorded as made, or what is named as ours in the making, ever goes.
@Suite struct GarbageTests {
    let scratch: TestFolder
    let store: RunStore
    let run: Run

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
        run = try store.register(Sample.run("a"))
        try store.makeFolder(of: run)
    }

    private func write(_ path: String, hoursOld: Double = 0) throws {
        let file = URL(fileURLWithPath: scratch.path + "/" + path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data([1, 2, 3]).write(to: file)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -3600 * hoursOld)], ofItemAtPath: file.path)
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: scratch.path + "/" + path) }

    private func record(checkpoint step: Int) throws -> String {
        let path = "\(run.folder)/checkpoints/step-\(step).safetensors"
        let record = CheckpointRecord(step: step, kind: .last, path: path, sha256: "ab", bytes: 3, emaUpdates: 2)
        try store.record(TrainingBatch(checkpoints: [record]), of: run.id)
        try write(path)
        return path
    }

    @Test func whatTheStoreMadeAndNoRowNamesGoes() throws {
        let old = try record(checkpoint: 1)
        let last = try record(checkpoint: 2)
        let pending = TemporaryName.path(for: run.folder + "/checkpoints/last.bin")
        try write(pending, hoursOld: 2)
        let young = TemporaryName.path(for: run.folder + "/audio/a.wav")
        try write(young)
        let corpus = TemporaryName.path(for: "corpora/synthetic")
        try write(corpus + "/train/a.wav")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: scratch.path + "/" + corpus)
        try write(run.folder + "/logs/run.log")
        let garbage = try store.garbage()
        #expect(Set(garbage.map(\.path)) == [old, pending, corpus + "/"])
        #expect(Set(garbage.map(\.reason)) == [.unreferenced, .temporary])
        #expect(try store.delete(garbage).files == 3)
        #expect(try store.garbage().isEmpty)
        #expect(exists(last) && exists(young) && exists(run.folder + "/logs/run.log"))
        #expect(!exists(old) && !exists(pending) && !exists(corpus))
    }

    /// Folders with the look of a run's, partial downloads, a person's notes among our files.
    @Test func whatOthersMadeIsListedAndLeftAlone() throws {
        let strangers = [
            "speech-enhancement/checkpoints/m5.ckpt", "speech-enhancement/src/train.py", "thesis.partial", "x.part",
            "a.tmp",
            "store.sqlite-import-1", "corpora/.mine.part", ".sgmse-part-mine", run.folder + "/checkpoints/notes.txt",
            run.folder + "/audio/mine.wav", run.folder + "/mine.txt", "anchors/mine.wav",
        ]
        for path in strangers { try write(path, hoursOld: 48) }
        let garbage = try store.garbage()
        #expect(garbage.allSatisfy { $0.reason == .unknown && !$0.isRemovable }, "\(garbage)")
        #expect(garbage.map(\.path).contains("speech-enhancement/"))
        #expect(garbage.map(\.path).contains(run.folder + "/checkpoints/notes.txt"))
        #expect(try store.delete(garbage).files == 0)
        for path in strangers { #expect(exists(path), "\(path)") }
    }

    /// A row cannot lead out of the folder, whether by its path or through a link.
    @Test func nothingOutsideTheFolderGoes() throws {
        let outside = try TestFolder()
        let victim = outside.path + "/checkpoints/victim.bin"
        try FileManager.default.createDirectory(
            atPath: outside.path + "/checkpoints", withIntermediateDirectories: true)
        try Data([1]).write(to: URL(fileURLWithPath: victim))
        let name = (outside.path as NSString).lastPathComponent
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/link-abcdefgh", withDestinationPath: outside.path)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/\(run.folder)/checkpoints", withDestinationPath: outside.path + "/checkpoints")
        let pending = TemporaryName.path(for: "corpora/x")
        try FileManager.default.createDirectory(atPath: scratch.path + "/corpora", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path + "/" + pending, withDestinationPath: outside.path)
        for path in [
            "../\(name)/checkpoints/victim.bin", victim, "link-abcdefgh/checkpoints/victim.bin",
            run.folder + "/checkpoints/victim.bin",
        ] {
            try store.execute("INSERT INTO madeFile VALUES ('\(path)')")
        }
        let garbage = try store.garbage()
        #expect(garbage.allSatisfy { !$0.isRemovable }, "\(garbage)")
        try store.delete(garbage.map { GarbageFile(path: $0.path, bytes: 0, reason: .unreferenced) })
        try store.delete([GarbageFile(path: pending + "/", bytes: 0, reason: .temporary)])
        #expect(FileManager.default.fileExists(atPath: victim))
    }

    @Test(arguments: [
        "", "/etc/passwd", "../a", "a/../b", "a//b", "a/.", "a\u{0}b", "a\nb", "a\u{202E}b",
        String(repeating: "x", count: 256),
    ])
    func aPathThatLeadsElsewhereIsNone(path: String) { #expect(RelativePath(path) == nil) }
}
