import Corpora
import Foundation
import Runs
import Specs

/// The audio a run reads: found, checked, and fingerprinted.
public struct PreparedData: Sendable {
    /// Training, validation, and the fingerprint of both, which is part of the run's identity.
    public var training: PairedSet
    public var validation: PairedSet?
    public var fingerprint: String
    /// The test sets by the names that the spec gives them.
    public var tests: [String: TestData]
    /// What the protocol's gates found and let pass.
    public var findings: [Finding]

    public struct TestData: Sendable {
        public var set: PairedSet
        public var fingerprint: String
    }
}

/// Finds or makes the audio of a spec.
public struct DataPreparer {
    let workspace: Workspace
    let observe: @Sendable (ExperimentEvent) -> Void

    public init(workspace: Workspace, observe: @escaping @Sendable (ExperimentEvent) -> Void = { _ in }) {
        self.workspace = workspace
        self.observe = observe
    }

    /// Finds or makes the audio of a spec, reads it, and checks it against the protocol.
    ///
    /// - Throws: `GateFailure` for data that is not what the spec says, unless it waives the check by name.
    public func prepare(_ spec: ExperimentSpec) throws -> PreparedData {
        let base = try folder(corpus: spec.data.corpus, path: spec.data.path, rate: spec.data.sampleRate)
        let corpus = try Corpus(at: base)
        let training = limited(try corpus.set("train"), spec.data)
        let validation = corpus.sets.contains { $0.name == "valid" } ? limited(try corpus.set("valid"), spec.data) : nil
        var hasher = ContentHasher()
        var scans: [SetScan] = []
        for set in [training, validation].compactMap({ $0 }) {
            scans.append(try scan(set))
            hasher.combine(try fingerprint(scans[scans.count - 1]))
        }
        var tests: [String: PreparedData.TestData] = [:]
        for test in spec.evaluate.sets {
            var folderOfSet = base
            if test.corpus != nil || test.path != nil {
                folderOfSet = try folder(corpus: test.corpus, path: test.path, rate: spec.data.sampleRate)
            }
            var set = try testSet(folderOfSet, test)
            if let most = spec.evaluate.maxFiles { set.files = Array(set.files.prefix(most)) }
            let read = try scan(set)
            scans.append(read)
            tests[test.name] = .init(set: set, fingerprint: try fingerprint(read).description)
        }
        let findings = ProtocolGate.findings(scans, spec)
        let errors = findings.filter { $0.severity == .error && spec.waive[$0.code.rawValue] == nil }
        guard errors.isEmpty else { throw GateFailure(findings: errors) }
        return PreparedData(
            training: training, validation: validation, fingerprint: hasher.finish().description, tests: tests,
            findings: findings)
    }

    /// A set inside a corpus, or a folder that is a set itself.
    private func testSet(_ base: String, _ test: EvaluateSpec.TestSet) throws -> PairedSet {
        let isSet = ["clean", "anechoic"].contains { FileManager.default.fileExists(atPath: base + "/" + $0) }
        guard !isSet else {
            let set = try PairedSet(at: base, name: test.name)
            guard set.unpaired.isEmpty else { throw CorpusError(base, .unpaired(set.unpaired)) }
            guard !set.files.isEmpty else { throw CorpusError(base, .emptySet(test.name)) }
            return set
        }
        return try Corpus(at: base).set(test.subset)
    }

    private func limited(_ set: PairedSet, _ spec: DataSpec) -> PairedSet {
        var set = set
        set.files = Array(set.files.prefix(Int((Double(set.files.count) * spec.fraction).rounded(.up))))
        if let most = spec.maxFiles { set.files = Array(set.files.prefix(most)) }
        return set
    }

    private func folder(corpus: Choice?, path: String?, rate: Int) throws -> String {
        if let path { return path }
        guard let corpus else {
            throw IncompatibleParts(reason: "the spec names no data; set data.corpus or data.path")
        }
        let made = try alone(at: "corpus \(SettingValue.choice(corpus).compact) \(rate)") {
            try workspace.catalog.corpora.make(corpus).prepare(in: workspace.corpora, sampleRate: rate)
        }
        observe(.corpus(name: corpus.name, folder: made.baseDir, isNew: made.isNew))
        return made.baseDir
    }

    /// Runs `body` while no other process that shares the store does the same.
    private func alone<Result>(at step: String, _ body: () throws -> Result) throws -> Result {
        let store = workspace.store
        guard store.access == .readWrite else { return try body() }
        while true {
            guard case .acquired(let claim) = try store.claim(step) else {
                Thread.sleep(forTimeInterval: 0.05)
                continue
            }
            defer { try? store.release(claim) }
            return try body()
        }
    }

    /// Reads the audio of a set, as far as it is not known yet.
    private func scan(_ set: PairedSet) throws -> SetScan {
        let cachePath = workspace.folder + "/audio-facts.cache"
        var cache = FactsCache(contentsOf: cachePath)
        let known = cache.facts.count
        let scan = SetScan(reading: set, cache: &cache)
        if cache.facts.count != known { try cache.write(to: cachePath) }
        return scan
    }

    /// A hash of names and audio.
    ///
    /// - Throws: What keeps a file from being read.
    private func fingerprint(_ scan: SetScan) throws -> ContentHash {
        for pair in scan.pairs {
            _ = try pair.clean.get()
            _ = try pair.noisy.get()
        }
        guard let fingerprint = scan.fingerprint else { throw CorpusError(scan.set.path, .emptySet(scan.set.name)) }
        return fingerprint
    }
}
