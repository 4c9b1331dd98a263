import Foundation
public import Runs
import Specs

/// Why a run ran.
public struct Explanation: Sendable {
    /// The run that is explained.
    public var run: Run
    /// The spec's file as it was then.
    public var file: String?
    /// The reason of each step, as it was given when the step began.
    public var reasons: [EventRecord]
    /// The differences from the most similar earlier run of its name, in words; nil where there is none.
    public var difference: String?
    /// What the gates found before it began.
    public var findings: [GateFinding]

    public init(of run: Run, in store: RunStore) throws {
        self.run = run
        let kept = try store.spec(of: run.id)
        file = kept.file
        reasons = try store.events(of: run.id).filter { $0.kind == "reason" }
        findings = try store.findings(of: run.id)
        if let spec = try? JSONDecoder().decode(ExperimentSpec.self, from: Data(kept.resolved.utf8)) {
            difference = try Predecessor.find(of: spec, name: run.name, key: run.key, before: run.id, in: store)?
                .description
        }
    }
}
