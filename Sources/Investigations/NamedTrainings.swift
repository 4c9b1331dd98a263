import Foundation
public import Runs

/// The runs that a name means: all seeds of one configuration.
public struct NamedTrainings: Hashable, Sendable {
    /// One for each seed, of the configuration that was trained last; where the name means several configurations, all
    /// runs.
    public var runs: [Run]
    /// The names of the configurations.
    public var configurations: [String]

    /// The seeds of ``runs``, in their order.
    public var seeds: [Int] { runs.map { Int($0.key.seed) } }

    /// Runs of that name, with or without their seed, under their own or a second name; else those of that name in some
    /// profile; else those of a sweep or spec.
    ///
    /// - Parameter known: All runs of the store, where they were read before.
    /// - Throws: `StoreError` of kind `missing` where there is none.
    public init(called name: String, in store: RunStore, among known: [Run]? = nil) throws(StoreError) {
        let all = if let known { known } else { try store.runs() }
        func runs(_ isMeant: (String) -> Bool) -> [(run: Run, name: String)] {
            all.compactMap { run in
                ([run.name] + run.aliases).first { isMeant($0) || isMeant($0.withoutSeed) }.map {
                    (run, $0.withoutSeed)
                }
            }
        }
        var found = runs { $0 == name }
        if found.isEmpty { found = runs { $0.hasPrefix(name + "@") } }
        if found.isEmpty { found = try store.runs(called: name).map { ($0, $0.name.withoutSeed) } }
        configurations = found.map(\.name).unique
        guard configurations.count == 1, let last = found.map(\.run).max(by: { $0.created < $1.created }) else {
            self.runs = found.map(\.run)
            return
        }
        // A spec that was changed under its name is another configuration, and so is one whose data changed.
        let meaning = found.count > 1 ? try Self.meaning(of: last, in: store) : Data()
        var own: [Run] = []
        for run in found.map(\.run) where run.key.dataFingerprint == last.key.dataFingerprint {
            if run.id == last.id {
                own.append(run)
            } else if try Self.meaning(of: run, in: store) == meaning {
                own.append(run)
            }
        }
        self.runs = Dictionary(grouping: own, by: \.key.seed).values.compactMap { $0.max { $0.created < $1.created } }
            .sorted { $0.key.seed < $1.key.seed }
    }

    /// The settings of a run's spec that decide its training, without the seed, as JSON with sorted keys.
    private static func meaning(of run: Run, in store: RunStore) throws(StoreError) -> Data {
        let text = Data(try store.spec(of: run.id).resolved.utf8)
        guard var settings = (try? JSONSerialization.jsonObject(with: text)) as? [String: Any] else { return text }
        for name in [
            "name", "title", "notes", "tags", "extends", "evaluate", "waive", "sweep", "profiles", "reproduces",
            "launcher",
        ] {
            settings[name] = nil
        }
        if var train = settings["train"] as? [String: Any] {
            train["seeds"] = nil
            settings["train"] = train
        }
        return (try? JSONSerialization.data(withJSONObject: settings, options: .sortedKeys)) ?? text
    }
}

extension String {
    /// A run's name without the seed: that of the configuration.
    fileprivate var withoutSeed: String { replacing(/,?seed=[0-9]+$/, with: "") }
}
