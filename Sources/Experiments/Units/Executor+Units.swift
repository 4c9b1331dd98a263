import Corpora
public import Failures
import Foundation
import Models
import Parallelism
import Progress
public import Runs
import SpecLanguage
public import Specs
import Training

extension Executor {
    /// A spec that is planned and gated, with its runs registered.
    public struct Division: Sendable {
        /// The plan with all its steps, done ones included.
        public var plan: Plan
        /// The runs of the plan in the store, in their order.
        public var runs: [Run.ID]
        /// What is pending, in parts that tasks can do in any order.
        public var units: [WorkUnit]
    }

    /// Plans a spec, makes its corpora, registers its runs, and divides what is not done yet.
    ///
    /// - Parameters: - tasks: How many tasks there will be. - seed: The path of a store that is made with the history
    ///   that the units resume from, relative to the folder of the runs; nil for a preview, which makes none.
    /// - Throws: As ``execute(_:)-(LoadedSpec)`` does, before anything is done.
    public func divide(_ loaded: LoadedSpec, for tasks: Int, seed: String? = nil) throws -> Division {
        let plan = try plan(loaded)
        let registered = try register(plan)
        var units = plan.units(registered, for: tasks)
        if let seed { try addSeeds(to: &units, at: seed) }
        return Division(plan: plan, runs: registered.map(\.run.id), units: units)
    }

    /// Copies the rows of runs that were begun, and of those whose weights others begin with, into a store for the
    /// units.
    private func addSeeds(to units: inout [WorkUnit], at path: String) throws {
        let begun = Set(try store.runs().filter { $0.status != .planned }.map(\.shortID))
        var all: Set<String> = []
        for index in units.indices {
            let starts = units[index].runs.compactMap(\.spec.train.initFrom)
            let sources = starts.compactMap { try? store.run(named: $0.checkpoint).shortID }
            let needed = Set(units[index].shortIDs).intersection(begun).union(sources).sorted()
            guard !needed.isEmpty else { continue }
            (units[index].seed, units[index].seedRuns) = (path, needed)
            all.formUnion(needed)
        }
        guard !all.isEmpty else { return }
        let seeds = try RunStore(at: workspace.folder + "/" + path, journal: .rollback, folder: workspace.folder)
        try seeds.importRuns(from: store.path, only: all.sorted(), sharesFolder: true)
        try seeds.close()
    }

    // MARK: Performing

    /// Does a unit that another machine planned, in its own store.
    ///
    /// - Throws: `Interrupted`; what the machine causes; ``UnitFailure`` that names this machine.
    public func perform(_ unit: WorkUnit) throws -> Summary {
        do {
            let plan = try plan(unit)
            var execution = Execution(of: plan, by: self, runs: try register(plan, unit))
            return try execution.perform()
        } catch let error where !FailureCategory(of: error).endsCommand {
            throw UnitFailure(host: ProcessInfo.processInfo.hostName, reason: "\(error)")
        }
    }

    /// Plans the steps of a unit on this machine; no corpus is made here.
    private func plan(_ unit: WorkUnit) throws -> Plan {
        let runs = unit.runs.map {
            SpecRun(
                name: $0.name, label: $0.label, seed: $0.seed, spec: $0.spec, vocabulary: workspace.catalog.vocabulary)
        }
        guard !runs.isEmpty else { throw UnplannedUnit(what: "it names no run", unit: unit.title) }
        var plan = try Planner(
            store: store, folder: workspace.folder, catalog: workspace.catalog,
            preparer: DataPreparer(workspace: workspace, interruption: interruption, observe: observe),
            interruption: interruption
        ).plan(LoadedSpec(runs, file: unit.spec))
        let missing = plan.steps.filter { $0.kind == .corpus }
        guard missing.isEmpty else {
            let what = missing.map { "corpus \($0.subject): \($0.reason)" }.joined(separator: "; ")
            throw UnplannedUnit(what: what, unit: unit.title)
        }
        let wanted = Set(unit.steps)
        var needed: Set<RunKey> = []
        for step in plan.steps {
            if case .evaluate(let task)? = step.task, wanted.contains(task.claim), let key = task.training?.key {
                needed.insert(key)
            }
        }
        plan.steps = plan.steps.compactMap { step in
            switch step.task {
            case .train(let task): return wanted.contains(task.claim) || needed.contains(task.key) ? step : nil
            case .evaluate(var task):
                guard wanted.contains(task.claim) else { return nil }
                task.share = unit.files
                return PlannedStep(step.summary, .evaluate(task))
            case nil: return nil
            }
        }
        let unknown = wanted.subtracting(plan.steps.compactMap { $0.task?.claim })
        guard unknown.isEmpty else {
            throw UnplannedUnit(what: "its audio is not that of the machine that planned it", unit: unit.title)
        }
        if !unit.trains, let open = plan.steps.first(where: { $0.kind == .train && $0.state != .cached }) {
            throw UnplannedUnit(what: "the training of \(open.subject) is not done: \(open.reason)", unit: unit.title)
        }
        return plan
    }

    /// The runs of a unit under the names and ids that the planning store gave them.
    private func register(_ plan: Plan, _ unit: WorkUnit) throws -> [RegisteredRun] {
        try store.adoptStandardNames(ofAudio: plan.renamedAudio)
        let parts = Dictionary(unit.runs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let registered = try plan.trainings.compactMap { training -> RegisteredRun? in
            guard let part = parts[training.run.name], let name = part.storedName, let id = part.shortID else {
                return nil
            }
            let resolved = String(
                decoding: try JSONEncoder().encode(SettingValue.section(training.spec.settings)), as: UTF8.self)
            let run = try store.register(
                RunDraft(
                    name: name, key: training.key, spec: StoredSpec(file: unit.spec, written: "", resolved: resolved),
                    provenance: workspace.provenance, shortID: id))
            try store.makeFolder(of: run)
            return RegisteredRun(run: run, task: training, log: RunLog(in: workspace.folder + "/" + run.folder))
        }
        observe(
            .agenda(
                registered.map { one in
                    RunAgenda(
                        name: one.run.name, id: one.run.shortID, steps: one.task.totalSteps ?? 0,
                        evaluations: unit.evaluations(of: one.task, in: plan))
                }))
        return registered
    }
}

extension WorkUnit {
    fileprivate func evaluations(of training: TrainingTask, in plan: Plan) -> Int {
        plan.evaluations(of: training).count { $0.training?.run.name == training.run.name }
    }
}

/// Why a unit was not done on a machine.
public struct UnitFailure: Diagnostic, Hashable, Sendable {
    /// The machine on which it failed.
    public var host: String
    /// The error, as a person reads it.
    public var reason: String

    public var summary: String { "on \(host): \(reason)" }
    public var category: FailureCategory { .work }
    public var description: String { line }
}

/// A difference between what this machine has and what the unit was planned with.
struct UnplannedUnit: Diagnostic, Hashable, Sendable {
    var what: String
    var unit: String

    var summary: String { "\(unit): \(what)" }
    var category: FailureCategory { .work }
    var hint: String? {
        """
        the machine must see the same files under the same paths as the one that planned it; give sgmse run again \
        after that
        """
    }
}
