import Foundation
import GRDB

/// The right of one process to do one step, until it is completed, released, or the process ends.
public struct Claim: Hashable, Sendable {
    /// The step's name, as ``RunStore/claim(_:)`` was given it.
    public let step: String
    let owner: Int64
}

/// The result of claiming a step.
public enum ClaimOutcome: Hashable, Sendable {
    /// The step was not done yet and no other process works on it: the caller must do it.
    case acquired(Claim)
    /// A running process, possibly this one, works on it.
    case held(by: Owner)
    /// It was completed before, with this output.
    case done(output: String)
}

extension RunStore {
    /// Claims the exclusive right to do `step` among all processes that share the store.
    ///
    /// A claim of a process that has ended is ignored.
    public func claim(_ step: String) throws(StoreError) -> ClaimOutcome {
        if let known = try read({ try existingOutcome(of: step, $0) }) { return known }
        let me = try ownerID()
        return try write { db in
            if let known = try existingOutcome(of: step, db) { return known }
            try db.execute(
                sql: """
                    INSERT INTO claim (step, ownerID, since) VALUES (?, ?, ?)
                    ON CONFLICT (step) DO UPDATE SET ownerID = excluded.ownerID, since = excluded.since
                    """, arguments: [step, me, Date().stored])
            return .acquired(Claim(step: step, owner: me))
        }
    }

    /// Why `step` cannot be claimed; nil where it can.
    private func existingOutcome(of step: String, _ db: Database) throws -> ClaimOutcome? {
        if let output = try String.fetchOne(
            db, sql: "SELECT output FROM completedStep WHERE step = ?", arguments: [step])
        {
            return .done(output: output)
        }
        guard let holder = try Int64.fetchOne(db, sql: "SELECT ownerID FROM claim WHERE step = ?", arguments: [step]),
            let owner = try owner(holder, db), owner.isAlive
        else { return nil }
        return .held(by: owner)
    }

    /// Drops the claim of a step that was not done.
    public func release(_ claim: Claim) throws(StoreError) {
        try write { try drop(claim, $0) }
    }

    /// Records that the step is done, with an output for later processes, and drops the claim.
    public func complete(_ claim: Claim, output: String = "") throws(StoreError) {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO completedStep (step, output, time) VALUES (?, ?, ?)
                    ON CONFLICT (step) DO UPDATE SET output = excluded.output, time = excluded.time
                    """, arguments: [claim.step, output, Date().stored])
            try drop(claim, db)
        }
    }

    private func drop(_ claim: Claim, _ db: Database) throws {
        try db.execute(
            sql: "DELETE FROM claim WHERE step = ? AND ownerID = ?", arguments: [claim.step, claim.owner])
    }

    /// The output of the completed `step`; nil where it is not done.
    public func output(ofStep step: String) throws(StoreError) -> String? {
        try read { db in
            try String.fetchOne(db, sql: "SELECT output FROM completedStep WHERE step = ?", arguments: [step])
        }
    }

    /// Makes `step` undone, so that it can be claimed again.
    public func forget(step: String) throws(StoreError) {
        try write { try $0.execute(sql: "DELETE FROM completedStep WHERE step = ?", arguments: [step]) }
    }

    /// The steps being worked on, and by whom.
    public func claims() throws(StoreError) -> [(step: String, owner: Owner)] {
        try read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT step, ownerID FROM claim ORDER BY since, step")
            return try rows.map { Cells($0, of: "claim") }.compactMap { cells in
                let step: String = try cells[0]
                return try owner(cells[1], db).map { (step: step, owner: $0) }
            }
        }
    }

    /// Whether a running process trains or evaluates the run.
    public func isWorkedOn(_ run: Run) throws(StoreError) -> Bool {
        try read { db in
            if try self.run(run.id, db).status == .running { return true }
            return try evaluations("WHERE runID = ? AND status = 'running'", [run.id.rawValue], db)
                .contains { $0.status == .running }
        }
    }
}
