import Corpora
import Foundation
import Models
import Parallelism
import Runs
import Specs
import Training

/// Does what a spec asks for and is not done yet: data, training, evaluations, anchors.
///
/// Several processes may do this for one spec at once: each step is claimed in the store, done by one of them, and
/// waited for by the others, which meanwhile do what else there is.
public struct Executor: Sendable {
    public let workspace: Workspace
    public let interruption: Interruption
    public let observe: @Sendable (ExperimentEvent) -> Void
    /// When the command began: what fails after it is not tried again beyond the retries of the spec.
    let began: Date

    public init(
        workspace: Workspace, interruption: Interruption = Interruption(), began: Date = Date(),
        observe: @escaping @Sendable (ExperimentEvent) -> Void = { _ in }
    ) {
        self.workspace = workspace
        self.interruption = interruption
        self.began = began
        self.observe = observe
    }

    var store: RunStore { workspace.store }

    /// What became of a spec.
    public struct Summary: Sendable {
        public var runs: [Run.ID] = []
        /// Steps that were computed now.
        public var done = 0
        /// Steps that were done before, or by another process.
        public var cached = 0
        public var failed: [(step: PlanStep, reason: String)] = []
    }

    /// Runs every run of a spec; a run that fails does not stop the others.
    ///
    /// - Throws: `Interrupted`, a gate's `GateFailure`, or what concerns all runs alike, such as a full disk.
    public func execute(_ loaded: LoadedSpec) throws -> Summary {
        let parts = try prepare(loaded)
        var summary = Summary()
        summary.runs = parts.compactMap(\.run?.id)
        var progress = Progress()
        var open = parts.flatMap(\.work)
        while !open.isEmpty {
            var held: [Work] = []
            for work in open {
                try interruption.check()
                if try !settle(work, &progress, &summary) { held.append(work) }
            }
            // Everything left is in the hands of other processes.
            if held.count == open.count { Thread.sleep(forTimeInterval: 0.1) }
            open = held
        }
        return summary
    }

    /// Makes or finds the data of every run and registers the runs, so that processes side by side find both.
    ///
    /// - Throws: `GateFailure` for data that is not what a spec says.
    public func makeReady(_ loaded: LoadedSpec) throws { _ = try prepare(loaded) }

    private func prepare(_ loaded: LoadedSpec) throws -> [RunPart] {
        let findings = try ProtocolGate.enter(loaded, workspace.catalog)
        var preparer = DataPreparer(workspace: workspace, observe: observe)
        let parts = try loaded.runs.map { one in
            try interruption.check()
            let start = try StartingPoint(one.spec, store: store, folder: workspace.folder)
            var data = try preparer.prepare(one.spec)
            guard one.spec.hasModel else { return RunPart(one: one, run: nil, data: data, log: nil) }
            try data.add(start)
            let run = try register(one, loaded, data)
            try record(data.findings + findings, of: run, waived: one.spec.waive)
            return RunPart(one: one, run: run, data: data, log: RunLog(in: workspace.folder + "/" + run.folder))
        }
        observe(.agenda(parts.compactMap { part in
            guard let run = part.run else { return nil }
            let steps = Trainer.totalSteps(part.one.spec.train, files: part.data.training.count)
            return RunAgenda(name: run.name, id: run.shortID, steps: steps, evaluations: part.one.evaluations.count)
        }))
        return parts
    }

    /// Findings as the store keeps them; a waived error is a warning with its reason.
    private func record(_ findings: [Finding], of run: Run, waived: [String: String]) throws {
        let kept = findings.map { finding -> GateFinding in
            let reason = finding.severity == .error ? waived[finding.code.rawValue] : nil
            let severity: GateFinding.Severity =
                switch finding.severity {
                case .note: .note
                case .warning: .warning
                case .error: reason == nil ? .failure : .warning
                }
            return GateFinding(
                subject: finding.set, gate: finding.code.rawValue, severity: severity,
                message: finding.message + (reason.map { " (waived: \($0))" } ?? ""), run: run.id)
        }
        try store.record(kept)
    }

    private func register(_ one: SpecRun, _ loaded: LoadedSpec, _ data: PreparedData) throws -> Run {
        let texts = loaded.files.map { file in (file, (try? String(contentsOfFile: file, encoding: .utf8)) ?? "") }
        let written = texts.enumerated().map { $0 == 0 ? $1.1 : "# --- \($1.0)\n\($1.1)" }.joined(separator: "\n")
        let resolved = String(decoding: try JSONEncoder().encode(SettingValue.section(one.spec.settings)), as: UTF8.self)
        let key = RunKey(identity: one.identity.hex, seed: UInt64(one.seed), dataFingerprint: data.fingerprint)
        if loaded.profile == nil, let known = try store.run(key: key) { try one.spec.refuseAnotherName(of: known, in: store) }
        return try store.register(
            RunDraft(
                name: one.name, key: key,
                spec: StoredSpec(file: loaded.file, written: written, resolved: resolved),
                provenance: workspace.provenance, tags: one.spec.tags))
    }

    // MARK: Steps

