import ArgumentParser
import Reports

/// `sgmse export tensorboard`.
struct ExportTensorBoard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tensorboard",
        abstract:
            """
            Write the history of runs as a TensorBoard event file: scalars, and audio and spectrograms of a few \
            validation files.
            """
    )

    @OptionGroup var options: HistoryExportOptions

    func run() throws { try options.export(as: .tensorboard) }
}
