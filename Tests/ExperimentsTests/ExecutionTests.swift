import Experiments
import Foundation
import Parallelism
import Progress
import Runs
import Synchronization
import TestFolders
import Testing
import Training

@Suite struct ExecutionTests {
    @Test func aSpecBecomesRowsAndFiles() throws {
        let temporary = try TestFolder()
        let summary = try temporary.run(tinySpec)
        #expect(summary.done == 9)  // a training, four evaluations, two anchors on two sets
        #expect(summary.failed.isEmpty)
        let store = try temporary.open()
        let run = try #require(try store.runs().first)
        #expect(run.status == .finished)
        #expect(try store.steps(of: run.id).map(\.step) == Array(1...6))
        #expect(try store.validations(of: run.id).filter { $0.metric == "si_sdr" }.map(\.step) == [3, 6])
        let evaluations = try store.evaluations(of: run.id)
        #expect(evaluations.map(\.point.steps).compactMap(\.self).sorted() == [2, 2, 3, 3])
        for evaluation in evaluations {
            let scores = try store.scores(of: evaluation.id)
            #expect(scores.count == 8)  // four metrics of two files
            for result in try store.results(of: evaluation.id) {
                #expect(result.nfe == evaluation.point.steps)
                let output = try #require(result.output)
                #expect(temporary.data(output) != nil)
            }
        }
        #expect(try store.anchorEvaluations().count == 4)
        try store.close()
    }

    @Test func aSecondRunDoesNothingAndSaysWhy() throws {
        let temporary = try TestFolder()
        try temporary.run(tinySpec)
        let reasons = Mutex<[String]>([])
        let summary = try temporary.run(tinySpec) { event in
            if case .planned(let step) = event { reasons.withLock { $0.append("\(step.state): \(step.reason)") } }
        }
        #expect(summary.done == 0 && summary.cached == 9)
        let said = reasons.withLock { $0 }
        #expect(said.count == 9)
        #expect(said.allSatisfy { $0.hasPrefix("cached: ") && $0.count > 12 })
    }

    @Test func oneChangedFieldRerunsOnlyWhatDependsOnIt() throws {
        let temporary = try TestFolder()
        try temporary.run(tinySpec)
        let more = try temporary.run(tinySpec, overrides: ["evaluate.N=[2, 4]"])
        #expect(more.done == 2 && more.cached == 7)  // N = 4 on two sets
        let renamed = try temporary.run(tinySpec, overrides: ["title=another", "train.retries=1"])
        #expect(renamed.done == 0)
        let retrained = try temporary.run(tinySpec, overrides: ["train.lr=2e-3"])
        #expect(retrained.done == 5 && retrained.cached == 4)  // the anchors stay
    }

    /// Stops a training in its middle and goes on; weights and history equal those of one that was left alone.
    @Test func aResumedTrainingEqualsAnUndisturbedOne() throws {
        let (whole, broken) = (try TestFolder(), try TestFolder())
        try whole.run(tinySpec)
        let interruption = Interruption()
        #expect(throws: Interrupted.self) {
            try broken.run(tinySpec, interruption: interruption) { event in
                if case .trained(_, let progress) = event, progress.step == 4 { interruption.request() }
            }
        }
        #expect(broken.files(containing: "step-4.safetensors").count == 1)
        let resumed = Mutex<PlanStep.State?>(nil)
        try broken.run(tinySpec) { event in
            if case .planned(let step) = event, step.kind == .train { resumed.withLock { $0 = step.state } }
        }
        #expect(resumed.withLock { $0 } == .resumed)
        let name = try #require(whole.files(containing: "step-6.safetensors").first)
        let expected = try #require(whole.data(name))
        #expect(broken.data(name) == expected)
        let audio = whole.files(containing: "/audio/").filter { $0.hasSuffix(".wav") }
        #expect(audio.count == 8)
        for path in audio { #expect(whole.data(path) == broken.data(path)) }
        let (a, b) = (try whole.open(), try broken.open())
        let losses = try [a, b].map { store in
            try store.steps(of: try #require(try store.runs().first).id).map(\.loss)
        }
        #expect(losses[0] == losses[1])
        try a.close()
        try b.close()
    }

    @Test func scoresDoNotDependOnTheNumberOfThreads() throws {
        let (one, two) = (try TestFolder(), try TestFolder())
        _ = try withThreads(1) { try one.run(tinySpec) }
        _ = try withThreads(2) { try two.run(tinySpec) }
        for path in one.files(containing: "/audio/").filter({ $0.hasSuffix(".wav") }) {
            #expect(one.data(path) == two.data(path))
        }
    }

    @Test func accumulatedBatchesEqualOneLargeBatch() throws {
        let (wide, split, devices) = (try TestFolder(), try TestFolder(), try TestFolder())
        let short = ["train.max_steps=3", "evaluate.N=[2]"]
        try wide.run(tinySpec, overrides: short + ["train.batch_size=4"])
        try split.run(tinySpec, overrides: short + ["train.batch_size=2", "train.accumulate_grad_batches=2"])
        try devices.run(tinySpec, overrides: short + ["train.batch_size=1", "train.devices=4"])
        let losses = try [wide, split, devices].map { temporary in
            let store = try temporary.open()
            defer { try? store.close() }
            return try store.steps(of: try #require(try store.runs().first).id).map(\.loss)
        }
        for other in losses.dropFirst() {
            #expect(other.count == 3)
            for (a, b) in zip(losses[0], other) { #expect(abs(a - b) < 1e-4 * abs(a)) }
        }
    }
}
