import Foundation
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

@Suite struct StoreBenchmarkTests {
    /// The bounds belong to a full-sized store (`SGMSE_BENCH_STORE=10000`); a small one shows that the measure works.
    @Test func aFilledStoreIsListedAndComparedQuickly() throws {
        let size = ProcessInfo.processInfo.environment["SGMSE_BENCH_STORE"].flatMap { Int($0) }
        let scratch = try TestFolder()
        let store = try RunStore(at: scratch.store)
        let benchmark = try StoreBenchmark(filling: store, runs: size ?? 100, scoresPerRun: size == nil ? 100 : 1000)
        #expect(try store.rowCounts()["score"] == benchmark.fill.scores + (size == nil ? 50 : 500))
        #expect(try store.runs(where: RunFilter("backbone=ncsnpp")).count == (benchmark.fill.runs + 2) / 3)
        #expect(benchmark.listing < 0.2 && benchmark.comparison < 0.5)
        if size != nil {
            print(benchmark.table.terminal())
            #expect(benchmark.fill.scoresPerSecond >= 200_000 && benchmark.filteredListing < 0.2)
        }
    }
}