    /// Does a step, or finds it done.
    ///
    /// - Returns: Whether nothing is left of it; false where another process is at it, or at what it needs.
    private func settle(_ work: Work, _ progress: inout Progress, _ summary: inout Summary) throws -> Bool {
        if work.needsTraining {
            switch progress.trainings[work.part.training] {
            case nil: return false
            case .failed: return true
            case .finished: break
            }
        }
        let claim: Claim
        switch try store.claim(work.claim) {
        case .acquired(let mine): claim = mine
        case .done: return true
        case .held(let holder):
            if progress.told.insert(work.claim).inserted { tell(.waiting(work.step, holder: holder.description), work.part) }
            return false
        }
        defer { try? store.release(claim) }
        do {
            switch work.task {
            case .train:
                progress.trainings[work.part.training] = try train(work.part, &summary) ? .finished : .failed
            case .evaluate(let evaluation): try evaluate(evaluation, work.part, &summary)
            case .anchor(let choice, let set): try anchor(choice, set, work.part, &summary)
            }
        } catch let error where !(error is Interrupted || error is IncompatibleParts || isMachineFailure(error)) {
            let attempts = progress.failures[work.claim, default: 0] + 1
            progress.failures[work.claim] = attempts
            tell(.failed(work.step, reason: "\(error)"), work.part)
            guard attempts > work.part.one.spec.train.retries else { return false }
            summary.failed.append((work.step, "\(error)"))
            if work.task == .train { progress.trainings[work.part.training] = .failed }
        }
        return true
    }

    /// Tells the observer and the log of the run.
    func tell(_ event: ExperimentEvent, _ part: RunPart) {
        part.log?.write(event)
        observe(event)
    }

    // MARK: Training

    /// - Returns: Whether the run is trained; false where it failed too often.
    private func train(_ part: RunPart, _ summary: inout Summary) throws -> Bool {
        let (one, data) = (part.one, part.data)
        // Another process may have worked on it since it was registered, or died of it.
        try store.takeOverAbandonedWork()
        guard let id = part.run?.id, let run = try store.runs([id]).first else { return false }
        let total = Trainer.totalSteps(one.spec.train, files: data.training.count)
        let last = try store.checkpoint(of: run.id, kind: .last)
        let isThere = last.map { FileManager.default.fileExists(atPath: workspace.folder + "/" + $0.path) } ?? false
        let isGone = try last != nil && !isThere && !isEvaluated(part)
        let step = PlanStep.training(
            run.name, steps: total, from: try StartingPoint(one.spec, store: store, folder: workspace.folder)?.path,
            .init(
                isFinished: run.status == .finished, reached: isThere || run.status == .finished ? last?.step : nil,
                reason: run.reason, missingFile: isGone ? last?.path : nil),
            change: try? Predecessor.find(of: one.spec, name: one.name, key: run.key, before: run.id, in: store)?.description)
        if step.state != .cached, let setback = try setbacks(of: run, retries: one.spec.train.retries) {
            // A failure was told, and is in the log, by the process that had it; a death is told by those that find it.
            if !setback.wasTold { tell(.failed(step, reason: setback.reason), part) }
            summary.failed.append((step, setback.reason))
            return false
        }
        tell(.planned(step), part)
        guard step.state != .cached else {
            summary.cached += 1
            return true
        }
        try store.begin(run.id, provenance: workspace.provenance)
        try store.record(TrainingBatch(events: [.init(kind: "reason", message: "train: \(step.reason)")]), of: run.id)
        let trainer = Trainer(
            workspace: workspace, run: run, builder: ModelBuilder(spec: one.spec, catalog: workspace.catalog),
            identity: one.identity.hex, seed: UInt64(one.seed), training: data.training,
            validation: data.validation, interruption: interruption, observe: { tell(ExperimentEvent($0, of: run.name), part) })
        do {
            try trainer.train()
        } catch {
            // What the machine caused is no fault of the run: it goes on from here.
            let isFault = !(error is Interrupted || isMachineFailure(error))
            try? store.end(run.id, as: isFault ? .failed : .interrupted, reason: "\(error)")
            throw error
        }
        try store.end(run.id, as: .finished)
        tell(.finished(step), part)
        summary.done += 1
        return true
    }

    /// Why a run is not tried again within this command: it failed more often than the spec retries, or its processes
    /// died of it.
    private func setbacks(of run: Run, retries: Int) throws -> (reason: String, wasTold: Bool)? {
        let events = try store.events(of: run.id).filter { $0.time >= began }
        let failures = events.filter { $0.kind == RunStatus.failed.rawValue }
        if failures.count > retries { return (failures.last?.message ?? run.reason ?? "it failed", true) }
        let deaths = events.filter { $0.kind == RunStatus.interrupted.rawValue && $0.message.hasSuffix(Owner.deathNotice) }
        return deaths.count > retries + 1 ? ("\(deaths.count) processes ended while training it", false) : nil
    }

    /// Whether every evaluation was finished, so that the weights are no longer needed.
    private func isEvaluated(_ part: RunPart) throws -> Bool {
        guard let run = part.run else { return true }
        let finished = Set(try store.evaluations(of: run.id).filter { $0.status == .finished }.map(\.identity))
        return part.one.evaluations.allSatisfy { wanted in
            part.data.tests[wanted.point.set.name].map { finished.contains(part.identity(of: wanted, on: $0)) } ?? true
        }
    }
}
