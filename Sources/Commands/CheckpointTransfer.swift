import ArgumentParser
import Checkpoints
import Experiments
import Foundation
import SpecLanguage
import Specs

/// `sgmse checkpoint import`.
struct CheckpointImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Turn a checkpoint of the reference into weights.safetensors and spec.yaml.",
        discussion: """
            The file is checked before anything is written: its structure, its checksums, and every tensor against the \
            network that its hyper-parameters describe. It says which weights it took, and from which part of the \
            file.
            """)

    @Argument(help: "A .ckpt or .pt file, or the id of a published checkpoint.")
    var file: String

    @Option(help: "The folder to make; the file's name without its end if not given.")
    var output: String?

    @Option(help: "The spec of the network, for a file of weights alone, such as a state_dict or a safetensors file.")
    var spec: String?

    @Option(help: "Weights to keep: both, ema or raw.")
    var weights = CheckpointImport.Selection.both

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("Overrides a setting, as data.path=corpora/vb; may be repeated.", valueName: "path=value"))
    var overrides: [String] = []

    @Flag(help: "Replace the folder if it is there already.")
    var force = false

    @OptionGroup var folder: CheckpointFolderOptions

    func run() throws {
        let path = CheckpointRegistry.standard[file].flatMap { $0.file(in: folder.folder) } ?? file
        let target = output ?? (path as NSString).deletingPathExtension
        if path == file, !FileManager.default.fileExists(atPath: path),
            let published = CheckpointRegistry.standard[file]
        {
            throw CheckpointError(
                path: file, reason: "is published at \(published.source), and not in \(folder.folder)",
                hint: published.instruction(folder: folder.folder))
        }
        let report = try CheckpointImport(environment: environmentVariable).run(
            path, to: target, spec: spec.map(Library.file), files: Library.files, weights: weights,
            overrides: overrides, replaces: force)
        for remark in report.remarks { printError("note: \(remark)") }
        for source in report.sources { try emit("took      \(source)") }
        try emit(
            """
            network   \(report.spec.backbone.name), \(report.parameters) parameters
            sde       \(report.spec.sde.name)
            weights   \(report.folder)/weights.safetensors
            spec      \(report.folder)/spec.yaml
            """)
    }
}

/// `sgmse checkpoint export`.
struct CheckpointExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a model as a .ckpt that the reference loads.",
        discussion:
            "state_dict holds the raw weights, ema.shadow_params the averages in the order of the network's parameters."
    )

    @Argument(help: "A run, a folder of 'checkpoint import', a .safetensors or a .ckpt file.")
    var model: String

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var output: String

    @Flag(help: "Replace the file if it is there already.")
    var force = false

    @OptionGroup var options: ModelOptions

    func run() throws {
        let report = try CheckpointExport().run(try options.find(model), to: output, replaces: force)
        for remark in report.remarks { printError("note: \(remark)") }
        for source in report.sources { try emit("wrote     \(source)") }
        try emit(
            """
            tensors   \(report.stateTensors) in state_dict, \(report.averages) in ema.shadow_params
            file      \(report.path)
            """)
    }
}
