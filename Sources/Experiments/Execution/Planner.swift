import Corpora
import Foundation
import Gates
public import Models
import Parallelism
import Progress
public import Runs
import SpecLanguage
public import Specs
import SpeechMetrics
import Training

/// Makes plans by comparing specs with a store, which is read from the moment on that the planner is made.
public struct Planner {
    private let store: RunStore?
    private let inventory: Future<StoreInventory>
    private let folder: String
    private let catalog: Catalog
    private let preparer: DataPreparer
    private let interruption: Interruption

    /// - Parameters:
    ///   - store: `nil` where there is none yet.
    ///   - folder: The folder of the store.
    public init(store: RunStore?, folder: String, corpora: String? = nil, catalog: Catalog = .standard) {
        self.init(
            store: store, folder: folder, catalog: catalog,
            preparer: DataPreparer(folder: folder, corpora: corpora ?? folder + "/corpora", catalog: catalog))
    }

    init(
        store: RunStore?, folder: String, catalog: Catalog, preparer: DataPreparer,
        interruption: Interruption = Interruption()
    ) {
        (self.store, self.folder, self.catalog) = (store, folder, catalog)
        (self.preparer, self.interruption) = (preparer, interruption)
        inventory = Future { try store?.inventory() ?? StoreInventory() }
    }

    /// The steps of a spec; nothing is computed, and no corpus is made.
    ///
    /// - Throws: What stops the spec before it begins: `GateFailure`, `CorpusError`, `IncompleteSpec`,
    ///   `SharedIdentity`.
    public func plan(_ loaded: LoadedSpec) throws -> Plan { try plan(loaded, makesCorpora: false) }

    /// - Parameter makesCorpora: Whether corpora are made that are not there; otherwise they become steps.
    func plan(_ loaded: LoadedSpec, makesCorpora: Bool) throws -> Plan {
        var draft = try PlanDraft(
            of: loaded, store: store, folder: folder, catalog: catalog, inventory: inventory.get(), preparer: preparer,
            makesCorpora: makesCorpora)
        draft.plan.findings = try ProtocolGate.enforce(loaded, catalog)
        for (run, evaluations) in zip(loaded.runs, loaded.evaluations) {
            try interruption.check()
            try draft.add(run, evaluations)
        }
        return draft.plan
    }
}

/// A plan that is being built, run by run.
private struct PlanDraft {
    let store: RunStore?
    let folder: String
    let catalog: Catalog
    let makesCorpora: Bool
    var preparer: DataPreparer
    var plan: Plan
    private let inventory: StoreInventory
    /// Whether the store has audio under names of earlier versions; only then is it looked for.
    private let knowsEarlierNames: Bool
    private var costs: CostModel
    private var corporaSeen: Set<String> = []
    private var trainingsSeen: Set<RunKey> = []
    private var anchorsSeen: Set<String> = []
    /// The stored keys of all evaluations, in order.
    private lazy var storedKeys = inventory.scorings.keys.sorted()
    private var columns: [ColumnKey: [ScoredMetric.ID?]] = [:]
    /// The audio of the last run, and the settings that name it; most runs of a spec share both.
    private var latest: (data: SettingValue?, evaluate: SettingValue?, hop: Int, audio: PreparedData)?

    private struct ColumnKey: Hashable {
        var metrics: [String]
        var rate: Int
    }

    init(
        of loaded: LoadedSpec, store: RunStore?, folder: String, catalog: Catalog, inventory: StoreInventory,
        preparer: DataPreparer, makesCorpora: Bool
    ) {
        (self.store, self.folder, self.catalog) = (store, folder, catalog)
        (self.preparer, self.makesCorpora, self.inventory) = (preparer, makesCorpora, inventory)
        knowsEarlierNames = inventory.knowsEarlierNames
        plan = Plan(of: loaded)
        costs = CostModel(store: store)
    }

    mutating func add(_ run: SpecRun, _ evaluations: [SpecEvaluation]) throws {
        // Weights that are missing stop a run before any corpus is made for it.
        let start = try run.spec.hasModel ? StartingPoint(run.spec, store: store, folder: folder) : nil
        let (data, evaluate, hop) = (
            run.spec.settings["data"], run.spec.settings["evaluate"], run.spec.transform.hopLength
        )
        let known = latest.flatMap { $0.data == data && $0.evaluate == evaluate && $0.hop == hop ? $0.audio : nil }
        let audio = try known ?? self.audio(of: run.spec)
        latest = (data, evaluate, hop, audio)
        if run.spec.hasModel { try addModel(TrainingTask(run, audio, start), evaluations) }
        if known == nil { try addAnchors(run.spec, audio) }
    }

    /// The audio, where all of it is there or can be made now; corpora that are not become steps.
    private mutating func audio(of spec: ExperimentSpec) throws -> PreparedData {
        let missing = makesCorpora ? [] : try preparer.missing(spec)
        for (name, folder, isMade) in missing where corporaSeen.insert(folder).inserted {
            let reason = isMade ? "will be made in \(folder)" : "missing file: \(folder)"
            plan.steps.append(PlannedStep(PlanStep(kind: .corpus, subject: name, state: .new, reason: reason)))
        }
        guard missing.isEmpty else { return .absent }
        let audio = try preparer.prepare(spec)
        plan.findings += audio.findings.filter { !plan.findings.contains($0) }
        return audio
    }

    // MARK: Training and evaluation

