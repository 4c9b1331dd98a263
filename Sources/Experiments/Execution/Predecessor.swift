import Foundation
import Runs
import SpecLanguage
import Specs

/// An earlier run of the same name, and in what a new one differs from it.
struct Predecessor {
    let run: Run
    let changes: [SettingChange]
    /// Whether both read the same audio and begin with the same weights.
    let inputs: Inputs

    enum Inputs {
        case same
        /// The audio, or the weights that the training begins with.
        case other(hasStart: Bool)
        /// The audio is not there yet.
        case unknown
    }

    /// The run of this name, other than the one of `key`, from which it differs in the fewest settings.
    ///
    /// - Parameter later: The run itself, where it is registered already: only earlier ones count.
    /// - Returns: `nil` where there is none whose spec this version can read.
    static func find(
        of spec: ExperimentSpec, name: String, key: RunKey, before later: Run.ID? = nil, in store: RunStore
    ) throws -> Predecessor? {
        var best: Predecessor?
        for run in try store.runs(try store.runs(called: name, before: later)) where run.key != key {
            guard
                let earlier = try? JSONDecoder().decode(
                    ExperimentSpec.self, from: Data(try store.spec(of: run.id).resolved.utf8))
            else { continue }
            let inputs: Inputs =
                key.dataFingerprint.isEmpty
                ? .unknown
                : run.key.dataFingerprint == key.dataFingerprint ? .same : .other(hasStart: spec.train.initFrom != nil)
            let found = Predecessor(
                run: run, changes: spec.changes(from: earlier, parts: [.data, .training]), inputs: inputs)
            if best.map({ found.changes.count < $0.changes.count }) ?? true { best = found }
        }
        return best
    }

    /// The difference in words.
    var description: String {
        let shown = changes.filter { $0.path != "train.seeds" }.map(\.description)
        let few = shown.prefix(3).joined(separator: "; ") + (shown.count > 3 ? "; and \(shown.count - 3) more" : "")
        guard shown.isEmpty else { return "\(few) (since \(run.shortID))" }
        return switch inputs {
        case .same: "another seed (since \(run.shortID))"
        case .other(hasStart: false): "the audio changed (since \(run.shortID))"
        case .other(hasStart: true): "the audio changed, or the weights that it begins with (since \(run.shortID))"
        case .unknown: "its audio is not there yet; as \(run.shortID) if it is the same"
        }
    }
}
