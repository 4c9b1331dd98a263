import Experiments
import Failures
import Foundation
import Launchers
import Parallelism
import Progress
import Runs
import Specs
import Training

/// A spec whose pending steps are done by tasks elsewhere: planned and gated here, queued, submitted, watched,
/// collected.
struct ClusterRun {
    let loaded: LoadedSpec
    let store: RunStore
    let settings: LaunchSettings
    let options: LaunchOptions
    /// Options of a task's and of the collecting command, and of a task's alone.
    let shared: [String]
    let taskOptions: [String]
    let corpora: String?
    let interruption: Interruption
    let progress: ProgressPrinter

    private var folder: QueueFolder { QueueFolder(of: store.folder) }
    private var queue: UnitQueue { folder.queue }

    /// What became of the spec.
    struct Outcome {
        var runs: [Run.ID]
        var done: Int
        var cached: Int
        var failed: Int
        /// Whether tasks still work after this command has ended.
        var isDetached = false
    }

    /// The spec's units in the queue.
    private struct Assignment {
        var runs: [Run.ID]
        var cached: [PlanStep]
        /// By name in the queue, which may be that of another pool.
        var units: Set<String>
    }

    /// Whether units wait, are worked on, or have results that are not collected.
    static func hasWork(beside store: RunStore) throws -> Bool {
        try !QueueFolder(of: store.folder).queue.entries([.todo, .running, .done]).isEmpty
    }

    func perform() throws -> Outcome {
        let launcher = try settings.launcher()
        if settings.gpusPerTask ?? 0 > 0, !taskOptions.contains("--device") {
            progress.message("the tasks ask for GPUs and compute on the processor; give --device cuda or SGMSE_DEVICE")
        }
        if options.dryRun { return try preview(launcher) }
        let assignment = try folder.exclusively(store, interruption) { try assign(launcher) }
        for step in assignment.cached { progress.show(.planned(step)) }
        guard !options.detach, !assignment.units.isEmpty else {
            let goesOn = !assignment.units.isEmpty
            if goesOn {
                progress.message("the tasks go on by themselves: sgmse queue lists them, the same command joins them")
            }
            return Outcome(
                runs: assignment.runs, done: 0, cached: assignment.cached.count, failed: 0, isDetached: goesOn)
        }
        return try watch(assignment)
    }

    /// Joins the tasks that are at this spec, where there are any.
    func joinIfQueued() throws -> Outcome? {
        let queued = try queue.entries([.todo, .running, .done]).compactMap(folder.unit)
        let runs = Set(queued.flatMap(\.shortIDs))
        let own = try executor.divide(loaded, for: 1).units
        let names = Set(queued.map(\.name))
        guard own.contains(where: { names.contains($0.name) || !runs.isDisjoint(with: $0.shortIDs) }) else {
            return nil
        }
        return try perform()
    }

    private var executor: Executor {
        let workspace = Workspace(store: store, corpora: corpora, commandLine: CommandLine.arguments)
        return Executor(workspace: workspace, interruption: interruption, observe: progress.show)
    }

    private func seed(name: String) -> String { "queue/seeds/\(name).sqlite" }

    // MARK: Submitting

    private func preview(_ launcher: any Launcher) throws -> Outcome {
        let division = try executor.divide(loaded, for: settings.jobs ?? Self.mostTasks)
        if division.units.isEmpty {
            progress.message("nothing is left to do")
        } else {
            for (settings, units) in kinds(of: division.units) {
                try emit(launcher.preview(try job(Self.jobName(of: loaded), settings, units: units.count)))
            }
            progress.message("\(division.units.count) units; nothing was submitted")
        }
        let cached = division.plan.steps.count { $0.state == .cached }
        return Outcome(runs: division.runs, done: 0, cached: cached, failed: 0, isDetached: true)
    }

