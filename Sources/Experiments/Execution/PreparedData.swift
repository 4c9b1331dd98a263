public import Corpora
import Foundation
import Gates
import Models
public import Parallelism
public import Progress
import Runs
import SpecLanguage
public import Specs
public import Training

/// The audio a run reads: found, checked, and fingerprinted.
public struct PreparedData: Sendable {
    /// The files of training and validation, none where nothing is trained, and the fingerprint of both, which is part
    /// of the run's identity; `nil` for audio that is not there yet.
    public var training: [PairedFile]
    /// The validation files; none where nothing is trained, or where the data has no such set.
    public var validation: [PairedFile]
    /// The fingerprint of `training` and `validation`, which is a part of the identity of the run.
    public var fingerprint: AudioFingerprint?
    /// The test sets by the names that the spec gives them.
    public var tests: [String: TestData]
    /// What the recordings hold that the spec names as noise references, by path.
    public var references: [String: AudioFingerprint] = [:]
    /// What the protocol's gates found and let pass.
    public var findings: [Finding]

    /// One test set, as it lies on the disk.
    public struct TestData: Sendable {
        /// Its files in pairs, cut to `evaluate.max_files`.
        public var set: PairedSet
        /// The fingerprint of all its audio, which is a part of the identity of evaluations on it.
        public var fingerprint: AudioFingerprint
        /// The length of all its noisy files together, in s.
        public var seconds: Double
    }
}

extension PreparedData {
    /// The value for audio that is not on the disk yet.
    static let absent = PreparedData(training: [], validation: [], tests: [:], findings: [])

    var isAbsent: Bool { fingerprint == nil }

    /// With the content of the weights that training begins from as a part of what is read.
    func adding(_ start: StartingPoint?) throws -> PreparedData {
        guard let start, let fingerprint else { return self }
        var data = self
        let weights = try start.fingerprint()
        data.fingerprint = AudioFingerprint(
            digest: AudioDigest(ofText: "\(fingerprint.digest.hex)\nweights \(weights)\n"),
            earlier: ContentHash(of: "\(fingerprint.earlier)|\(weights)"))
        return data
    }
}

/// Finds or makes the audio of specs; what several of them read is read once.
public struct DataPreparer {
    /// The folder of the store, where facts about audio are remembered.
    let folder: String
    /// The folder of the corpora.
    let corpora: String
    let catalog: Catalog
    /// Where processes side by side agree on who makes a corpus.
    let store: RunStore?
    let interruption: Interruption
    let observe: @Sendable (ExperimentEvent) -> Void
    private var scanned: [Request: ScannedAudio] = [:]
    private var prepared: [Request: PreparedData] = [:]

    public init(
        workspace: Workspace, interruption: Interruption = Interruption(),
        observe: @escaping @Sendable (ExperimentEvent) -> Void = { _ in }
    ) {
        self.init(
            folder: workspace.folder, corpora: workspace.corpora, catalog: workspace.catalog, store: workspace.store,
            interruption: interruption, observe: observe)
    }

    init(
        folder: String, corpora: String, catalog: Catalog, store: RunStore? = nil,
        interruption: Interruption = Interruption(),
        observe: @escaping @Sendable (ExperimentEvent) -> Void = { _ in }
    ) {
        (self.folder, self.corpora, self.catalog, self.store) = (folder, corpora, catalog, store)
        (self.interruption, self.observe) = (interruption, observe)
    }

    /// All of a spec that decides what audio is read, and what is expected of it.
    private struct Request: Hashable {
        var data: DataSpec
        var sets: [TestSetSpec]
        var maxFiles: Int?
        var hop: Int
        var references: [NoiseReferenceSpec]
        var referenceFrames: Int?
        var trains: Bool
        var validates: Bool
        var choosesByValidation: Bool
        var waived: Set<String>

        init(_ spec: ExperimentSpec) {
            data = spec.data
            (sets, maxFiles) = (spec.evaluate.sets, spec.evaluate.maxFiles)
            hop = spec.transform.hopLength
            references = spec.evaluate.references.filter { $0.path != nil }
            referenceFrames = spec.conditioning?.refNumFrames
            trains = spec.train.maxSteps != 0
            (validates, choosesByValidation) = (spec.validates, spec.choosesByValidation)
            waived = Set(spec.waive.keys)
        }
    }

