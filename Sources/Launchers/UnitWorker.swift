public import Foundation
import SystemCalls

/// One task of a queue: it takes units until none is left.
///
/// A task is named `JOB-RESTART`. When the scheduler starts it again after its node failed, it first takes the unit
/// that it had before the restart. That is a rename as well: an earlier process that still runs finds its unit gone and
/// stops.
public struct UnitWorker: Sendable {
    /// A unit that this task works on.
    public struct Held: Sendable {
        /// Its name in the queue.
        public let unit: String
        /// The task that has it.
        public let task: String
        /// What is to be done, as it was queued.
        public let content: Data
        let token: String
    }

    /// Where the task takes its units from.
    public let queue: UnitQueue
    /// The name of this task, `JOB-RESTART`.
    public let task: String
    /// What the names of the units begin with that the task may take.
    let pool: String
    /// Units that waited when the folder was last read.
    private var known: ArraySlice<String> = []
    private var hasLookedBack = false
    /// Tasks begin at different places of the list, so that they rarely reach for the same unit.
    private let place: Double
    /// How many units may be taken by other tasks in a row before the list is read again.
    private static let mostMisses = 8

    /// - Parameters:
    ///   - task: The name of the task, `JOB-RESTART`.
    ///   - pool: What the names of the units begin with that it may take: those for machines like its own.
    ///   - place: Where in the list the task begins, from 0 to 1.
    public init(_ queue: UnitQueue, task: String, pool: String = "", place: Double = 0) {
        precondition(!task.isEmpty && !task.contains("/"), "no name of a task: '\(task)'")
        (self.queue, self.task, self.pool, self.place) = (queue, task, pool, place)
    }

    /// The task without the number of its restart.
    public static func job(of task: String) -> Substring { task.lastIndex(of: "-").map { task[..<$0] } ?? task[...] }

    /// Takes a unit that no task works on; nil when none waits.
    public mutating func next() throws(QueueError) -> Held? {
        if !hasLookedBack {
            hasLookedBack = true
            if let own = try resume() { return own }
        }
        var misses = 0
        while true {
            while misses < Self.mostMisses, let unit = known.popFirst() {
                let token = queue.path(of: unit, .running, task: task)
                if try queue.mover.move(queue.path(of: unit, .todo), to: token) { return try held(unit, token) }
                misses += 1
            }
            let names = try queue.names(in: .todo).filter { $0.hasPrefix(pool) }
            guard !names.isEmpty else { return nil }
            let start = min(names.count - 1, Int(Double(names.count) * place))
            known = ArraySlice(names[start...] + names[..<start])
            misses = 0
        }
    }

    /// Takes a unit that this task had before a restart, or that an ended process of it left; nil where there is none.
    public func resume() throws(QueueError) -> Held? {
        for entry in try queue.entries([.running]) {
            guard let other = entry.task, other == task || Self.job(of: other) == Self.job(of: task) else { continue }
            let token = queue.path(of: entry.unit, .running, task: task)
            if other != task {
                guard try queue.mover.move(queue.path(of: entry.unit, .running, task: other), to: token) else {
                    continue
                }
            }
            return try held(entry.unit, token)
        }
        return nil
    }

    private func held(_ unit: String, _ token: String) throws(QueueError) -> Held {
        guard let content = FileManager.default.contents(atPath: token) else { throw QueueError(token, ENOENT) }
        POSIX.touch(token)
        return Held(unit: unit, task: task, content: content, token: token)
    }
}

extension UnitQueue {
    /// Touches the unit's file, which shows others that the task still works.
    ///
    /// - Returns: Whether the unit is still the task's.
    public func confirm(_ held: UnitWorker.Held) -> Bool { POSIX.touch(held.token) == 0 || errno != ENOENT }

    /// Puts a unit back into the queue for another task.
    public func giveBack(_ held: UnitWorker.Held) throws(QueueError) {
        try note(held.unit, .givenBack(task: held.task))
        try leave(held, for: .todo)
    }

    /// Records that all of a unit is done.
    public func complete(_ held: UnitWorker.Held) throws(QueueError) { try leave(held, for: .done) }

