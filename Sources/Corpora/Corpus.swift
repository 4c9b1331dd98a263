import Foundation
import SystemCalls

/// A `base_dir` of the usual layout: `{train,valid,test,...}/{clean,noisy}/*.wav`, names equal in both folders.
public struct Corpus: Hashable, Sendable {
    /// The folder that holds the sets' folders.
    public var baseDir: String
    /// Training, validation, then the test sets by name.
    public var sets: [PairedSet]

    /// Finds every set of a `base_dir`. Files without a partner, and sets without a pair, are left to
    /// ``CorpusScan/findings(expecting:)``.
    ///
    /// - Parameter layout: The layout that is looked for; the first one found if `nil`.
    public init(at baseDir: String, layout: Layout? = nil) throws(CorpusError) {
        guard POSIX.isFolder(baseDir),
            let names = try? FileManager.default.contentsOfDirectory(atPath: baseDir)
        else { throw CorpusError(baseDir, .missingFolder) }
        var sets: [PairedSet] = []
        for name in names.sorted()
        where !name.hasPrefix(".") && PairedSet.layout(of: "\(baseDir)/\(name)", layout) != nil {
            sets.append(try PairedSet(at: "\(baseDir)/\(name)", name: name, layout: layout))
        }
        guard !sets.isEmpty else { throw CorpusError(baseDir, .noSets) }
        sets.sort { (SetRole(name: $0.name), $0.name) < (SetRole(name: $1.name), $1.name) }
        self.baseDir = baseDir
        self.sets = sets
    }

    /// Finds the sets of a folder, or takes a folder that is a set itself, with its `clean` and `noisy`.
    public init(orSetAt folder: String) throws(CorpusError) {
        guard PairedSet.layout(of: folder) != nil else {
            self = try Corpus(at: folder)
            return
        }
        self = Corpus(baseDir: folder, sets: [try PairedSet(at: folder)])
    }

    private init(baseDir: String, sets: [PairedSet]) { (self.baseDir, self.sets) = (baseDir, sets) }

    /// The set of a name.
    public func set(_ name: String) throws(CorpusError) -> PairedSet {
        guard let set = sets.first(where: { $0.name == name }) else {
            throw CorpusError(baseDir, .unknownSet(name, known: sets.map(\.name)))
        }
        return set
    }
}

/// What a set is used for, by its name; sets of different roles must not share speech or speakers.
public enum SetRole: Int, Hashable, Sendable, Comparable, CustomStringConvertible {
    case training, validation, test

    public var description: String {
        switch self {
        case .training: "training"
        case .validation: "validation"
        case .test: "test"
        }
    }

    public init(name: String) {
        let lowered = name.lowercased()
        self =
            if lowered.hasPrefix("train") || lowered.hasPrefix("tr_") {
                .training
            } else if ["val", "dev", "dt", "cv"].contains(where: lowered.hasPrefix) { .validation } else { .test }
    }

    /// Training before validation before test.
    public static func < (left: SetRole, right: SetRole) -> Bool { left.rawValue < right.rawValue }
}
