import ArgumentParser
import Collectives
import Experiments
import Foundation
import Kernels
import Launchers
import Models
import Parallelism
import Training

/// How many processes train together, and by which engine.
struct ProcessOptions: ParsableArguments {
    enum Engine: String, CaseIterable, ExpressibleByArgument { case tcp, mpi, nccl }

    @Option(
        help: ArgumentHelp(
            """
            Processes that train one run together, on its devices (train.devices) or shares of the cores. Under \
            mpirun, srun and torchrun the launcher says how many; --launcher slurm starts one for each device.
            """,
            valueName: "count"), in: 1...LaunchSettings.mostProcesses)
    var processes: Int?

    @Option(
        help: ArgumentHelp(
            "How they exchange gradients: tcp, or mpi or nccl with the library of scripts/collective-plugin.",
            valueName: "engine"))
    var collective: Engine = .tcp

    /// The option for another process.
    var engineArguments: [String] { collective == .tcp ? [] : ["--collective", collective.rawValue] }
}

/// The processes that train one run together; each of them has such an object.
final class ProcessTeam {
    let place: GroupPlace
    private var children: [Process] = []
    /// Whether this process has started the others.
    private var isLauncher = false

    /// The place that a launcher gave, or rank 0 of as many processes as the options name; `nil` for a single process.
    ///
    /// - Throws: `GroupFailure` for options that contradict each other.
    init?(_ options: ProcessOptions) throws {
        if options.collective != .tcp { _ = try Self.library(of: options.collective.rawValue) }
        if let place = try GroupPlace(ProcessInfo.processInfo.environment) {
            self.place = place
            return
        }
        let count = options.processes ?? 1
        guard count > 1 else { return nil }
        guard options.collective != .mpi else {
            throw GroupFailure("--collective mpi needs MPI's launcher: mpirun -np \(count) sgmse run …")
        }
        let port = ProcessGroup.freePort
        guard port > 0 else { throw GroupFailure("this machine has no free port for --processes") }
        place = GroupPlace(rank: 0, count: count, port: port)
        isLauncher = true
    }

    /// This process where a launcher started it to follow another one; `nil` for all others.
    static func follower(_ options: ProcessOptions) throws -> ProcessTeam? {
        guard let place = try GroupPlace(ProcessInfo.processInfo.environment), place.rank > 0 else { return nil }
        return try ProcessTeam(options)
    }

    /// Gives every process of this machine its share of the threads; call it before a device is opened.
    func shareThreads() {
        let environment = ProcessInfo.processInfo.environment
        let named = ["LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"].compactMap {
            environment[$0].flatMap { Int($0) }
        }.first
        let here = isLauncher ? place.count : named ?? 1
        Engine.threads = max(1, Engine.threads / here + (place.localRank < Engine.threads % here ? 1 : 0))
    }

    /// Starts the other processes, where no launcher did, and connects to them.
    ///
    /// - Throws: `GroupFailure` where one of them does not connect.
    func join(_ options: ProcessOptions) throws -> TrainingTeam {
        if isLauncher { try start() }
        let group =
            try options.collective == .tcp
            ? ProcessGroup(tcp: place, timeout: Self.timeout)
            : ProcessGroup(library: Self.library(of: options.collective.rawValue), at: place, timeout: Self.timeout)
        try checkAlike(group)
        return TrainingTeam(group)
    }

    /// Seconds without a message after which a process counts as lost: `SGMSE_PATIENCE`, or 30.
    private static var timeout: Double {
        get throws {
            guard let text = environmentVariable("SGMSE_PATIENCE"), !text.isEmpty else { return ProcessGroup.timeout }
            guard let seconds = Double(text), (1...86_400).contains(seconds) else {
                throw ValidationError("SGMSE_PATIENCE is '\(text)'; it is a number of seconds from 1 to 86400")
            }
            return seconds
        }
    }

    /// Trains and scores together with rank 0, as another rank; signals of a terminal or a scheduler are handled by
    /// rank 0.
    func follow(_ options: ProcessOptions) throws {
        let signals = InterruptSignals(Interruption())
        signals.ignoreSignals()
        defer { signals.stop() }
        do {
            try join(options).follow(.standard)
        } catch let failure as GroupFailure {
            // mpirun ends all processes where one ends; rank 0 has this time to save what was reached.
            if options.collective == .mpi { Thread.sleep(forTimeInterval: try Self.timeout / 3) }
            throw failure
        }
    }

    private static func library(of engine: String) throws -> String {
        let (name, folders) = (ProcessGroup.libraryName(engine), DeviceOptions.folders)
        guard let folder = folders.first(where: { FileManager.default.fileExists(atPath: $0 + "/" + name) }) else {
            throw GroupFailure(
                "no \(name) in \(folders.joined(separator: ", ")); build it with scripts/collective-plugin")
        }
        return folder + "/" + name
    }

    /// Refuses processes with different instruction sets: sums would differ in their last digits, and so would the
    /// weights.
    private func checkAlike(_ group: ProcessGroup) throws {
        let sets = InstructionSet.allCases.map(\.rawValue)
        let all = try group.gather([sets.firstIndex(of: Engine.instructionSet) ?? -1], filler: 0).map { $0[0] }
        guard Set(all).count == 1 else {
            let found = all.enumerated().map { "rank \($0): \($1 < 0 ? "unknown" : sets[$1])" }.joined(separator: ", ")
            throw GroupFailure(
                "the processes compute with different vector instructions (\(found)); give --instruction-set avx2")
        }
    }

    private func start() throws {
        for rank in 1..<place.count {
            let child = Process()
            child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
            child.arguments = Array(CommandLine.arguments.dropFirst())
            var environment = place.environment(rank: rank)
            environment["LOCAL_WORLD_SIZE"] = "\(place.count)"
            child.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            child.standardInput = FileHandle.nullDevice
            child.standardOutput = FileHandle.nullDevice
            try child.run()
            children.append(child)
        }
    }

    /// Waits for the processes that this one started; those that do not end are ended.
    func finish() {
        let deadline = Date().addingTimeInterval(5)
        while children.contains(where: \.isRunning), Date() < deadline { Thread.sleep(forTimeInterval: 0.02) }
        for child in children where child.isRunning { kill(child.processIdentifier, SIGKILL) }
    }
}
