import Corpora
public import Foundation
import Gates
import Models
public import Parallelism
public import Progress
public import Runs
import SpecLanguage
public import Specs
public import Training

/// Performs the steps of a plan that are not done yet: data, training, evaluations, anchors.
///
/// Several processes may do this for one spec at once: each step is claimed in the store and performed by one of them,
/// while the others perform the other steps.
public struct Executor: Sendable {
    /// The store, the folders, the catalog and the processes that work together.
    public let workspace: Workspace
    /// Asked between files and between optimizer steps; what was recorded before stays.
    public let interruption: Interruption
    /// Called with each event, on the thread that does the work.
    public let observe: @Sendable (ExperimentEvent) -> Void
    /// When the command began: failures since then count against the retries of the spec.
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

    /// The result of a plan.
    public struct Summary: Sendable {
        /// The runs of the plan, in their order, those that failed included.
        public var runs: [Run.ID] = []
        /// Steps that were computed now.
        public var done = 0
        /// Steps that were done before, or by another process.
        public var cached = 0
        /// Steps that failed, with the error as a person reads it.
        public var failed: [(step: PlanStep, reason: String)] = []
    }

    /// Plans a spec, whose corpora are made where they are not there yet, and performs the plan.
    ///
    /// - Throws: `Interrupted`, a gate's `GateFailure`, or what concerns all runs alike, such as a full disk.
    public func execute(_ loaded: LoadedSpec) throws -> Summary { try execute(try plan(loaded)) }

    /// Performs a plan; a run that fails does not stop the others.
    ///
    /// What other processes may have changed since the plan was made is read again before each step.
    ///
    /// - Throws: `GroupFailure` where a team has more processes than a training that is to be done has batches.
    public func execute(_ plan: Plan) throws -> Summary {
        let plan = try plan.hasItsData ? plan : self.plan(plan.spec)
        for step in plan.steps where step.state != .cached {
            if case .train(let training)? = step.task { try workspace.team?.check(training.spec) }
        }
        var execution = Execution(of: plan, by: self, runs: try register(plan))
        return try execution.perform()
    }

    /// Makes or finds the data of every run and registers the runs, so that processes side by side find both.
    ///
    /// - Throws: `GateFailure` for data that is not what a spec says.
    public func prepare(_ loaded: LoadedSpec) throws { _ = try register(try plan(loaded)) }

    func plan(_ loaded: LoadedSpec) throws -> Plan {
        try Planner(
            store: store, folder: workspace.folder, catalog: workspace.catalog,
            preparer: DataPreparer(workspace: workspace, interruption: interruption, observe: observe),
            interruption: interruption
        ).plan(loaded, makesCorpora: true)
    }

    // MARK: Registration

    /// Makes the plan's runs known to the store, with what the gates found.
    func register(_ plan: Plan) throws -> [RegisteredRun] {
        try store.adoptStandardNames(ofAudio: plan.renamedAudio)
        let protocolFindings = try ProtocolGate.enforce(plan.spec, workspace.catalog)
        let written = Self.text(of: plan.spec.files)
        let open = plan.openEvaluations
        let runs = try plan.trainings.map { training in
            try interruption.check()
            let run = try register(training, plan.spec, written)
            try store.makeFolder(of: run)
            try record(training.data.findings + protocolFindings, of: run, waived: training.spec.waive)
            let log = RunLog(in: workspace.folder + "/" + run.folder)
            if open[training.key] != nil {
                for text in plan.spec.warnings.map(\.description)
                    + texts(of: training.data.findings + protocolFindings, training.spec)
                {
                    log.writeOnce(.found(text))
                }
            }
            return RegisteredRun(run: run, task: training, log: log)
        }
        try store.setOpenEvaluations(
            Dictionary(runs.map { ($0.run.id, open[$0.task.key] ?? 0) }, uniquingKeysWith: { $1 }))
        for text in texts(of: plan.findings, plan.spec.spec) { observe(.found(text)) }
        observe(
            .agenda(
                runs.map { one in
                    RunAgenda(
                        name: one.run.name, id: one.run.shortID, steps: one.task.totalSteps ?? 0,
                        evaluations: one.task.run.evaluations.count)
                }))
        return runs
    }

    /// Findings as `sgmse check` words them, each once.
    private func texts(of findings: [Finding], _ spec: ExperimentSpec) -> [String] {
        findings.reduce(into: []) { texts, finding in
            let waiver = finding.severity == .error ? spec.waive[finding.code.rawValue] : nil
            let text = "\(finding)" + (waiver.map { "\n  waived: \($0)" } ?? "")
            if !texts.contains(text) { texts.append(text) }
        }
    }

    private func register(_ training: TrainingTask, _ loaded: LoadedSpec, _ written: String) throws -> Run {
        let (run, key) = (training.run, training.key)
        let resolved = String(
            decoding: try JSONEncoder().encode(SettingValue.section(run.spec.settings)), as: UTF8.self)
        if loaded.profile == nil, let known = try store.run(key: key) {
            try run.spec.refuseAnotherName(of: known, in: store)
        }
        return try store.register(
            RunDraft(
                name: run.name, key: key, spec: StoredSpec(file: loaded.file, written: written, resolved: resolved),
                provenance: workspace.provenance, tags: run.spec.tags))
    }

    /// The texts of a spec's files, one below the other.
    private static func text(of files: [String]) -> String {
        files.enumerated().map { place, file in
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            return place == 0 ? text : "# --- \(file)\n\(text)"
        }.joined(separator: "\n")
    }

    /// Findings as the store keeps them; a waived error is a warning with its reason.
    private func record(_ findings: [Finding], of run: Run, waived: [String: String]) throws {
        try store.record(
            findings.map { finding in
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
            })
    }
}

/// A training with its run in the store and the log of the run.
struct RegisteredRun: Sendable {
    let run: Run
    let task: TrainingTask
    let log: RunLog
}
