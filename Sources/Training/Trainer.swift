import Checkpoints
import Collectives
public import Corpora
import Foundation
public import Models
public import Parallelism
public import Runs
public import Specs

/// Trains one run from its newest checkpoint, or from the start, to its last step, and records everything in the store.
public struct Trainer {
    let workspace: Workspace
    let run: Run
    let builder: ModelBuilder
    let identity: String
    let seed: UInt64
    let training: [PairedFile]
    let validation: [PairedFile]
    let interruption: Interruption
    let observe: @Sendable (TrainingEvent) -> Void

    /// - Parameters:
    ///   - identity: The training's, which its checkpoints carry.
    ///   - training: The training files.
    ///   - observe: Called on the training thread.
    public init(
        workspace: Workspace, run: Run, builder: ModelBuilder, identity: String, seed: UInt64, training: [PairedFile],
        validation: [PairedFile], interruption: Interruption, observe: @escaping @Sendable (TrainingEvent) -> Void
    ) {
        (self.workspace, self.run, self.builder, self.identity, self.seed) = (workspace, run, builder, identity, seed)
        (self.training, self.validation) = (training, validation)
        (self.interruption, self.observe) = (interruption, observe)
    }

    private var spec: TrainSpec { builder.spec.train }

    /// The processes that train with this one.
    private var team: TrainingTeam? { workspace.team }

    /// Epochs of a spec that gives neither `max_steps` nor `max_epochs`.
    public static let standardEpochs = 100

    /// The number of optimizer steps the spec asks for: those of `max_steps` or `max_epochs`, whichever come first.
    public static func totalSteps(_ spec: TrainSpec, files: Int) -> Int {
        let perEpoch = max(1, files / spec.effectiveBatch)
        return [spec.maxSteps, spec.maxEpochs.map { $0 * perEpoch }].compactMap(\.self).min() ?? standardEpochs
            * perEpoch
    }

    /// - Throws: `Interrupted` once the state is saved; `TrainingFailure`; what the machine causes.
    public func train() throws {
        let state = TrainingState(
            model: try builder.model(seed: seed), loss: try builder.loss(), rule: OptimizerRule(spec))
        var journal = TrainingJournal(run, identity: identity, workspace)
        let isResumed = try start(state, &journal)
        let total = Self.totalSteps(spec, files: training.count)
        if total > 0 {
            if isResumed { try journal.loadBestScores() }
            try train(state, to: total, &journal)
        } else if !isResumed {
            // A run without steps: its initial weights are evaluated.
            try save(state, [.last], &journal)
        }
        try journal.flush()
    }

    private func train(_ state: TrainingState, to total: Int, _ journal: inout TrainingJournal) throws {
        try team?.begin(TrainingTask(spec: builder.spec, seed: seed, files: training, total: total), state)
        defer { team?.endWork() }
        let data = TrainingData(files: training, spec: builder.spec, frontEnd: builder.frontEnd, seed: seed)
        let draws = try TrainingDraws(builder, seed: seed, total: total)
        let ahead = BatchesAhead(
            draws, data, total: total, rank: team?.group.rank ?? 0, count: team?.group.count ?? 1)
        defer { ahead.finish() }
        var validator = Validator(
            builder: builder, files: validation, draws: draws, seed: seed, workspace: workspace, folder: run.folder,
            interruption: interruption)
        var schedule = CheckpointSchedule(spec, total: total, files: training.count)
        let history = try workspace.store.steps(of: run.id).filter { $0.step <= state.step }
        var watch = LossWatch(growth: spec.maxLossGrowth, history: history.map(\.loss))
        var secondsSpent = history.reduce(0) { $0 + $1.seconds }
        var stepRate = StepRate(step: state.step)
        observe(.started(folder: workspace.folder + "/" + run.folder, step: state.step, of: total))

        // An interrupted validation is repeated before the next step.
        var needsValidation = try needsValidation(state.step, schedule)
        while state.step < total || needsValidation {
            if interruption.isRequested { try end(state, &journal) }
            if needsValidation {
                needsValidation = false
            } else {
                let step = try advance(state, ahead, draws.parts, &watch, &journal)
                secondsSpent += step.seconds
                stepRate.add(state.step)
                observe(.trained(stepRate.progress(step, of: total)))
            }

            let isBudgetSpent = spec.maxHours.map { secondsSpent >= $0 * 3600 } ?? false
            let isValidated = schedule.validates(after: state.step) || isBudgetSpent
            var kinds = schedule.due(after: state.step)
            if isValidated {
                kinds.formUnion(try validate(state, &validator, &journal))
                kinds.insert(.last)
                stepRate.skipPause(at: state.step)
            }
            if !kinds.isEmpty { try save(state, kinds, &journal) }
            schedule.recordWritten(kinds)
            if !kinds.isEmpty || journal.isDue { try journal.flush() }
            if isValidated, let reason = try stopsEarly() {
                note("stopped early", reason, &journal)
                break
            }
            if isBudgetSpent, let hours = spec.maxHours {
                note("budget spent", "the budget of \(hours) h is spent", &journal)
                break
            }
        }
        if let report = team?.report { note("processes", report, &journal) }
        if let report = draws.dropRateSummary(steps: state.step) { journal.add("conditioning", report) }
    }

