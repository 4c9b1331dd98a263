import Foundation
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// A run is removed or renamed with its files; names of specs that mean one training all find it.
@Suite struct RemovalTests {
    let scratch: TestFolder
    let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    private func write(_ path: String) throws {
        let file = URL(fileURLWithPath: scratch.path + "/" + path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data([1, 2, 3]).write(to: file)
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: scratch.path + "/" + path) }

    /// A finished run with a checkpoint, kept audio, a log, and a person's notes beside them.
    private func fill(_ name: String) throws -> Run {
        let run = try store.register(Sample.run(name))
        try store.makeFolder(of: run)
        try store.begin(run.id, provenance: Sample.provenance)
        let path = "\(run.folder)/checkpoints/step-1.safetensors"
        try store.record(
            TrainingBatch(checkpoints: [
                CheckpointRecord(step: 1, kind: .last, path: path, sha256: "ab", bytes: 3, emaUpdates: 2)
            ]),
            of: run.id)
        let (set, metric) = (try Sample.set(files: 2, in: store), try Sample.siSDR(in: store))
        let used = try #require(try store.checkpoint(of: run.id, kind: .last)?.id)
        let evaluation = try Sample.evaluation(
            of: .run(run.id, checkpoint: used), on: set, at: EvaluationPoint(sampler: name), metric, [1, 2], in: store)
        let audio = "\(run.folder)/audio/a.wav"
        try store.record(
            scores: [],
            results: [FileResult(file: set.files[0].id!, nfe: 1, seconds: 1, realTimeFactor: 1, output: audio)],
            of: evaluation.id)
        for file in [path, audio, run.folder + "/logs/run.log", run.folder + "/mine.txt"] { try write(file) }
        try store.end(run.id, as: .finished)
        return try store.run(named: run.shortID)
    }

    @Test func aRemovedRunTakesItsRowsAndItsFilesAndNothingElse() throws {
        let (run, other) = (try fill("a"), try fill("b"))
        let removal = try store.removal(of: run)
        #expect(removal.files.count == 3 && removal.bytes == 9 && removal.evaluations == 1 && removal.scores == 2)
        #expect(removal.others == [run.folder + "/mine.txt"])
        #expect(exists(removal.files[0]), "a dry run removes nothing")
        try store.removeRun(run)
        #expect(removal.files.allSatisfy { !exists($0) } && exists(run.folder + "/mine.txt"))
        #expect(try store.runs().map(\.name) == ["b"] && store.rowCounts()["score"] == 2)
        #expect(try store.removal(of: other).files.allSatisfy(exists))
        #expect(try store.integrityProblems().isEmpty && store.garbage().allSatisfy { !$0.isRemovable })
    }

    @Test func aRenamedRunKeepsItsFilesAndIsFoundByBothNames() throws {
        let run = try fill("a")
        try store.changeName(of: run, to: "better name")
        let renamed = try store.run(named: "better name")
        #expect(renamed.id == run.id && renamed.aliases == ["a"] && renamed.folder == "better_name-\(run.shortID)")
        #expect(try store.run(named: "a").id == run.id)
        let paths =
            try store.checkpoints(of: run.id).map(\.path)
            + store.results(of: store.evaluations(of: run.id)[0].id).compactMap(\.output)
        #expect(paths.count == 2 && paths.allSatisfy { $0.hasPrefix(renamed.folder + "/") && exists($0) })
        #expect(exists(renamed.folder + "/mine.txt") && !exists(run.folder))
        #expect(try store.garbage().allSatisfy { !$0.isRemovable })
        #expect(try RunReport(of: renamed, in: store).text.contains("also called"))
    }

    /// The mark is all that is there when a process dies first of all; the folder is renamed when it dies later.
    @Test(arguments: [false, true])
    func whatACrashInterruptsTheNextCommandCompletes(isFolderMoved: Bool) throws {
        let (gone, run) = (try fill("gone"), try fill("a"))
        try store.execute("INSERT INTO pendingChange VALUES (\(gone.id), NULL), (\(run.id), 'b')")
        if isFolderMoved {
            try FileManager.default.moveItem(
                atPath: scratch.path + "/" + run.folder, toPath: scratch.path + "/b-\(run.shortID)")
        }
        try store.close()
        let again = try RunStore(at: scratch.store)
        #expect(try again.runs().map(\.name) == ["b"])
        #expect(exists("b-\(run.shortID)/audio/a.wav") && !exists(gone.folder + "/audio/a.wav"))
        #expect(try again.query("SELECT * FROM pendingChange").isEmpty)
    }

    @Test func aRunThatIsWorkedOnIsRefused() throws {
        let run = try store.register(Sample.run("a"))
        try store.begin(run.id, provenance: Sample.provenance)
        for change in [{ try store.removeRun(run) }, { try store.changeName(of: run, to: "b") }] {
            let error = #expect(throws: StoreError.self) { try change() }
            #expect(error?.kind == .inUse)
        }
        #expect(try store.runs().map(\.name) == ["a"])
    }

    @Test(arguments: ["", " ", "a\nb", "a\u{202E}", String(repeating: "x", count: 1001)])
    func aNameIsShortAndPlain(name: String) throws {
        let run = try fill("a")
        #expect(throws: StoreError.self) { try store.changeName(of: run, to: name) }
        #expect(try store.runs().map(\.name) == ["a"] && exists(run.folder + "/audio/a.wav"))
    }

    /// A spec that asks under a second name for a training that is there: both names find it, here and in another
    /// store.
    @Test func aSecondNameOfATrainingFindsIt() throws {
        let run = try fill("pc")
        var second = Sample.run("ode")
        second.key = run.key
        #expect(try store.register(second).id == run.id)
        #expect(try store.run(named: "ode").id == run.id && store.run(named: "pc").aliases == ["ode"])
        #expect(try RunListing(of: store).table.terminal().contains("pc, ode"))
        #expect(try store.runs(where: RunFilter("alias=ode")).map(\.id) == [run.id])
        let other = try RunStore(at: scratch.path + "/other/store.sqlite")
        try other.importRuns(from: store.path)
        #expect(try other.run(named: "ode").shortID == run.shortID)
    }
}
