import Corpora
import Foundation
import Models
import Runs
import Specs
import Training

/// What a spec asks for, step by step, with the reason for each; nothing is computed to know it.
public struct Plan: Sendable {
    /// In the order of execution; an anchor that several runs share stands once.
    public var steps: [PlanStep] = []
    public var runs = 0
    /// What the protocol's gates found and let pass.
    public var findings: [Finding] = []

    /// Steps that are not done yet.
    public var pending: [PlanStep] { steps.filter { $0.state != .cached } }
    /// s for all pending steps that were measured before.
    public var seconds: Double { steps.reduce(0) { $0 + ($1.seconds ?? 0) } }
    /// Pending steps, anchors apart, that nothing like has been measured for.
    public var unmeasured: Int { steps.count { $0.state != .cached && $0.seconds == nil && ($0.kind == .train || $0.kind == .evaluate) } }
}

/// Makes plans by comparing specs with a store, which is read from the moment on that the planner is made.
public struct Planner {
    private let store: RunStore?
    private let inventory: Prefetched<StoreInventory>
    private let folder: String
    private let corpora: String
    private let catalog: Catalog

    /// - Parameters:
    ///   - store: `nil` where there is none yet.
    ///   - folder: The folder of the store.
    public init(store: RunStore?, folder: String, corpora: String? = nil, catalog: Catalog = .standard) {
        self.store = store
        inventory = Prefetched { try store?.inventory() ?? StoreInventory() }
        self.folder = folder
        self.corpora = corpora ?? folder + "/corpora"
        self.catalog = catalog
    }

    /// The steps of a spec.
    ///
    /// - Throws: What stops the spec before it begins: `GateFailure`, `CorpusError`, `IncompleteSpec`, `SharedIdentity`.
    public func plan(_ loaded: LoadedSpec) throws -> Plan {
        var work = try PlanWork(
            store: store, folder: folder, catalog: catalog, inventory: inventory.get(),
            preparer: DataPreparer(folder: folder, corpora: corpora, catalog: catalog))
        work.plan.runs = loaded.runs.count
        work.plan.findings = try ProtocolGate.enter(loaded, catalog)
        for (run, evaluations) in zip(loaded.runs, loaded.evaluations) { try work.add(run, evaluations) }
        return work.plan
    }
}

/// A plan in the making.
private struct PlanWork {
    let store: RunStore?
    let folder: String
    let catalog: Catalog
    var preparer: DataPreparer
    var plan = Plan()
    private let inventory: StoreInventory
    private var costs: CostModel
    private var corporaSeen: Set<String> = []
    private var trainingsSeen: Set<RunKey> = []
    private var anchorsSeen: Set<String> = []
    /// What was evaluated, whatever the audio.
    private lazy var knownPoints = Set(inventory.scorings.keys.map(PreparedData.point(ofIdentity:)))
    private var columns: [ColumnKey: [ScoredMetric.ID?]] = [:]
    /// The audio of the last run, and the sets that its evaluations name; most runs of a spec share both.
    private var latest: (data: SettingValue?, evaluate: SettingValue?, hop: Int, audio: PreparedData?)?

    private struct ColumnKey: Hashable {
        var metrics: [String]
        var rate: Int
    }

    init(store: RunStore?, folder: String, catalog: Catalog, inventory: StoreInventory, preparer: DataPreparer) {
        (self.store, self.folder, self.catalog, self.preparer) = (store, folder, catalog, preparer)
        self.inventory = inventory
        costs = CostModel(store: store)
    }

    mutating func add(_ run: SpecRun, _ evaluations: [SpecEvaluation]) throws {
        let (data, evaluate, hop) = (run.spec.settings["data"], run.spec.settings["evaluate"], run.spec.transform.hopLength)
        let isLikeTheLast = latest.map { $0.data == data && $0.evaluate == evaluate && $0.hop == hop } ?? false
        if !isLikeTheLast { latest = (data, evaluate, hop, try audio(of: run.spec)) }
        let audio = latest?.audio
        if run.spec.hasModel { try addModel(run, evaluations, audio) }
        if !isLikeTheLast { try addAnchors(run, audio) }
    }

    /// The audio, where all of it is there; corpora that are not become steps.
    private mutating func audio(of spec: ExperimentSpec) throws -> PreparedData? {
        let missing = try preparer.missing(spec)
        for (name, folder, isMade) in missing where corporaSeen.insert(folder).inserted {
            let reason = isMade ? "will be made in \(folder)" : "missing file: \(folder)"
            plan.steps.append(PlanStep(kind: .corpus, subject: name, state: .new, reason: reason))
        }
        guard missing.isEmpty else { return nil }
        let audio = try preparer.prepare(spec)
        plan.findings += audio.findings.filter { !plan.findings.contains($0) }
        return audio
    }

    // MARK: Training and evaluation

