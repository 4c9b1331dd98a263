public import Audio
public import Parallelism

/// A pair with the measurements of its two files.
public struct PairScan<Facts: Hashable & Sendable>: Hashable, Sendable {
    /// The pair's name, both paths, and its row in the manifest.
    public var file: PairedFile
    /// Header or measured facts of the clean file, or why it could not be read.
    public var clean: Result<Facts, SoundFileError>
    /// Header or measured facts of the noisy file, or why it could not be read.
    public var noisy: Result<Facts, SoundFileError>

    public init(file: PairedFile, clean: Result<Facts, SoundFileError>, noisy: Result<Facts, SoundFileError>) {
        self.file = file
        self.clean = clean
        self.noisy = noisy
    }
}

extension PairedSet {
    /// The headers of all pairs, read in parallel: thousands in a fraction of a second.
    public func headers() -> [PairScan<SoundFile.Header>] {
        files.parallelMap(block: 64) { file in
            PairScan(file: file, clean: header(file.cleanPath), noisy: header(file.noisyPath))
        }
    }
}

private func header(_ path: String) -> Result<SoundFile.Header, SoundFileError> {
    do throws(SoundFileError) {
        return .success(try SoundFile.header(of: path))
    } catch {
        return .failure(error)
    }
}

/// A set whose audio was read.
public struct SetScan: Hashable, Sendable {
    /// The set as it was listed, files without a partner included.
    public var set: PairedSet
    /// The use of the set, which may differ from what its name says.
    public var role: SetRole
    /// In the order of the set's files.
    public var pairs: [PairScan<AudioFacts>]
    /// The delay and gain of some of the pairs.
    public var alignments: [PairAlignment]
    /// Whether ``alignments`` covers every pair that can be compared, not a sample of them.
    public var isFullyAligned = false

    /// - Parameter role: Taken from the set's name if `nil`.
    public init(
        set: PairedSet, as role: SetRole? = nil, pairs: [PairScan<AudioFacts>], alignments: [PairAlignment] = []
    ) {
        self.set = set
        self.alignments = alignments
        self.role = role ?? SetRole(name: set.name)
        self.pairs = pairs
    }

    /// Reads the audio of every pair that the cache does not know, in parallel, and adds it to the cache.
    ///
    /// - Parameter role: Taken from the set's name if `nil`.
    public init(
        reading set: PairedSet, as role: SetRole? = nil, cache: inout FactsCache,
        interruption: Interruption = Interruption()
    ) throws(Interrupted) {
        let known = cache.facts
        let measured = try set.files.parallelMap(interruption: interruption) { file in
            (file, FactsOfFile(file.cleanPath, known: known), FactsOfFile(file.noisyPath, known: known))
        }
        for (_, clean, noisy) in measured {
            for one in [clean, noisy] {
                // The facts of a piped file are not cached, so that the next scan reports its header again.
                if let key = one.key, case .success(let facts) = one.facts, !facts.header.isOpenEnded {
                    cache.facts[key] = facts
                }
            }
        }
        self.init(
            set: set, as: role, pairs: measured.map { PairScan(file: $0.0, clean: $0.1.facts, noisy: $0.2.facts) },
            alignments: PairAlignment.sample(of: set.files.map { ($0.name, $0.cleanPath, $0.noisyPath) }))
    }

    /// The identity of the set's data: names and audio, not the folder. `nil` if a file cannot be read, or was read
    /// for other purposes.
    ///
    /// The digest is that of a text with a line for each pair: name, then rate in Hz and digest of the clean and of the
    /// noisy file, with tabs between.
    public var fingerprint: AudioFingerprint? {
        var (text, hasher) = ("", ContentHasher())
        hasher.combine(UInt64(pairs.count))
        for pair in pairs {
            guard let clean = try? pair.clean.get(), let noisy = try? pair.noisy.get() else { return nil }
            hasher.combine(pair.file.name)
            text += pair.file.name
            for facts in [clean, noisy] {
                guard let earlier = facts.earlier else { return nil }
                hasher.combine(UInt64(facts.header.sampleRate))
                hasher.combine(earlier)
                text += "\t\(facts.header.sampleRate)\t\(facts.content.hex)"
            }
            text += "\n"
        }
        return AudioFingerprint(digest: AudioDigest(ofText: text), earlier: hasher.finish())
    }
}

private struct FactsOfFile: Sendable {
    var key: FactsCache.Key?
    var facts: Result<AudioFacts, SoundFileError>

    init(_ path: String, known: [FactsCache.Key: AudioFacts]) {
        key = FactsCache.Key(path)
        facts = key.flatMap { known[$0] }.map { .success($0) } ?? AudioFacts.measure(path, namesEarlier: true)
    }
}

/// A corpus whose audio was read.
public struct CorpusScan: Hashable, Sendable {
    /// In the order in which the sets were read.
    public var sets: [SetScan]

    public init(sets: [SetScan]) { self.sets = sets }

    /// Reads all audio of a corpus in parallel.
    ///
    /// - Parameters:
    ///   - names: The sets to read; all of them if `nil`.
    ///   - cachePath: The file in which facts are cached; `nil` for no cache.
    public init(reading corpus: Corpus, sets names: [String]? = nil, cachePath: String? = nil) throws {
        var cache = cachePath.map(FactsCache.init(contentsOf:)) ?? FactsCache()
        let before = cache.facts.count
        sets = try corpus.sets.filter { names?.contains($0.name) ?? true }.map {
            try SetScan(reading: $0, cache: &cache)
        }
        if let cachePath, cache.facts.count != before { try cache.write(to: cachePath) }
    }
}
