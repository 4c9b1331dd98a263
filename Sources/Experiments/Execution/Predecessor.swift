import Foundation
import Runs
import Specs

/// An earlier run of the same name, and in what a new one differs from it.
struct Predecessor {
    let run: Run
    let changes: [SettingChange]
    /// Whether both have read the same audio.
    let readSameAudio: Bool

    /// The run of this name, other than the one of `key`, from which it differs in the fewest settings.
    ///
    /// - Returns: `nil` where there is none whose spec this version can read.
    static func find(of spec: ExperimentSpec, name: String, key: RunKey, in store: RunStore) throws -> Predecessor? {
        var best: Predecessor?
        for run in try store.runs(try store.runs(called: name)) where run.key != key {
            guard let earlier = try? JSONDecoder().decode(ExperimentSpec.self, from: Data(try store.spec(of: run.id).resolved.utf8))
            else { continue }
            let found = Predecessor(
                run: run, changes: spec.changes(from: earlier, parts: [.data, .training]),
                readSameAudio: run.key.dataFingerprint == key.dataFingerprint)
            if best.map({ found.changes.count < $0.changes.count }) ?? true { best = found }
        }
        return best
    }

    /// The difference in words.
    var description: String {
        let shown = changes.filter { $0.path != "train.seeds" }.map(\.description)
        let few = shown.prefix(3).joined(separator: "; ") + (shown.count > 3 ? "; and \(shown.count - 3) more" : "")
        let what = shown.isEmpty ? (readSameAudio ? "another seed" : "the audio changed") : few
        return "\(what) (since \(run.shortID))"
    }
}
