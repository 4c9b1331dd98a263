import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

@Suite struct RunStoreTests {
    let scratch: TestFolder
    let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    @Test func aRunIsRegisteredOnce() throws {
        let first = try store.register(Sample.run())
        let second = try store.register(Sample.run())
        #expect(first == second)
        #expect(first.status == .planned)
        #expect(first.shortID.count == 8)
        #expect(first.folder == "quickstart-\(first.shortID)")
        #expect(try store.runs().count == 1)
        #expect(try store.register(Sample.run(seed: .max)).key.seed == .max)
    }

    @Test func theShortIDFollowsFromTheKeyAlone() throws {
        let other = try TestFolder()
        let elsewhere = try RunStore(at: other.store).register(Sample.run())
        #expect(try store.register(Sample.run()).shortID == elsewhere.shortID)
        let ids = Set((0..<2000).map { Sample.run(seed: UInt64($0)).key.shortID() })
        #expect(ids.count == 2000)
    }

    @Test func aRunLivesFromPlannedToFinished() throws {
        let run = try store.register(Sample.run())
        try store.begin(run.id, provenance: Sample.provenance)
        #expect(try store.run(named: run.shortID).status == .running)
        try store.end(run.id, as: .failed, reason: "the loss exploded")
        #expect(try store.run(named: "quickstart").reason == "the loss exploded")
        try store.begin(run.id, provenance: Sample.provenance)
        try store.end(run.id, as: .finished)
        #expect(try store.run(named: run.folder).status == .finished)
        #expect(try store.events(of: run.id).map(\.kind) == ["started", "failed", "resumed", "finished"])
    }

    @Test func aNameOfSeveralRunsIsRefusedWithTheirIDs() throws {
        let ids = try [0, 1].map { try store.register(Sample.run(seed: $0)).shortID }
        let error = #expect(throws: StoreError.self) { try store.run(named: "quickstart") }
        #expect(error?.kind == .missing)
        #expect(ids.allSatisfy { error?.hint?.contains($0) == true })
    }

    @Test func aRepeatedStepDoublesNothing() throws {
        let run = try store.register(Sample.run()).id
        let steps = (1...5).map {
            StepRecord(
                step: $0, loss: 1 / Double($0), terms: ["mse": 0.5, "l1": 0.25], gradientNorm: 2, learningRate: 1e-4,
                seconds: 0.5)
        }
        for _ in 0..<2 {
            try store.record(
                TrainingBatch(
                    steps: steps, validations: [ValidationRecord(step: 5, metric: "si_sdr", value: nil, n: 0)]),
                of: run)
        }
        #expect(try store.steps(of: run) == steps)
        #expect(try store.steps(of: run, from: 4).map(\.step) == [4, 5])
        #expect(try store.lastStep(of: run) == steps.last)
        #expect(try store.validations(of: run).count == 1)
    }

    @Test func aLossThatIsNoNumberIsKeptAsSuch() throws {
        let run = try store.register(Sample.run()).id
        let step = StepRecord(
            step: 1, loss: .nan, terms: ["mse": .infinity], gradientNorm: .infinity, learningRate: 1, seconds: 1)
        try store.record(TrainingBatch(steps: [step]), of: run)
        let stored = try #require(try store.lastStep(of: run))
        #expect(stored.loss.isNaN && stored.gradientNorm == .infinity && stored.terms["mse"]?.isNaN == true)
    }

    @Test func aNewLastCheckpointFreesTheOldOneUnlessAnEvaluationUsedIt() throws {
        let run = try store.register(Sample.run()).id
        func checkpoint(_ step: Int, _ kind: CheckpointRecord.Kind = .last) -> CheckpointRecord {
            CheckpointRecord(
                step: step, kind: kind, path: "q/\(kind.rawValue)-\(step).bin", sha256: "00", bytes: 9, emaUpdates: step
            )
        }
        #expect(try store.record(TrainingBatch(checkpoints: [checkpoint(10), checkpoint(10, .step)]), of: run).isEmpty)
        #expect(try store.record(TrainingBatch(checkpoints: [checkpoint(20)]), of: run) == ["q/last-10.bin"])
        let used = try #require(try store.checkpoint(of: run, kind: .last))
        let evaluation = try store.register(
            EvaluationDraft(
                identity: "e", subject: .run(run, checkpoint: used.id),
                testSet: try Sample.set(files: 1, in: store).set.id, provenance: Sample.provenance))
        #expect(try store.record(TrainingBatch(checkpoints: [checkpoint(30)]), of: run) == ["q/last-20.bin"])
        #expect(try store.checkpoints(of: run).map(\.step) == [10, 30])
        #expect(try store.checkpoints(of: run, includingSuperseded: true).map(\.step) == [10, 20, 30])
        #expect(evaluation.checkpoint?.step == 20)
        #expect(try store.evaluation(identity: "e")?.checkpoint?.kind == .last)
    }

    @Test func scoresKeepInfinitiesAndReasons() throws {
        let run = try store.register(Sample.run()).id
        let set = try Sample.set(files: 4, in: store)
        let metric = try Sample.siSDR(in: store)
        let evaluation = try Sample.evaluation(
            of: .run(run, checkpoint: nil), on: set, metric, [.infinity, -.infinity, nil, .nan], in: store)
        try store.record(
            scores: [Score(file: set.files[0].id!, metric: metric.id, outcome: .value(.infinity))], of: evaluation.id)
        #expect(
            try store.scores(of: evaluation.id).map(\.outcome) == [
                .value(.infinity), .value(-.infinity), .failed("silent clean file"),
                .failed("the result is not a number"),
            ])
    }

    @Test func anEvaluationResumesAfterTheFilesThatAreDone() throws {
        let set = try Sample.set(files: 2, in: store)
        let evaluation = try Sample.evaluation(
            of: .anchor("noisy"), on: set, try Sample.siSDR(in: store), [1, 2], in: store)
        let result = FileResult(file: set.files[1].id!, nfe: 60, seconds: 3, realTimeFactor: 1.5, output: "q/a.wav")
        try store.record(scores: [], results: [result], of: evaluation.id)
        #expect(try store.completedFiles(of: evaluation.id) == [set.files[1].id!])
        #expect(try store.results(of: evaluation.id) == [result])
        #expect(try store.anchorEvaluations().map(\.anchor) == ["noisy"])
    }

    @Test func whatATransactionBeganButCouldNotEndNeverHappened() throws {
        let run = try store.register(Sample.run()).id
        let set = try Sample.set(files: 2, in: store)
        let metric = try Sample.siSDR(in: store)
        let evaluation = try Sample.evaluation(of: .run(run, checkpoint: nil), on: set, metric, [1], in: store)
        let unknown = Score(file: TestFile.ID(999), metric: metric.id, outcome: .value(1))
        let good = Score(file: set.files[1].id!, metric: metric.id, outcome: .value(2))
        let error = #expect(throws: StoreError.self) { try store.record(scores: [good, unknown], of: evaluation.id) }
        #expect(error?.kind == .invalid)
        #expect(try store.scores(of: evaluation.id).count == 1)
    }

    @Test func notesAndTagsAreKept() throws {
        let run = try store.register(Sample.run()).id
        try store.setNotes("collapsed twice", of: run)
        for tag in ["poc", "baseline", "poc"] { try store.add(tag: tag, to: run) }
        try store.remove(tag: "poc", from: run)
        let stored = try store.runs([run])[0]
        #expect(stored.notes == "collapsed twice" && stored.tags == ["baseline"])
    }
}
