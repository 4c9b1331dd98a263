import Audio
import Corpora
import Foundation
import SystemCalls
import WeightFiles

/// The recordings below a folder of a source: on the disk, or inside a zip archive, as corpora are published.
///
/// Archives are read in place, without unpacking. Each entry's checksum is verified when it is read.
struct RecordingFolder: Sendable {
    private enum Place: Sendable {
        case disk
        /// The entries that begin with `prefix`, which is empty or ends in a slash.
        case archive(ZipArchive, prefix: String)
    }

    /// The folder as messages name it: inside an archive, `corpus.zip/folder`.
    let path: String
    private let place: Place

    var isInArchive: Bool { if case .archive = place { true } else { false } }

    /// A folder of the disk.
    init(at path: String) { (self.path, place) = (path, .disk) }

    /// A folder of an archive, at any depth. Without a name, or where the archive itself has the name, it is the whole
    /// archive below its common top folder.
    ///
    /// - Throws: `CorpusError` for a file that is no archive, or names files that would lie outside of a folder.
    init(_ folder: String, inArchive archivePath: String) throws(CorpusError) {
        let archive: ZipArchive
        do throws(WeightFileError) { archive = try ZipArchive(path: archivePath) } catch {
            throw CorpusError(archivePath, .badArchive(error.summary))
        }
        for name in archive.names
        where name.hasPrefix("/") || name.contains("\\") || name.split(separator: "/").contains("..") {
            throw CorpusError(
                archivePath, .badArchive("it names the file '\(name)', which would lie outside of its folder"))
        }
        let stem = ((archivePath as NSString).lastPathComponent as NSString).deletingPathExtension
        let names = archive.names.filter(Self.isRecording)
        guard
            let prefix = Self.prefix(of: folder, among: names)
                ?? (folder.isEmpty || folder == stem ? Self.common(names) : nil)
        else {
            throw CorpusError(archivePath, .notThere("it must hold recordings in a folder '\(folder)'"))
        }
        path = prefix.isEmpty ? archivePath : "\(archivePath)/\(prefix.dropLast())"
        place = .archive(archive, prefix: prefix)
    }

    /// The recordings' names below the folder, sorted byte by byte.
    func files() throws(CorpusError) -> [String] {
        switch place {
        case .disk: return try SoundFolder.files(in: path)
        case .archive(let archive, let prefix):
            let names = archive.names.filter { $0.hasPrefix(prefix) && Self.isRecording($0) }
            return names.map { String($0.dropFirst(prefix.count)) }.sorted {
                $0.utf8.lexicographicallyPrecedes($1.utf8)
            }
        }
    }

    /// Bytes of a recording's file.
    func size(of name: String) throws(CorpusError) -> Int {
        switch place {
        case .disk:
            guard let facts = FileFacts(at: "\(path)/\(name)") else {
                throw CorpusError("\(path)/\(name)", .disk(POSIX.lastMessage))
            }
            return facts.bytes
        case .archive(let archive, let prefix): return archive.size(of: prefix + name) ?? 0
        }
    }

    func header(of name: String) throws(SoundFileError) -> SoundFile.Header {
        try SoundFile.header(of: "\(path)/\(name)", bytes: bytes(of: name))
    }

    func sound(_ name: String, frames: Range<Int>? = nil) throws(SoundFileError) -> Sound {
        try SoundFile.read("\(path)/\(name)", bytes: bytes(of: name), frames: frames)
    }

    func mono(_ name: String, frames: Range<Int>? = nil) throws(SoundFileError) -> [Float] {
        try SoundFile.readMono("\(path)/\(name)", bytes: bytes(of: name), frames: frames)
    }

    /// The file's bytes where it is not on the disk.
    private func bytes(of name: String) throws(SoundFileError) -> [UInt8]? {
        guard case .archive(let archive, let prefix) = place else { return nil }
        do throws(WeightFileError) { return try archive.read(prefix + name, limit: Self.largest) } catch {
            throw SoundFileError("\(path)/\(name)", .unreadable(error.summary))
        }
    }

    /// Bytes of the largest recording that is read from an archive: half an hour in 8 channels of 24 bits at 48 kHz.
    private static let largest = 2 << 30

    // MARK: Names

    /// No folder, and nothing that is hidden, nor what macOS adds to archives.
    private static func isRecording(_ name: String) -> Bool {
        SoundFolder.isSound(name) && !name.split(separator: "/").contains { $0.hasPrefix(".") || $0 == "__MACOSX" }
    }

    /// What the names of a folder's recordings begin with; `nil` where there are none.
    private static func prefix(of folder: String, among names: [String]) -> String? {
        guard !folder.isEmpty else { return nil }
        return names.compactMap { name -> String? in
            if name.hasPrefix(folder + "/") { return folder + "/" }
            return name.range(of: "/\(folder)/").map { String(name[..<$0.upperBound]) }
        }.min { ($0.count, $0) < ($1.count, $1) }
    }

    /// The common top folder, which archives of a repository have.
    private static func common(_ names: [String]) -> String {
        guard let first = names.first, let slash = first.firstIndex(of: "/") else { return "" }
        let folder = first[...slash]
        return names.allSatisfy { $0.hasPrefix(folder) } ? String(folder) : ""
    }
}

/// One file of a ``RecordingFolder``.
struct Recording: Sendable {
    var folder: RecordingFolder
    var name: String

    var path: String { "\(folder.path)/\(name)" }
    func header() throws(SoundFileError) -> SoundFile.Header { try folder.header(of: name) }
    func sound() throws(SoundFileError) -> Sound { try folder.sound(name) }
    func mono(frames: Range<Int>? = nil) throws(SoundFileError) -> [Float] { try folder.mono(name, frames: frames) }
}