    /// Plans, queues what no task has yet, and submits tasks for it. To be called while no other
    /// process changes the queue.
    private func assign(_ launcher: any Launcher) throws -> Assignment {
        if queue.exists {
            try folder.reclaim()
            _ = try folder.collect(into: store, interruption)
            let trainings = loaded.runs.map { taskSettings(for: WorkUnit.devices(of: $0.spec)).pool }
            let own = Set(trainings + [taskSettings().pool])
            let pools = Set(try queue.entries([.todo]).map { QueueFolder.pool($0.unit) }).subtracting(own)
            // Units of pools without tasks are taken out, and queued again for the tasks of this command.
            for pool in try pools.filter({ try !folder.hasTasks(in: $0) }) {
                _ = try folder.withdraw([pool], into: store)
            }
        }
        let division = try executor.divide(
            loaded, for: settings.jobs ?? Self.mostTasks, seed: seed(name: Self.jobName(of: loaded)))
        let active = try queue.entries([.todo, .running])
        let known = Dictionary(
            active.map { (QueueFolder.stem($0.unit), $0.unit) }, uniquingKeysWith: { first, _ in first })
        let others = division.units.compactMap { known[$0.name] }
        let fresh = division.units.filter { unit in
            known[unit.name] == nil && !Self.isShared(unit, among: Set(known.keys))
        }
        var (added, isJoined): ([String], Bool) = ([], true)
        for (settings, units) in kinds(of: division.units) {
            let names = Set(units.map(\.name))
            let own = try queue.add(
                fresh.filter { names.contains($0.name) }.map { ("\(settings.pool)_\($0.name)", try $0.encoded()) })
            let waiting = try queue.entries([.todo]).count { QueueFolder.pool($0.unit) == settings.pool }
            let isIdle = try waiting > 0 && !folder.hasTasks(in: settings.pool)
            added += own
            guard !own.isEmpty || isIdle else { continue }
            isJoined = false
            try submit(settings, units: own.isEmpty ? waiting : own.count, by: launcher)
        }
        if isJoined, !others.isEmpty {
            progress.message("\(others.count) units are in the queue already; this command joins their tasks")
        }
        return Assignment(
            runs: division.runs, cached: division.plan.steps.filter { $0.state == .cached }.map(\.summary),
            units: Set(added + others))
    }

    /// Units by the settings of the tasks that do them: as many processes as a training has devices, or as were
    /// asked for.
    private func kinds(of units: [WorkUnit]) -> [(settings: LaunchSettings, units: [WorkUnit])] {
        Dictionary(grouping: units) { taskSettings(for: $0.devices) }
            .sorted { $0.key.processes ?? 1 < $1.key.processes ?? 1 }.map { ($0.key, $0.value) }
    }

    /// The settings of tasks for trainings of so many devices, and batches in a step: each process has one at least.
    private func taskSettings(for devices: (count: Int, batches: Int) = (1, 1)) -> LaunchSettings {
        var own = settings
        let wanted = settings.processes ?? (settings.name == "slurm" ? devices.count : 1)
        let processes = min(wanted, devices.batches, LaunchSettings.mostProcesses)
        own.processes = processes > 1 ? processes : nil
        return own
    }

    /// Whether another division of the same evaluation by files is in the queue.
    private static func isShared(_ unit: WorkUnit, among stems: Set<String>) -> Bool {
        let whole = { (name: String) in name.split(separator: "-").prefix(2).joined(separator: "-") }
        return unit.name.hasPrefix("score-")
            && stems.contains { $0.hasPrefix("score-") && whole($0) == whole(unit.name) }
    }

    private func submit(_ settings: LaunchSettings, units: Int, by launcher: any Launcher) throws {
        let name = Self.jobName(of: loaded)
        let job = try job(name, settings, units: units)
        var submission = Submission(name: name, settings: settings, spec: loaded.file, tasks: job.tasks)
        try queue.save(submission)
        do {
            try staged?.copy()
            submission.ids = try launcher.submit(job)
        } catch {
            // The next command need not wait for tasks of this job; what it may have started does its units all the
            // same.
            submission.isCancelled = true
            try queue.save(submission)
            throw error
        }
        try queue.save(submission)
        let ids = submission.ids.joined(separator: ", ")
        let team = settings.processes.map { " of \($0) processes each" } ?? ""
        progress.message("\(counted(units, "unit")) for \(counted(job.tasks, "task"))\(team): job \(name) (\(ids))")
    }

