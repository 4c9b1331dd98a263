import ArgumentParser
import Experiments
import Foundation
import Launchers
import Parallelism
import Runs
import SpecLanguage

/// The queue beside a store: reads the states of its tasks and merges results into the store.
struct QueueFolder {
    let queue: UnitQueue
    /// The folder of the store.
    let folder: String

    init(of folder: String) { (queue, self.folder) = (UnitQueue(at: folder + "/queue"), folder) }

    /// The queue beside the store that the options name, which need not be opened.
    init(_ options: StoreOptions) {
        self.init(of: (URL(fileURLWithPath: options.path).path as NSString).deletingLastPathComponent)
    }

    func unit(_ entry: UnitQueue.Entry) -> WorkUnit? {
        queue.content(of: entry).flatMap { try? WorkUnit(decoding: $0) }
    }

    /// A unit without the pool that it is for: equal work has an equal stem.
    static func stem(_ unit: String) -> String { String(unit.drop { $0 != "_" }.dropFirst()) }

    /// The settings of the tasks that a unit waits for.
    static func pool(_ unit: String) -> String { String(unit.prefix { $0 != "_" }) }

    /// Runs `body` while no other process changes the queue for this store.
    func exclusively<Value>(
        _ store: RunStore, _ interruption: Interruption = Interruption(), _ body: () throws -> Value
    ) throws -> Value {
        while true {
            guard case .acquired(let claim) = try store.claim("queue") else {
                try interruption.check()
                Thread.sleep(forTimeInterval: 0.1)
                continue
            }
            defer { try? store.release(claim) }
            return try body()
        }
    }

    // MARK: Engines

    /// Submissions that may have tasks, by the engine that has them.
    private func engines() -> [(launcher: any Launcher, submissions: [Submission])] {
        let groups = Dictionary(grouping: queue.submissions()) { $0.settings.name ?? "local" }
        return groups.values.compactMap { submissions in
            guard let launcher = try? submissions.last?.settings.launcher() else { return nil }
            return (launcher, submissions)
        }
    }

    /// The states of all tasks, from their engines.
    ///
    /// - Returns: nil where an engine does not answer: then no task's state is known.
    func tasks() -> [TaskState]? {
        var states: [TaskState] = []
        for (launcher, submissions) in engines() {
            guard let known = try? launcher.tasks(of: submissions) else { return nil }
            states += known
        }
        return states
    }

    /// - Throws: A usage error where nothing was ever queued.
    func refuseMissing(beside store: String) throws {
        guard !queue.exists else { return }
        throw ValidationError("there is no queue beside \(store); sgmse run SPEC --launcher slurm makes one")
    }

    /// Whether tasks for the units of a pool run or wait; true also where that is not known.
    func hasTasks(in pool: String) throws -> Bool {
        let own = queue.submissions().filter { $0.settings.pool == pool && !$0.isCancelled }
        guard let settings = own.last?.settings else { return false }
        guard let states = try? settings.launcher().tasks(of: own) else { return true }
        if states.contains(where: { $0.isLive && $0.reason != "collects" }) { return true }
        // Of the tasks of a command only their submission and their running units are known.
        guard settings.name == "command", let last = own.last else { return false }
        let isFresh = Date().timeIntervalSince(last.time) < CommandLauncher.idleLimit
        return try isFresh || queue.entries([.running]).contains { Self.pool($0.unit) == pool }
    }

    /// Puts the units of tasks that ended without recording it back into the queue, or fails them.
    func reclaim() throws {
        let running = try queue.entries([.running])
        guard !running.isEmpty, let states = tasks() else { return }
        let owners = running.reduce(into: [String: any Launcher]()) { owners, entry in
            guard let task = entry.task else { return }
            owners[task] = try? job(of: task).flatMap { queue.submission($0)?.settings }?.launcher()
        }
        let idleSeconds = running.reduce(into: [String: Double]()) { idleSeconds, entry in
            if let task = entry.task { idleSeconds[task] = queue.idleSeconds(of: entry) }
        }
        try queue.reclaim(
            isAlive: { task in
                owners[task]?.isAlive(task: task, idleSeconds: idleSeconds[task], among: states) ?? true
            },
            retries: { (try? WorkUnit(decoding: $0))?.retries ?? 0 }, logTail: logTail)
    }

