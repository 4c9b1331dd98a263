public import Failures
import Foundation
package import Runs
public import Specs

/// Two rows of papers that mean the same experiment: at least one of them is not what its paper did.
public struct SharedIdentity: Diagnostic, Hashable, Sendable {
    /// The row of the paper that the earlier experiment reproduces, as its `reproduces` says.
    public var first: String
    /// The row of the paper that the later experiment reproduces.
    public var second: String
    /// The file of the first one, or its run.
    public var firstPlace: String

    public var summary: String {
        "'\(second)' means the same experiment as '\(first)' (\(firstPlace)): one of the two is not what its paper did"
    }
    public var hint: String? { "give the settings in which they differ, or mark them in 'incomplete'" }
    public var category: FailureCategory { .request }

    /// The experiments that have the identity of an earlier one and reproduce another row.
    public static func among(_ specs: [(place: String, spec: ExperimentSpec)]) -> [SharedIdentity] {
        var known: [Identity: (place: String, row: String)] = [:]
        var found: [SharedIdentity] = []
        for (place, spec) in specs {
            guard let row = spec.reproduces else { continue }
            if let other = known[spec.identity] {
                if other.row != row {
                    found.append(SharedIdentity(first: other.row, second: row, firstPlace: other.place))
                }
            } else {
                known[spec.identity] = (place, row)
            }
        }
        return found
    }

    /// The runs of one spec among themselves.
    package static func check(_ loaded: LoadedSpec) throws(SharedIdentity) {
        guard loaded.profile == nil else { return }
        if let shared = among(loaded.runs.map { (loaded.file, $0.spec) }).first { throw shared }
    }
}

extension ExperimentSpec {
    /// Whether there is anything to train or to load; a spec without gives the anchors' rows alone.
    package var hasModel: Bool {
        train.maxSteps != 0 || train.initFrom != nil || evaluate.checkpoints.contains { $0.checkpointForm == .file }
    }

    /// - Throws: `SharedIdentity` if the known run of the same training reproduces another row by the same experiment.
    package func refuseAnotherName(of known: Run, in store: RunStore) throws {
        guard let row = reproduces,
            let earlier = try? JSONDecoder().decode(
                ExperimentSpec.self, from: Data(try store.spec(of: known.id).resolved.utf8)),
            let other = earlier.reproduces, other != row, earlier.identity == identity
        else { return }
        throw SharedIdentity(first: other, second: row, firstPlace: "run \(known.shortID)")
    }
}
