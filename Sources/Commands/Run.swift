public import ArgumentParser
import Collectives
import Experiments
import Foundation
import Kernels
import Launchers
import Models
import Parallelism
import Progress
public import Reports
import Runs
import Specs
import SpeechMetrics
import Training

/// `sgmse run`: performs the steps of a spec that are not done yet.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Train and evaluate what a spec asks for, as far as it is not done yet.",
        discussion: """
            Every step says why it is done or passed over. Ctrl-C keeps what was done; the same command goes on. The \
            same command given twice at once shares the work; --jobs does so with processes of its own.

            --launcher slurm does the work by tasks of a cluster: the plan is made here, divided into units, and \
            submitted as a job array of --jobs tasks. A training of N devices is done by a task of N processes, unless \
            --processes says another number. Flags come before SGMSE_LAUNCHER, then the section launcher of the spec, \
            of sgmse.yaml in this folder, and of ~/.config/sgmse/config.yaml. --launcher local works with processes of \
            this machine.
            """)

    @OptionGroup var spec: SpecOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var corpora: CorpusOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var batch: SamplingBatchOptions
    @OptionGroup var precision: PrecisionOptions
    @OptionGroup var processes: ProcessOptions

    @Option(help: "Processes side by side, which share the threads; with a launcher, tasks.", in: 1...100_000)
    var jobs: Int?

    @OptionGroup(title: "Cluster") var launch: LaunchOptions

    @Option(
        help: ArgumentHelp(
            "Write tensorboard, csv or jsonl files in the runs' folders as they train; may be repeated.",
            valueName: "format"))
    var log: [ExportFormat] = []

    @Flag(help: "Print no table at the end.")
    var noTable = false

    @Flag(help: .hidden)
    var worker = false

    @Option(help: .hidden, in: 0...1e12)
    var began: Double?

    @Option(help: .hidden)
    var commandLine: String?

    func run() throws {
        try threads.apply()
        try batch.apply()
        if !worker, let team = try ProcessTeam.follower(processes) {
            try device.apply(in: team, spec: spec.device)
            return try team.follow(processes)
        }
        let loaded = try load()
        let named = try spec.device(of: loaded)
        guard !worker else {
            try device.apply(spec: named)
            return try work(loaded)
        }
        let settings = try launchSettings(of: loaded)
        let jobs = try localJobs(settings)
        // This machine only submits what others compute.
        let isElsewhere = isElsewhere(settings)
        let team = try isElsewhere ? nil : ProcessTeam(processes)
        if isElsewhere { try device.check(spec: named) } else { try device.apply(in: team, spec: named) }
        // Machines of a cluster are not like the one that submits.
        if settings.name == nil || settings.name == "local" {
            for run in loaded.runs {
                try run.spec.checkPrecision()
                try MemoryNeed(ofTraining: run.spec)?.check()
            }
        }
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        defer { signals.stop() }
        defer { team?.finish() }
        let together = try team?.join(processes)
        defer { together?.endProcesses() }
        let opened = try store.open(.readWrite)
        let elsewhere = try cluster(loaded, opened, settings, interruption)
        let progress = elsewhere?.progress ?? ProgressPrinter(jobs: jobs)
        let outcome =
            try elsewhere?.outcome
            ?? (jobs == 1
                ? alone(loaded, opened, together, interruption, signals, progress)
                : sideBySide(loaded, opened, jobs, interruption, signals, progress))
        progress.finish()
        guard !outcome.isDetached else { return }
        try conclude(outcome, opened)
    }

    /// The spec, with what flags say of its settings.
    private func load() throws -> LoadedSpec {
        let formats = log.map(\.rawValue).joined(separator: ", ")
        let precisions = precision.precision.map { ["train.precision=\($0)", "evaluate.precision=\($0)"] } ?? []
        return try spec.load(adding: (formats.isEmpty ? [] : ["train.log=[\(formats)]"]) + precisions)
    }

    private func conclude(_ outcome: Outcome, _ store: RunStore) throws {
        // Where the table cannot be written, the summary is still printed.
        let table = Result { if !noTable { try showTable(of: outcome.runs, in: store) } }
        printError(
            """
            \(outcome.done) steps done, \(outcome.cached) cached, \(outcome.failed) failed
            store        \(store.path)
            """)
        for run in try store.runs(outcome.runs) {
            printError(
                """
                run          \(run.name) (\(run.shortID))
                  audio        \(store.folder)/\(run.folder)/audio
                  checkpoints  \(store.folder)/\(run.folder)/checkpoints
                """)
        }
        try table.get()
        if outcome.failed > 0 { throw ExitCode(1) }
    }

    private func showTable(of runs: [Run.ID], in store: RunStore) throws {
        let options = ComparisonReport.Options(unfloored: Catalog.standard.metrics.unfloored)
        let report = try ComparisonReport(of: runs, in: store, options: options)
        try emit(report.table)
        try emit("")
    }

    /// What came of the steps of all processes.
    private typealias Outcome = ClusterRun.Outcome

    // MARK: Tasks elsewhere

    private func launchSettings(of loaded: LoadedSpec) throws -> LaunchSettings {
        var settings = try launch.settings(of: loaded)
        (settings.jobs, settings.processes) = (jobs ?? settings.jobs, processes.processes ?? settings.processes)
        if launch.isForSlurm, settings.name != "slurm" {
            throw ValidationError(
                "--partition, --gpus-per-task, --cpus-per-task, --time, --account and --sbatch are for --launcher slurm"
            )
        }
        return settings
    }

    /// Processes of this command where no launcher starts others.
    private func localJobs(_ settings: LaunchSettings) throws -> Int {
        guard settings.name == nil || settings.name == "local" else { return 1 }
        // Settings of a file for another launcher's tasks do not apply to this machine.
        let jobs = jobs ?? (launch.launcher == nil ? settings.jobs : nil) ?? 1
        guard jobs <= 256 else { throw ValidationError("--jobs \(jobs): this machine takes 256 processes at most") }
        guard jobs == 1 || processes.processes ?? 1 == 1 else {
            throw ValidationError("--jobs shares out runs, --processes one run; give one of them")
        }
        return jobs
    }

    /// Whether tasks of a launcher do the work.
    private func isElsewhere(_ settings: LaunchSettings) -> Bool {
        settings.name.map { $0 != "local" || launch.detach || launch.dryRun } ?? false
    }

    /// Performs the steps by tasks of a launcher, or joins tasks that work on them; nil where this process does.
    private func cluster(
        _ loaded: LoadedSpec, _ opened: RunStore, _ settings: LaunchSettings, _ interruption: Interruption
    ) throws -> (outcome: Outcome, progress: ProgressPrinter)? {
        let isElsewhere = isElsewhere(settings)
        guard try isElsewhere || ClusterRun.hasWork(beside: opened) else {
            guard !launch.detach, !launch.dryRun else {
                throw ValidationError("--detach and --dry-run need a launcher: --launcher local, slurm or command")
            }
            return nil
        }
        var settings = settings
        if !isElsewhere, let last = QueueFolder(of: opened.folder).queue.submissions().last { settings = last.settings }
        let progress = ProgressPrinter(jobs: max(2, settings.jobs ?? 2))
        let run = ClusterRun(
            loaded: loaded, store: opened, settings: settings, options: launch,
            shared: ["--store", store.path, "--journal", store.journal.rawValue],
            taskOptions: try (corpora.folder.map { ["--corpora", $0] } ?? [])
                + (threads.threads.map { ["--threads", String($0)] } ?? [])
                + (threads.instructionSet.map { ["--instruction-set", $0.rawValue] } ?? [])
                + device.arguments(in: spec.device(of: loaded)) + batch.arguments() + processes.engineArguments,
            corpora: corpora.folder, interruption: interruption, progress: progress)
        return try (isElsewhere ? run.perform() : run.joinIfQueued()).map { ($0, progress) }
    }

    private func alone(
        _ loaded: LoadedSpec, _ store: RunStore, _ team: TrainingTeam?, _ interruption: Interruption,
        _ signals: InterruptSignals,
        _ progress: ProgressPrinter
    ) throws -> Outcome {
        var workspace = Workspace(store: store, corpora: corpora.folder, commandLine: CommandLine.arguments)
        workspace.team = team
        let live = LiveLogs(loaded, store)
        let executor = Executor(workspace: workspace, interruption: interruption) { event in
            signals.handle(event)
            progress.show(event)
            live.handle(event)
        }
        let summary = try executor.execute(loaded)
        return Outcome(runs: summary.runs, done: summary.done, cached: summary.cached, failed: summary.failed.count)
    }

    // MARK: Processes side by side

    private func sideBySide(
        _ loaded: LoadedSpec, _ store: RunStore, _ jobs: Int, _ interruption: Interruption, _ signals: InterruptSignals,
        _ progress: ProgressPrinter
    ) throws -> Outcome {
        let workspace = Workspace(store: store, corpora: corpora.folder, commandLine: CommandLine.arguments)
        try Executor(workspace: workspace, interruption: interruption, observe: progress.show).prepare(loaded)
        let began = Date().timeIntervalSince1970
        var fixed = ["run", spec.spec, "--store", store.path, "--journal", store.journal.rawValue]
        for override in spec.overrides { fixed += ["--set", override] }
        for format in log { fixed += ["--log", format.rawValue] }
        if let profile = spec.profile { fixed += ["--profile", profile] }
        if let set = threads.instructionSet { fixed += ["--instruction-set", set.rawValue] }
        if let precision = precision.precision { fixed += ["--precision", precision.rawValue] }
        fixed += try ["--device", device.name(in: spec.device(of: loaded))] + batch.arguments()
        if let folder = corpora.folder { fixed += ["--corpora", folder] }
        fixed += ["--worker", "--began", String(began), "--command-line", CommandLine.arguments.joined(separator: " ")]
        let common = fixed
        let pool = WorkerPool(
            executable: "/proc/self/exe", jobs: jobs, threads: Engine.threads, interruption: interruption,
            arguments: { common + ["--threads", String($0)] }, observe: progress.show, report: progress.message)
        signals.wait(true)
        let codes = pool.run()
        signals.wait(false)
        progress.finish()
        // What concerns all runs alike outweighs the failure of one.
        if let code = [5, 2, 3, 130].first(where: codes.contains) {
            if code == 130 { throw Interrupted() }
            throw ExitCode(code)
        }
        let board = progress.board
        let runs = try board.lines.map { try store.run(named: $0.shortID).id }
        let isUnfinished = codes.contains { $0 != 0 && $0 != 1 }
        return Outcome(
            runs: runs, done: board.done.count, cached: board.cached,
            failed: max(board.failed.count, isUnfinished ? 1 : 0))
    }

    /// One of several processes: sends its events to the parent, and stops when the parent ends.
    private func work(_ loaded: LoadedSpec) throws {
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        signals.ignoreSignals()
        Thread.detachNewThread {
            while let data = try? FileHandle.standardInput.read(upToCount: 1), !data.isEmpty {}
            InterruptSignals.request()
        }
        let store = try store.open(.readWrite)
        let workspace = Workspace(
            store: store, corpora: corpora.folder, commandLine: commandLine.map { [$0] } ?? CommandLine.arguments)
        let live = LiveLogs(loaded, store)
        let executor = Executor(
            workspace: workspace, interruption: interruption,
            began: began.map(Date.init(timeIntervalSince1970:)) ?? Date()
        ) { event in
            signals.handle(event)
            live.handle(event)
            guard let line = event.line else { return }
            try? emitData(line, terminator: "\n")
        }
        let summary = try executor.execute(loaded)
        signals.stop()
        if !summary.failed.isEmpty { throw ExitCode(1) }
    }
}

extension InterruptSignals {
    /// A training's step is waited for, so that its state can be saved behind it.
    fileprivate func handle(_ event: ExperimentEvent) {
        switch event {
        case .trainingStarted: wait(true)
        case .finished(let step) where step.kind == .train: wait(false)
        case .failed(let step, _) where step.kind == .train: wait(false)
        default: break
        }
    }
}

extension ExportFormat: ExpressibleByArgument {}