    /// Unique, and short enough for every engine.
    private static func jobName(of loaded: LoadedSpec) -> String {
        let safe = loaded.spec.name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) ? $0 : "-" }
        return "sgmse-" + String(safe.prefix(40)) + "-" + String(UInt32.random(in: .min ... .max), radix: 36)
    }

    /// Without `--jobs`, as many tasks as units up to this.
    private static let mostTasks = 64

    private func job(_ name: String, _ settings: LaunchSettings, units: Int) throws -> Job {
        let folder = queue.jobsFolder + "/" + name
        let program = try staged?.path ?? Self.program
        let task = [program, "task", "--job", name, "--pool", settings.pool] + shared + taskOptions
        return Job(
            name: name, tasks: max(1, min(settings.jobs ?? Self.mostTasks, units)),
            project: FileManager.default.currentDirectoryPath,
            folder: folder, task: task, collect: [program, "collect"] + shared, settings: settings)
    }

    /// The copy of this program that nodes run, where they are to have one.
    private var staged: StagedProgram? {
        get throws {
            guard settings.stageBinary == true else { return nil }
            return try StagedProgram([Self.program] + DeviceOptions.libraries, beside: queue.folder)
        }
    }

    private static var program: String {
        get throws { try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") }
    }

    // MARK: Watching

    /// Shows the tasks' progress and collects what they finish, until nothing of this spec is left.
    private func watch(_ assignment: Assignment) throws -> Outcome {
        var reader = QueueProgress(of: queue)
        // Units that were begun when the queue was last read: what they wrote at their end is read once more.
        var known: Set<String> = []
        var failed: [String: String] = [:]
        var lastLook = ContinuousClock.now
        // A unit that moves while the folders are read may be overlooked once.
        var looksWithoutWork = 0
        while looksWithoutWork < 2 {
            guard !interruption.isRequested else {
                progress.finish()
                printError("the tasks go on; the same command joins them, sgmse cancel ends them")
                throw Interrupted()
            }
            let open = try queue.entries([.todo, .running, .done, .failed]).filter {
                assignment.units.contains($0.unit)
            }
            let begun = Set(open.filter { $0.state != .todo }.map(\.unit))
            for event in reader.newEvents(of: begun.union(known).sorted()) { progress.show(event) }
            known = begun
            if open.contains(where: { $0.state == .done || $0.state == .failed && failed[$0.unit] == nil }) {
                _ = try folder.exclusively(store, interruption) { try folder.collect(into: store, interruption) }
            }
            for entry in open where entry.state == .failed && failed[entry.unit] == nil {
                failed[entry.unit] = queue.failure(of: entry.unit) ?? "it failed"
                progress.message("✗ \(folder.unit(entry)?.title ?? entry.unit): \(failed[entry.unit] ?? "")")
            }
            let pending = open.filter { $0.state == .todo || $0.state == .running }
            looksWithoutWork = pending.isEmpty && !open.contains { $0.state == .done } ? looksWithoutWork + 1 : 0
            if !pending.isEmpty, ContinuousClock.now - lastLook > .seconds(Self.look) {
                lastLook = .now
                try folder.exclusively(store, interruption) { try folder.reclaim() }
                let isStuck = try pending.allSatisfy {
                    try $0.state == .todo && !folder.hasTasks(in: QueueFolder.pool($0.unit))
                }
                if isStuck { throw NoTasks(units: pending.count) }
            }
            Thread.sleep(forTimeInterval: Self.pause)
        }
        for event in reader.newEvents(of: assignment.units.sorted()) { progress.show(event) }
        let board = progress.board
        return Outcome(
            runs: assignment.runs, done: board.done.count, cached: assignment.cached.count, failed: failed.count)
    }

    /// Seconds between two readings of the queue, and of the engine's tasks.
    private static let (pause, look) = (1.0, 10.0)
}

/// Units wait, and no task is left that could take them.
struct NoTasks: Diagnostic, Hashable, Sendable {
    var units: Int

    var summary: String { "no task is left, and \(units == 1 ? "1 unit waits" : "\(units) units wait") for one" }
    var category: FailureCategory { .work }
    var hint: String? {
        "the logs of the tasks lie in queue/jobs beside the store; the same command submits new tasks"
    }
}
