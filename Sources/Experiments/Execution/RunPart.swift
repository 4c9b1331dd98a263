import Foundation
import Runs
import Specs

/// One run of a spec with the data it reads and the log it writes; a spec without a model has anchors alone.
struct RunPart: Sendable {
    let one: SpecRun
    let run: Run?
    let data: PreparedData
    let log: RunLog?

    /// The claim of the training, by which its outcome is known too.
    var training: String { "train \(run?.shortID ?? "nothing")" }

    /// All steps of the run, each after what it needs.
    var work: [Work] {
        let anchors = one.spec.evaluate.anchors.flatMap { choice in
            data.tests.sorted { $0.key < $1.key }.map { name, test in
                Work(
                    part: self, task: .anchor(choice, set: name), claim: "evaluate " + identity(ofAnchor: choice, on: test),
                    step: PlanStep(kind: .anchor, subject: choice.name, detail: name, state: .new, reason: ""))
            }
        }
        guard let run else { return anchors }
        let train = Work(
            part: self, task: .train, claim: training,
            step: PlanStep(kind: .train, subject: run.name, state: .new, reason: ""))
        let evaluations = one.evaluations.compactMap { evaluation -> Work? in
            guard let test = data.tests[evaluation.point.set.name] else { return nil }
            return Work(
                part: self, task: .evaluate(evaluation), claim: "evaluate " + identity(of: evaluation, on: test),
                step: PlanStep(kind: .evaluate, subject: run.name, detail: evaluation.label, state: .new, reason: ""))
        }
        return [train] + evaluations + anchors
    }

    func identity(of evaluation: SpecEvaluation, on test: PreparedData.TestData) -> String {
        data.identity(of: evaluation, data.fingerprint, test)
    }

    func identity(ofAnchor choice: Choice, on test: PreparedData.TestData) -> String {
        "anchor|\(SettingValue.choice(choice).compact)|\(one.spec.data.sampleRate)|\(test.fingerprint)"
    }
}

/// A step of one run, which one process at a time may do.
struct Work: Sendable {
    enum Task: Hashable, Sendable {
        case train
        case evaluate(SpecEvaluation)
        case anchor(Choice, set: String)
    }

    let part: RunPart
    let task: Task
    /// What processes that share the store claim.
    let claim: String
    let step: PlanStep

    var needsTraining: Bool { if case .evaluate = task { true } else { false } }
}

/// What one command knows of the steps so far.
struct Progress {
    enum Training { case finished, failed }

    /// By the training's claim.
    var trainings: [String: Training] = [:]
    /// Failures within this process, by claim.
    var failures: [String: Int] = [:]
    /// Claims whose holder was told of.
    var told: Set<String> = []
}

/// A run that never kept the checkpoint an evaluation asks for, as the best one without validation files.
public struct MissingCheckpoint: Error, Hashable, Sendable, CustomStringConvertible {
    public var run: String
    public var checkpoint: String

    public var description: String {
        let why =
            checkpoint.hasPrefix("best_")
            ? "nothing was validated, or no file had a value of that metric" : "train.checkpoint_every keeps single steps"
        return "run \(run) has no checkpoint '\(checkpoint)': \(why); evaluate.checkpoint: last is always there"
    }
}
