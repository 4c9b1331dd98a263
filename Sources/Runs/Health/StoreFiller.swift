import Foundation
import GRDB

extension RunStore {
    /// How long it took to fill a store with synthetic runs.
    public struct FillTiming: Hashable, Sendable {
        /// How many runs were added.
        public var runs: Int
        /// How many scores were added, those of the anchor not counted.
        public var scores: Int
        /// Wall-clock time of the whole call.
        public var seconds: Double
        /// Of `seconds`, those spent on scores, their commits included.
        public var scoreSeconds: Double

        /// Scores written per second of ``scoreSeconds``.
        public var scoresPerSecond: Double { Double(scores) / scoreSeconds }
    }

    /// Fills the store with finished runs for a measurement: each evaluated at N = 30 and N = 50 with five metrics.
    ///
    /// - Parameters:
    ///   - runs: How many runs.
    ///   - scoresPerRun: A multiple of ten: 2 N × 5 metrics × files.
    ///   - progress: Called with the number of runs filled in, after every hundred.
    public func fill(
        runs: Int, scoresPerRun: Int, progress: (Int) -> Void = { _ in }
    ) throws(StoreError) -> FillTiming {
        precondition(scoresPerRun % 10 == 0, "\(scoresPerRun) scores are no multiple of 10")
        let clock = ContinuousClock()
        let start = clock.now
        let files = (0..<scoresPerRun / 10).map { TestFile(path: "\($0).wav", snr: Double($0 % 10), seconds: 2) }
        let set = try register(
            testSet: "bench", fingerprint: "bench-\(files.count)", folder: "", sampleRate: 16_000, files: files)
        let metrics = try ["pesq", "estoi", "si_sdr", "si_sir", "si_sar"].map { (name) throws(StoreError) in
            try register(
                metric: name, signature: "\(name)|bench", unit: name.hasPrefix("si") ? "dB" : "", higherIsBetter: true)
        }
        let provenance = Provenance(version: "bench", machine: "bench", threads: 1, commandLine: "sgmse bench store")
        try write { db in
            let noisy = EvaluationDraft(
                identity: "bench|noisy|\(files.count)", subject: .anchor("noisy"), testSet: set.set.id,
                provenance: provenance)
            try fill([insert(noisy, db)], set.files, metrics, 0, db)
        }
        var (seconds, first) = (0.0, 0)
        while first < runs {
            let last = min(first + 100, runs)
            let evaluations = try write { db in
                try (first..<last).flatMap { try insertBenchRun($0, set.set.id, provenance, db) }
            }
            let before = clock.now
            try write { db in try fill(evaluations, set.files, metrics, first, db) }
            seconds += (clock.now - before) / .seconds(1)
            first = last
            progress(first)
        }
        return FillTiming(
            runs: runs, scores: runs * scoresPerRun, seconds: (clock.now - start) / .seconds(1), scoreSeconds: seconds)
    }

    private func insertBenchRun(
        _ number: Int, _ set: TestSet.ID, _ provenance: Provenance, _ db: Database
    ) throws -> [Evaluation.ID] {
        let backbone = number % 3 == 0 ? "ncsnpp" : "ncsnpp_v2"
        let draft = RunDraft(
            name: "bench-\(number % 1000)",
            key: RunKey(identity: "bench-\(number)", seed: UInt64(number % 5), dataFingerprint: "bench"),
            spec: StoredSpec(
                written: "name: bench",
                resolved: """
                    {"backbone": {"name": "\(backbone)", "nf": \(16 << (number % 4)), "ch_mult": [1, 1, 2, 2]},
                    "sde": {"name": "ouve", "theta": 1.5, "sigma_min": 0.05, "sigma_max": 0.5},
                    "train": {"lr": \(1e-4 * Double(1 + number % 7)), "batch_size": 8, "max_steps": 58000},
                    "evaluate": {"sets": ["bench"], "N": [30, 50], "metrics": ["pesq", "estoi", "si_sdr"]}}
                    """),
            provenance: provenance)
        let run = try insert(draft, db)
        try db.execute(sql: "UPDATE run SET status = 'finished' WHERE id = ?", arguments: [run.rawValue])
        return try [30, 50].map { steps in
            let evaluation = EvaluationDraft(
                identity: "bench|\(number)|\(steps)", subject: .run(run, checkpoint: nil), testSet: set,
                point: EvaluationPoint(steps: steps, sampler: "pc", weights: "ema"), provenance: provenance)
            return try insert(evaluation, db)
        }
    }

    private func fill(
        _ evaluations: [Evaluation.ID], _ files: [TestFile], _ metrics: [ScoredMetric], _ salt: Int, _ db: Database
    ) throws {
        for (place, evaluation) in evaluations.enumerated() {
            let scores = metrics.flatMap { metric in
                files.enumerated().compactMap { index, file in
                    file.id.map { id in
                        let value = Double((index &* 7919 &+ (salt + place) &* 104_729) % 1000) / 100
                        return Score(file: id, metric: metric.id, outcome: .value(value))
                    }
                }
            }
            try insert(scores, of: evaluation, db)
            try db.execute(
                sql: "UPDATE evaluation SET status = 'finished' WHERE id = ?", arguments: [evaluation.rawValue])
        }
    }
}