    /// Finds or makes the audio of a spec, reads it, and checks it against the protocol.
    ///
    /// - Throws: `GateFailure` for data that is not what the spec says, unless it waives the check by name.
    public mutating func prepare(_ spec: ExperimentSpec) throws -> PreparedData {
        let request = Request(spec)
        if let known = prepared[request] { return known }
        let audio = try scan(spec)
        var report = GateReport()
        report.add(audio.findings, of: spec)
        try report.enforce()
        let answer = PreparedData(
            training: audio.training?.set.files ?? [], validation: audio.validation?.set.files ?? [],
            fingerprint: try audio.fingerprint(), tests: try audio.tests.mapValues { try $0.test() },
            references: try references(spec), findings: audio.findings)
        prepared[request] = answer
        return answer
    }

    /// What the gates find in the audio of a spec, which is found or made and read, whether or not it stops a run.
    public mutating func findings(_ spec: ExperimentSpec) throws -> [Finding] { try scan(spec).findings }

    /// What the gates find, and the findings of a full check of the audio: each pair is compared, and copies of
    /// recordings are searched between the sets.
    ///
    /// The report on unchanged files is kept in the store's folder.
    public mutating func thoroughFindings(_ spec: ExperimentSpec) throws -> [Finding] {
        let audio = try scan(spec)
        let scans =
            [audio.training, audio.validation].compactMap { $0 }
            + audio.tests.values.sorted { $0.set.name < $1.set.name }
        let whole = try CorpusReport(
            on: scans.map { ($0.set, $0.role) }, sampleRate: spec.data.sampleRate,
            cachePath: folder + "/audio-check.cache", interruption: interruption)
        let known = Set(audio.findings.map { "\($0.code) \($0.set)" })
        return audio.findings
            + whole.findings.filter {
                [.alignment, .snr, .dc, .nearDuplicate].contains($0.code) && !known.contains("\($0.code) \($0.set)")
            }
    }

    /// The corpora of a spec that are not on the disk, by name, each with its folder and whether it can be made.
    public func missing(_ spec: ExperimentSpec) throws -> [(name: String, folder: String, isMade: Bool)] {
        var found: [(name: String, folder: String, isMade: Bool)] = []
        let needsOwn = spec.train.maxSteps != 0 || spec.evaluate.sets.contains { $0.corpus == nil && $0.path == nil }
        let choices = [needsOwn ? spec.data.corpus : nil] + spec.evaluate.sets.map(\.corpus)
        for case let choice? in choices where !found.contains(where: { $0.name == choice.name }) {
            let source = try catalog.corpora.make(choice)
            let folder = source.location(in: corpora, sampleRate: spec.data.sampleRate)
            if !FileManager.default.fileExists(atPath: folder) { found.append((choice.name, folder, source.isMade)) }
        }
        return found
    }

    // MARK: Reading

    private mutating func scan(_ spec: ExperimentSpec) throws -> ScannedAudio {
        let request = Request(spec)
        if let known = scanned[request] { return known }
        let audio = try read(spec)
        scanned[request] = audio
        return audio
    }

    private func read(_ spec: ExperimentSpec) throws -> ScannedAudio {
        let cachePath = folder + "/audio-facts.cache"
        var cache = FactsCache(contentsOf: cachePath)
        let known = cache.facts.count
        defer {
            // What was read is remembered even where a gate stops the run; a cache that cannot be written is only slow.
            if cache.facts.count != known { try? cache.write(to: cachePath) }
        }
        var own: String?
        func base() throws -> String {
            if let own { return own }
            let found = try folder(corpus: spec.data.corpus, path: spec.data.path, rate: spec.data.sampleRate)
            own = found
            return found
        }
        let split = try spec.data.corpus.map { try catalog.corpora.make($0).split } ?? SpeakerSplit()
        var audio = ScannedAudio()
        // Weights that are there already are evaluated without what they were trained on.
        if spec.train.maxSteps != 0 {
            let (training, validation) = try learning(
                try Corpus(at: base(), layout: spec.data.layout), split, spec.data)
            audio.training = try SetScan(reading: training, as: .training, cache: &cache, interruption: interruption)
            audio.validation = try validation.map {
                try SetScan(reading: $0, as: .validation, cache: &cache, interruption: interruption)
            }
        }
        var scans = [audio.training, audio.validation].compactMap { $0 }
        for test in spec.evaluate.sets {
            let isOwn = test.corpus == nil && test.path == nil
            let folderOfSet =
                try isOwn ? base() : folder(corpus: test.corpus, path: test.path, rate: spec.data.sampleRate)
            var set = try testSet(folderOfSet, test, isOwn ? spec.data.layout : test.layout)
            if let most = spec.evaluate.maxFiles { set.files = Array(set.files.prefix(most)) }
            let scan = try SetScan(reading: set, as: .test, cache: &cache, interruption: interruption)
            scans.append(scan)
            audio.tests[test.name] = scan
        }
        audio.findings =
            ProtocolGate.findings(scans, spec) + ProtocolGate.misplacedSpeakers(scans, split)
            + ProtocolGate.missingValidation(audio.training, audio.validation, split, spec)
        return audio
    }

