import Experiments
import Foundation
import Models
import Parallelism
import Progress
import Runs
import Specs
import Synchronization
import TestFolders
import Testing
import Training

@Suite struct SharingTests {
    /// Two executors with stores of their own, as two processes have them, on one spec at the same moment.
    @Test func twoCommandsShareTheWorkAndDoNoneOfItTwice() throws {
        let (temporary, single) = (try TestFolder(), try TestFolder())
        let sweep = tinySpec + "sweep: { grid: { train.lr: [1.0e-3, 2.0e-3] } }\n"
        let alone = try single.run(sweep)
        let planned = Mutex<[String: Int]>([:])
        let results = Mutex<[Executor.Summary]>([])
        let errors = Mutex<[any Error]>([])
        let group = DispatchGroup()
        for _ in 0..<2 {
            group.enter()
            Thread.detachNewThread {
                do {
                    let summary = try temporary.run(sweep) { event in
                        guard case .finished(let step) = event else { return }
                        planned.withLock { $0[step.title, default: 0] += 1 }
                    }
                    results.withLock { $0.append(summary) }
                } catch { errors.withLock { $0.append(error) } }
                group.leave()
            }
        }
        group.wait()
        #expect(errors.withLock { $0.isEmpty }, "\(errors.withLock { $0 })")
        #expect(planned.withLock { $0.values.allSatisfy { $0 == 1 } })
        let summaries = results.withLock { $0 }
        #expect(summaries.map(\.done).reduce(0, +) == alone.done)
        #expect(summaries.allSatisfy { $0.done > 0 && $0.failed.isEmpty })
        let names = single.files(containing: "safetensors")
        #expect(names == temporary.files(containing: "safetensors"))
        for name in names { #expect(single.data(name) == temporary.data(name)) }
    }

    /// A claim whose process is gone holds nobody up.
    @Test func whatADeadProcessHeldIsTakenOver() throws {
        let temporary = try TestFolder()
        let id = try abandonedTraining(in: temporary)
        let summary = try temporary.run(tinySpec)
        #expect(summary.failed.isEmpty && summary.done == 9)
        let store = try temporary.open()
        #expect(try store.run(named: id).status == .finished)
        try store.close()
    }

    /// Trains some steps, claims the rest, and lets go of the store without closing it: as after a SIGKILL, only the
    /// kernel knows.
    private func abandonedTraining(in temporary: TestFolder) throws -> String {
        let store = try temporary.open()
        let loaded = try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: tinySpec)
        let workspace = Workspace(store: store, commandLine: ["test"])
        let interruption = Interruption()
        #expect(throws: Interrupted.self) {
            try Executor(workspace: workspace, interruption: interruption) { event in
                if case .trained(_, let progress) = event, progress.step == 3 { interruption.request() }
            }.execute(loaded)
        }
        let run = try #require(try store.runs().first)
        try store.begin(run.id, provenance: workspace.provenance)
        _ = try store.claim("train \(run.shortID)")
        return run.shortID
    }
}