    private mutating func addModel(_ training: TrainingTask, _ asked: [SpecEvaluation]) throws {
        plan.trainings.append(training)
        let earlier = knowsEarlierNames ? training.earlierKey : nil
        let known = inventory.trainings[training.key] ?? earlier.flatMap { inventory.trainings[$0] }
        var evaluations: [PlannedStep] = []
        for evaluation in asked { evaluations.append(try step(of: evaluation, training, known)) }
        let isNeeded = evaluations.contains { $0.state != .cached }
        var step = training.step(known, in: folder, isNeeded: { isNeeded }, change: { change(training) })
        if step.state != .cached {
            let done = step.state == .resumed ? known?.last?.step ?? 0 : 0
            step.seconds = try training.totalSteps.flatMap {
                try costs.training(training.spec, steps: max(0, $0 - done))
            }
            for index in evaluations.indices where evaluations[index].state == .new {
                evaluations[index].summary.reason = "after its training"
            }
        }
        // Points that differ in their evaluations alone share one training.
        if trainingsSeen.insert(training.key).inserted {
            plan.steps.append(PlannedStep(step, training.data.isAbsent ? nil : .train(training)))
        }
        plan.steps += evaluations
    }

    private func change(_ training: TrainingTask) -> String? {
        guard let store else { return nil }
        return (try? Predecessor.find(of: training.spec, name: training.run.name, key: training.key, in: store))??
            .description
    }

    private mutating func step(
        of evaluation: SpecEvaluation, _ training: TrainingTask, _ known: StoreInventory.Training?
    ) throws -> PlannedStep {
        guard let task = EvaluationTask(evaluation, of: training) else {
            return waiting(.evaluate, training.run.name, evaluation.label)
        }
        var step = try step(of: task) { store in
            try known.flatMap { try EvaluationChange.describe(training.spec, of: $0.run, in: store) }
        }
        if step.state != .cached {
            step.summary.seconds = try costs.evaluation(training.spec, evaluation.point, seconds: task.test.seconds)
        }
        return step
    }

    private mutating func addAnchors(_ spec: ExperimentSpec, _ audio: PreparedData) throws {
        for choice in spec.evaluate.anchors {
            for set in spec.evaluate.sets.map(\.name).sorted() {
                let task = EvaluationTask(anchor: choice, on: set, of: spec, audio)
                // Runs that ask for other metrics of an anchor add theirs.
                let seen = (task?.key.stored ?? choice.name + set) + " \(spec.evaluate.metrics.map(\.name))"
                guard anchorsSeen.insert(seen).inserted else { continue }
                plan.steps.append(try task.map { try step(of: $0) { _ in nil } } ?? waiting(.anchor, choice.name, set))
            }
        }
    }

    private func waiting(_ kind: PlanStep.Kind, _ subject: String, _ detail: String) -> PlannedStep {
        PlannedStep(PlanStep(kind: kind, subject: subject, detail: detail, state: .new, reason: "after its data"))
    }

    // MARK: Scores

    private mutating func step(of task: EvaluationTask, change: (RunStore?) throws -> String?) throws -> PlannedStep {
        let progress = try progress(of: task)
        let step = try task.step(progress, knowsOtherAudio: { knows(task.key.stem) }, change: { try change(store) })
        return PlannedStep(step, .evaluate(task))
    }

    private mutating func progress(of task: EvaluationTask) throws -> EvaluationTask.StoredProgress {
        let files = task.test.set.files.count
        let scorings = inventory.scorings
        let earlier = { [knowsEarlierNames] in
            knowsEarlierNames ? task.key.earlier.lazy.compactMap { scorings[$0] }.first : nil
        }
        guard let known = scorings[task.key.stored] ?? earlier() else {
            return .init(missing: files, isBegun: false, kept: 0)
        }
        let wanted = columns(of: task.spec)
        let missing: Int
        if known.status == .finished {
            missing = wanted.allSatisfy { $0.map(known.metrics.contains) ?? false } ? 0 : files
        } else {
            missing = try files - complete(known, wanted)
        }
        return .init(missing: missing, isBegun: !known.metrics.isEmpty, kept: known.kept)
    }

    /// Whether the store has an evaluation whose key begins so.
    private mutating func knows(_ stem: String) -> Bool {
        var (low, high) = (0, storedKeys.count)
        while low < high {
            let middle = (low + high) / 2
            if storedKeys[middle] < stem { low = middle + 1 } else { high = middle }
        }
        return low < storedKeys.count && storedKeys[low].hasPrefix(stem)
    }

    /// The files that have every metric, for an evaluation that was not finished.
    private func complete(_ known: StoreInventory.Scoring, _ wanted: [ScoredMetric.ID?]) throws -> Int {
        let needed = wanted.compactMap(\.self)
        guard let store, needed.count == wanted.count else { return 0 }
        let scored = Dictionary(grouping: try store.scores(of: known.evaluation), by: \.file)
        return scored.values.count { Set(needed).isSubset(of: $0.map(\.metric)) }
    }

    /// The store's metrics for those of a spec; `nil` for one that was never computed.
    private mutating func columns(of spec: ExperimentSpec) -> [ScoredMetric.ID?] {
        let key = ColumnKey(metrics: spec.evaluate.metrics.map(\.name), rate: spec.data.sampleRate)
        if let known = columns[key] { return known }
        let found = key.metrics.map { name in
            catalog.metrics[name].flatMap { inventory.metrics[$0.signature(ofAudioAt: key.rate)] }
        }
        columns[key] = found
        return found
    }
}

extension StoreInventory {
    /// Whether trainings or evaluations are known by names of audio that earlier versions gave: 32 digits without a
    /// scheme.
    fileprivate var knowsEarlierNames: Bool {
        let bar = UInt8(ascii: "|")
        return trainings.keys.contains {
            !$0.dataFingerprint.isEmpty && !$0.dataFingerprint.hasPrefix(AudioDigest.scheme)
        }
            || scorings.keys.contains { $0.utf8.suffix(33).first == bar }
    }
}