    /// Records that a unit cannot be done, and why.
    public func fail(_ held: UnitWorker.Held, reason: String) throws(QueueError) {
        try note(held.unit, .failed(task: held.task, reason: reason))
        try leave(held, for: .failed)
    }

    private func leave(_ held: UnitWorker.Held, for state: State) throws(QueueError) {
        try leave(held.token, unit: held.unit, for: state)
    }

    /// Moves a unit that runs; where another task has taken it over and moved it already, nothing is done.
    private func leave(_ token: String, unit: String, for state: State) throws(QueueError) {
        let code = mover.rename(token, path(of: unit, state))
        guard code == 0 || code == ENOENT || code == ESTALE else { throw QueueError(token, code) }
    }

    // MARK: Units of ended tasks

    /// Puts units back whose tasks ended without recording it; a unit at which more tasks ended than its retries allow
    /// fails.
    ///
    /// - Parameters:
    ///   - isAlive: Whether a task still works.
    ///   - retries: How often a unit is tried again, from its content.
    ///   - logTail: The last lines of the task's log, for the reason of a failure.
    /// - Returns: The units given back, and those that failed.
    @discardableResult
    public func reclaim(
        isAlive: (_ task: String) -> Bool, retries: (Data) -> Int, logTail: (_ task: String) -> String
    ) throws(QueueError) -> (back: [String], failed: [String]) {
        var (back, failed): ([String], [String]) = ([], [])
        for entry in try entries([.running]) {
            guard let task = entry.task, !isAlive(task) else { continue }
            let allowed = content(of: entry).map(retries) ?? 0
            let goesOn = try recordDeath(of: task, at: entry.unit, retries: allowed) {
                let words = logTail(task)
                return words.isEmpty ? "" : "; the last one wrote:\n" + words
            }
            if goesOn { back.append(entry.unit) } else { failed.append(entry.unit) }
        }
        return (back, failed)
    }

    /// Attempts that a unit has at least where tasks lose a process, which is mostly caused by the machine.
    package static let attemptsAtLosses = 4

    /// Records that a task lost one of its processes and stops: the unit waits for another attempt, or fails.
    ///
    /// - Parameter retries: How often the unit is tried again at least.
    public func recordLostProcess(_ held: UnitWorker.Held, retries: Int, reason: String) throws(QueueError) {
        _ = try recordDeath(of: held.task, at: held.unit, retries: max(retries, Self.attemptsAtLosses - 1)) {
            "; the last one lost a process: " + reason
        }
    }

    /// - Returns: Whether the unit is tried again; it fails after more deaths than `retries`.
    private func recordDeath(
        of task: String, at unit: String, retries: Int, _ words: () -> String
    ) throws(QueueError) -> Bool {
        try note(unit, .died(task: task))
        let deaths = attempts(of: unit).count { if case .died = $0.end { true } else { false } }
        let goesOn = deaths <= retries
        let count = deaths == 1 ? "a task ended while it was" : "\(deaths) tasks ended while they were"
        if !goesOn { try note(unit, .failed(task: task, reason: count + " at it" + words())) }
        try leave(path(of: unit, .running, task: task), unit: unit, for: goesOn ? .todo : .failed)
        return goesOn
    }

    /// Seconds since the unit's file was last touched by its task, by the clock of the file system; nil where that
    /// cannot be read.
    public func idleSeconds(of entry: Entry) -> Double? {
        let probe = folder + "/.clock-\(getpid())"
        guard FileManager.default.createFile(atPath: probe, contents: nil) else { return nil }
        defer { POSIX.unlink(probe) }
        func time(_ path: String) -> Double? {
            FileFacts(at: path).map { Double($0.seconds) + Double($0.nanoseconds) / 1e9 }
        }
        guard let now = time(probe), let then = time(path(of: entry.unit, .running, task: entry.task)) else {
            return nil
        }
        return now - then
    }

    // MARK: Collecting

    /// Records that a unit's results are in the store, and removes what it kept them in.
    public func markCollected(_ unit: String) throws(QueueError) {
        let code = mover.rename(path(of: unit, .done), path(of: unit, .collected))
        guard code == 0 || code == ENOENT || code == ESTALE else { throw QueueError(path(of: unit, .done), code) }
    }
}
