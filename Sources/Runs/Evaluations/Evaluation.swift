public import Foundation

/// A folder of test files at one state of their content.
public struct TestSet: Hashable, Sendable, Identifiable {
    /// Its row number in one store.
    public typealias ID = StoreID<TestSet>

    public let id: ID
    /// What specs and tables call it; sets with another content may have the same name.
    public var name: String
    /// The fingerprint of all audio files; another content is another test set.
    public var fingerprint: String
    /// The folder with its clean and noisy files when it was last registered.
    public var folder: String
    /// In Hz.
    public var sampleRate: Int
}

/// One pair of clean and noisy speech in a test set.
public struct TestFile: Hashable, Sendable {
    /// Its row number in one store.
    public typealias ID = StoreID<TestFile>

    /// nil until registered.
    public var id: ID?
    /// Relative to the set's folder; what matches clean and noisy.
    public var path: String
    /// From the manifest or the file's name; nil where neither has it.
    public var speaker: String?
    /// The type of the noise, from the manifest; nil where it is not known.
    public var noise: String?
    /// In dB, of the noisy input.
    public var snr: Double?
    /// The length of the audio in s.
    public var seconds: Double

    public init(
        id: ID? = nil, path: String, speaker: String? = nil, noise: String? = nil, snr: Double? = nil,
        seconds: Double
    ) {
        (self.id, self.path, self.speaker, self.noise) = (id, path, speaker, noise)
        (self.snr, self.seconds) = (snr, seconds)
    }
}

/// A metric in the store: its name, and the signature that specifies exactly what was computed.
public struct ScoredMetric: Hashable, Sendable, Identifiable {
    /// Its row number in one store.
    public typealias ID = StoreID<ScoredMetric>

    public let id: ID
    /// Such as `si_sdr`.
    public var name: String
    /// Such as `pesq|wb|16000|...`; numbers of different signatures are never compared.
    public var signature: String
    /// Such as `dB`; empty for a metric without one.
    public var unit: String
    /// Which of two values tables mark as the better one.
    public var higherIsBetter: Bool
}

/// The evaluation factors: all that decides a score besides the weights and the test set.
///
/// What does not apply is nil.
public struct EvaluationPoint: Hashable, Sendable {
    /// The number of reverse steps, N.
    public var steps: Int?
    /// The sampler's name in the registry, such as `pc`.
    public var sampler: String?
    /// The predictor's name; nil for samplers without one.
    public var predictor: String?
    /// The corrector's name; nil for samplers without one.
    public var corrector: String?
    /// Corrector steps in each reverse step.
    public var correctorSteps: Int?
    /// The corrector's signal-to-noise ratio, r.
    public var snr: Double?
    /// The guidance scale, w.
    public var guidance: Double?
    /// How the noise reference is chosen.
    public var reference: String?
    /// `ema` or `raw`.
    public var weights: String?
    /// The seed of the prior and of the noise along the path.
    public var noiseSeed: UInt64?
    /// Further factors, as a JSON object with sorted keys.
    public var other: String?

    public init(
        steps: Int? = nil, sampler: String? = nil, predictor: String? = nil, corrector: String? = nil,
        correctorSteps: Int? = nil, snr: Double? = nil, guidance: Double? = nil, reference: String? = nil,
        weights: String? = nil, noiseSeed: UInt64? = nil, other: String? = nil
    ) {
        (self.steps, self.sampler, self.predictor, self.corrector) = (steps, sampler, predictor, corrector)
        (self.correctorSteps, self.snr, self.guidance) = (correctorSteps, snr, guidance)
        (self.reference, self.weights, self.noiseSeed, self.other) = (reference, weights, noiseSeed, other)
    }
}

/// Whose output an evaluation scores.
public enum EvaluationSubject: Hashable, Sendable {
    /// A checkpoint of a run, or of an imported model.
    case run(Run.ID, checkpoint: CheckpointRecord.ID?)
    /// A system without a run: a row every table has, such as `noisy` and `wiener`, or a system from elsewhere.
    case anchor(String)
}

/// One subject × one test set × one point of the evaluation factors.
public struct Evaluation: Hashable, Sendable, Identifiable {
    /// Its row number in one store.
    public typealias ID = StoreID<Evaluation>

