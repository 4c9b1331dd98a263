public import Foundation

/// One training of one resolved spec with one seed on one fingerprint of the data.
public struct Run: Hashable, Sendable, Identifiable {
    /// Its row number in one store.
    public typealias ID = StoreID<Run>

    public let id: ID
    /// Eight letters derived from ``key``: the same in every store.
    public var shortID: String { short.text }
    let short: RunShortID
    /// As the spec had it when the run was registered, or as ``RunStore/changeName(of:to:)`` changed it.
    public var name: String
    /// Other names by which it is found: of specs that mean the same training, and those it had before.
    public var aliases: [String]
    /// What distinguishes it from all other runs.
    public var key: RunKey
    /// Whether this program trained it.
    public var origin: Origin
    /// `interrupted` also where the row says `running` and the process has ended.
    public var status: RunStatus
    /// Why the run failed or was interrupted.
    public var reason: String?
    /// Who works on it, where it is running.
    public var owner: StoreID<Owner>?
    /// When it was registered.
    public var created: Date
    /// When it was first begun; nil while it is only planned, and for an imported one.
    public var started: Date?
    /// When it last ended; nil while it runs.
    public var ended: Date?
    /// With what program, where and how it was last worked on.
    public var provenance: Provenance
    /// In alphabetical order.
    public var tags: [String]
    /// A person's text, with line breaks; "" where there is none.
    public var notes: String

    /// `imported` runs come from a checkpoint or a log of another program.
    public enum Origin: String, Hashable, Sendable, CaseIterable { case trained, imported }

    /// The name of the run's folder beside the store: `<name>-<short id>`.
    public var folder: String { Run.folder(name: name, shortID: shortID) }

    /// A folder's name for any name of a run: what file systems dislike becomes `_`, and what is too long for them is
    /// cut.
    public static func folder(name: String, shortID: String) -> String {
        let safe = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" }
        return String(safe.prefix(200)) + "-" + shortID
    }
}

/// The state of a run or an evaluation. It is `running` only while its process runs; `interrupted` work can be resumed.
public enum RunStatus: String, Hashable, Sendable, CaseIterable {
    case planned, running, finished, failed, interrupted
}

/// What makes a run the run it is: equal keys, one run.
public struct RunKey: Hashable, Sendable {
    /// A hash of the settings of the resolved spec that decide the training.
    public var identity: String
    /// The seed of the initial weights, of the order of the files and of the noise during training.
    public var seed: UInt64
    /// The fingerprint of the training and validation audio; "" where nothing was trained on.
    public var dataFingerprint: String

    public init(identity: String, seed: UInt64, dataFingerprint: String) {
        (self.identity, self.seed, self.dataFingerprint) = (identity, seed, dataFingerprint)
    }

    /// `count` letters and digits (five bits each) of the 128-bit FNV-1a hash of the key.
    public func shortID(count: Int = 8) -> String {
        var hash = (high: UInt64(0x6C62_272E_07BB_0142), low: UInt64(0x62B8_2175_6295_C58D))
        for byte in "\(identity)\u{0}\(seed)\u{0}\(dataFingerprint)".utf8 {
            hash.low ^= UInt64(byte)
            let product = hash.low.multipliedFullWidth(by: 0x13B)  // times the prime 2⁸⁸ + 0x13B
            hash.high = hash.high &* 0x13B &+ product.high &+ hash.low << 24
            hash.low = product.low
        }
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
        return String(
            (0..<min(count, 24)).map { index in
                let word = index < 12 ? hash.high : hash.low
                return alphabet[Int(word >> UInt64(59 - 5 * (index % 12)) & 31)]
            })
    }
}

/// With what program, where and how something was computed.
public struct Provenance: Hashable, Sendable {
    /// The commit of the working tree, or "" outside one.
    public var gitCommit: String
    /// Whether the tree had changes that the commit lacks.
    public var isDirty: Bool
    /// The version of this program, such as `0.1.0`.
    public var version: String
    /// Host, processor, number of cores, and the vector instructions or the device that computed.
    public var machine: String
    /// How many threads computed; results do not depend on it.
    public var threads: Int
    /// As the person gave it.
    public var commandLine: String

    public init(
        gitCommit: String = "", isDirty: Bool = false, version: String, machine: String, threads: Int,
        commandLine: String
    ) {
        (self.gitCommit, self.isDirty, self.version) = (gitCommit, isDirty, version)
        (self.machine, self.threads, self.commandLine) = (machine, threads, commandLine)
    }
}

/// The spec of a run, as its author wrote it and as it was understood.
public struct StoredSpec: Hashable, Sendable {
    /// The file it was read from.
    public var file: String?
    /// The text as written.
    public var written: String
    /// Every default filled in and every name looked up, as JSON.
    public var resolved: String

    public init(file: String? = nil, written: String, resolved: String) {
        (self.file, self.written, self.resolved) = (file, written, resolved)
    }
}

/// A run to be registered.
public struct RunDraft: Hashable, Sendable {
    /// As the spec has it; another name of a run that is there becomes an alias.
    public var name: String
    /// What decides whether the run is there already.
    public var key: RunKey
    /// The text as written and as resolved.
    public var spec: StoredSpec
    /// With what program, where and how it is made.
    public var provenance: Provenance
    /// An imported run is finished from the start.
    public var origin: Run.Origin
    /// Each at most ``RunText/longestTag`` bytes.
    public var tags: [String]
    /// The id that the run has in another store; otherwise the shortest that is free.
    public var shortID: String?

    public init(
        name: String, key: RunKey, spec: StoredSpec, provenance: Provenance, origin: Run.Origin = .trained,
        tags: [String] = [], shortID: String? = nil
    ) {
        (self.name, self.key, self.spec, self.provenance) = (name, key, spec, provenance)
        (self.origin, self.tags, self.shortID) = (origin, tags, shortID)
    }
}
