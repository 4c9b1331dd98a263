public import Failures
public import Foundation
import GRDB

/// An error of a store: its cause, the path, and what to do about it.
///
/// Every error of SQLite and of the file system that a person can cause or mend arrives as one of these; the
/// command line ends with exit code 5 on the kinds for which ``Kind/isEnvironmental`` holds.
public struct StoreError: Diagnostic, Hashable, Sendable {
    /// What kind of cause it is, which decides the exit code.
    public enum Kind: String, Hashable, Sendable {
        /// Another process wrote to the store for longer than this one waits.
        case busy
        /// The disk, a quota or a file-size limit is exhausted.
        case full
        /// The file or its folder may not be written.
        case readOnly
        /// The file's content is damaged.
        case corrupt
        /// A newer version of the program wrote the store.
        case newer
        /// The file is no store of this program.
        case foreign
        /// The folder or the file cannot be opened or read.
        case unreachable
        /// WAL is not safe on a network file system.
        case networkFileSystem
        /// The requested run, evaluation or file is not there.
        case missing
        /// Another running process works on the requested run or evaluation.
        case inUse
        /// The values given contradict each other or what is stored.
        case invalid

        /// Whether the machine caused it rather than the request.
        public var isEnvironmental: Bool {
            switch self {
            case .busy, .full, .readOnly, .corrupt, .newer, .foreign, .unreachable, .networkFileSystem: true
            case .missing, .inUse, .invalid: false
            }
        }
    }

    /// Decides the exit code, through ``Kind/isEnvironmental``.
    public var kind: Kind
    /// The store, or the file beside it, that could not be used.
    public var path: String
    public var summary: String
    public var hint: String?

    public init(_ kind: Kind, at path: String, _ summary: String, hint: String? = nil) {
        (self.kind, self.path, self.summary, self.hint) = (kind, path, summary, hint)
    }
}

extension StoreError: LocalizedError {
    public var place: String? { path }
    public var category: FailureCategory { kind.isEnvironmental ? .machine : .request }

    public var errorDescription: String? { description }
}

extension StoreError {
    /// The meaning of an error of SQLite for the store at `path`.
    init(_ error: DatabaseError, at path: String) {
        let detail = error.message ?? "no further message"
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                .busy, at: path, "the store stayed busy for longer than this command waits",
                hint: "another process is writing for a long time; wait for it, or end it, and repeat the command")
        case .SQLITE_FULL:
            self = .full(at: path, detail)
        case .SQLITE_IOERR where Self.writeFailures.contains(error.extendedResultCode):
            self = .full(at: path, detail)
        case .SQLITE_READONLY, .SQLITE_PERM:
            self.init(
                .readOnly, at: path, "the store cannot be written (\(detail))",
                hint: "allow writing to the file and its folder, or choose another place with --store")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self = .damaged(at: path, detail)
        case .SQLITE_CANTOPEN, .SQLITE_IOERR, .SQLITE_AUTH:
            self.init(
                .unreachable, at: path, "the store cannot be opened or read (\(detail))",
                hint: "check that the folder exists, that you may write to it, and that its disk is healthy")
        case .SQLITE_CONSTRAINT:
            self.init(.invalid, at: path, "the values contradict what is stored (\(detail))")
        default:
            self.init(.corrupt, at: path, "SQLite failed: \(error.description)", hint: Self.rescue)
        }
    }

    /// Failures to write, which SQLite reports when a size limit or a quota, rather than the disk, is exhausted.
    private static let writeFailures: [ResultCode] = [
        .SQLITE_IOERR_WRITE, .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC, .SQLITE_IOERR_TRUNCATE,
        .SQLITE_IOERR_SHMSIZE,
    ]

    private static let rescue = "restore a backup, or save what is readable with: sqlite3 STORE .recover"

    static func full(at path: String, _ detail: String) -> StoreError {
        StoreError(
            .full, at: path, "no space left to write the store (\(detail))",
            hint:
                """
                nothing committed is lost; free some space (sgmse gc lists files no longer needed) and repeat the \
                command
                """
        )
    }

    /// The error for a file or folder beside the store that could not be written, by the system's reason.
    public init(cannotWrite path: String, _ error: any Error) {
        let reason = error as NSError
        let system = reason.domain == NSPOSIXErrorDomain ? reason : reason.userInfo[NSUnderlyingErrorKey] as? NSError
        switch ((error as? CocoaError)?.code, Int32(system?.code ?? 0)) {
        case (.fileWriteOutOfSpace, _), (_, ENOSPC), (_, EDQUOT), (_, EFBIG):
            self = .full(at: path, error.localizedDescription)
        case (.fileWriteNoPermission, _), (.fileWriteVolumeReadOnly, _), (_, EACCES), (_, EPERM), (_, EROFS):
            self.init(
                .readOnly, at: path, "it cannot be written (\(error.localizedDescription))",
                hint: "allow writing to the folder, or choose another place with --store")
        default:
            self.init(
                .unreachable, at: path, "it cannot be written (\(error.localizedDescription))",
                hint: "check that its folder exists, that you may write to it, and that its disk is healthy")
        }
    }

    /// A cell of the store at `path` that does not hold what it must.
    init(_ bad: BadCell, at path: String) {
        self.init(
            .corrupt, at: path, bad.description,
            hint: "the store was damaged, or another program wrote to it; sgmse doctor --thorough lists such rows; "
                + "restore a backup, or correct the row with sqlite3")
    }

    /// Cells of another store, for which nothing of it is taken over.
    init(refusing bad: [BadCell], of path: String) {
        let shown = bad.prefix(5).map(\.description).joined(separator: "\n    ")
        self.init(
            .corrupt, at: path,
            "\(bad.count >= 20 ? "20 or more" : "\(bad.count)") values are not what a store holds:\n    " + shown,
            hint: "nothing was imported; correct or remove these rows in a copy of that store, and import the copy")
    }

    static func damaged(at path: String, _ detail: String) -> StoreError {
        StoreError(.corrupt, at: path, "the store is damaged (\(detail))", hint: rescue)
    }

    static func missing(_ what: String, at path: String, hint: String? = nil) -> StoreError {
        StoreError(.missing, at: path, what, hint: hint)
    }
}
