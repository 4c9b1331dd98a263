import Experiments
import Foundation
import Models
import Progress
import Runs
import Specs
import TestFolders
import Testing
import Training

/// A store that version 0.1.0 wrote, with the spec and the audio that it was made from.
@Suite struct EarlierStoreTests {
    /// Every stored identity still means what it meant: nothing of the store is computed again, although audio has
    /// another name.
    @Test func aStoreOfTheFirstVersionIsFoundWhole() throws {
        let fixture = try #require(Bundle.module.resourcePath) + "/Fixtures/earlier-store"
        let temporary = try TestFolder()
        let path = temporary.path + "/store.sqlite"
        try FileManager.default.copyItem(atPath: fixture + "/store.sqlite", toPath: path)
        let loaded = try SpecLoader(vocabulary: Catalog.standard.vocabulary)
            .load(fixture + "/spec.yaml", overrides: ["data.path=\(fixture)/corpus"])

        let store = try RunStore(at: path)
        defer { try? store.close() }
        let plan = try Planner(store: store, folder: temporary.path).plan(loaded)
        #expect(plan.steps.count == 36 && plan.pending.isEmpty, "\(plan.pending.map(\.reason))")
        let summary = try Executor(workspace: Workspace(store: store, commandLine: ["test"])).execute(loaded)
        #expect(summary.done == 0 && summary.failed.isEmpty && summary.runs.count == 2)
        #expect(try store.runs(summary.runs).map(\.shortID) == ["yv286ryb", "27gfetrb"])

        // Audio has its standard name from now on, and what was found under the earlier one is found under it.
        #expect(try store.testSets().allSatisfy { $0.fingerprint.hasPrefix("sha256-pcm-v1:") })
        #expect(try store.runs(summary.runs).allSatisfy { $0.key.dataFingerprint.hasPrefix("sha256-pcm-v1:") })
        #expect(try store.inventory().scorings.keys.allSatisfy { $0.contains("|sha256-pcm-v1:") })
        #expect(try Planner(store: store, folder: temporary.path).plan(loaded).pending.isEmpty)
    }
}
