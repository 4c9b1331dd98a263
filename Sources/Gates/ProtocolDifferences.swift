import Corpora
import SpecLanguage
import Specs

/// What training and evaluation set differently, and the runs of one spec among themselves.
///
/// Each was a real mistake: a reference of 0.25 s in training and 0.5 s in evaluation, an empty reference in
/// validation of a network that had never seen one, one model's `step` checkpoint beside another's `last`.
enum ProtocolDifferences {
    /// The parts of a spec from which the differences inside one run are found: equal inputs give equal findings.
    package struct Inputs: Hashable {
        private let parts: [SettingValue?]
        private let validation: [Int?]

        package init(_ spec: ExperimentSpec) {
            parts = ["data", "transform", "backbone", "conditioning", "sde", "evaluate", "waive"].map {
                spec.settings[$0]
            }
            validation = [spec.train.maxSteps, spec.train.numEvalFiles, spec.train.validationN]
        }
    }

    /// Differences inside one run.
    package static func inside(_ spec: ExperimentSpec, _ vocabulary: Vocabulary) -> [Finding] {
        references(spec) + front(spec, vocabulary) + selection(spec)
    }

    private static func finding(
        _ code: Finding.Code, _ severity: Finding.Severity, _ message: String, fix: String
    ) -> Finding {
        Finding(code, severity, set: "protocol", message, fix: fix)
    }

    // MARK: The noise reference

    private static func references(_ spec: ExperimentSpec) -> [Finding] {
        guard let conditioning = spec.conditioning else { return [] }
        var found: [Finding] = []
        func text(_ frames: Int) -> String {
            let seconds = Double((frames - 1) * spec.transform.hopLength) / Double(spec.data.sampleRate)
            return "\(frames) frames (\((seconds * 1000).rounded() / 1000) s)"
        }
        // What a file was trained with is known as far as the spec states it.
        let severity: Finding.Severity = spec.train.maxSteps == 0 ? .warning : .error
        let lengths = Set(spec.evaluate.references.compactMap(\.numFrames)).sorted()
        let others = lengths.filter { $0 != conditioning.refNumFrames }
        if !others.isEmpty {
            let isSeen = lengths.contains(conditioning.refNumFrames)
            found.append(
                finding(
                    .referenceLength, isSeen ? .note : severity,
                    """
                    the reference has \(text(conditioning.refNumFrames)) in training, \
                    \(others.map(text).joined(separator: ", ")) in evaluation
                    """,
                    fix: "leave evaluate.reference.num_frames out, or add the length of training as another value"))
        }
        if conditioning.condDropProb == 0, let empty = spec.evaluate.references.first(where: \.mode.isEmpty) {
            found.append(
                finding(
                    .unseenReference, severity,
                    """
                    the reference '\(empty.mode)' is empty, and with cond_drop_prob 0 training never shows an empty \
                    one
                    """,
                    fix: "evaluate with a reference, or train with conditioning.cond_drop_prob above 0"))
        }
        let scales = spec.evaluate.guidance.filter { $0 != 1 }
        if conditioning.condDropProb == 0, !scales.isEmpty {
            found.append(
                finding(
                    .unseenReference, severity,
                    "guidance w = \(scales.map { SettingValue.number($0).compact }.joined(separator: ", ")) takes the "
                        + "score without a reference, which with cond_drop_prob 0 is never trained",
                    fix: "evaluate at w = 1, or train with conditioning.cond_drop_prob above 0"))
        }
        if conditioning.condDropProb == 1, spec.evaluate.references.contains(where: { !$0.mode.isEmpty }) {
            found.append(
                finding(
                    .unseenReference, severity,
                    "with cond_drop_prob 1 training never shows a reference, and evaluation gives one",
                    fix: "train with conditioning.cond_drop_prob below 1"))
        }
        return found
    }

    // MARK: The signal

    private static func front(_ spec: ExperimentSpec, _ vocabulary: Vocabulary) -> [Finding] {
        var found: [Finding] = []
        let traits = vocabulary[.backbone, spec.backbone.name]?.traits ?? []
        for case .padding(let usual) in traits where usual != spec.evaluate.padding {
            found.append(
                finding(
                    .padding, .warning,
                    """
                    frames are padded by '\(spec.evaluate.padding)', the authors of '\(spec.backbone.name)' use \
                    '\(usual)'
                    """,
                    fix: "leave evaluate.padding out, or set it alike in all systems that are compared"))
        }
        if spec.data.normalize != .noisy {
            found.append(
                finding(
                    .normalization, .warning,
                    """
                    crops are divided by '\(spec.data.normalize)' in training, recordings by the noisy peak in \
                    evaluation
                    """,
                    fix: "data.normalize: noisy"))
        }
        return found
    }

    // MARK: The checkpoint

    private static func selection(_ spec: ExperimentSpec) -> [Finding] {
        var found: [Finding] = []
        let (train, evaluate) = (spec.train, spec.evaluate)
        guard train.maxSteps != 0, train.numEvalFiles > 0 else { return [] }
        if let steps = train.validationN, !evaluate.N.isEmpty, !evaluate.N.contains(steps) {
            found.append(
                finding(
                    .validationSteps, .note,
                    """
                    validation takes \(steps) steps, evaluation \(evaluate.N.map(String.init).joined(separator: ", "))
                    """,
                    fix:
                        """
                        checkpoints are compared at other steps than they are used at; set train.validation_N to one \
                        of them
                        """
                ))
        }
        if !evaluate.weights.contains(.ema) {
            found.append(
                finding(
                    .rawWeights, .warning, "validation judges averaged weights, evaluation takes raw ones",
                    fix: "evaluate.weights: ema"))
        }
        let unchosen = evaluate.checkpoints.filter { !$0.name.hasPrefix("best_") }
        if unchosen.count == evaluate.checkpoints.count, let first = unchosen.first {
            found.append(
                finding(
                    .checkpointChoice, .note,
                    "'\(SettingValue.choice(first).compact)' is evaluated, whatever validation says of it",
                    fix: "evaluate.checkpoint: best_pesq takes the best one of validation"))
        }
        return found
    }

    /// Differences between runs that will be rows of one table.
    package static func between(_ runs: [SpecRun]) -> [Finding] {
        var choices: [String] = []
        var latest: [Choice]?
        for run in runs where run.spec.train.maxSteps != 0 && run.spec.evaluate.checkpoints != latest {
            latest = run.spec.evaluate.checkpoints
            let text = run.spec.evaluate.checkpoints.map { SettingValue.choice($0).compact }.sorted().joined(
                separator: " and ")
            if !choices.contains(text) { choices.append(text) }
        }
        guard choices.count > 1 else { return [] }
        return [
            finding(
                .checkpointChoice, .error,
                "runs of one spec are evaluated at different checkpoints: \(choices.joined(separator: "; "))",
                fix: "give all of them one evaluate.checkpoint, or list all choices in it")
        ]
    }
}
