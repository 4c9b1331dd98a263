public import ArgumentParser
public import Checkpoints
import Experiments
import Foundation
import JSONValues
import Reports
public import Runs

/// `sgmse checkpoint`: trained models as files.
struct Checkpoint: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Inspect, import, export and find checkpoints; nothing in a file is ever executed.",
        subcommands: [
            CheckpointInspect.self, CheckpointImportCommand.self, CheckpointExportCommand.self, CheckpointList.self,
            CheckpointAverageCommand.self,
        ])
}

/// Where published checkpoints are kept.
struct CheckpointFolderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where published checkpoints lie; SGMSE_CHECKPOINTS, or checkpoints, if not given.", valueName: "folder"))
    var checkpoints: String?

    var folder: String { checkpoints ?? ProcessInfo.processInfo.environment["SGMSE_CHECKPOINTS"] ?? "checkpoints" }
}

/// Which trained model.
struct ModelOptions: ParsableArguments {
    @Option(help: "Which checkpoint of a run: best_pesq, best_si_sdr or last; the best if there is one, else the last.")
    var pick: CheckpointRecord.Kind?

    @Option(help: "The spec of the network, for a file of weights alone, such as a state_dict or a safetensors file.")
    var spec: String?

    @OptionGroup var folder: CheckpointFolderOptions
    @OptionGroup var store: StoreOptions

    /// - Parameter name: A file, a folder, a published checkpoint, or a run.
    func find(_ name: String) throws -> StoredModel {
        try StoredModel.find(
            name, kind: pick, spec: spec.map(Library.file), files: Library.files, folder: folder.folder,
            environment: environmentVariable
        ) { try store.open() }
    }
}

extension CheckpointRecord.Kind: ExpressibleByArgument {}
extension StoredModel.Choice: ExpressibleByArgument {}
extension CheckpointImport.Selection: ExpressibleByArgument {}

/// `sgmse checkpoint inspect`.
struct CheckpointInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a checkpoint holds: hyper-parameters, tensors, and where raw and averaged weights lie.")

    @Argument(help: "A .ckpt, .pt or .safetensors file.")
    var file: String

    @Flag(help: "List every tensor.")
    var tensors = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let found = try CheckpointInspection(path: file)
        try json ? emit(document(found)) : emit(lines(found).joined(separator: "\n"))
        for remark in found.remarks where !json { printError("note: \(remark)") }
    }

    private func lines(_ found: CheckpointInspection) -> [String] {
        var lines = ["file      \(found.path)", "kind      \(found.kind)"]
        if let epoch = found.epoch { lines.append("epoch     \(epoch)") }
        if let step = found.step { lines.append("step      \(step)") }
        for part in found.parts {
            lines.append("part      \(part.name): \(part.tensors) tensors, \(part.values) values")
        }
        if let average = found.average {
            lines.append("average   decay \(average.decay)" + (average.updates.map { ", \($0) updates" } ?? ""))
        }
        lines += ["raw       \(found.rawWeights)", "ema       \(found.averagedWeights)"]
        for (name, value) in found.hyperParameters { lines.append("  \(name) = \(value)") }
        for (name, content) in found.others { lines.append("other     \(name): \(content)") }
        if tensors {
            for entry in found.tensors { lines.append("tensor    \(entry.name) \(entry.shape) \(entry.type)") }
        }
        return lines
    }

    private func document(_ found: CheckpointInspection) -> Reports.JSON {
        func texts(_ pairs: [(name: String, value: String)]) -> Reports.JSON {
            .object(pairs.map { .init($0.name, .string($0.value)) })
        }
        return .object([
            .init("file", .string(found.path)), .init("kind", .string(found.kind)),
            .init("epoch", found.epoch.map { .integer($0) } ?? .null),
            .init("step", found.step.map { .integer($0) } ?? .null),
            .init(
                "parts",
                .array(
                    found.parts.map { part in
                        .object([
                            .init("name", .string(part.name)), .init("tensors", .integer(part.tensors)),
                            .init("values", .integer(part.values)),
                        ])
                    })),
            .init("ema_decay", found.average.map { .number($0.decay) } ?? .null),
            .init("ema_updates", found.average?.updates.map { .integer($0) } ?? .null),
            .init("raw", .string(found.rawWeights)), .init("ema", .string(found.averagedWeights)),
            .init("hyper_parameters", texts(found.hyperParameters)),
            .init("others", texts(found.others.map { ($0.name, $0.content) })),
            .init(
                "tensors",
                .array(
                    found.tensors.map { entry in
                        .object([
                            .init("name", .string(entry.name)),
                            .init("shape", .array(entry.shape.map { .integer($0) })),
                            .init("type", .string(entry.type)),
                        ])
                    })),
            .init("remarks", .array(found.remarks.map { .string($0) })),
        ])
    }
}
