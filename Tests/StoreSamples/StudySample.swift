import Foundation
package import Runs

/// A made-up study in a store: noisy input, two sets of `files` files of 8 speakers, five metrics, N = 30 and 50.
package struct StudySample {
    package static let metrics = [("pesq", "MOS"), ("estoi", ""), ("si_sdr", "dB"), ("si_sir", "dB"), ("si_sar", "dB")]

    package let store: RunStore
    package let sets: [(set: TestSet, files: [TestFile])]
    private let columns: [ScoredMetric]

    package init(in store: RunStore, files: Int = 24, sets names: [String] = ["test", "test-ood"]) throws {
        self.store = store
        sets = try names.map { name in
            let files = (0..<files).map { file -> TestFile in
                TestFile(
                    path: "f\(file).wav", speaker: "s\(file % 8)", noise: file % 2 == 0 ? "hum" : "rain",
                    snr: Double(file % 3 * 5), seconds: 2)
            }
            return try store.register(
                testSet: name, fingerprint: "fp-\(name)", folder: "data/\(name)", sampleRate: 16_000, files: files)
        }
        columns = try Self.metrics.map { name, unit in
            try store.register(metric: name, signature: "\(name)|16000|v1", unit: unit, higherIsBetter: true)
        }
        for set in sets { try score(.anchor("noisy"), on: set, at: .init(), level: 0, salt: 1) }
    }

    /// A finished run of `resolved` settings, evaluated at each N on each set; `level` moves its scores.
    @discardableResult
    package func run(
        _ name: String, seed: UInt64 = 0, level: Double, settings: String = "{}", steps: [Int] = [30, 50],
        checkpoint: (CheckpointRecord.Kind, Int) = (.last, 1000), other: String? = nil, noiseSeed: UInt64 = 0
    ) throws -> Run {
        let run = try store.register(Sample.run(name, seed: seed, resolved: settings))
        try store.end(run.id, as: .finished)
        try evaluate(run, level: level, steps: steps, checkpoint: checkpoint, other: other, noiseSeed: noiseSeed)
        return try store.runs([run.id])[0]
    }

    package func evaluate(
        _ run: Run, level: Double, steps: [Int] = [30, 50], checkpoint: (CheckpointRecord.Kind, Int) = (.last, 1000),
        other: String? = nil, noiseSeed: UInt64 = 0
    ) throws {
        let (kind, step) = checkpoint
        if try store.checkpoint(of: run.id, kind: kind, step: step) == nil {
            let record = CheckpointRecord(
                step: step, kind: kind, path: "\(kind.rawValue)-\(step)", sha256: "0", bytes: 1, emaUpdates: 1, value: 1
            )
            try store.record(TrainingBatch(checkpoints: [record]), of: run.id)
        }
        let used = try store.checkpoint(of: run.id, kind: kind, step: step)
        for set in sets {
            for steps in steps {
                let point = EvaluationPoint(
                    steps: steps, sampler: "pc", weights: "ema", noiseSeed: noiseSeed, other: other)
                let salt = run.name.utf8.reduce(Int(run.key.seed) * 31 + steps) { $0 &* 31 &+ Int($1) }
                try score(.run(run.id, checkpoint: used?.id), on: set, at: point, level: level, salt: salt)
            }
        }
    }

    private func score(
        _ subject: EvaluationSubject, on set: (set: TestSet, files: [TestFile]), at point: EvaluationPoint,
        level: Double, salt: Int
    ) throws {
        let evaluation = try store.register(
            EvaluationDraft(
                identity: "\(subject)|\(set.set.name)|\(point)", subject: subject, testSet: set.set.id, point: point,
                provenance: Sample.provenance))
        try store.begin(evaluation.id, provenance: Sample.provenance)
        var scores: [Score] = []
        for (place, metric) in columns.enumerated() {
            let scale = [0.3, 0.05, 3, 3, 3][place]
            for (number, file) in set.files.enumerated() {
                guard let id = file.id else { continue }
                // Files differ far more than systems do; speakers have a pull of their own.
                let base = [1.5, 0.6, 8, 12, 10][place] + scale * Double((number * 37 + place) % 11) / 5
                let noise = Double((salt &* 7919 &+ number &* 104_729 &+ place &* 1299) % 1009) / 1009
                scores.append(Score(file: id, metric: metric.id, outcome: .value(base + scale * (level + 0.4 * noise))))
            }
        }
        try store.record(scores: scores, of: evaluation.id)
        try store.end(evaluation.id, as: .finished)
    }
}
