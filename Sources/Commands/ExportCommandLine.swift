import ArgumentParser
import Experiments
import Models
import ReferenceCommands
import Specs

/// `sgmse export command`: the reference's command lines for a spec.
struct ExportCommandLine: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "command",
        abstract: "Give the reference's command lines for a spec.",
        discussion: "What the reference has no option for is said on standard error.")

    @OptionGroup var spec: SpecOptions

    func run() throws {
        let loaded = try spec.load()
        let vocabulary = Catalog.standard.vocabulary
        var remarks = loaded.unknown.sorted { $0.key < $1.key }.map { path, reason in
            """
            \(path) is not known: \(reason.isEmpty ? "the spec says so" : reason); the command has what stands in the \
            spec, or the default
            """
        }
        for run in loaded.runs {
            let export = try CommandExport(run.spec, vocabulary: vocabulary)
            if loaded.runs.count > 1 { try emit("# \(run.name)") }
            try emit(([export.train] + export.enhance).joined(separator: "\n"))
            for remark in export.remarks where !remarks.contains(remark) { remarks.append(remark) }
        }
        for remark in remarks { printError("note: \(remark)") }
    }
}
