import ArgumentParser
import Imports
import Models
import Runs
import Training

/// `sgmse import logs`: the training history of a run of another program.
struct ImportLogs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Take over TensorBoard events, a Lightning CSV or a W&B export as a run's history.",
        discussion: """
            Names decide what a number is: train_loss is the loss, lr-Adam the learning rate, valid_loss, pesq, si_sdr \
            and estoi are validations, other train_... numbers are terms of the loss. An export of several W&B runs \
            becomes several runs. The runs are marked as imported; a repeated import adds nothing.
            """)

    @Argument(help: "An event file, a CSV file, or the folder of a log.")
    var path: String

    @Option(help: "The run's name; the file's or folder's name if not given.")
    var name: String?

    @OptionGroup var store: StoreOptions

    func validate() throws {
        if let name, name.isEmpty || name.utf8.count > 200 {
            throw ValidationError("--name: a name of 1 to 200 letters is needed")
        }
    }

    func run() throws {
        let log = try LogFile(path, name: name)
        for remark in log.remarks { printError("note: \(remark)") }
        let store = try store.open(.readWrite)
        let workspace = Workspace(store: store, commandLine: CommandLine.arguments)
        for (run, history) in zip(try log.record(in: store, provenance: workspace.provenance), log.histories) {
            printError(
                "\(run.name) (\(run.shortID)): \(history.steps.count) steps, \(history.validations.count) validations")
        }
        try store.close()
    }
}