    /// The submission that a task belongs to, as the task itself recorded it.
    private func job(of task: String) -> String? {
        try? queue.entries([.running]).first { $0.task == task }.flatMap {
            TaskRecord(in: queue.workFolder(of: $0.unit))?.job
        }
    }

    /// The last lines of a task's log.
    private func logTail(of task: String) -> String {
        guard let job = job(of: task) else { return "" }
        let base = String(task[..<(task.lastIndex(of: "-") ?? task.endIndex)])
        return Self.lastLines(of: queue.jobsFolder + "/\(job)/\(base).log")
    }

    static func lastLines(of file: String, _ count: Int = 10) -> String {
        guard let handle = FileHandle(forReadingAtPath: file) else { return "" }
        defer { try? handle.close() }
        let size = (try? handle.seekToEnd()) ?? 0
        try? handle.seek(toOffset: size > 8192 ? size - 8192 : 0)
        let text = String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").suffix(count).joined(separator: "\n")
    }

    // MARK: Collecting

    struct Collected {
        var units = 0
        var failed: [(title: String, reason: String)] = []
        var added = TransferSummary()
    }

    /// Merges what is done into the store. A repeated call after an interruption adds nothing twice. To be
    /// called within ``exclusively(_:_:_:)``.
    func collect(into store: RunStore, _ interruption: Interruption = Interruption()) throws -> Collected {
        var all = Collected()
        for entry in try queue.entries([.done, .failed]) {
            try interruption.check()
            let summary = try UnitStore.collect(from: queue.workFolder(of: entry.unit), into: store)
            if let summary {
                all.added.runs += summary.runs
                all.added.evaluations += summary.evaluations
                all.added.scores += summary.scores
            }
            if entry.state == .done {
                try queue.markCollected(entry.unit)
                all.units += 1
            } else if let unit = unit(entry), let reason = queue.failure(of: entry.unit) {
                if summary != nil { try recordFailure(of: unit, reason, in: store) }
                all.failed.append((unit.title, reason))
            }
        }
        return all
    }

    /// Takes the units that wait in some pools out of the queue; what they did so far goes to the store. To be
    /// called within ``exclusively(_:_:_:)``.
    ///
    /// - Returns: How many they were.
    func withdraw(_ pools: Set<String>, into store: RunStore) throws -> Int {
        let waiting = try queue.entries([.todo]).filter { pools.contains(Self.pool($0.unit)) }
        for entry in waiting {
            try UnitStore.collect(from: queue.workFolder(of: entry.unit), into: store)
            try queue.withdraw(entry.unit)
        }
        return waiting.count
    }

    /// Records the failure of runs whose tasks ended before they could record it.
    private func recordFailure(of unit: WorkUnit, _ reason: String, in store: RunStore) throws {
        for id in unit.shortIDs {
            let run = try store.run(named: id)
            guard [.planned, .interrupted].contains(run.status) else { continue }
            try store.end(run.id, as: .failed, reason: reason)
        }
    }
}

/// Which task works on a unit, written by the task beside the unit's store.
struct TaskRecord: Codable {
    var job: String
    var task: String
    var host: String
    var since: Date

    private static func file(in work: String) -> String { work + "/task.json" }

    init(job: String, task: String) {
        (self.job, self.task, since) = (job, task, Date())
        host = ProcessInfo.processInfo.hostName
    }

    init?(in work: String) {
        guard let data = FileManager.default.contents(atPath: Self.file(in: work)),
            let known = try? JSONDecoder().decode(TaskRecord.self, from: data)
        else { return nil }
        self = known
    }

    func write(in work: String) throws {
        try? FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
        try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: Self.file(in: work)), options: .atomic)
    }
}
