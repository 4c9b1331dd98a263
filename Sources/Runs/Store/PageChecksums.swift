import Digests
import Foundation
import Synchronization

/// The checksums of all pages of a closed store, written behind its last page.
///
///     pages of SQLite │ 64 bits for each page │ page size, page count, change counter, 0
///                     │ 64 bits of all that │ "SGMSESUM"
///
/// SQLite reads from its header where the last page ends, ignores what follows, and overwrites it when the file grows.
/// So the checksums are copied with the file, and are invalid after any change: the first checkpoint changes the file's
/// size, and a commit without a log the change counter (SQLite's *Database File Format*, 1.3). Numbers are
/// little-endian.
enum PageChecksums {
    enum Verdict: Equatable, Sendable {
        case sound(pages: Int)
        /// Numbers from 1 of the pages that differ from their checksum.
        case damaged([Int])
        /// The checksums do not match the checksum of all of them.
        case unreadable
        /// The file has none: it is in use, large, or another program wrote to it last.
        case none
    }

    /// The most bytes of a file that gets checksums: hashing larger ones would take longer than a command.
    static let largest = 64_000_000
    private static let mark = Array("SGMSESUM".utf8)
    private static let tailSize = 16 + 8 + 8

    /// Writes the checksums behind the last page of a file that no process has open; where that fails, the file stays
    /// as it is.
    static func write(to path: String) {
        guard let file = FileHandle(forUpdatingAtPath: path) else { return }
        defer { try? file.close() }
        guard let pages = try? Pages(file), pages.isConsistent, pages.count * pages.size <= largest,
            let sums = try? pages.sums()
        else { return }
        var block = sums.flatMap(bytes)
        for number in [UInt32(pages.size), UInt32(pages.count), pages.changes, 0] { block += bytes(number) }
        block += bytes(hash(block[...]))
        block += mark
        try? file.truncate(atOffset: UInt64(pages.count * pages.size))
        guard (try? file.seek(toOffset: UInt64(pages.count * pages.size))) != nil else { return }
        try? file.write(contentsOf: Data(block))
    }

    /// Compares every page with its checksum.
    ///
    /// - Precondition: No store of this process has the file open.
    static func check(_ path: String) -> Verdict {
        guard !RunStore.hasLog(path), let file = FileHandle(forReadingAtPath: path) else { return .none }
        defer { try? file.close() }
        guard let size = try? file.seekToEnd(), size > UInt64(tailSize),
            let tail = try? read(tailSize, at: size - UInt64(tailSize), file), Array(tail.suffix(8)) == mark
        else { return .none }
        let numbers = (0..<4).map { Int(number(tail, at: 4 * $0, of: UInt32.self)) }
        let (pageSize, count) = (numbers[0], numbers[1])
        // A commit without a log leaves the end of checksums that are no longer valid.
        if let header = try? Pages(file), header.isConsistent, Int(header.changes) != numbers[2] { return .none }
        guard UInt64(pageSize) * UInt64(count) + UInt64(8 * count + tailSize) == size,
            let stored = try? read(8 * count + 16, at: UInt64(pageSize * count), file)
        else { return .unreadable }
        guard hash(stored[...]) == number(tail, at: 16, of: UInt64.self) else { return .unreadable }
        guard let pages = try? Pages(file, size: pageSize, count: count), let sums = try? pages.sums() else {
            return .unreadable
        }
        let damaged = sums.indices.filter { sums[$0] != number(stored, at: 8 * $0, of: UInt64.self) }
        return damaged.isEmpty ? .sound(pages: count) : .damaged(damaged.map { $0 + 1 })
    }

    // MARK: Pages

    /// The pages of an SQLite file, and what its header says of them.
    private struct Pages {
        let file: FileHandle
        let size: Int
        let count: Int
        /// The change counter, and whether the header's page count is valid for it.
        let changes: UInt32
        let isConsistent: Bool

        init(_ file: FileHandle, size: Int? = nil, count: Int? = nil) throws {
            let header = try PageChecksums.read(100, at: 0, file)
            func number(_ place: Int, _ bytes: Int) -> Int {
                header[place..<place + bytes].reduce(0) { $0 << 8 | Int($1) }
            }
            self.file = file
            self.size = size ?? (number(16, 2) == 1 ? 65_536 : number(16, 2))
            self.count = count ?? number(28, 4)
            changes = UInt32(number(24, 4))
            isConsistent = number(24, 4) == number(92, 4) && self.size >= 512 && self.count > 0
        }

        func sums() throws -> [UInt64] {
            let batch = max(1, (1 << 20) / size)
            var sums: [UInt64] = []
            for first in stride(from: 0, to: count, by: batch) {
                let pages = min(batch, count - first)
                let bytes = try PageChecksums.read(pages * size, at: UInt64(first * size), file)
                for page in 0..<pages { sums.append(PageChecksums.hash(bytes[page * size..<(page + 1) * size])) }
            }
            return sums
        }
    }

    private static func read(_ count: Int, at offset: UInt64, _ file: FileHandle) throws -> [UInt8] {
        try file.seek(toOffset: offset)
        guard let data = try file.read(upToCount: count), data.count == count else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return [UInt8](data)
    }

    /// A hash of whole words of 64 bits, in which each step maps hashes one to one: two equally long sequences that
    /// differ in one word never have one hash.
    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        bytes.forEachWord { word in
            hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
        }
        return hash
    }

    private static func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }

    private static func number<Number: FixedWidthInteger>(_ bytes: [UInt8], at place: Int, of type: Number.Type)
        -> Number
    {
        bytes[place..<place + Number.bitWidth / 8].reversed().reduce(0) { $0 << 8 | Number($1) }
    }
}

/// How many stores this process has open, by file.
///
/// Closing any descriptor of a file drops the locks that SQLite holds on it for the whole process (`fcntl(2)`), so a
/// file is read past SQLite only while no store has it open.
final class OpenFile: Sendable {
    private static let counts = Mutex<[String: Int]>([:])
    private let path: String
    private let hasEnded = Mutex(false)

    init(_ path: String) {
        self.path = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        Self.counts.withLock { $0[self.path, default: 0] += 1 }
    }

    deinit { end() }

    /// Counts the store as closed; a second call does nothing.
    func end() {
        let isFirst = hasEnded.withLock { ended in
            defer { ended = true }
            return !ended
        }
        if isFirst { Self.counts.withLock { $0[path, default: 1] -= 1 } }
    }

    static func count(_ path: String) -> Int {
        counts.withLock { $0[URL(fileURLWithPath: path).resolvingSymlinksInPath().path] ?? 0 }
    }
}

extension RunStore {
    /// Compares the pages of a closed store with their checksums, and describes the result in words; nil where the file
    /// has no checksums or this process has it open.
    public static func damagedPages(at path: String) -> (text: String, isDamage: Bool)? {
        guard OpenFile.count(path) == 0 else { return nil }
        switch PageChecksums.check(path) {
        case .none: return nil
        case .sound(let pages): return ("all \(pages) pages are what they were when the store was closed", false)
        case .unreadable: return ("the checksums of the pages are damaged", true)
        case .damaged(let pages):
            let shown = pages.prefix(10).map(String.init).joined(separator: ", ") + (pages.count > 10 ? ", …" : "")
            return (
                "\(pages.count) pages are not what they were when the store was closed: \(shown); restore a backup",
                true
            )
        }
    }
}
