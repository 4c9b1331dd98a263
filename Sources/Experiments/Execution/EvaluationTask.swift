import Corpora
import Foundation
import Progress
import Runs
import SpecLanguage
import Specs

/// One checkpoint, or one anchor, on one test set: what it is known by, and all that it takes.
struct EvaluationTask: Sendable {
    enum Subject: Sendable {
        case model(TrainingTask, SpecEvaluation)
        case anchor(Choice)
    }

    let subject: Subject
    let spec: ExperimentSpec
    /// The set's name in the spec.
    let setName: String
    let test: PreparedData.TestData
    let key: EvaluationKey
    /// The share of the files that is scored here; all of them if `nil`.
    var share: WorkUnit.FileShare?

    /// An evaluation of a training's weights; `nil` where its set is not there yet.
    init?(_ evaluation: SpecEvaluation, of training: TrainingTask) {
        guard let test = training.data.tests[evaluation.point.set.name] else { return nil }
        (subject, spec, self.test) = (.model(training, evaluation), training.spec, test)
        setName = evaluation.point.set.name
        key = .model(
            point: evaluation.identity, training: training.data.fingerprint, audio: test.fingerprint,
            reference: evaluation.point.reference?.path.flatMap { training.data.references[$0] })
    }

    /// An anchor on a set of a spec; `nil` where the set is not there yet.
    init?(anchor: Choice, on setName: String, of spec: ExperimentSpec, _ data: PreparedData) {
        guard let test = data.tests[setName] else { return nil }
        (subject, self.spec, self.setName, self.test) = (.anchor(anchor), spec, setName, test)
        key = .anchor(anchor, sampleRate: spec.data.sampleRate, audio: test.fingerprint)
    }

    var training: TrainingTask? { if case .model(let training, _) = subject { training } else { nil } }

    /// What processes that share the store claim.
    var claim: String { "evaluate " + key.stored }

    /// The run's name, or the anchor's.
    var name: String {
        switch subject {
        case .model(let training, _): training.run.name
        case .anchor(let choice): choice.name
        }
    }

    /// The factors of the evaluation, or the anchor's set.
    var detail: String {
        switch subject {
        case .model(_, let evaluation): evaluation.label
        case .anchor: setName
        }
    }

    /// The files that are scored here.
    var files: ArraySlice<PairedFile> {
        let all = test.set.files
        return share.map { all[$0.range(of: all.count)] } ?? all[...]
    }

    /// The evaluation as the order to other processes names it; `nil` where the spec does not name it.
    var inOrder: ScoringOrder.Subject? {
        switch subject {
        case .anchor(let choice): spec.evaluate.anchors.firstIndex(of: choice).map { .anchor($0) }
        case .model(let training, let evaluation):
            training.run.evaluations.firstIndex(of: evaluation).map {
                .model(evaluation: $0, seed: training.run.seed)
            }
        }
    }

    /// Whether enhanced audio may be kept; the noisy input is there already.
    var makesAudio: Bool { if case .anchor(let choice) = subject { choice.name != "noisy" } else { true } }

    /// What the store has of the evaluation.
    struct StoredProgress {
        /// Files that lack a metric.
        var missing: Int
        /// Whether any file has a score.
        var isBegun: Bool
        /// Files whose enhanced audio is kept.
        var kept: Int
    }

    /// The step of the plan that is left of the evaluation, given what the store has of it.
    ///
    /// - Parameters:
    ///   - knowsOtherAudio: Whether the same was evaluated on other audio, or on what the audio was before.
    ///   - change: In what the spec's evaluation differs from the one that the run was first evaluated by.
    func step(_ progress: StoredProgress, knowsOtherAudio: () throws -> Bool, change: () throws -> String?) rethrows
        -> PlanStep
    {
        var step = PlanStep(
            kind: training == nil ? .anchor : .evaluate, subject: name, detail: detail, state: .new, reason: "")
        let files = test.set.files.count
        if progress.missing == 0 {
            // Scores are never computed again for the sake of audio.
            let lacksAudio = makesAudio && spec.evaluate.lacksAudio(kept: progress.kept, of: files)
            step.state = .cached
            step.reason =
                "all \(files) files have every metric"
                + (lacksAudio ? "; their audio was not kept and is not made again: sgmse enhance makes it" : "")
        } else if progress.isBegun {
            step.state = .resumed
            step.reason = "\(progress.missing) of \(files) files lack a metric"
        } else if try training != nil && knowsOtherAudio() {
            step.reason = "not evaluated on this audio yet: a set's files changed, or it is another set"
        } else {
            step.reason = try "not evaluated yet" + (change().map { ": \($0)" } ?? "")
        }
        return step
    }
}

extension EvaluateSpec {
    /// How many of `count` files have their enhanced audio kept.
    func keptFiles(of count: Int) -> Int {
        switch keepAudio {
        case .all: count
        case .examples: min(4, count)
        case .none: 0
        }
    }

    /// Whether an evaluation that kept the audio of `kept` files kept less than this spec asks for.
    func lacksAudio(kept: Int, of count: Int) -> Bool {
        kept < min(keptFiles(of: count), StoreInventory.Scoring.mostCounted)
    }
}
