import ArgumentParser
import Collectives
import Experiments
import Failures
import Foundation
import Launchers
import Logging
import Parallelism
import Progress
import Runs
import Synchronization
import Training

/// `sgmse task`: what a job of a cluster runs: takes units from the queue until none is left.
struct TaskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task",
        abstract: "Take units from the queue of a store until none is left; started by a launcher.",
        shouldDisplay: false)

    @OptionGroup var store: StoreOptions
    @OptionGroup var corpora: CorpusOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var batch: SamplingBatchOptions
    @OptionGroup var processes: ProcessOptions

    @Option(help: "The name of the job.")
    var job: String

    @Option(help: "What the names of its units begin with.")
    var pool: String

    @Flag(help: "The processes of the task could not be started; ask for another start.")
    var unstarted = false

    @Flag(help: "The processes of the task were killed; ask for another start.")
    var killed = false

    func run() throws {
        guard let task = environmentVariable("SGMSE_TASK"), !task.isEmpty, !task.contains("/") else {
            throw ValidationError(
                "a launcher starts sgmse task, and its script sets SGMSE_TASK; give sgmse run SPEC --launcher slurm")
        }
        let start = TaskStart(of: task, in: QueueFolder(store).queue.jobsFolder + "/" + job)
        guard !killed else { return try startAgain(afterLossOf: task) }
        guard !unstarted else { return try startAgain(start) }
        let team: ProcessTeam?
        do {
            try threads.apply()
            try batch.apply()
            team = try ProcessTeam(processes)
            try device.apply(in: team)
        } catch {
            // Another attempt would end in the same way.
            start.isOver()
            throw error
        }
        if let team, team.place.rank > 0 { return try team.follow(processes) }
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        signals.wait(true)
        signals.ignoreRepeatedSignals()
        defer { team?.finish() }
        let together = try team?.join(processes)
        start.isOver()
        defer { together?.endProcesses() }
        let queue = QueueFolder(store)
        var worker = UnitWorker(queue.queue, task: task, pool: pool, place: place)
        var failed = 0
        while !interruption.isRequested, let held = try worker.next() {
            let execution = UnitExecution(held, in: queue, job: job, corpora: corpora.folder, together, interruption)
            switch try execution.perform() {
            case .done: break
            case .failed: failed += 1
            case .lost(let failure):
                requestRestart(queue.queue, task)
                throw failure
            case .interrupted:
                if execution.isStillHeld { requestRestart(queue.queue, task) }
                throw Interrupted()
            }
        }
        // The signal came between two units.
        guard !interruption.isRequested else {
            requestRestart(queue.queue, task)
            throw Interrupted()
        }
        signals.stop()
        if failed > 0 { throw ExitCode(1) }
    }

    /// Requests another start of a task whose processes did not find each other, and puts its unit back into the queue.
    private func startAgain(_ start: TaskStart) throws {
        let queue = QueueFolder(store).queue
        let worker = UnitWorker(queue, task: start.task)
        while let held = try worker.resume() { try queue.giveBack(held) }
        guard start.mayBeTriedAgain() else {
            throw LaunchError(
                "the processes of task \(start.task) could not be started in \(TaskStart.most) starts of it",
                hint: "its log says why; the units that wait are done by other tasks, or those of the next sgmse run")
        }
        requestRestart(queue, start.task)
        throw Interrupted()
    }

    /// Requests another start of a task whose processes were killed, as they are by MPI's launcher when one is lost.
    private func startAgain(afterLossOf task: String) throws {
        let queue = QueueFolder(store).queue
        let worker = UnitWorker(queue, task: task)
        while let held = try worker.resume() {
            let retries = (try? WorkUnit(decoding: held.content))?.retries ?? 0
            try queue.recordLostProcess(held, retries: retries, reason: "all its processes were killed")
        }
        requestRestart(queue, task)
        throw Interrupted()
    }

    /// Requests another start of the task, unless a person cancelled the job.
    private func requestRestart(_ queue: UnitQueue, _ task: String) {
        guard let submission = queue.submission(job), !submission.isCancelled else { return }
        try? submission.settings.launcher().startAgainLater(task: task)
    }

    /// Where in the list of units the task begins, from "3/8".
    private var place: Double {
        let numbers = (environmentVariable("SGMSE_TASK_PLACE") ?? "").split(separator: "/").compactMap { Double($0) }
        guard numbers.count == 2, numbers[1] > 0 else { return 0 }
        return min(max(numbers[0] / numbers[1], 0), 1)
    }
}

