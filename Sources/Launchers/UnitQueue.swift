import AtomicFiles
public import Failures
public import Foundation
import SystemCalls

/// The units of work of a store that tasks of a cluster take one by one, as files in a shared folder.
///
/// A unit is one file. Its content says what to do, its folder is its state:
///
///     todo/UNIT → running/UNIT.TASK → done/UNIT → collected/UNIT
///          ↖ given back ↙        ↘ failed/UNIT
///
/// Every arrow is one `rename(2)`, which exactly one process wins on any file system, network ones included. There is
/// no lock and no database. The folder `work/UNIT` holds the unit's store, its events and its attempts.
public struct UnitQueue: Sendable {
    /// The folders of the queue, by their names. `done` units have results that no store has yet; `collected` ones are
    /// in it.
    public enum State: String, Sendable, Codable, CaseIterable { case todo, running, done, failed, collected }

    /// One unit as a listing shows it.
    public struct Entry: Hashable, Sendable {
        /// Its name, without the task.
        public var unit: String
        /// The folder that it was found in.
        public var state: State
        /// The task that works on it; nil unless it is running.
        public var task: String?

        public init(unit: String, state: State, task: String? = nil) {
            (self.unit, self.state, self.task) = (unit, state, task)
        }
    }

    /// The root of the queue, on a file system that all its machines share.
    public let folder: String
    let mover: FileMover

    public init(at folder: String) { self.init(at: folder, mover: .system) }

    package init(at folder: String, mover: FileMover) { (self.folder, self.mover) = (folder, mover) }

    /// Whether anything was ever queued here.
    public var exists: Bool { FileManager.default.fileExists(atPath: folder(of: .todo)) }

    func folder(of state: State) -> String { folder + "/" + state.rawValue }

    func path(of unit: String, _ state: State, task: String? = nil) -> String {
        folder(of: state) + "/" + unit + (task.map { "." + $0 } ?? "")
    }

    /// The folder of a unit's store, events and attempts.
    public func workFolder(of unit: String) -> String { folder + "/work/" + unit }

    /// The folder of the scripts and logs of jobs.
    public var jobsFolder: String { folder + "/jobs" }

    // MARK: Listing

    /// The units in some states, sorted; a unit that moves meanwhile may be seen twice or not at all.
    public func entries(_ states: [State] = State.allCases) throws(QueueError) -> [Entry] {
        var found: [Entry] = []
        for state in states {
            for name in try names(in: state) {
                let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
                guard let unit = parts.first else { continue }
                found.append(
                    Entry(unit: unit, state: state, task: state == .running && parts.count > 1 ? parts[1] : nil))
            }
        }
        return found
    }

    func names(in state: State) throws(QueueError) -> [String] {
        guard let listing = FolderListing(at: folder(of: state)) else {
            guard errno != ENOENT else { return [] }
            throw QueueError(folder(of: state), errno)
        }
        let names = listing.entries.map { String(decoding: $0.name, as: UTF8.self) }
        return names.filter { !$0.hasPrefix(".") }.sorted()
    }

    /// The content of a unit's file, which says what to do; nil where the unit is not in that state.
    public func content(of entry: Entry) -> Data? {
        FileManager.default.contents(atPath: path(of: entry.unit, entry.state, task: entry.task))
    }

    // MARK: Adding

    /// Makes the folders of the queue where they are missing.
    public func prepare() throws(QueueError) {
        for path in State.allCases.map(folder(of:)) + [folder + "/work", jobsFolder] {
            do {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            } catch {
                throw QueueError(path, Int32((error as NSError).code == 640 ? ENOSPC : EACCES))
            }
        }
    }

    /// Adds units under different names. The caller ensures that one process adds at a time.
    ///
    /// A unit of the same name that failed or was collected before takes the new content; one that waits, runs or is
    /// done is left as it is.
    ///
    /// - Returns: The names of those that were added.
    @discardableResult
    public func add(_ units: [(name: String, content: Data)]) throws(QueueError) -> [String] {
        try prepare()
        let active = Set(try entries([.todo, .running, .done]).map(\.unit))
        let former = try entries([.failed, .collected])
        let known = Dictionary(former.map { ($0.unit, $0) }, uniquingKeysWith: { first, _ in first })
        var added: [String] = []
        for unit in units where !active.contains(unit.name) {
            precondition(
                !unit.name.isEmpty && !unit.name.contains { $0 == "." || $0 == "/" },
                "no name of a unit: '\(unit.name)'")
            if let entry = known[unit.name] { try forget(entry) }
            do {
                try PendingFile.write(unit.content, to: path(of: unit.name, .todo), isDurable: false)
            } catch {
                throw QueueError(error.path, error.code)
            }
            added.append(unit.name)
        }
        do { try PendingFile.flushFolder(of: folder(of: .todo) + "/x") } catch {
            throw QueueError(error.path, error.code)
        }
        return added
    }

    /// Removes the files of an earlier attempt at a unit of the same name.
    func forget(_ entry: Entry) throws(QueueError) {
        try? FileManager.default.removeItem(atPath: workFolder(of: entry.unit))
        guard POSIX.unlink(path(of: entry.unit, entry.state)) == 0 || errno == ENOENT else {
            throw QueueError(path(of: entry.unit, entry.state), errno)
        }
    }

    /// Takes a unit that waits out of the queue.
    public func withdraw(_ unit: String) throws(QueueError) {
        guard POSIX.unlink(path(of: unit, .todo)) == 0 || errno == ENOENT else {
            throw QueueError(path(of: unit, .todo), errno)
        }
    }
}

/// A file of the queue that the system does not read, write or move.
public struct QueueError: Diagnostic, Hashable, Sendable {
    /// The file or folder that the call failed at.
    public var path: String
    /// The system's error number, such as `EACCES`.
    public var code: Int32

    init(_ path: String, _ code: Int32) { (self.path, self.code) = (path, code) }

    public var place: String? { path }
    public var summary: String { "the queue cannot be used here (\(POSIX.message(code)))" }
    public var category: FailureCategory { .machine }
    public var hint: String? {
        """
        check that the folder is on a file system that all nodes share, that you may write to it, and that it is not \
        full
        """
    }
}
