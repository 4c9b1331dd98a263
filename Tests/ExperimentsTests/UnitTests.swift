import Experiments
import Foundation
import Models
import Parallelism
import Progress
import Runs
import Specs
import StoreSamples
import TestFolders
import Testing
import Training

/// A plan divided into units, done one by one in stores of their own, and merged: what one process does in one store.
@Suite struct UnitTests {
    private let sweep = tinySpec + "sweep: { grid: { train.lr: [1.0e-3, 2.0e-3] } }\n"

    private func divide(_ text: String, in store: RunStore, for tasks: Int = 4, overrides: [String] = []) throws
        -> Executor.Division
    {
        let loaded = try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text, overrides: overrides)
        return try Executor(workspace: Workspace(store: store, commandLine: ["plan"])).divide(
            loaded, for: tasks, seed: "seed.sqlite")
    }

    /// Does a unit as a task does, from the bytes of its file.
    private func perform(
        _ unit: WorkUnit, in folder: String, _ interruption: Interruption = Interruption(),
        observe: @escaping @Sendable (ExperimentEvent) -> Void = { _ in }
    ) throws -> Executor.Summary {
        let unit = try WorkUnit(decoding: unit.encoded())
        let store = try UnitStore.open(unit, in: work(unit, folder), folder: folder)
        defer { try? store.close() }
        let workspace = Workspace(store: store, commandLine: ["task"])
        return try Executor(workspace: workspace, interruption: interruption, observe: observe).perform(unit)
    }

    private func work(_ unit: WorkUnit, _ folder: String) -> String { folder + "/work/" + unit.name }

    /// What a store holds of results, in one text.
    private func digest(_ scratch: TestFolder) throws -> String {
        let store = try scratch.open()
        defer { try? store.close() }
        return try ResultText(of: store).text
    }

    @Test func unitsDoneByTasksAreWhatOneProcessDoes() throws {
        let (alone, shared) = (try TestFolder(), try TestFolder())
        try alone.run(sweep)
        let store = try shared.open()
        let units = try divide(sweep, in: store).units
        #expect(
            units.map(\.title) == [
                "train tiny,lr=0.001, 4 evaluations", "train tiny,lr=0.002, 4 evaluations", "anchor noisy [test]",
                "anchor noisy [test-ood]",
                "anchor wiener [test]", "anchor wiener [test-ood]",
            ])
        for unit in units.reversed() { #expect(try perform(unit, in: shared.path).failed.isEmpty) }
        for unit in units { #expect(try UnitStore.collect(from: work(unit, shared.path), into: store) != nil) }
        #expect(try divide(sweep, in: store).units.isEmpty, "everything is cached")
        try store.close()
        #expect(try digest(shared) == digest(alone))
        #expect(shared.files(containing: "/audio/").count == alone.files(containing: "/audio/").count)
        let after = try shared.open()
        #expect(try after.runs().allSatisfy { $0.provenance.commandLine == "task" && $0.started != nil })
        #expect(try after.integrityProblems().isEmpty && after.garbage().map(\.path) == ["work/"])
        try after.close()
    }

    @Test func aCollectionThatIsInterruptedAnywhereAndRepeatedAddsNothingTwice() throws {
        let scratch = try TestFolder()
        let store = try scratch.open()
        let units = try divide(tinySpec, in: store).units
        for unit in units { _ = try perform(unit, in: scratch.path) }
        // Ended after the import and before the removal of the unit's store: the next one finds the store again.
        for unit in units {
            let folder = work(unit, scratch.path)
            try FileManager.default.copyItem(atPath: folder, toPath: folder + "-copy")
            try UnitStore.collect(from: folder, into: store)
        }
        try store.close()
        let once = try digest(scratch)
        let again = try scratch.open()
        for unit in units {
            let summary = try #require(try UnitStore.collect(from: work(unit, scratch.path) + "-copy", into: again))
            #expect(summary == TransferSummary())
            #expect(try UnitStore.collect(from: work(unit, scratch.path), into: again) == nil)
        }
        try again.close()
        #expect(try digest(scratch) == once)
    }

    @Test func aUnitThatWasStoppedGoesOnBitForBitElsewhere() throws {
        let (alone, shared) = (try TestFolder(), try TestFolder())
        try alone.run(tinySpec)
        let store = try shared.open()
        let units = try divide(tinySpec, in: store).units
        let interruption = Interruption()
        #expect(throws: Interrupted.self) {
            _ = try perform(units[0], in: shared.path, interruption) { event in
                if case .trained(_, let progress) = event, progress.step >= 3 { interruption.request() }
            }
        }
        for unit in units { _ = try perform(unit, in: shared.path) }
        for unit in units { try UnitStore.collect(from: work(unit, shared.path), into: store) }
        try store.close()
        #expect(try digest(shared) == digest(alone))
    }

    /// The planning store knows the training; units of its files know it through the seed.
    @Test func evaluationsOfAFinishedTrainingAreDividedByFiles() throws {
        let text = tinySpec.replacingOccurrences(
            of: "test: 2, test_ood: 2, shortest: 0.8, longest: 1.0",
            with: "test: 20, test_ood: 2, shortest: 0.25, longest: 0.3")
        let first = ["evaluate.sets=[test-ood]", "train.num_eval_files=0", "evaluate.keep_audio=examples"]
        let more = ["evaluate.sets=[test]", "evaluate.N=[2]", "train.num_eval_files=0", "evaluate.keep_audio=examples"]
        let (alone, shared) = (try TestFolder(), try TestFolder())
        for scratch in [alone, shared] { try scratch.run(text, overrides: first) }
        try alone.run(text, overrides: more)
        let store = try shared.open()
        let units = try divide(text, in: store, for: 8, overrides: more).units
        #expect(
            units.filter { $0.title.hasPrefix("evaluate") }.map(\.title) == [
                "evaluate tiny [set=test] files 1 to 10", "evaluate tiny [set=test] files 11 to 20",
            ])
        for unit in units { #expect(try perform(unit, in: shared.path).failed.isEmpty) }
        try UnitStore.collect(from: work(units[0], shared.path), into: store)
        #expect(try divide(text, in: store, for: 1, overrides: more).units.first?.title == "evaluate tiny [set=test]")
        for unit in units.dropFirst() { try UnitStore.collect(from: work(unit, shared.path), into: store) }
        #expect(try divide(text, in: store, overrides: more).units.isEmpty)
        try store.close()
        #expect(try digest(shared) == digest(alone))
        let kept = [shared, alone].map { $0.files(containing: "/audio/test/").count { $0.hasSuffix(".wav") } }
        #expect(kept == [4, 4])
    }

    @Test func aCorpusThatAMachineLacksIsAnErrorOfTheUnitThatNamesBoth() throws {
        let scratch = try TestFolder()
        let store = try scratch.open()
        let unit = try #require(try divide(tinySpec, in: store).units.first)
        try store.close()
        try FileManager.default.removeItem(atPath: scratch.path + "/corpora")
        let error = #expect(throws: UnitFailure.self) { _ = try perform(unit, in: scratch.path) }
        let text = "\(try #require(error))"
        #expect(
            text.contains("on \(ProcessInfo.processInfo.hostName)")
                && text.contains(scratch.path + "/corpora/synthetic"), "\(text)")
    }

    @Test func anImportKeepsTheLatestCheckpointAsTheLastOne() throws {
        let scratch = try TestFolder()
        try scratch.run(tinySpec, overrides: ["train.max_steps=6"])
        let store = try scratch.open()
        let run = try #require(try store.runs().first)
        let path = "\(run.folder)/checkpoints/later"
        let other = try RunStore(at: scratch.path + "/work/other.sqlite", journal: .rollback, folder: scratch.path)
        try other.importRuns(from: store.path, sharesFolder: true)
        let copy = try #require(try other.runs().first)
        let later = CheckpointRecord(step: 9, kind: .last, path: path, sha256: "", bytes: 1, emaUpdates: 9)
        try other.record(TrainingBatch(checkpoints: [later]), of: copy.id)
        try other.close()
        try store.importRuns(from: scratch.path + "/work/other.sqlite", sharesFolder: true)
        let last = try store.checkpoints(of: run.id).filter { $0.kind == .last && !$0.isSuperseded }
        #expect(last.map(\.step) == [9])
        try store.close()
    }
}