@Suite struct StoppingTests {
    @Test func anExplodingLossIsNoticed() {
        var watch = LossWatch(growth: 100, history: (0..<60).map { 1 + 0.5 * Double($0 % 3) })
        #expect(watch.add(500) == nil, "one step says little")
        var found: (mean: Double, least: Double)?
        for step in 0..<25 where found == nil { found = watch.add(Double(step) * 40) }
        #expect(found.map { $0.mean > 100 * $0.least } == true)
        var calm = LossWatch(growth: 10)
        for step in 0..<200 { #expect(calm.add(1 + Double(step % 7)) == nil) }
    }

    /// A learning rate far too high ends the run with its reason; the other run of the sweep is done.
    @Test func aFailedRunDoesNotStopTheOthers() throws {
        let temporary = try TestFolder()
        let sweep = tinySpec + "sweep: { grid: { train.lr: [1.0e+18, 1.0e-3] } }\n"
        let tried = Mutex(0)
        let summary = try temporary.run(
            sweep, overrides: ["train.retries=1", "train.max_steps=40", "train.validate_every=40", "evaluate.N=[2]"]
        ) { event in
            if case .failed = event { tried.withLock { $0 += 1 } }
        }
        #expect(summary.failed.count == 1 && tried.withLock { $0 } == 2)
        let store = try temporary.open()
        let runs = try store.runs()
        let failed = try #require(runs.first { $0.status == .failed })
        #expect(runs.contains { $0.status == .finished })
        #expect(failed.reason?.contains("train.lr") == true, "\(failed.reason ?? "no reason")")
        #expect(try store.events(of: failed.id).count { $0.kind == "failed" } == 2)
        try store.close()
        #expect(temporary.files(containing: "run.log").count == 2)
    }

    @Test func aBudgetOfTimeEndsATrainingAsItsLastStepWould() throws {
        let temporary = try TestFolder()
        let summary = try temporary.run(
            tinySpec, overrides: ["train.max_steps=100000", "train.max_hours=1e-6", "evaluate.N=[2]"])
        #expect(summary.failed.isEmpty)
        let store = try temporary.open()
        let run = try #require(try store.runs().first)
        #expect(run.status == .finished)
        let last = try #require(try store.checkpoint(of: run.id, kind: .last))
        #expect(last.step < 100 && last.sha256.count == 64)
        #expect(try store.validations(of: run.id).contains { $0.step == last.step })
        #expect(try store.events(of: run.id).contains { $0.kind == "budget spent" })
        try store.close()
    }

    @Test func trainingStopsWhenValidationNoLongerImproves() throws {
        let temporary = try TestFolder()
        try temporary.run(
            tinySpec,
            overrides: [
                "train.max_steps=200", "train.lr=1.0e-12", "train.ema_decay=0", "train.validate_every=2",
                "evaluate.N=[2]",
                "train.early_stopping={monitor: si_sdr, patience: 2}",
            ])
        let store = try temporary.open()
        let run = try #require(try store.runs().first)
        let last = try #require(try store.lastStep(of: run.id)?.step)
        #expect(run.status == .finished && last < 200)
        #expect(try store.events(of: run.id).contains { $0.kind == "stopped early" })
        try store.close()
    }

    /// A checkpoint that is not what was recorded is refused, not used.
    @Test func aChangedCheckpointIsRefused() throws {
        let temporary = try TestFolder()
        try temporary.run(tinySpec, overrides: ["evaluate.N=[2]"])
        let name = try #require(temporary.files(containing: "step-6.safetensors").first)
        var data = try #require(temporary.data(name))
        data[data.count - 1] ^= 1
        try data.write(to: URL(fileURLWithPath: temporary.path + "/" + name))
        let summary = try temporary.run(tinySpec, overrides: ["evaluate.N=[3]"])
        #expect(summary.failed.count == 2 && summary.failed.allSatisfy { $0.reason.contains("SHA-256") })
    }

    @Test func bestLastAndEveryKthCheckpointAreKept() throws {
        let temporary = try TestFolder()
        try temporary.run(
            tinySpec,
            overrides: [
                "train.checkpoint_every=2", "evaluate.checkpoint=[best_si_sdr, last, { name: step, step: 4 }]",
                "evaluate.N=[2]", "evaluate.sets=[test]",
            ])
        let store = try temporary.open()
        let run = try #require(try store.runs().first)
        let kept = try store.checkpoints(of: run.id)
        #expect(kept.filter { $0.kind == .step }.map(\.step) == [2, 4, 6])
        #expect(Set(kept.map(\.kind)) == [.step, .last, .bestPESQ, .bestSISDR])
        let used = try store.evaluations(of: run.id).compactMap(\.checkpoint)
        #expect(Set(used.map(\.kind)) == [.bestSISDR, .last, .step] && used.contains { $0 == (.step, 4) })
        #expect(kept.allSatisfy { temporary.data($0.path) != nil && $0.sha256.count == 64 })
        try store.close()
    }
}

@Suite struct ProgressBoardTests {
    @Test func theBoardFollowsTwoRuns() throws {
        var board = ProgressBoard(jobs: 2)
        func step(_ kind: PlanStep.Kind, _ run: String, _ detail: String = "", _ state: PlanStep.State = .new)
            -> PlanStep
        {
            PlanStep(kind: kind, subject: run, detail: detail, state: state, reason: "")
        }
        board.update(
            with: .agenda([
                .init(name: "a", id: "1", steps: 100, evaluations: 1),
                .init(name: "b", id: "2", steps: 100, evaluations: 1),
            ]), at: 0)
        #expect(board.secondsLeft == nil)
        board.update(
            with: .trained(run: "a", TrainingProgress(step: 50, of: 100, loss: 1, stepsPerSecond: 10, secondsLeft: 5)),
            at: 5)
        #expect(board.secondsLeft == 10)  // b takes 10 s, a five
        board.update(with: .finished(step(.train, "a")), at: 10)
        board.update(with: .planned(step(.evaluate, "a", "x")), at: 10)
        board.update(with: .evaluated(run: "a", label: "a x", file: "f", done: 1, of: 2, secondsLeft: 1), at: 11)
        #expect(board.lines[0].stage == .evaluating && board.lines[0].fraction == 0.75)
        board.update(with: .finished(step(.evaluate, "a", "x")), at: 12)
        #expect(board.lines[0].stage == .done && board.secondsLeft == 12)
        board.update(with: .planned(step(.train, "b", "", .cached)), at: 12)
        board.update(with: .failed(step(.evaluate, "b", "x"), reason: "no"), at: 12)
        #expect(board.cached == 1 && board.done.count == 2 && board.failed.count == 1)
    }

    @Test func eventsTravelAsLines() throws {
        let events: [ExperimentEvent] = [
            .trained(run: "a", TrainingProgress(step: 1, of: 2, loss: .nan, stepsPerSecond: 0, secondsLeft: .infinity)),
            .validated(
                run: "a", step: 3, scores: [.init(metric: "pesq", value: nil), .init(metric: "si_sdr", value: 1.5)]),
            .failed(PlanStep(kind: .train, subject: "a\nb", state: .new, reason: ""), reason: "\"quoted\""),
        ]
        for event in events {
            let line = try #require(event.line)
            #expect(!line.contains("\n"))
            #expect(try #require(ExperimentEvent(line: line)).line == line)
        }
        #expect(ExperimentEvent(line: "warning: something") == nil)
    }
}
