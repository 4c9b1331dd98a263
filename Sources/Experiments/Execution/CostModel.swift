import Foundation
import Kernels
import Runs
import SpecLanguage
import Specs

/// What steps will take, from the speed of earlier runs of the same network on crops of the same size.
///
/// Training goes with steps and crops a step, evaluation with seconds of audio and steps N of the sampler; the threads
/// of this machine share the files of a set.
struct CostModel {
    private let store: RunStore?
    private var earlier: [(run: Run.ID, spec: ExperimentSpec)]?
    private var known: [Key: Speed?] = [:]

    /// Runs that are looked at, the newest first.
    private static let mostRuns = 100

    private struct Key: Hashable {
        var backbone: Choice
        var transform: TransformSpec
        var frames: Int
    }

    private struct Speed {
        var measured: MeasuredSpeed
        var crops: Int
    }

    init(store: RunStore?) { self.store = store }

    /// s of training; `nil` where nothing like it was measured.
    mutating func training(_ spec: ExperimentSpec, steps: Int) throws -> Double? {
        guard let speed = try speed(like: spec), let one = speed.measured.secondsPerStep else { return nil }
        return Double(steps) * one * Double(spec.train.effectiveBatch) / Double(speed.crops)
    }

    /// s of enhancing and scoring files of `seconds` in all; `nil` where nothing like it was measured.
    mutating func evaluation(_ spec: ExperimentSpec, _ point: Specs.EvaluationPoint, seconds: Double) throws -> Double?
    {
        guard let speed = try speed(like: spec), let steps = point.N,
            let one = speed.measured.secondsPerSamplerStep[point.sampler.name]
        else { return nil }
        return seconds * Double(steps) * one / Double(max(1, min(Engine.threads, speed.measured.threads)))
    }

    private mutating func speed(like spec: ExperimentSpec) throws -> Speed? {
        let key = Key(backbone: spec.backbone, transform: spec.transform, frames: spec.data.numFrames)
        if let found = known[key] { return found }
        let found = try find(key)
        known[key] = found
        return found
    }

    private mutating func find(_ key: Key) throws -> Speed? {
        guard let store else { return nil }
        if earlier == nil { earlier = try Self.read(store) }
        for (run, spec) in earlier ?? [] {
            guard spec.backbone == key.backbone, spec.transform == key.transform, spec.data.numFrames == key.frames
            else { continue }
            let measured = try store.measuredSpeed(of: run)
            if measured.secondsPerStep != nil { return Speed(measured: measured, crops: spec.train.effectiveBatch) }
        }
        return nil
    }

    private static func read(_ store: RunStore) throws -> [(run: Run.ID, spec: ExperimentSpec)] {
        try store.runs(limit: mostRuns).compactMap { run in
            let text = try store.spec(of: run.id).resolved
            return (try? JSONDecoder().decode(ExperimentSpec.self, from: Data(text.utf8))).map { (run.id, $0) }
        }
    }
}

/// The factors of evaluation in which a spec differs from the first evaluation of a run.
enum EvaluationChange {
    static func describe(_ spec: ExperimentSpec, of run: Run.ID, in store: RunStore?) throws -> String? {
        guard let store,
            let first = try? JSONDecoder().decode(
                ExperimentSpec.self, from: Data(try store.spec(of: run).resolved.utf8))
        else { return nil }
        let changes = spec.changes(from: first, parts: [.evaluation])
        return changes.isEmpty ? nil : changes.prefix(3).map(\.description).joined(separator: "; ")
    }
}
