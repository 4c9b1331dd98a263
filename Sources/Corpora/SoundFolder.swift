import Foundation
import SystemCalls

/// The sound files of a folder and of all folders in it. Every command lists folders through this type.
///
/// Links to files and folders are followed. Hidden files, such as the `._name.wav` that macOS writes, are skipped.
/// The case of endings is ignored. Names are as they are on the disk, byte for byte, so that they open the file.
public enum SoundFolder {
    /// Which endings are those of sound files.
    public enum Kind: Sendable {
        /// `.wav` and `.flac`: what corpora and outputs are made of.
        case lossless
        /// Everything that can be decoded.
        case any

        fileprivate var endings: Set<String> {
            let lossless: Set = ["wav", "flac"]
            return self == .lossless
                ? lossless
                : lossless.union([
                    "mp3", "ogg", "oga", "opus", "aif", "aiff", "aifc", "au", "snd", "w64", "caf", "rf64",
                ])
        }
    }

    /// Paths relative to `folder`, sorted byte by byte.
    ///
    /// - Throws: `CorpusError` where there is no such folder, one in it cannot be read, or two names are one in
    ///   Unicode.
    public static func files(in folder: String, _ kind: Kind = .lossless) throws(CorpusError) -> [String] {
        guard POSIX.isFolder(folder) else {
            throw CorpusError(folder, .missingFolder)
        }
        var walk = FolderWalk(root: folder, kind)
        try walk.run()
        let found = walk.found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var known: Set<String> = []
        for name in found where !known.insert(name).inserted { throw CorpusError("\(folder)/\(name)", .sameName) }
        return found
    }

    /// Whether a name ends like that of a sound file.
    public static func isSound(_ path: String, _ kind: Kind = .lossless) -> Bool {
        kind.endings.contains((path as NSString).pathExtension.lowercased())
    }
}

/// A recursive walk through folders that does not follow a link back into a folder that it is in.
private struct FolderWalk {
    /// Identifies a folder independently of its path.
    private struct Place: Hashable {
        var device: UInt64
        var number: UInt64
    }

    private let root: String
    private let kind: SoundFolder.Kind
    private(set) var found: [String] = []
    private var waiting: [(prefix: String, above: Set<Place>)] = []

    init(root: String, _ kind: SoundFolder.Kind) { (self.root, self.kind) = (root, kind) }

    mutating func run() throws(CorpusError) {
        waiting = [("", [])]
        while let (prefix, above) = waiting.popLast() { try read(prefix, above) }
    }

    private mutating func read(_ prefix: String, _ above: Set<Place>) throws(CorpusError) {
        let path = prefix.isEmpty ? root : "\(root)/\(prefix.dropLast())"
        guard let listing = FolderListing(at: path) else {
            throw CorpusError(path, .unreadable(POSIX.lastMessage))
        }
        let place = Place(device: listing.folder.device, number: listing.folder.number)
        guard !above.contains(place) else { return }
        for item in listing.entries {
            let bytes = item.name
            guard bytes.first != UInt8(ascii: ".") else { continue }
            let name = prefix + String(decoding: bytes, as: UTF8.self)
            if isFolder(item.type, "\(root)/\(name)") {
                waiting.append((name + "/", above.union([place])))
            } else if SoundFolder.isSound(name, kind) {
                guard String(validating: bytes, as: UTF8.self) != nil else {
                    throw CorpusError("\(root)/\(name)", .badName)
                }
                found.append(name)
            }
        }
    }

    private func isFolder(_ type: UInt8, _ path: String) -> Bool {
        type == DT_LNK || type == DT_UNKNOWN ? POSIX.isFolder(path) : type == DT_DIR
    }
}
