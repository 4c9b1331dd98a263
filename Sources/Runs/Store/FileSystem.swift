import Foundation
import GRDB
import SystemCalls

/// What matters to a store about the file system that holds it.
public struct FileSystem: Hashable, Sendable {
    /// Such as `ext4`; nil where the system does not say.
    public var type: String?
    /// The name of the network protocol, where the file system is one.
    public var networkName: String?
    /// Bytes that may still be written.
    public var availableBytes: Int64

    /// The file system of the deepest existing folder on the way to `path`.
    public init?(holding path: String) {
        var folder = URL(fileURLWithPath: path).path
        while !FileManager.default.fileExists(atPath: folder), !["/", ""].contains(folder) {
            folder = (folder as NSString).deletingLastPathComponent
        }
        folder = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        guard let bytes = POSIX.availableBytes(at: folder) else { return nil }
        availableBytes = bytes
        let mounts = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        type = Self.type(of: folder, mounts: mounts)
        networkName = type.flatMap { Self.networks.contains($0) ? $0 : nil }
    }

    /// The type of the mount that holds `folder`: the last one with the longest path, as `proc(5)` lists them.
    package static func type(of folder: String, mounts: String) -> String? {
        var best: (length: Int, type: String)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            let point = fields[1].replacingOccurrences(of: "\\040", with: " ")
            let isAbove = point == "/" || folder == point || folder.hasPrefix(point + "/")
            if isAbove, point.count >= best?.length ?? 0 { best = (point.count, String(fields[2])) }
        }
        return best?.type
    }

    private static let networks: Set<String> = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "lustre", "gpfs", "beegfs", "glusterfs",
        "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.juicefs",
    ]
}

/// The version of the linked SQLite library, and the known faults of that version.
public struct SQLiteFacts: Hashable, Sendable {
    /// Such as `3.46.1`.
    public var version: String
    /// One sentence for each fault of that version that can reach this program; empty for most versions.
    public var faults: [String]

    /// Asks the linked library for its version.
    ///
    /// - Throws: ``StoreError`` where no database can be opened in memory.
    public static func current() throws(StoreError) -> SQLiteFacts {
        let version = try RunStore.mapping(":memory:") {
            try DatabaseQueue().read { try String.fetchOne($0, sql: "SELECT sqlite_version()") } ?? "0"
        }
        return SQLiteFacts(version: version, faults: faults(of: version))
    }

    /// What is known to be wrong with a version.
    package static func faults(of version: String) -> [String] {
        known.filter { $0.holds(version) }.map(\.fault)
    }

    private struct Known: Sendable {
        var since: String
        var fixed: [String]
        var fault: String

        /// Whether `version` lies in the faulty range; `fixed` also lists branches with the repair.
        func holds(_ version: String) -> Bool {
            let number = SQLiteFacts.number(version)
            guard number >= SQLiteFacts.number(since) else { return false }
            return !fixed.contains { repaired in
                let repair = SQLiteFacts.number(repaired)
                return number >= repair && (repaired == fixed.last || number / 1000 == repair / 1000)
            }
        }
    }

    /// Faults that can reach this program, from the release notes of SQLite.
    private static let known: [Known] = [
        Known(
            since: "3.7.0", fixed: ["3.44.6", "3.50.7", "3.51.3"],
            fault:
                """
                WAL-reset race: two connections that write and checkpoint at the same instant may, very rarely, damage \
                the file
                """
        ),
        Known(
            since: "3.35.0", fixed: ["3.35.5"], fault: "a view or trigger may be lost by ALTER TABLE DROP COLUMN"),
    ]

    private static func number(_ version: String) -> Int {
        let parts = version.split(separator: ".").map { Int($0) ?? 0 } + [0, 0, 0]
        return parts[0] * 1_000_000 + parts[1] * 1000 + parts[2]
    }
}