    private mutating func addModel(_ run: SpecRun, _ asked: [SpecEvaluation], _ audio: PreparedData?) throws {
        var audio = audio
        let start = try StartingPoint(run.spec, store: store, folder: folder)
        try audio?.add(start)
        let key = RunKey(identity: run.identity.hex, seed: UInt64(run.seed), dataFingerprint: audio?.fingerprint ?? "")
        let known = inventory.trainings[key]
        var evaluations: [PlanStep] = []
        for evaluation in asked { evaluations.append(try step(of: evaluation, run, key, audio, known)) }
        let isNeeded = evaluations.contains { $0.state != .cached }
        let total = Trainer.totalSteps(run.spec.train, files: audio?.training.count ?? 0)
        var train = PlanStep.training(
            run.name, steps: total, from: start?.path, known.map { state(of: $0, isNeeded: isNeeded) }, change: try? change(run, key))
        if train.state != .cached {
            let done = train.state == .resumed ? known?.last?.step ?? 0 : 0
            train.seconds = try costs.training(run.spec, steps: max(0, total - done))
            for index in evaluations.indices where evaluations[index].state == .new {
                evaluations[index].reason = "after its training"
            }
        }
        // Points that differ in their evaluations alone share one training.
        if trainingsSeen.insert(key).inserted { plan.steps.append(train) }
        plan.steps += evaluations
    }

    private func change(_ run: SpecRun, _ key: RunKey) throws -> String? {
        guard let store else { return nil }
        return try Predecessor.find(of: run.spec, name: run.name, key: key, in: store)?.description
    }

    private func state(of known: StoreInventory.Training, isNeeded: Bool) -> PlanStep.TrainingState {
        let isFinished = known.status == .finished
        // Only weights that are still needed must be there.
        let file = isFinished && !isNeeded ? nil : known.last?.path
        let isThere = file.map { FileManager.default.fileExists(atPath: folder + "/" + $0) } ?? isFinished
        return .init(
            isFinished: isFinished, reached: isThere ? known.last?.step : nil, reason: known.reason,
            missingFile: isThere ? nil : file)
    }

    private mutating func step(
        of evaluation: SpecEvaluation, _ run: SpecRun, _ key: RunKey, _ audio: PreparedData?,
        _ known: StoreInventory.Training?
    ) throws -> PlanStep {
        guard let audio, let test = audio.tests[evaluation.point.set.name] else {
            return PlanStep(kind: .evaluate, subject: run.name, detail: evaluation.label, state: .new, reason: "after its data")
        }
        let identity = audio.identity(of: evaluation, key.dataFingerprint, test)
        var step = try scoring(.evaluate, run.name, evaluation.label, identity, run.spec, test)
        guard step.state != .cached else { return step }
        let isOfOtherAudio = step.state == .new && knownPoints.contains(PreparedData.point(ofIdentity: identity))
        if step.state == .new, !isOfOtherAudio, let known, let change = try EvaluationChange.describe(run.spec, of: known.run, in: store) {
            step.reason += ": " + change
        }
        step.seconds = try costs.evaluation(run.spec, evaluation.point, seconds: test.seconds)
        return step
    }

    private mutating func addAnchors(_ run: SpecRun, _ audio: PreparedData?) throws {
        for choice in run.spec.evaluate.anchors {
            for set in run.spec.evaluate.sets.map(\.name).sorted() {
                let identity = audio?.tests[set].map { test in
                    "anchor|\(SettingValue.choice(choice).compact)|\(run.spec.data.sampleRate)|\(test.fingerprint)"
                }
                guard anchorsSeen.insert(identity ?? choice.name + set).inserted else { continue }
                if let identity, let test = audio?.tests[set] {
                    plan.steps.append(try scoring(.anchor, choice.name, set, identity, run.spec, test))
                } else {
                    plan.steps.append(PlanStep(kind: .anchor, subject: choice.name, detail: set, state: .new, reason: "after its data"))
                }
            }
        }
    }

    // MARK: Scores

    private mutating func scoring(
        _ kind: PlanStep.Kind, _ subject: String, _ detail: String, _ identity: String, _ spec: ExperimentSpec,
        _ test: PreparedData.TestData
    ) throws -> PlanStep {
        let files = test.set.files.count
        guard let known = inventory.scorings[identity] else {
            return .scoring(
                kind, subject, detail, files: files, missing: files, isBegun: false,
                knowsOtherAudio: kind == .evaluate && knownPoints.contains(PreparedData.point(ofIdentity: identity)))
        }
        let wanted = columns(of: spec)
        let missing: Int
        if known.status == .finished {
            missing = wanted.allSatisfy { $0.map(known.metrics.contains) ?? false } ? 0 : files
        } else {
            missing = try files - (complete(known, wanted))
        }
        return try .scoring(kind, subject, detail, files: files, missing: missing, isBegun: !known.metrics.isEmpty,
            lacksAudio: !(kind == .anchor && subject == "noisy") && spec.evaluate.lacksAudio(kept: known.kept, of: files))
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
