public import ArgumentParser
import Experiments
import Failures
import Foundation
import Installation
import Kernels
import Logging
import Runs
import SystemCalls

/// The command line.
public struct SGMSE: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "sgmse",
        abstract: "Declarative experiments in score-based speech enhancement.",
        discussion: """
            Define an experiment in YAML, run it, compare runs in a table:

              sgmse check quickstart
              sgmse plan quickstart
              sgmse run quickstart
              sgmse compare

            A spec is a YAML file, or an experiment of the library that came with the program: sgmse registry \
            experiment lists them.

            The store is runs/store.sqlite unless --store or SGMSE_STORE says otherwise. SGMSE_LOG=debug adds log \
            entries to the messages, and every step to the logs of runs. Exit codes: 0 done; 1 a run failed, or an \
            error that is none of the others; 2 usage or spec error; 3 a check failed; 5 store busy or corrupt, disk \
            full, or output that cannot be written; 130 interrupted; 141 the reader of the output has gone.
            """,
        version: BuildFacts.version,
        subcommands: [
            InitCommand.self, Check.self, PlanCommand.self, RunCommand.self, List.self, Show.self, Explain.self,
            Logs.self, Diff.self, Compare.self, Investigate.self, TableCommand.self, PlotCommand.self,
            ReportCommand.self,
            DataCommand.self, Enhance.self, Metrics.self, Probe.self, Checkpoint.self, RegistryCommand.self,
            Conformance.self, Tag.self, Note.self,
            Rename.self, Remove.self, Import.self, Export.self, Backup.self, CollectGarbage.self, Doctor.self,
            Bench.self,
            QueueCommand.self, CancelCommand.self, CollectCommand.self, TaskCommand.self, Manual.self,
        ])

    public init() {}

    /// Parses the arguments, runs the command, and ends the process with the exit code of what came of it.
    public static func run() -> Never {
        Channel.prepare()
        InterruptSignals.begin()
        Engine.limitMemory(to: MachineMemory.bytes)
        var code = Int32(0)
        do {
            try MessageLog.begin()
            let words = CommandLine.arguments.dropFirst().joined(separator: " ")
            let folder = FileManager.default.currentDirectoryPath
            Logger(label: "sgmse").debug("version \(BuildFacts.version) in \(folder): \(words)")
            try UnknownCommand.check(Array(CommandLine.arguments.dropFirst()))
            var command = try parseAsRoot()
            try checkWorkingFolder()
            try command.run()
        } catch {
            InterruptSignals.blockIfEnding()
            code = end(error)
        }
        InterruptSignals.blockIfEnding()
        do throws(StoreError) {
            try OpenStores.shared.closeAll()
        } catch {
            if code == 0 { code = end(error) }
        }
        do throws(OutputError) {
            try Channel.output.close()
        } catch {
            if code == 0 { code = end(error) }
        }
        Foundation.exit(code)
    }

    /// - Throws: A usage error where the working folder was deleted: no relative path means anything there.
    private static func checkWorkingFolder() throws {
        guard POSIX.hasWorkingFolder else {
            throw ValidationError(
                "the working folder is not there any more; change to another folder and give the command again")
        }
    }

    /// Says what ended the command: help on standard output, everything else on standard error.
    ///
    /// - Returns: The exit code.
    private static func end(_ error: any Error) -> Int32 {
        if let error = error as? ExitCode { return error.rawValue }
        switch exitCode(for: error) {
        case .success:
            let text = fullMessage(for: error)
            do throws(OutputError) { try emit(text == BuildFacts.version ? ProgramFacts.text : text) } catch {
                return end(error)
            }
            return 0
        case .validationFailure:
            printError(fullMessage(for: error))
            return 2
        default:
            if (error as? OutputError)?.isClosedPipe != true { printError(description(of: error)) }
            return Self.code(of: error)
        }
    }

    /// The exit code of an error of this program.
    static func code(of error: any Error) -> Int32 {
        if let error = error as? OutputError, error.isClosedPipe { return 128 + SIGPIPE }
        return FailureCategory(of: error).exitCode
    }

    static func description(of error: any Error) -> String {
        let text = "\(error)"
        let isMarked =
            text.contains("error:") || text.hasPrefix("error[") || FailureCategory(of: error) == .interruption
        return isMarked ? text : "error: " + text
    }
}