    // MARK: Steps

    /// One optimizer step, recorded.
    ///
    /// - Throws: `TrainingFailure`, behind the records of all steps before it.
    private func advance(
        _ state: TrainingState, _ ahead: BatchesAhead, _ parts: Int, _ watch: inout LossWatch,
        _ journal: inout TrainingJournal
    ) throws -> StepRecord {
        let start = ContinuousClock.now
        do {
            let rate = state.nextRate
            let result = try team?.step(state, ahead, parts) ?? state.update(try ahead.batches(of: state.step))
            let step = StepRecord(
                step: state.step, loss: result.loss, terms: result.terms, gradientNorm: result.gradientNorm,
                learningRate: rate, seconds: start.secondsUntilNow)
            journal.add(step)
            if let growth = watch.add(result.loss) {
                throw TrainingFailure(step: state.step, reason: .growth(growth.mean, least: growth.least))
            }
            return step
        } catch let failure as TrainingFailure {
            try journal.flush()
            throw failure
        } catch let failure as GroupFailure {
            // The step was not done: training can resume from the state before it with any number of processes.
            try save(state, [.last], &journal)
            try journal.flush()
            throw failure
        }
    }

    /// Saves the state and ends the training after an interruption was requested.
    private func end(_ state: TrainingState, _ journal: inout TrainingJournal) throws -> Never {
        try save(state, [.last], &journal)
        try journal.flush()
        throw Interrupted()
    }

    /// Whether the step from which training resumes was due for a validation that is missing.
    private func needsValidation(_ step: Int, _ schedule: CheckpointSchedule) throws -> Bool {
        guard step > 0, !validation.isEmpty, schedule.validates(after: step) else { return false }
        return try !workspace.store.validations(of: run.id).contains { $0.step == step }
    }

    /// - Returns: The kinds of checkpoint for which the step is the best so far.
    private func validate(
        _ state: TrainingState, _ validator: inout Validator, _ journal: inout TrainingJournal
    ) throws -> Set<CheckpointRecord.Kind> {
        let scores: [Validator.Score]
        do { scores = try validator.validate(state) } catch is Interrupted { try end(state, &journal) }
        observe(
            .validated(
                step: state.step, scores: scores.map { .init(metric: $0.metric, value: $0.value, noisy: $0.noisy) }))
        return journal.add(scores, at: state.step)
    }

    private func save(
        _ state: TrainingState, _ kinds: Set<CheckpointRecord.Kind>, _ journal: inout TrainingJournal
    ) throws {
        let path = try journal.save(state, as: kinds)
        observe(.checkpoint(step: state.step, path: path))
    }

    // MARK: Beginning and end

    /// Resumes from the newest checkpoint, after its checksum was verified, or starts from the weights that the spec
    /// names.
    ///
    /// - Returns: Whether the training was resumed.
    private func start(_ state: TrainingState, _ journal: inout TrainingJournal) throws -> Bool {
        if let last = try workspace.store.checkpoint(of: run.id, kind: .last),
            FileManager.default.fileExists(atPath: workspace.folder + "/" + last.path)
        {
            let path = try workspace.verified(last)
            let checkpoint = try TrainingCheckpoint(path: path, model: state.model)
            guard checkpoint.identity == identity else {
                throw WeightsError(parameter: path, reason: "belongs to another training; restore it or remove the run")
            }
            state.restore(checkpoint)
            return true
        }
        if let start = try StartingPoint(builder.spec, store: workspace.store, folder: workspace.folder) {
            note("initialised", try start.apply(to: state), &journal)
        }
        return false
    }

    /// Why training should stop now: the spec's patience is exhausted; `nil` to continue.
    private func stopsEarly() throws -> String? {
        guard let rule = spec.earlyStopping else { return nil }
        let values = try workspace.store.validations(of: run.id).filter { $0.metric == rule.monitor.rawValue }
            .compactMap(\.value)
        let signed = rule.monitor == .validationLoss ? values.map { -$0 } : values
        guard let top = signed.indices.max(by: { signed[$0] < signed[$1] }), signed.count - 1 - top >= rule.patience
        else {
            return nil
        }
        return "\(rule.monitor) has not improved for \(rule.patience) validations"
    }

    private func note(_ kind: String, _ reason: String, _ journal: inout TrainingJournal) {
        journal.add(kind, reason)
        observe(.noted(reason))
    }
}
