import Checkpoints
import Digests
import Foundation
import Parallelism
import Runs
import SpecLanguage
import Specs

/// Buffers the records of a training for the store: steps, validations, events, and checkpoint files.
struct TrainingJournal {
    private let workspace: Workspace
    private let run: Run
    private let identity: String
    private var records = TrainingBatch()
    private var lastFlush = ContinuousClock.now
    /// The best validation score of each kind of checkpoint that is chosen by one.
    private var best: [CheckpointRecord.Kind: Double] = [:]

    init(_ run: Run, identity: String, _ workspace: Workspace) {
        (self.run, self.identity, self.workspace) = (run, identity, workspace)
    }

    /// Loads the best scores so far from the store, for a training that is resumed.
    mutating func loadBestScores() throws {
        for checkpoint in try workspace.store.checkpoints(of: run.id, includingSuperseded: true) {
            if let value = checkpoint.value { best[checkpoint.kind] = max(best[checkpoint.kind] ?? -.infinity, value) }
        }
    }

    mutating func add(_ step: StepRecord) { records.steps.append(step) }

    mutating func add(_ kind: String, _ message: String) {
        records.events.append(EventRecord(kind: kind, message: message))
    }

    /// Adds the scores of a validation; those of the noisy input are recorded too, as `noisy_pesq` for `pesq`.
    ///
    /// - Returns: The kinds of checkpoint for which this step is the best so far.
    mutating func add(_ scores: [Validator.Score], at step: Int) -> Set<CheckpointRecord.Kind> {
        for score in scores {
            records.validations.append(
                ValidationRecord(step: step, metric: score.metric, value: score.value, n: score.n))
            guard let noisy = score.noisy else { continue }
            records.validations.append(
                ValidationRecord(step: step, metric: "noisy_" + score.metric, value: noisy, n: score.n))
        }
        var improved: Set<CheckpointRecord.Kind> = []
        for (kind, metric) in [(CheckpointRecord.Kind.bestPESQ, "pesq"), (.bestSISDR, "si_sdr")] {
            guard let value = scores.first(where: { $0.metric == metric })?.value, value > best[kind] ?? -.infinity
            else { continue }
            best[kind] = value
            improved.insert(kind)
        }
        return improved
    }

    /// Writes one checkpoint file for all given kinds, and records it once it is safe on disk.
    ///
    /// - Returns: The path of the file.
    mutating func save(_ state: TrainingState, as kinds: Set<CheckpointRecord.Kind>) throws -> String {
        let relative = "\(run.folder)/checkpoints/step-\(state.step).safetensors"
        let path = try workspace.makeFolder(for: relative)
        try workspace.store.willMake([relative])
        try TrainingCheckpoint(of: state, identity: identity).write(to: path, model: state.model)
        let digest = try SHA256.hex(ofFile: path)
        let bytes = ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
        records.checkpoints += kinds.map { kind in
            CheckpointRecord(
                step: state.step, kind: kind, path: relative, sha256: digest, bytes: bytes, emaUpdates: state.step,
                value: best[kind])
        }
        return path
    }

    /// Writes the buffered records to the store, and removes checkpoint files that no record refers to.
    mutating func flush() throws {
        let abandoned = try workspace.store.record(records, of: run.id)
        try workspace.store.deleteMade(abandoned)
        records = TrainingBatch()
        lastFlush = .now
    }

    /// Whether the last flush is more than 2 s ago.
    var isDue: Bool { lastFlush.secondsUntilNow > 2 }
}
