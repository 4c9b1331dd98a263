import Corpora
import Foundation
import Progress
import Runs
import SpecLanguage
import Specs

extension Plan {
    /// The fewest files of a unit: starting a task takes longer than scoring fewer.
    private static let fewestFiles = 8

    /// The pending steps as units that tasks can do in any order.
    ///
    /// - Parameters:
    ///   - registered: The runs in the store.
    ///   - tasks: How many tasks there will be: evaluations of finished trainings are divided by files until each has
    ///     work.
    func units(_ registered: [RegisteredRun], for tasks: Int) -> [WorkUnit] {
        let agenda = Agenda(steps, runs: registered, file: spec.file)
        var units = agenda.trainings.map(agenda.unit)
        let single = agenda.single
        for evaluation in single {
            let files = evaluation.test.set.files.count
            let isShared = evaluation.training != nil && files >= 2 * Self.fewestFiles
            let count = isShared ? max(1, min(files / Self.fewestFiles, (tasks + single.count - 1) / single.count)) : 1
            units += (0..<count).map { index in
                agenda.unit(evaluation, count > 1 ? .init(index: index, count: count) : nil, among: spec.runs)
            }
        }
        return units
    }
}

/// The pending steps of a plan by what they are done with.
private struct Agenda {
    let file: String
    private(set) var trainings: [TrainingTask] = []
    /// Evaluations of trainings that are done, and of anchors.
    private(set) var single: [EvaluationTask] = []
    private var evaluations: [RunKey: [EvaluationTask]] = [:]
    private var seconds: [String: Double] = [:]
    private let stored: [RunKey: Run]

    init(_ steps: [PlannedStep], runs: [RegisteredRun], file: String) {
        self.file = file
        stored = Dictionary(runs.map { ($0.task.key, $0.run) }, uniquingKeysWith: { first, _ in first })
        var open: Set<RunKey> = []
        for step in steps where step.state != .cached {
            guard let task = step.task else { continue }
            seconds[task.claim] = step.seconds
            switch task {
            case .train(let training):
                trainings.append(training)
                open.insert(training.key)
            case .evaluate(let evaluation):
                if let key = evaluation.training?.key, open.contains(key) {
                    evaluations[key, default: []].append(evaluation)
                } else {
                    single.append(evaluation)
                }
            }
        }
    }

    /// A training with its evaluations.
    func unit(_ training: TrainingTask) -> WorkUnit {
        let own = evaluations[training.key] ?? []
        var names: Set<String> = [training.run.name]
        let tasks = [training] + own.compactMap(\.training).filter { names.insert($0.run.name).inserted }
        let claims = [training.claim] + own.map(\.claim)
        let more = own.isEmpty ? "" : ", \(own.count) evaluation\(own.count == 1 ? "" : "s")"
        return WorkUnit(
            name: "train-" + training.key.shortID(count: 24), title: "train \(training.run.name)" + more,
            runs: tasks.map(part),
            steps: claims, trains: true, files: nil, retries: training.spec.train.retries, seconds: seconds(of: claims),
            spec: file)
    }

    /// An evaluation of a training that is done, or of an anchor.
    func unit(_ evaluation: EvaluationTask, _ share: WorkUnit.FileShare?, among runs: [SpecRun]) -> WorkUnit {
        let claim = evaluation.claim
        var name = "score-" + Identity(ofText: claim).hex
        var title = "\(evaluation.training == nil ? "anchor" : "evaluate") \(evaluation.name) [\(evaluation.detail)]"
        if let share {
            let files = share.range(of: evaluation.test.set.files.count)
            name += "-\(share.index + 1)of\(share.count)"
            title += " files \(files.lowerBound + 1) to \(files.upperBound)"
        }
        return WorkUnit(
            name: name, title: title, runs: [part(of: evaluation, among: runs)].compactMap(\.self), steps: [claim],
            trains: false,
            files: share, retries: evaluation.spec.train.retries,
            seconds: seconds(of: [claim]).map { $0 / Double(share?.count ?? 1) }, spec: file)
    }

    /// The run of an evaluation; for an anchor, the first run whose spec names it.
    private func part(of evaluation: EvaluationTask, among runs: [SpecRun]) -> WorkUnit.Part? {
        if let training = evaluation.training { return part(training) }
        return runs.first { $0.spec === evaluation.spec }.map {
            WorkUnit.Part(name: $0.name, label: $0.label, seed: $0.seed, spec: $0.spec, storedName: nil, shortID: nil)
        }
    }

    private func part(_ training: TrainingTask) -> WorkUnit.Part {
        let run = stored[training.key]
        return WorkUnit.Part(
            name: training.run.name, label: training.run.label, seed: training.run.seed, spec: training.spec,
            storedName: run?.name,
            shortID: run?.shortID)
    }

    /// nil where one of the steps was never measured.
    private func seconds(of claims: [String]) -> Double? {
        let known = claims.map { seconds[$0] }
        return known.contains(nil) ? nil : known.compactMap(\.self).reduce(0, +)
    }
}
