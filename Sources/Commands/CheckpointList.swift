import ArgumentParser
import Checkpoints
import Experiments
import Foundation
import JSONValues
import Reports

/// `sgmse checkpoint list`.
struct CheckpointList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the published checkpoints: where they are, what they hold, and what they should score.",
        discussion: """
            Reported scores are means that their sources state for the system, or for this very file where that is \
            said; a checkpoint without a verified figure has none. A file lies in the folder under its published name \
            or its id.
            """)

    @Argument(help: "Only these ids.")
    var ids: [String] = []

    @Flag(help: "Print one JSON document.")
    var json = false

    @OptionGroup var folder: CheckpointFolderOptions

    func run() throws {
        let registry = CheckpointRegistry.standard
        if let unknown = ids.first(where: { registry[$0] == nil }) {
            throw ValidationError(
                "unknown checkpoint '\(unknown)'; known: \(registry.entries.map(\.id).joined(separator: ", "))")
        }
        let entries = registry.entries.filter { ids.isEmpty || ids.contains($0.id) }
        if json { return try emit(.array(entries.map(document))) }
        try emit(entries.map { lines($0).joined(separator: "\n") }.joined(separator: "\n\n"))
    }

    private func lines(_ entry: PublishedCheckpoint) -> [String] {
        var lines = [
            "\(entry.id) — \(entry.summary)", "  published  \(entry.source)",
            "  expected   \(entry.backbone), \(entry.sde)" + (entry.sampleRate.map { ", \($0) Hz" } ?? ""),
        ]
        if !entry.sampler.isEmpty { lines.append("  sampler    \(entry.sampler)") }
        for scores in entry.reported {
            let values = scores.values.map { "\($0.metric) \($0.value)" }.joined(separator: "  ")
            lines.append("  reported   \(scores.set): \(values)")
            lines.append("             \(scores.source)" + (scores.note.map { "; \($0)" } ?? ""))
        }
        if entry.reported.isEmpty { lines.append("  reported   no verified figure") }
        if let remark = entry.remark { lines.append("  note       \(remark)") }
        if let file = entry.file(in: folder.folder) {
            lines.append("  on disk    \(file)")
        } else {
            lines.append("  on disk    no: \(entry.instruction(folder: folder.folder))")
            lines.append(
                "             then sgmse enhance --checkpoint \(entry.id) \(entry.sampler) --input DIR --output DIR")
        }
        return lines
    }

    private func document(_ entry: PublishedCheckpoint) -> Reports.JSON {
        .object([
            .init("id", .string(entry.id)), .init("summary", .string(entry.summary)),
            .init("published", .string(entry.source)),
            .init("backbone", .string(entry.backbone)), .init("sde", .string(entry.sde)),
            .init("sample_rate", entry.sampleRate.map { .integer($0) } ?? .null),
            .init("sampler", .string(entry.sampler)),
            .init(
                "reported",
                .array(
                    entry.reported.map { scores in
                        .object([
                            .init("set", .string(scores.set)), .init("source", .string(scores.source)),
                            .init("note", scores.note.map { .string($0) } ?? .null),
                            .init("scores", .object(scores.values.map { .init($0.metric, .number($0.value)) })),
                        ])
                    })),
            .init("remark", entry.remark.map { .string($0) } ?? .null),
            .init("file", entry.file(in: folder.folder).map { .string($0) } ?? .null),
            .init("instruction", .string(entry.instruction(folder: folder.folder))),
        ])
    }
}