    public let id: ID
    /// A hash of everything that decides its scores; no two evaluations of a store share one.
    public var identity: String
    /// Whose output was scored.
    public var subject: EvaluationSubject
    /// Which checkpoint it used, even after its file is gone.
    public var checkpoint: (kind: CheckpointRecord.Kind, step: Int)? {
        checkpointKind.flatMap { kind in checkpointStep.map { (kind, $0) } }
    }
    var checkpointKind: CheckpointRecord.Kind?
    var checkpointStep: Int?
    /// The set of files; its version belongs to it.
    public var testSet: TestSet.ID
    /// The factors of the evaluation; all nil for anchors.
    public var point: EvaluationPoint
    /// `interrupted` also where the row says `running` and the process has ended.
    public var status: RunStatus
    /// Why it failed or was interrupted.
    public var reason: String?
    /// Who works on it, where it is running.
    public var owner: StoreID<Owner>?
    /// When it was first begun; nil while it is only planned.
    public var started: Date?
    /// When it last ended; nil while it runs.
    public var ended: Date?
    /// What was given of it where another program made its output or its scores, as a JSON object; nil for our own.
    public var external: String?

    /// The run whose checkpoint was scored; nil for anchors and other systems.
    public var run: Run.ID? { if case .run(let id, _) = subject { id } else { nil } }
    /// The name of a system without a run; nil for a run's evaluation.
    public var anchor: String? { if case .anchor(let name) = subject { name } else { nil } }
}

/// An evaluation to be registered.
public struct EvaluationDraft: Hashable, Sendable {
    /// A hash of everything that decides the scores: equal identities, one evaluation.
    public var identity: String
    /// Whose output is scored.
    public var subject: EvaluationSubject
    /// The set of files, which must be registered before.
    public var testSet: TestSet.ID
    /// Left empty for anchors.
    public var point: EvaluationPoint
    /// With what program, where and how it is computed; not a part of the identity.
    public var provenance: Provenance
    /// What was given of a system from elsewhere, as a JSON object.
    public var external: String?

    public init(
        identity: String, subject: EvaluationSubject, testSet: TestSet.ID, point: EvaluationPoint = .init(),
        provenance: Provenance, external: String? = nil
    ) {
        (self.identity, self.subject, self.testSet) = (identity, subject, testSet)
        (self.point, self.provenance, self.external) = (point, provenance, external)
    }
}

/// What a metric gave for a file: a number, which may be ±∞, or the reason why there is none.
public enum ScoreOutcome: Hashable, Sendable {
    case value(Double)
    case failed(String)

    /// The number; nil where there is none.
    public var value: Double? { if case .value(let value) = self { value } else { nil } }
    /// Why there is no number; nil where there is one.
    public var reason: String? { if case .failed(let reason) = self { reason } else { nil } }
}

/// One metric of one file of one evaluation.
public struct Score: Hashable, Sendable {
    /// The file of the evaluation's test set.
    public var file: TestFile.ID
    /// The metric with its signature.
    public var metric: ScoredMetric.ID
    /// The number, or why there is none.
    public var outcome: ScoreOutcome

    public init(file: TestFile.ID, metric: ScoredMetric.ID, outcome: ScoreOutcome) {
        (self.file, self.metric, self.outcome) = (file, metric, outcome)
    }
}

/// What it took to enhance one file.
public struct FileResult: Hashable, Sendable {
    /// The file of the evaluation's test set.
    public var file: TestFile.ID
    /// Evaluations of the network, counted.
    public var nfe: Int
    /// Wall-clock time of the enhancement in s, without scoring.
    public var seconds: Double
    /// Seconds of computing for each second of audio.
    public var realTimeFactor: Double
    /// The enhanced file, relative to the store's folder.
    public var output: String?
    /// Where the noise reference came from, as a JSON object; nil where there was none.
    public var reference: String?

    public init(
        file: TestFile.ID, nfe: Int, seconds: Double, realTimeFactor: Double, output: String?, reference: String? = nil
    ) {
        (self.file, self.nfe, self.seconds) = (file, nfe, seconds)
        (self.realTimeFactor, self.output, self.reference) = (realTimeFactor, output, reference)
    }
}
