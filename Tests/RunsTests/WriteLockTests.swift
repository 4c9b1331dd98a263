import Foundation
import JSONValues
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// Writers get the write lock in the order in which they ask for it, and give up after their timeout.
@Suite(.serialized) struct WriteLockTests {
    /// Eight stores that write without a pause: none is passed over by the others.
    @Test func noWriterIsPassedOver() throws {
        let scratch = try TestFolder()
        let path = scratch.store
        let benchmark = try WriterBenchmark(at: path, writers: 8, seconds: 1.5)
        #expect(benchmark.writers.count == 10 && benchmark.writers.allSatisfy { !$0.waited.isEmpty })
        #expect(benchmark.unfairness.isFinite && benchmark.json.text.contains("waited_p99_s"))
        #expect(try RunStore(at: path).integrityProblems().isEmpty)
    }

    @Test func aLockThatDoesNotComeInTimeIsReleased() throws {
        let scratch = try TestFolder()
        let first = try RunStore(at: scratch.store)
        let second = try RunStore(at: scratch.store, access: .readWrite, timeout: 0.2)
        try first.whileWriting {
            let error = #expect(throws: StoreError.self) { try second.register(Sample.run("b")) }
            #expect(error?.kind == .busy)
        }
        // The lock that was taken after the timeout is free again.
        _ = try first.register(Sample.run("a"))
        _ = try second.register(Sample.run("b"))
        #expect(try first.runs().count == 2)
    }
}
