import Foundation
package import Runs

package enum Sample {
    package static let provenance = Provenance(
        gitCommit: "0123abc", version: "1.0", machine: "test", threads: 2, commandLine: "sgmse run a.yaml")

    package static func run(
        _ name: String = "quickstart", seed: UInt64 = 0, resolved: String = #"{"backbone":{"name":"ncsnpp"}}"#
    ) -> RunDraft {
        RunDraft(
            name: name, key: RunKey(identity: "id-\(name)", seed: seed, dataFingerprint: "data"),
            spec: StoredSpec(file: "a.yaml", written: "name: \(name)", resolved: resolved), provenance: provenance)
    }

    package static func files(_ count: Int) -> [TestFile] {
        (0..<count).map { TestFile(path: "f\($0).wav", speaker: "s\($0 % 2)", noise: "hum", snr: 5, seconds: 2) }
    }

    /// A registered set of `count` files called `name`.
    package static func set(
        _ name: String = "test", files count: Int, in store: RunStore
    ) throws -> (set: TestSet, files: [TestFile]) {
        try store.register(
            testSet: name, fingerprint: "fp-\(name)", folder: "data/\(name)", sampleRate: 16_000, files: files(count))
    }

    package static func siSDR(in store: RunStore) throws -> ScoredMetric {
        try store.register(metric: "si_sdr", signature: "si_sdr|zero-mean|16000", unit: "dB", higherIsBetter: true)
    }

    /// A finished evaluation whose file *i* scored `values[i]`, nil for a failure, and asked a network `calls` times.
    @discardableResult
    package static func evaluation(
        of subject: EvaluationSubject, on set: (set: TestSet, files: [TestFile]), at point: EvaluationPoint = .init(),
        _ metric: ScoredMetric, _ values: [Double?], calls: Int? = nil, in store: RunStore
    ) throws -> Evaluation {
        let evaluation = try store.register(
            EvaluationDraft(
                identity: "\(subject)|\(set.set.name)|\(point)", subject: subject, testSet: set.set.id, point: point,
                provenance: provenance))
        try store.begin(evaluation.id, provenance: provenance)
        let scores = zip(set.files, values).map { file, value in
            Score(
                file: file.id!, metric: metric.id,
                outcome: value.map(ScoreOutcome.value) ?? .failed("silent clean file"))
        }
        let results = calls.map { calls in
            set.files.map { FileResult(file: $0.id!, nfe: calls, seconds: 1, realTimeFactor: 1, output: nil) }
        }
        try store.record(scores: scores, results: results ?? [], of: evaluation.id)
        try store.end(evaluation.id, as: .finished)
        return evaluation
    }
}