/// The work of one task on one unit: performs it, shows that the task still works, and records how it ended.
private final class UnitExecution: Sendable {
    enum Outcome {
        case done, failed, interrupted
        case lost(GroupFailure)
    }

    private let held: UnitWorker.Held
    private let folder: QueueFolder
    private let job: String
    private let corpora: String?
    private let team: TrainingTeam?
    private let interruption: Interruption
    private let state = Mutex((isOver: false, isLost: false))
    private let lastWritten = Mutex([String: ContinuousClock.Instant]())

    /// Seconds between two touches of the unit's file; each also checks whether another task has taken the unit over.
    private static let touchInterval = 10.0
    /// Between two lines about the same long step.
    private static let interval = Duration.seconds(5)

    init(
        _ held: UnitWorker.Held, in folder: QueueFolder, job: String, corpora: String?, _ team: TrainingTeam?,
        _ interruption: Interruption
    ) {
        (self.held, self.folder, self.job, self.corpora, self.team) = (held, folder, job, corpora, team)
        self.interruption = interruption
    }

    private var queue: UnitQueue { folder.queue }
    private var work: String { queue.workFolder(of: held.unit) }
    /// Whether no other task took the unit over.
    var isStillHeld: Bool { !state.withLock(\.isLost) }

    func perform() throws -> Outcome {
        do {
            let unit = try WorkUnit(decoding: held.content)
            printError("\(unit.title) (\(held.unit))")
            let attempts = queue.attempts(of: held.unit).count
            Logger(label: "sgmse.task").debug("task \(held.task) holds \(held.unit); earlier attempts: \(attempts)")
            try TaskRecord(job: job, task: held.task).write(in: work)
            watch()
            defer { state.withLock { $0.isOver = true } }
            let failures = try perform(unit)
            guard let (step, reason) = failures.first else {
                try queue.complete(held)
                return .done
            }
            return try fail(unit, "\(step.title): \(reason)")
        } catch is Interrupted {
            if isStillHeld { try queue.giveBack(held) }
            return .interrupted
        } catch let failure as GroupFailure {
            let retries = (try? WorkUnit(decoding: held.content))?.retries ?? 0
            try queue.recordLostProcess(held, retries: retries, reason: failure.description)
            return .lost(failure)
        } catch let error where FailureCategory(of: error) == .machine {
            try? queue.giveBack(held)
            throw error
        } catch {
            return try fail(nil, "\(error)")
        }
    }

    private func perform(_ unit: WorkUnit) throws -> [(step: PlanStep, reason: String)] {
        let store = try UnitStore.open(unit, in: work, folder: folder.folder)
        defer { try? store.close() }
        var workspace = Workspace(store: store, corpora: corpora, commandLine: CommandLine.arguments)
        workspace.team = team
        let live = LiveLogs(unit.logs, store)
        let executor = Executor(workspace: workspace, interruption: interruption) { [self] event in
            write(event)
            live.handle(event)
        }
        return try executor.perform(unit).failed
    }

    private func fail(_ unit: WorkUnit?, _ reason: String) throws -> Outcome {
        let log = QueueFolder.lastLines(of: work + "/log.txt")
        printError("✗ \(unit?.title ?? held.unit): \(reason)")
        try queue.fail(held, reason: reason + (log.isEmpty ? "" : "\nlast lines of its log:\n" + log))
        return .failed
    }

    /// Touches the unit's file, and stops the work where another task has taken the unit over.
    private func watch() {
        Thread.detachNewThread { [self] in
            while !state.withLock(\.isOver) {
                if !queue.confirm(held) {
                    state.withLock { $0.isLost = true }
                    printError("another task took \(held.unit) over; this one stops")
                    return interruption.request()
                }
                Thread.sleep(forTimeInterval: Self.touchInterval)
            }
        }
    }

    /// Appends an event to the unit's files, from which the commands that watch the queue read it.
    private func write(_ event: ExperimentEvent) {
        switch event {
        case .trained(let run, let progress) where progress.step < progress.of: guard isTime("t" + run) else { return }
        case .evaluated(let run, _, _, let done, let total, _) where done < total:
            guard isTime("e" + run) else { return }
        default: break
        }
        if let line = event.line { try? queue.append(Data((line + "\n").utf8), to: work + "/events.jsonl") }
        guard let text = event.text else { return }
        printError(text)
        try? queue.append(Data((text + "\n").utf8), to: work + "/log.txt")
    }

    private func isTime(_ key: String) -> Bool {
        lastWritten.withLock { last in
            if let known = last[key], ContinuousClock.now - known < Self.interval { return false }
            last[key] = .now
            return true
        }
    }
}
