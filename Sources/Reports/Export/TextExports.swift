import Foundation
import JSONValues
public import Runs

/// A run as tables of comma-separated values (RFC 4180): `steps.csv`, `validations.csv`, `evaluations.csv`.
public struct CSVExport: RunExport {
    private var newRecords: NewRecords
    private var files: [String: AppendOnlyFile] = [:]
    private let folder: String
    /// The columns of the loss's terms, as the first step has them.
    private var terms: [String]?

    public init(of run: Run.ID, in store: RunStore, to folder: String) {
        newRecords = NewRecords(of: run, in: store)
        self.folder = folder
    }

    /// Appends the rows that are new since the last call.
    public mutating func update() throws {
        while let steps = try newRecords.nextSteps() {
            let names = terms ?? steps.first?.terms.keys.sorted() ?? []
            terms = names
            try append(
                "steps", heading: ["step", "loss", "gradient_norm", "learning_rate", "seconds"] + names,
                steps.map { one in
                    [
                        String(one.step), text(one.loss), text(one.gradientNorm), text(one.learningRate),
                        text(one.seconds),
                    ]
                        + names.map { text(one.terms[$0]) }
                })
        }
        try append(
            "validations", heading: ["step", "metric", "value", "n"],
            try newRecords.validations().map { [String($0.step), $0.metric, text($0.value), String($0.n)] })
        try append(
            "evaluations", heading: ["checkpoint", "step", "set", "N", "guidance", "metric", "mean", "n"],
            try newRecords.evaluations().map { one in
                [
                    one.checkpoint, String(one.step), one.set, one.steps.map(String.init) ?? "", text(one.guidance),
                    one.metric, text(one.mean), String(one.n),
                ]
            })
        for name in files.keys { try files[name]?.finishUpdate() }
    }

    private mutating func append(_ name: String, heading: [String], _ rows: [[String]]) throws {
        let isNew = files[name] == nil
        var file = files[name] ?? AppendOnlyFile("\(folder)/\(name).csv")
        let lines = ((isNew ? [heading] : []) + rows).map { $0.map(\.csvField).joined(separator: ",") + "\r\n" }
        try file.append(lines.joined())
        files[name] = file
    }

    private func text(_ value: Double?) -> String { value.map { $0.isNaN ? "" : String($0) } ?? "" }
}

/// A run as one JSON object a line in `history.jsonl`, each with its `type`: step, validation, evaluation or event.
public struct JSONLinesExport: RunExport {
    private var newRecords: NewRecords
    private var file: AppendOnlyFile

    public init(of run: Run.ID, in store: RunStore, to folder: String) {
        newRecords = NewRecords(of: run, in: store)
        file = AppendOnlyFile(folder + "/history.jsonl")
    }

    /// Appends the lines that are new since the last call.
    public mutating func update() throws {
        try write(newRecords.events()) { one in
            [
                "type": "event", "time": .string(one.time.text), "kind": .string(one.kind),
                "message": .string(one.message),
            ]
        }
        while let steps = try newRecords.nextSteps() { try write(steps, Self.line) }
        try write(newRecords.validations()) { one in
            [
                "type": "validation", "step": .integer(one.step), "metric": .string(one.metric),
                "value": one.value.map(JSON.number) ?? .null, "n": .integer(one.n),
            ]
        }
        try write(newRecords.evaluations()) { one in
            [
                "type": "evaluation", "checkpoint": .string(one.checkpoint), "step": .integer(one.step),
                "set": .string(one.set), "N": JSON(one.steps), "guidance": one.guidance.map(JSON.number) ?? .null,
                "metric": .string(one.metric), "mean": .number(one.mean), "n": .integer(one.n),
            ]
        }
        try file.finishUpdate()
    }

    private mutating func write<Record>(_ records: [Record], _ line: (Record) -> JSON) throws(StoreError) {
        try file.append(records.map { line($0).line + "\n" }.joined())
    }

    private static func line(_ one: StepRecord) -> JSON {
        .object(
            [
                .init("type", "step"), .init("step", .integer(one.step)), .init("loss", .number(one.loss)),
                .init("gradient_norm", .number(one.gradientNorm)), .init("learning_rate", .number(one.learningRate)),
                .init("seconds", .number(one.seconds)),
            ] + one.terms.sorted { $0.key < $1.key }.map { .init($0.key, .number($0.value)) })
    }
}
