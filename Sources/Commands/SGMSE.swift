import ArgumentParser
import Checkpoints
import Experiments
import Foundation
import Models
import Parallelism
import Runs
import Specs
import SpeechMetrics
import Training

/// The command line.
public struct SGMSE: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "sgmse",
        abstract: "Declarative experiments in score-based speech enhancement.",
        discussion: """
            Define an experiment in YAML, run it, compare runs in a table:

              sgmse check experiments/quickstart.yaml
              sgmse plan experiments/quickstart.yaml
              sgmse run experiments/quickstart.yaml
              sgmse compare

            The store is runs/store.sqlite unless --store or SGMSE_STORE says otherwise. Exit codes: 0 done; 1 a run \
            failed, or an error that is none of the others; 2 usage or spec error; 3 a check failed; 5 store busy, corrupt or disk full; 130 interrupted.
            """,
        version: Workspace.version,
        subcommands: [
            Check.self, PlanCommand.self, RunCommand.self, List.self, Show.self, Explain.self, Logs.self, Diff.self, Compare.self,
            Enhance.self, Metrics.self, Probe.self, Checkpoint.self, RegistryCommand.self, Conformance.self, Tag.self, Note.self,
            Import.self, Export.self, Backup.self, CollectGarbage.self, Doctor.self, Bench.self,
        ])

    public init() {}

    /// Parses the arguments, runs the command, and ends the process with the exit code of what came of it.
    public static func run() -> Never {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            end(error)
        }
        exit(withError: nil)
    }

    /// Ends the process: errors of this program under their exit codes, all others as ArgumentParser does.
    private static func end(_ error: any Error) -> Never {
        switch exitCode(for: error) {
        case .success: exit(withError: error)
        case .validationFailure:
            printError(fullMessage(for: error))
            Foundation.exit(2)
        case _ where error is ExitCode: exit(withError: error)
        default:
            printError(description(of: error))
            Foundation.exit(code(of: error))
        }
    }

    /// The exit code of an error of this program.
    static func code(of error: any Error) -> Int32 {
        switch error {
        case is SpecErrors, is FilterError, is UnknownEntry, is UnknownMetric, is IncompatibleParts, is IncompleteSpec,
            is SharedIdentity, is ReferenceError:
            2
        case let error where isMachineFailure(error): 5
        case is StoreError, is CheckpointError: 2
        case is Interrupted: 130
        case let error where isBadData(error): 3
        default: 1
        }
    }

    static func description(of error: any Error) -> String {
        let text = "\(error)"
        return text.contains("error:") || text.hasPrefix("error[") || error is Interrupted ? text : "error: " + text
    }
}

/// Writes a message to standard error, behind all that was printed before: both may be one file.
func printError(_ message: String) {
    fflush(nil)
    FileHandle.standardError.write(Data((message + "\n").utf8))
}
