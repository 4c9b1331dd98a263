import Foundation
import Runs
import StoreSamples
import Synchronization
import TestFolders
import Testing

@Suite struct ConcurrencyTests {
    /// Each of the twenty opens the file by itself, as twenty processes would, and at the same moment.
    @Test func sixteenWritersAndFourReadersMeetNoError() throws {
        let scratch = try TestFolder()
        let path = scratch.store
        let errors = inParallel(20) { index in
            guard index < 16 else {
                let store = try RunStore(at: path)
                for _ in 0..<20 {
                    for run in try store.runs() {
                        let steps = try store.steps(of: run.id).map(\.step)
                        #expect(steps == Array(0..<steps.count) && steps.count % 10 == 0)
                    }
                }
                return
            }
            let store = try RunStore(at: path)
            let run = try store.register(Sample.run("w\(index)")).id
            for batch in 0..<10 {
                let steps = (0..<10).map {
                    StepRecord(step: batch * 10 + $0, loss: 1, gradientNorm: 1, learningRate: 1, seconds: 1)
                }
                try store.record(TrainingBatch(steps: steps), of: run)
            }
        }
        #expect(errors.isEmpty, "\(errors)")
        let store = try RunStore(at: path)
        #expect(try store.rowCounts()["trainingStep"] == 1600)
        #expect(try store.runs().count == 16)
        #expect(try store.integrityProblems().isEmpty)
    }

    /// Eight stores work through forty steps; each step is done by one of them.
    @Test func noStepIsDoneTwice() throws {
        let scratch = try TestFolder()
        let path = scratch.store
        let done = Mutex<[Int: Int]>([:])
        let errors = inParallel(8) { _ in
            let store = try RunStore(at: path)
            for step in 0..<40 {
                guard case .acquired(let claim) = try store.claim("step \(step)") else { continue }
                done.withLock { $0[step, default: 0] += 1 }
                try store.complete(claim)
            }
        }
        #expect(errors.isEmpty, "\(errors)")
        #expect(done.withLock { $0 } == Dictionary(uniqueKeysWithValues: (0..<40).map { ($0, 1) }))
    }

    @Test func theSameRunRegisteredAtOnceIsOneRun() throws {
        let scratch = try TestFolder()
        let path = scratch.store
        let ids = Mutex<Set<String>>([])
        let errors = inParallel(8) { _ in
            let run = try RunStore(at: path).register(Sample.run())
            ids.withLock { _ = $0.insert(run.shortID) }
        }
        #expect(errors.isEmpty && ids.withLock { $0.count } == 1)
    }

    @Test func aWriterGivesUpWhenItsPatienceEnds() throws {
        let scratch = try TestFolder()
        let first = try RunStore(at: scratch.store)
        let second = try RunStore(at: scratch.store, timeout: 0.1)
        try first.whileWriting {
            let error = #expect(throws: StoreError.self) { try second.register(Sample.run()) }
            #expect(error?.kind == .busy && error?.hint != nil)
        }
        _ = try second.register(Sample.run())
    }

    @Test func theRollbackJournalServesWhereWALDoesNot() throws {
        let scratch = try TestFolder()
        let path = scratch.store
        let errors = inParallel(4) { index in
            let store = try RunStore(at: path, journal: .rollback)
            for seed in 0..<5 { _ = try store.register(Sample.run("w\(index)", seed: UInt64(seed))) }
        }
        #expect(errors.isEmpty, "\(errors)")
        #expect(!FileManager.default.fileExists(atPath: path + "-wal"))
        #expect(try RunStore(at: path, journal: .rollback).runs().count == 20)
    }
}
