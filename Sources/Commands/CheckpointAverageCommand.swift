import ArgumentParser
import Checkpoints
import Foundation
import Runs

/// `sgmse checkpoint average`.
struct CheckpointAverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "average", abstract: "Make a moving average of any length from those that a training kept.",
        discussion: """
            A run with train.ema_stds keeps power-function averages at each of its checkpoints. They are combined so \
            that their profile comes nearest to the wanted one, and written as a folder of weights.safetensors and \
            spec.yaml.
            """)

    @Argument(help: ArgumentHelp("A run.", valueName: "run"))
    var name: String

    @Option(help: "The length: the standard deviation of its profile, as a share of the training.", in: 1e-6...0.288)
    var std: Double

    @Option(help: "The step at which it ends; that of the last checkpoint if not given.", in: 1...1_000_000_000)
    var step: Int?

    @Option(help: ArgumentHelp("The folder to make.", valueName: "folder"))
    var output: String

    @Flag(help: "Replace the folder if it is there already.")
    var force = false

    @OptionGroup var store: StoreOptions

    func run() throws {
        let store = try store.open()
        let report = try CheckpointAverage(of: try store.run(named: name), in: store).write(
            std: std, at: step, to: output, replaces: force)
        for part in report.parts {
            try emit(
                """
                took      \(URL(fileURLWithPath: part.file).lastPathComponent), std \(part.std), times \
                \(String(format: "%.4f", part.coefficient))
                """
            )
        }
        try emit(
            """
            weights   \(report.folder)/weights.safetensors
            spec      \(report.folder)/spec.yaml
            """)
    }
}
