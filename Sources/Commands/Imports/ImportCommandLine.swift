import ArgumentParser
import Experiments
import Foundation
import Models
import ReferenceCommands
import Specs

/// `sgmse import command`: a spec from a command line of the reference.
struct ImportCommandLine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "command",
        abstract: "Turn a command line of the reference into a spec.",
        discussion: """
            Takes train.py, enhancement.py and their noise-conditioned variants, and train.py (as flowmse/train.py, or \
            with an
            option of its own such as --ode) and evaluate.py of flow matching, with every option they have:

              sgmse import command 'python train.py --base_dir data --backbone ncsnpp_v2' > spec.yaml

            The spec goes to standard output, remarks to standard error. '-' reads the command from standard input.
            """)

    @Argument(help: "The command, as one argument.")
    var command: String

    func run() throws {
        let text = command == "-" ? try Self.standardInput() : command
        let imported = try CommandImport(text, vocabulary: Catalog.standard.vocabulary)
        try emit(imported.yaml, terminator: "")
        for remark in imported.remarks { printError("note: \(remark)") }
    }

    private static func standardInput() throws -> String {
        do {
            return String(decoding: try FileHandle.standardInput.readToEnd() ?? Data(), as: UTF8.self)
        } catch {
            throw ValidationError("standard input cannot be read; give the command in place of '-'")
        }
    }
}
