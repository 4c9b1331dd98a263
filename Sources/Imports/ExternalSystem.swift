import Corpora
import Foundation
public import Runs

/// A system of another program: its name, and its cost where it is given.
public struct ExternalSystem: Hashable, Sendable {
    /// What tables call it, 1 to 100 printable characters; unique on each test set.
    public var name: String
    /// How often its network is called for a file, as its authors say.
    public var nfe: Int?
    /// s of computing for all files, where it was measured.
    public var seconds: Double?

    /// - Throws: `ImportFailure` for a name that is not printable or that an anchor of this program has.
    public init(_ name: String, nfe: Int? = nil, seconds: Double? = nil, reserved: Set<String>) throws(ImportFailure) {
        let isPrintable = name.unicodeScalars.allSatisfy {
            $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
        }
        guard !name.isEmpty, name.utf8.count <= 100, isPrintable, name.first != " ", name.last != " " else {
            throw ImportFailure(
                "--system",
                [
                    .init(
                        "name", "a system's name has 1 to 100 printable letters",
                        fix: "give a short name, such as metricgan-plus")
                ])
        }
        guard !reserved.contains(name) else {
            throw ImportFailure(
                "--system",
                [.init("name", "'\(name)' is an anchor of this program", fix: "give the system another name")])
        }
        (self.name, self.nfe, self.seconds) = (name, nfe, seconds)
    }

    /// Makes the system's evaluation on a set known and running; one of the same content is returned as it is.
    ///
    /// - Parameter earlier: What earlier versions called the content.
    /// - Throws: `ImportFailure` where a system of that name was imported with other content.
    func begin(
        _ record: ExternalRecord, earlier: String? = nil, on set: TestSet, in store: RunStore, provenance: Provenance
    ) throws -> (evaluation: Evaluation, isNew: Bool) {
        func identity(of content: String) -> String {
            "external|\(name)|\(record.kind.rawValue)|\(content)|\(set.fingerprint)"
        }
        for content in [record.content, earlier].compactMap(\.self) {
            if let known = try store.evaluation(identity: identity(of: content)), known.status == .finished {
                return (known, false)
            }
        }
        let identity = identity(of: record.content)
        let others = try store.anchorEvaluations().filter {
            $0.anchor == name && $0.testSet == set.id && $0.identity != identity
        }
        guard others.isEmpty else {
            throw ImportFailure(
                record.path,
                [
                    .init(
                        "name", "a system '\(name)' is on '\(set.name)' already, with other content",
                        fix: "give this one another name, such as '\(name)-2': two evaluations are never shown as one")
                ])
        }
        let draft = EvaluationDraft(
            identity: identity, subject: .anchor(name), testSet: set.id, provenance: provenance, external: record.json)
        let evaluation = try store.register(draft)
        try store.begin(evaluation.id, provenance: provenance)
        return (evaluation, true)
    }
}

extension RunStore {
    /// The test set of a name: its newest version, or the one of `name@fingerprint`.
    ///
    /// - Parameter run: The version that this run was evaluated on.
    public func testSet(named name: String, of run: Run.ID? = nil) throws -> (set: TestSet, files: [TestFile]) {
        let parts = name.split(separator: "@", maxSplits: 1).map(String.init)
        let wanted = (name: parts.first ?? name, fingerprint: parts.count > 1 ? parts[1] : "")
        var sets = try testSets().filter { set in
            set.name == wanted.name
                && (set.fingerprint.hasPrefix(wanted.fingerprint)
                    || set.fingerprint.audioDigits.hasPrefix(wanted.fingerprint))
        }
        if let run {
            let used = Set(try evaluations(of: run).map(\.testSet))
            sets = sets.filter { used.contains($0.id) }
        }
        guard let set = sets.last else {
            let known = Set(try testSets().map(\.name)).sorted()
            throw StoreError(
                .missing, at: path, "no test set is called '\(name)'" + (run == nil ? "" : " among those of that run"),
                hint: known.isEmpty
                    ? "run the spec of its corpus first, as sgmse run experiments/corpora/voicebank-demand.yaml"
                    : "known: " + known.joined(separator: ", "))
        }
        return (set, try files(of: set.id))
    }
}
