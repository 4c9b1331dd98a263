public import Foundation
import GRDB

/// A process that has a store open and has claimed work, as other processes see it.
public struct Owner: Hashable, Sendable, Identifiable {
    public let id: StoreID<Owner>
    /// As the process described itself when it registered.
    public var process: ProcessFacts
    /// When the process first claimed work.
    public var since: Date
    /// Whether the process still holds its lock; true for this process.
    public var isAlive: Bool

    /// The end of the reason that is recorded for work whose process ended without recording one.
    public static let endedSuffix = "which has ended before its work was done"

    public var description: String {
        "process \(process.pid) on \(process.host)" + (isAlive ? "" : ", which has ended")
    }
}

/// What identifies a process for a person. Whether it still runs is read from its lock (`OwnerLocks`).
public struct ProcessFacts: Hashable, Sendable {
    /// Its number on its machine.
    public var pid: Int32
    /// When the process started, in ticks since the boot, as `/proc/PID/stat` has it.
    public var startTicks: Int64
    /// The kernel's identifier of that boot, from `/proc/sys/kernel/random/boot_id`; "" where it cannot be read.
    public var bootID: String
    /// The machine's name.
    public var host: String

    public init(pid: Int32, startTicks: Int64, bootID: String, host: String) {
        (self.pid, self.startTicks, self.bootID, self.host) = (pid, startTicks, bootID, host)
    }

    /// This process.
    public static let current: ProcessFacts = {
        let info = ProcessInfo.processInfo
        let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return ProcessFacts(
            pid: info.processIdentifier, startTicks: startTicks(of: "self") ?? 0,
            bootID: boot?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "", host: info.hostName)
    }()

    /// Field 22 of `/proc/PID/stat`; the name in field 2 may hold blanks and parentheses.
    private static func startTicks(of process: String) -> Int64? {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let nameEnd = stat.lastIndex(of: ")")
        else { return nil }
        let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
        return fields.count > 19 ? Int64(fields[19]) : nil
    }
}

extension RunStore {
    /// This store as an owner, registered at the first call.
    func ownerID() throws(StoreError) -> Int64 {
        if let id = locks.current { return id }
        return try write { db in
            let facts = ProcessFacts.current
            try db.execute(
                sql: "INSERT INTO owner (pid, startTicks, bootID, host, since) VALUES (?, ?, ?, ?, ?)",
                arguments: [facts.pid, facts.startTicks, facts.bootID, facts.host, Date().stored])
            let id = db.lastInsertedRowID
            try locks.become(id)  // before the commit: nobody sees this owner without its lock
            return id
        }
    }

    func owner(_ id: Int64, _ db: Database) throws -> Owner? {
        let row = try Row.fetchOne(
            db, sql: "SELECT id, pid, startTicks, bootID, host, since FROM owner WHERE id = ?", arguments: [id])
        return row.map { Cells($0, of: "owner") }.map { cells in
            // Whether the process runs is read from its lock, so a description that cannot be read is no error.
            Owner(
                id: StoreID(id),
                process: ProcessFacts(
                    pid: (try? cells[1] as Int).flatMap(Int32.init(exactly:)) ?? 0, startTicks: (try? cells[2]) ?? 0,
                    bootID: (try? cells[3]) ?? "", host: (try? cells[4]) ?? "an unknown machine"),
                since: (try? cells[5] as Instant)?.date ?? .distantPast, isAlive: locks.isAlive(id))
        }
    }

    /// Marks work whose process ended without recording it as interrupted, and deletes its claims.
    ///
    /// Opening a store does this; a process that stays open may call it again.
    ///
    /// - Returns: The number of runs and evaluations taken over.
    @discardableResult
    public func takeOverAbandonedWork() throws(StoreError) -> Int {
        let dead = try read { db in
            try Int64.fetchAll(db, sql: "SELECT id FROM owner").filter { !locks.isAlive($0) }
        }
        guard !dead.isEmpty else { return 0 }
        return try write { db in
            try dead.reduce(0) { try $0 + abandon($1, db) }
        }
    }

    /// Marks the running work of an ended owner as interrupted, and deletes its claims and its row.
    private func abandon(_ id: Int64, _ db: Database) throws -> Int {
        guard !locks.isAlive(id), let owner = try owner(id, db) else { return 0 }
        let (now, reason) = (Date().stored, "\(owner.description) before its work was done")
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO event (runID, time, kind, message)
                SELECT id, ?, 'interrupted', ? FROM run WHERE ownerID = ? AND status = 'running'
                """, arguments: [now, reason, id])
        var count = 0
        for table in ["run", "evaluation"] {
            try db.execute(
                sql: """
                    UPDATE \(table) SET status = 'interrupted', reason = ?, ended = ?, ownerID = NULL
                    WHERE ownerID = ? AND status = 'running'
                    """, arguments: [reason, now, id])
            count += db.changesCount
        }
        try db.execute(sql: "DELETE FROM claim WHERE ownerID = ?", arguments: [id])
        try db.execute(sql: "DELETE FROM owner WHERE id = ?", arguments: [id])
        return count
    }

    /// Gives up all claims of this store; work still marked as running becomes interrupted.
    func releaseEverything() throws(StoreError) {
        guard let id = locks.current else { return }
        try write { db in
            try db.execute(sql: "DELETE FROM claim WHERE ownerID = ?", arguments: [id])
            for table in ["run", "evaluation"] {
                try db.execute(
                    sql: """
                        UPDATE \(table) SET status = 'interrupted', reason = 'the store was closed', ended = ?,
                        ownerID = NULL WHERE ownerID = ? AND status = 'running'
                        """, arguments: [Date().stored, id])
            }
            try db.execute(sql: "DELETE FROM owner WHERE id = ?", arguments: [id])
        }
    }
}

extension Date {
    /// Seconds since 1970, as the store has it.
    var stored: Double { timeIntervalSince1970 }
}