    /// The recordings of noise that evaluations will ask for, read once before anything is trained.
    private func references(_ spec: ExperimentSpec) throws -> [String: AudioFingerprint] {
        guard let conditioning = spec.conditioning else { return [:] }
        var known: [String: AudioFingerprint] = [:]
        for reference in spec.evaluate.references {
            guard let path = reference.path else { continue }
            let chooser = ReferenceChooser(
                reference, count: ((reference.numFrames ?? conditioning.refNumFrames) - 1) * spec.transform.hopLength,
                sampleRate: spec.data.sampleRate, rates: spec.ratePolicy)
            known[path] = try chooser.recordings()
        }
        return known
    }

    /// The sets that are learned from: those of the corpus, or its training set split by speakers.
    private func learning(
        _ corpus: Corpus, _ split: SpeakerSplit, _ spec: DataSpec
    ) throws -> (training: PairedSet, validation: PairedSet?) {
        var training = try corpus.set("train")
        guard !corpus.sets.contains(where: { $0.name == "valid" }) else {
            return (limited(training, spec), limited(try corpus.set("valid"), spec))
        }
        func isHeldOut(_ file: PairedFile) -> Bool { file.speaker.map(split.validation.contains) ?? false }
        var validation = training
        validation.name = "valid"
        (validation.unpaired, validation.strayEntries) = ([], [])
        validation.files = training.files.filter(isHeldOut)
        training.files.removeAll(where: isHeldOut)
        return (limited(training, spec), validation.files.isEmpty ? nil : limited(validation, spec))
    }

    /// A set inside a corpus, or a folder that is a set itself.
    private func testSet(_ base: String, _ test: TestSetSpec, _ layout: Corpora.Layout?) throws -> PairedSet {
        let isSet = ["clean", "anechoic"].contains { FileManager.default.fileExists(atPath: base + "/" + $0) }
        return isSet
            ? try PairedSet(at: base, name: test.name, layout: layout)
            : try Corpus(at: base, layout: layout).set(test.subset)
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
        let made = try exclusively(at: "corpus \(SettingValue.choice(corpus).compact) \(rate)") {
            try catalog.corpora.make(corpus).prepare(in: corpora, sampleRate: rate, interruption: interruption)
        }
        observe(.corpus(name: corpus.name, folder: made.baseDir, isNew: made.isNew))
        return made.baseDir
    }

    /// Runs `body` while no other process that shares the store does the same.
    private func exclusively<Result>(at step: String, _ body: () throws -> Result) throws -> Result {
        guard let store, store.access == .readWrite else { return try body() }
        while true {
            guard case .acquired(let claim) = try store.claim(step) else {
                try interruption.check()
                Thread.sleep(forTimeInterval: 0.05)
                continue
            }
            defer { try? store.release(claim) }
            return try body()
        }
    }
}

// MARK: Layouts

extension DataSpec {
    /// The layout that is read from a folder with both pairs of folders; nil reads the usual one.
    fileprivate var layout: Corpora.Layout? { path == nil ? nil : format.layout }
}

extension TestSetSpec {
    fileprivate var layout: Corpora.Layout? { path == nil ? nil : format.layout }
}

extension DataSpec.Layout {
    fileprivate var layout: Corpora.Layout? {
        switch self {
        case .standard: nil
        case .reverb: .dereverberation
        }
    }
}
