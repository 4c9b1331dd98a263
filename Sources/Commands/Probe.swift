import ArgumentParser
import AtomicFiles
import Diagnostics
import Experiments
import Foundation
import Models
import Parallelism
import Reports
import Runs
import SpeechMetrics
import Training

/// `sgmse probe`: whether a conditioned model uses its noise reference.
struct Probe: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find out whether a run's model uses its noise reference, and what the right one is worth.",
        discussion: """
            Null tests of guidance, scores and enhanced speech under right and wrong references, statistics and a \
            picture of the embeddings, the gradient that reached the encoder, and averaged against raw weights. Writes \
            embeddings.svg and probe.json into the folder probe of the run. Exits 3 if guidance fails its null tests.
            """)

    @Argument(help: ArgumentHelp("A run's name or id.", valueName: "run"))
    var subject: String

    @OptionGroup var store: StoreOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var batch: SamplingBatchOptions

    @Option(name: .customLong("sets"), parsing: .upToNextOption, help: "Only these test sets of the run.")
    var sets: [String] = []

    @Option(help: "Files of each set.", in: 1...100_000)
    var files = 8

    @Option(help: "Reverse steps of the enhancement; 0 leaves it out.", in: 0...100_000)
    var steps = 10

    @Option(parsing: .upToNextOption, help: "What the enhanced files are measured by.")
    var metrics = ["si_sdr", "estoi"]

    @Option(help: "Which weights: last, best_pesq or best_si_sdr.")
    var checkpoint: CheckpointRecord.Kind = .last

    @Option(help: "Seed of noise draws and references.")
    var seed: UInt64 = 0

    @Flag(help: "Print the report as JSON.")
    var json = false

    func validate() throws {
        try ValidationError.check(metrics, "metric", among: Catalog.standard.metrics.names)
    }

    func run() throws {
        try threads.apply()
        try batch.apply()
        try device.apply()
        let store = try store.open()
        let interruption = Interruption()
        let signals = InterruptSignals(interruption)
        defer { signals.stop() }
        let run = try store.run(named: subject)
        var options = ConditioningProbe.Options()
        (options.sets, options.filesPerSet, options.steps) = (sets, files, steps)
        (options.metrics, options.checkpoint, options.seed) = (metrics, checkpoint, seed)
        let workspace = Workspace(store: store, commandLine: CommandLine.arguments)
        let report = try ConditioningProbe(of: run, in: workspace, options: options, interruption: interruption)
            .report()

        let folder = "\(store.folder)/\(run.folder)/probe"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let plot = EmbeddingPlot(report.embeddings)
        try PendingFile.write(plot.svg, to: folder + "/embeddings.svg")
        let written = try report.json
        try PendingFile.write(written, to: folder + "/probe.json")
        if json {
            try emitData(String(decoding: written, as: UTF8.self), terminator: "\n")
        } else {
            for table in report.tables {
                try emit(table)
                try emit("")
            }
            try emit(plot.text() + "\n")
            try emit(report.sentence)
        }
        printError("written to \(folder)")
        if !report.nullTests.passes { throw ExitCode(3) }
    }
}

extension ProbeReport {
    /// What was measured, as tables.
    var tables: [Table] { [scoreTable, embeddingTable, gradientTable, effectTable].compactMap(\.self) }

    private func percent(_ value: Double) -> Table.Cell { .number(100 * value, digits: 3) }

    private func cell(_ estimate: ProbeEstimate, digits: Int) -> Table.Cell {
        guard let lower = estimate.lower, let upper = estimate.upper else {
            return .number(estimate.mean, digits: digits)
        }
        let (mean, low, high) = (signed(estimate.mean, digits), signed(lower, digits), signed(upper, digits))
        return .text("\(mean) [\(low), \(high)] (\(estimate.n))")
    }

    private func signed(_ value: Double, _ digits: Int) -> String { String(format: "%+.\(digits)f", value) }

    private var scoreTable: Table {
        var table = Table(
            title: "Relative change of the score when the reference is exchanged, step \(step)",
            columns: [
                .init("t"), .init("for zeros", unit: "%"), .init("for another noise", unit: "%"),
                .init("for white noise", unit: "%"), .init("for another noise, raw weights", unit: "%"),
            ])
        for (one, raw) in zip(averaged.times, self.raw.times) {
            table.rows.append(
                .init([
                    .number(one.time, digits: 2), percent(one.toZero), percent(one.toMismatched), percent(one.toRandom),
                    percent(raw.toMismatched),
                ]))
        }
        table.notes = [
            "conditioning-sensitivity index \(interval(index)) %, raw weights \(interval(raw.index)) %",
            String(
                format:
                    "null tests%@: error at w = 1 %.1e, at w = 0 %.1e, beyond the line at w ± 1e-4 %.1e, slope %.4f",
                nullTests.isVacuous ? " (vacuous: the conditional difference is zero)" : "", nullTests.errorAtOne,
                nullTests.errorAtZero, max(0, nullTests.excessAtLimits), nullTests.slope),
        ]
        return table
    }

    private func interval(_ estimate: ProbeEstimate) -> String {
        let mean = String(format: "%.3g", 100 * estimate.mean)
        guard let lower = estimate.lower, let upper = estimate.upper else { return mean }
        return mean + String(format: " [%.3g, %.3g]", 100 * lower, 100 * upper)
    }

    private var embeddingTable: Table {
        let e = embeddings
        var table = Table(
            title: "Embeddings of \(e.points.count) references",
            columns: [.init("", alignment: .leading), .init("value")])
        func add(_ name: String, _ value: Double?, digits: Int) {
            table.rows.append(
                .init([.text(name), value.map { .number($0, digits: digits) } ?? .text("not applicable")]))
        }
        add("norm", e.norm, digits: 4)
        add("spread of the norm", e.normSpread, digits: 4)
        add("variance", e.variance, digits: 6)
        add("spread over norm", e.spread, digits: 4)
        add("effective rank", e.effectiveRank, digits: 2)
        add("variance between noise types", e.betweenTypes, digits: 3)
        add("nearest is of the same type", e.nearestAgrees, digits: 3)
        add("the same by chance", e.chance, digits: 3)
        if e.isCollapsed { table.notes.append("collapsed: the embeddings hardly differ") }
        if e.nearestAgrees == nil {
            table.notes.append("no two files are known to share a noise type: the nearest embedding says nothing")
        }
        return table
    }

    private var gradientTable: Table? {
        guard !gradients.parts.isEmpty else { return nil }
        return Table(
            title: "Gradient that reached the encoder",
            columns: [.init("steps", alignment: .leading), .init("encoder"), .init("whole"), .init("dropped")],
            rows: gradients.parts.map { part in
                .init([
                    .text("\(part.firstStep)–\(part.lastStep)"), .number(part.encoder, digits: 4),
                    .number(part.whole, digits: 4),
                    .number(part.dropped, digits: 3),
                ])
            })
    }

    private var effectTable: Table? {
        guard let effects else { return nil }
        return Table(
            title: "Paired differences of the enhanced speech on the same files and noise draws",
            columns: [
                .init("contrast", alignment: .leading), .init("noise", alignment: .leading),
                .init("metric", alignment: .leading),
                .init("mean [95 %] (n)"),
            ],
            rows: effects.contrasts.map {
                .init([.text($0.name), .text($0.noise ?? "all"), .text($0.metric), cell($0.difference, digits: 3)])
            },
            notes: effects.levels.map { "\($0.metric) with \($0.reference): \(cell($0.mean, digits: 3).text)" })
    }
}
