import Corpora
import Experiments
import Foundation
import Gates
import Models
import Parallelism
import Progress
import Runs
import Specs
import Synchronization
import TestFolders
import Testing
import Training

@Suite struct PlanTests {
    private func load(_ text: String, overrides: [String] = []) throws -> LoadedSpec {
        try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text, overrides: overrides)
    }

    private func plan(_ temporary: TestFolder, _ text: String = tinySpec, overrides: [String] = []) throws -> Plan {
        let path = temporary.path + "/store.sqlite"
        let store = FileManager.default.fileExists(atPath: path) ? try RunStore(at: path, access: .readOnly) : nil
        return try Planner(store: store, folder: temporary.path).plan(try load(text, overrides: overrides))
    }

    /// A plan that is given up leaves nothing behind that still reads its store, which is closed next.
    @Test func whoeverLetsGoOfAFutureWaitsForIt() {
        let isDone = Atomic(false)
        do {
            _ = Future {
                usleep(200_000)
                isDone.store(true, ordering: .relaxed)
            }
        }
        let wasWaitedFor = isDone.load(ordering: .relaxed)
        #expect(wasWaitedFor)
    }

    @Test func withoutAStoreEverythingIsNew() throws {
        let temporary = try TestFolder()
        let plan = try plan(temporary)
        #expect(
            plan.steps.map(\.kind) == [.corpus, .train] + Array(repeating: .evaluate, count: 4)
                + Array(repeating: .anchor, count: 4))
        #expect(plan.pending.count == plan.steps.count && plan.seconds == 0 && plan.unmeasured == 5)
        #expect(plan.steps[0].reason.hasPrefix("will be made in") && plan.steps[1].reason == "not trained yet")
        #expect(temporary.files(containing: "").isEmpty)
    }

    /// What a plan says is what execution then does, step by step.
    @Test func aPlanIsWhatExecutionDoes() throws {
        let temporary = try TestFolder()
        func steps(_ overrides: [String]) throws -> (planned: [PlanStep], done: [PlanStep]) {
            let planned = try plan(temporary, overrides: overrides).steps.map(\.summary)
            let done = Mutex<[PlanStep]>([])
            try temporary.run(tinySpec, overrides: overrides) { event in
                if case .planned(let step) = event { done.withLock { $0.append(step) } }
            }
            return (planned.filter { $0.kind != .corpus }, done.withLock { $0 })
        }
        let states = { (steps: [PlanStep]) in steps.map { "\($0.kind) \($0.subject) \($0.detail) \($0.state)" } }
        for overrides in [[], [], ["train.lr=2e-3"], ["evaluate.N=[2, 4]"], ["evaluate.metrics=[estoi, lsd]"]] {
            let (planned, done) = try steps(overrides)
            #expect(states(planned) == states(done), "\(overrides)")
        }
    }

    @Test func everyStepHasItsReason() throws {
        let temporary = try TestFolder()
        try temporary.run(tinySpec)
        #expect(try plan(temporary).pending.isEmpty)
        #expect(try plan(temporary, overrides: ["title=other", "notes=other"]).pending.isEmpty)

        let faster = try plan(temporary, overrides: ["train.lr=2e-3"])
        let train = try #require(faster.pending.first)
        #expect(train.reason.hasPrefix("train.lr changed from 0.001 to 0.002 (since "))
        #expect(faster.pending.dropFirst().allSatisfy { $0.kind == .evaluate && $0.reason == "after its training" })
        #expect(faster.pending.allSatisfy { ($0.seconds ?? 0) > 0 } && faster.unmeasured == 0)

        let seeded = try plan(temporary, overrides: ["train.seeds=[0, 1]"])
        #expect(seeded.runs == 2 && seeded.pending.first?.reason == "not trained yet")

        let steps = try plan(temporary, overrides: ["evaluate.N=[2, 4]"]).pending
        #expect(steps.count == 2)
        #expect(steps[0].reason == "not evaluated yet: evaluate.N changed from [2, 3] to [2, 4]")

        let metrics = try plan(temporary, overrides: ["evaluate.metrics=[estoi, lsd]"]).pending
        #expect(
            metrics.count == 8
                && metrics.allSatisfy { $0.state == .resumed && $0.reason == "2 of 2 files lack a metric" })

        for file in temporary.files(containing: ".safetensors") {
            try FileManager.default.removeItem(atPath: temporary.path + "/" + file)
        }
        #expect(try plan(temporary).pending.isEmpty)  // the scores are there; the weights are not needed
        let again = try plan(temporary, overrides: ["evaluate.N=[2, 4]"]).pending
        #expect(again.first?.kind == .train && again.first?.reason.hasPrefix("missing file: tiny-") == true)
        let summary = try temporary.run(tinySpec, overrides: ["evaluate.N=[2, 4]"])
        #expect(summary.done == 3 && summary.failed.isEmpty)
    }

    /// Scores are not computed again for audio; plan and run say that there is none.
    @Test func audioThatWasNotKeptIsNotPromised() throws {
        let temporary = try TestFolder()
        try temporary.run(tinySpec, overrides: ["evaluate.keep_audio=none"])
        let notes = { (steps: [PlanStep]) in
            steps.filter { $0.reason.contains("their audio was not kept") }.map { "\($0.kind) \($0.subject)" }
        }
        #expect(try notes(plan(temporary, overrides: ["evaluate.keep_audio=none"]).steps.map(\.summary)).isEmpty)
        let planned = try plan(temporary)
        // Four evaluations, the Wiener filter on two sets; the noisy input has no output to keep.
        #expect(
            planned.pending.isEmpty && notes(planned.steps.map(\.summary)).count == 6
                && !notes(planned.steps.map(\.summary)).contains("anchor noisy"))
        let done = Mutex<[PlanStep]>([])
        try temporary.run(tinySpec) { event in if case .planned(let step) = event { done.withLock { $0.append(step) } }
        }
        let said = done.withLock { $0 }
        #expect(notes(said).sorted() == notes(planned.steps.map(\.summary)).sorted())
    }

    @Test func aFailedTrainingSaysWhyItIsTriedAgain() throws {
        let temporary = try TestFolder()
        let summary = try temporary.run(tinySpec, overrides: ["train.lr=1e30"])
        #expect(summary.failed.count == 1)
        let train = try plan(temporary, overrides: ["train.lr=1e30"]).steps.first { $0.kind == .train }
        let reason = summary.failed.first?.reason ?? "?"
        #expect(train?.reason.contains(reason) == true, "\(train?.reason ?? "")")
    }

    @Test func anInterruptedTrainingGoesOn() throws {
        let temporary = try TestFolder()
        let interruption = Interruption()
        #expect(throws: Interrupted.self) {
            try temporary.run(tinySpec, interruption: interruption) { event in
                if case .trained(_, let progress) = event, progress.step == 4 { interruption.request() }
            }
        }
        let train = try plan(temporary).steps.first { $0.kind == .train }
        #expect(train?.state == .resumed && train?.reason.hasPrefix("stopped at step 4: interrupted") == true)
    }

    @Test func aRunExplainsItself() throws {
        let temporary = try TestFolder()
        try temporary.run(tinySpec)
        try temporary.run(tinySpec, overrides: ["train.lr=2e-3"])
        let store = try temporary.open()
        defer { try? store.close() }
        let runs = try store.runs()
        let (second, first) = (try Explanation(of: runs[0], in: store), try Explanation(of: runs[1], in: store))
        #expect(first.reasons.count == 5 && first.reasons[0].message == "train: not trained yet")
        #expect(second.reasons[0].message == "train: train.lr changed from 0.001 to 0.002 (since \(runs[1].shortID))")
        #expect(second.difference?.contains("train.lr") == true)
    }

    /// The starting weights are part of what a run is.
    @Test func aTrainingBeginsFromTheWeightsItNames() throws {
        let temporary = try TestFolder()
        try temporary.run(tinySpec)
        let store = try temporary.open()
        let first = try #require(try store.runs().first)
        try store.close()
        func loss(_ overrides: [String]) throws -> Double {
            let summary = try temporary.run(
                tinySpec.replacingOccurrences(of: "name: tiny", with: "name: tuned"), overrides: overrides)
            let store = try temporary.open()
            defer { try? store.close() }
            return try #require(try store.steps(of: summary.runs[0]).first).loss
        }
        let fresh = try loss(["train.max_steps=2"])
        let tuned = try loss(["train.max_steps=2", "train.init_from=\(first.shortID)"])
        let warm = try loss([
            "train.max_steps=2", "train.init_from={ checkpoint: \(first.shortID), weights: raw, optimizer: true }",
        ])
        #expect(tuned < fresh && warm < fresh && tuned != warm)
        #expect(throws: IncompatibleParts.self) { try loss(["train.init_from=nobody"]) }
        // No step at all: the weights themselves are evaluated.
        let summary = try temporary.run(tinySpec, overrides: ["train.max_steps=0", "train.init_from=\(first.shortID)"])
        #expect(summary.failed.isEmpty && summary.done == 5)
    }

    /// A spec that evaluates on sets of their own and trains nothing needs no audio to learn from.
    @Test func evaluationAloneNeedsNothingToLearnFrom() throws {
        let temporary = try TestFolder()
        let store = try temporary.open()
        defer { try? store.close() }
        var preparer = DataPreparer(workspace: Workspace(store: store, commandLine: ["test"]))
        let made = try preparer.prepare(try load(tinySpec).spec)
        let folder = try #require(made.tests["test"]).set.path
        let alone = try preparer.prepare(
            try load("name: x\ntrain: { max_steps: 0 }\nevaluate: { sets: [{ name: test, path: \(folder) }] }\n").spec)
        #expect(alone.training.isEmpty && alone.validation.isEmpty)
        #expect(alone.tests["test"]?.fingerprint == made.tests["test"]?.fingerprint)
    }

    @Test func twoRowsOfOnePaperMustDiffer() throws {
        let temporary = try TestFolder()
        try temporary.run(tinySpec + "reproduces: M1\n")
        #expect(throws: SharedIdentity.self) { try temporary.run(tinySpec + "reproduces: M2\n") }
        #expect(throws: Never.self) { try temporary.run(tinySpec + "reproduces: M1\n") }
    }

    @Test func pointsThatShareATrainingPlanItOnce() throws {
        let temporary = try TestFolder()
        let text =
            tinySpec.replacingOccurrences(of: "N: [2, 3]", with: "N: [2]") + "sweep: { grid: { evaluate.N: [2, 3] } }\n"
        let plan = try self.plan(temporary, text)
        #expect(plan.runs == 2)
        #expect(plan.steps.count { $0.kind == .train } == 1)
        #expect(plan.steps.count { $0.kind == .evaluate } == 4)
    }

    /// Ten thousand finished runs: expanded from the spec, looked up, and nothing to do.
    @Test func aPlanOfTenThousandRunsIsQuick() throws {
        let temporary = try TestFolder()
        let base = tinySpec.replacingOccurrences(of: "sets: [test, test-ood]", with: "sets: [test]")
        try temporary.run(base)
        let values = (1...100).map { "\(Double($0) / 1e5)" }.joined(separator: ", ")
        let decays = (1...100).map { "\(0.9 + Double($0) / 2000)" }.joined(separator: ", ")
        let text = base + "sweep: { grid: { train.lr: [\(values)], train.ema_decay: [\(decays)] } }\n"
        let loaded = try load(text)
        let store = try temporary.open()
        let known = try #require(try store.runs().first)
        let like = try store.evaluations(of: known.id).map(\.identity)
        let rest = like[0].split(separator: "|").dropFirst().joined(separator: "|")
        try store.fill(
            loaded.runs.filter { $0.identity.hex != known.key.identity }.map { run in
                .init(
                    name: run.name,
                    key: RunKey(identity: run.identity.hex, seed: 0, dataFingerprint: known.key.dataFingerprint),
                    evaluations: zip(run.evaluations, like).map { ("\($0.identity.hex)|\(rest)", $1) })
            }, provenance: known.provenance)
        try store.close()
        var plan: Plan?
        let clock = ContinuousClock()
        let expanding = try clock.measure { _ = try load(text) }
        let whole = try clock.measure { plan = try self.plan(temporary, text) }
        print("a no-op plan over 10,000 runs: \(whole), of these \(expanding) expand the spec")
        #expect(plan?.runs == 10_000 && plan?.steps.count == 30_002 && plan?.pending.isEmpty == true)
        // One second on an idle core; the limit leaves room for a busy machine.
        #expect(whole < .seconds(6))
    }
}
