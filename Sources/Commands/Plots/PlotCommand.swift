public import ArgumentParser
import Foundation
public import Reports
import Runs

/// `sgmse plot`: figures for papers, from the store.
struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract:
            """
            Draw training curves, metrics over factors, sweeps, pairs of files, groups of files, or spectrograms as \
            SVG.
            """,
        discussion: """
            Colours are those of Okabe and Ito, with dashes and marks of their own, so that a plot can be read in \
            black and white. --width 3.5in is a column of a paper: letters stay at 8 points. An --output that ends in \
            .png is made by rsvg-convert (Debian: librsvg2-bin).
            """,
        subcommands: [
            PlotCurves.self, PlotMetric.self, PlotSweep.self, PlotPairs.self, PlotFiles.self, PlotSpectrogram.self,
        ])
}

/// Where a plot goes, and how large it is.
struct PlotOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("An .svg or .png file; standard output, as SVG, if not given.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("The width: 3.5in, 88mm, 8.8cm or 252pt.", valueName: "length"))
    var width = "3.5in"

    @Option(help: "A title above the plot.")
    var title: String?

    func validate() throws { _ = try points() }

    func write(_ plot: Plot) throws {
        var plot = plot
        if let title { plot.title = title }
        try write(plot.svg(width: points()))
    }

    func write(_ svg: String) throws {
        guard let output else { return try emitData(svg) }
        guard output.lowercased().hasSuffix(".png") else {
            do {
                try Data(svg.utf8).write(to: URL(fileURLWithPath: output), options: .atomic)
            } catch {
                throw StoreError(cannotWrite: output, error)
            }
            return
        }
        try convert(svg, to: output)
    }

    /// Lengths in inches, centimetres, millimetres, or points of 1/72 inch.
    func points() throws -> Double {
        let units = ["in": 72.0, "cm": 72 / 2.54, "mm": 72 / 25.4, "pt": 1]
        let unit = units.keys.first { width.hasSuffix($0) }
        guard let number = Double(width.dropLast(unit?.count ?? 0)), number.isFinite else {
            throw ValidationError("--width \(width): a length such as 3.5in, 88mm, 8.8cm or 252pt is needed")
        }
        let points = number * (unit.flatMap { units[$0] } ?? 1)
        guard (100...3000).contains(points) else {
            throw ValidationError("--width \(width): 100 to 3000 points (1.4 to 41 inches) can be drawn")
        }
        return points
    }

    private func convert(_ svg: String, to output: String) throws {
        let process = Process()
        let input = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["rsvg-convert", "--format", "png", "--dpi-x", "300", "--dpi-y", "300", "--output", output]
        process.standardInput = input
        process.standardError = FileHandle.nullDevice
        try process.run()
        try? input.fileHandleForWriting.write(contentsOf: Data(svg.utf8))
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let why =
                process.terminationStatus == 127
                ? "rsvg-convert is not installed (Debian: apt-get install librsvg2-bin)"
                : "rsvg-convert could not write it"
            throw ValidationError("\(output): \(why); an output that ends in .svg needs no other program")
        }
    }
}

/// Which scores are drawn.
struct ScoreOptions: ParsableArguments {
    @Option(name: .customLong("set"), help: "The test set; the first with scores if not given.")
    var set: String?

    @Option(name: .customLong("N"), help: "Only evaluations with so many reverse steps.", in: 1...100_000)
    var steps: Int?
}

extension RunStore {
    /// The runs that names mean, a sweep's or a spec's name all of its runs; all finished ones where none is named.
    func selected(_ names: [String]) throws -> [Run] {
        guard !names.isEmpty else { return try runs().filter { $0.status == .finished }.reversed() }
        return try RunSelection(names).runs(in: self)
    }
}

/// `sgmse plot curves`: training over its steps.
struct PlotCurves: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "curves",
        abstract:
            "Training over its steps: loss, its terms, or a validation metric, beside the noisy and Wiener levels.")

    @Argument(help: "Names or ids of runs, or a sweep's name; all finished ones if none is given.")
    var runs: [String] = []

    @Option(help: "loss, a term of it, gradient_norm, learning_rate, or a validation metric such as pesq.")
    var quantity = "loss"

    @Option(help: "The weight of the past in the moving average, below 1.", in: 0...1)
    var smoothing = 0.98

    @Option(name: .customLong("set"), help: "The test set whose noisy input is drawn as a level.")
    var set: String?

    @OptionGroup var store: StoreOptions
    @OptionGroup var plot: PlotOptions

    func validate() throws {
        if !(0..<1).contains(smoothing) {
            throw ValidationError("--smoothing \(smoothing): a weight from 0 to below 1 is needed")
        }
    }

    func run() throws {
        let store = try store.open()
        try plot.write(
            try Plot.curves(of: store.selected(runs), in: store, quantity: quantity, smoothing: smoothing, set: set))
    }
}

/// `sgmse plot metric`: a metric over a factor of evaluation.
struct PlotMetric: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metric",
        abstract:
            """
            A metric over the checkpoint's step, N, evaluations of networks, the scale of the guidance, or the input's \
            SNR, with intervals.
            """
    )

    @Argument(help: "The metric, such as pesq.")
    var metric: String

    @Argument(help: "Names or ids of runs, or a sweep's name; all finished ones if none is given.")
    var runs: [String] = []

    @Option(help: "step, N, nfe, guidance or snr.")
    var over: Plot.Factor = .N

    @OptionGroup var scores: ScoreOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var plot: PlotOptions

    func run() throws {
        let store = try store.open()
        try plot.write(
            try Plot.metric(
                metric, over: over, of: store.selected(runs).map(\.id), in: store, set: scores.set, steps: scores.steps)
        )
    }
}

extension Plot.Factor: ExpressibleByArgument {}

/// `sgmse plot sweep`: a metric over a setting in which runs differ.
struct PlotSweep: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract:
            "A metric over a setting in which runs differ, with its seeds; a level far below both neighbours is marked."
    )

    @Argument(help: "The metric, such as pesq.")
    var metric: String

    @Argument(help: "The sweep's name, or names or ids of its runs.")
    var runs: [String]

    @Option(help: ArgumentHelp("The setting, such as conditioning.cond_drop_prob, or its end.", valueName: "path"))
    var over: String

    @OptionGroup var scores: ScoreOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var plot: PlotOptions

    func run() throws {
        let store = try store.open()
        try plot.write(
            try Plot.sweep(
                metric, over: over, of: store.selected(runs).map(\.id), in: store, set: scores.set, steps: scores.steps)
        )
    }
}

/// `sgmse plot pairs`: one system against another, file by file.
struct PlotPairs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pairs", abstract: "One run's scores against another's, or an anchor's, file by file.")

    @Argument(help: "The metric, such as si_sdr.")
    var metric: String

    @Argument(help: "A run's name or id.")
    var system: String

    @Argument(help: "Another run's name or id, or noisy, wiener, or a system from elsewhere.")
    var against = "noisy"

    @OptionGroup var scores: ScoreOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var plot: PlotOptions

    func run() throws {
        let store = try store.open()
        let isSystem = try store.anchorEvaluations().contains { $0.anchor == against }
        let other = try isSystem ? nil : store.run(named: against)
        try plot.write(
            try Plot.pairs(
                metric, of: store.run(named: system), against: other, anchor: against, in: store, set: scores.set,
                steps: scores.steps))
    }
}

/// `sgmse plot files`: means over the files of each noise, SNR or speaker.
struct PlotFiles: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "files", abstract: "Bars of means over the files of each type of noise, SNR or speaker.")

    enum Label: String, CaseIterable, ExpressibleByArgument { case noise, snr, speaker }

    @Argument(help: "The metric, such as pesq.")
    var metric: String

    @Argument(help: "Names or ids of runs, or a sweep's name; all finished ones if none is given.")
    var runs: [String] = []

    @Option(help: "noise, snr or speaker.")
    var by: Label = .noise

    @OptionGroup var scores: ScoreOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var plot: PlotOptions

    func run() throws {
        let store = try store.open()
        try plot.write(
            try Plot.groups(
                metric, by: by.rawValue, of: store.selected(runs).map(\.id), in: store, set: scores.set,
                steps: scores.steps))
    }
}

/// `sgmse plot spectrogram`: one recording clean, noisy and enhanced.
struct PlotSpectrogram: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spectrogram", abstract: "One recording clean, noisy and enhanced, on one scale of levels.")

    @Argument(help: "A run's name or id, whose enhanced audio was kept.")
    var system: String

    @Argument(help: "The file's path in its set, or the beginning of it.")
    var file: String

    @OptionGroup var scores: ScoreOptions
    @OptionGroup var store: StoreOptions
    @OptionGroup var plot: PlotOptions

    func run() throws {
        let store = try store.open()
        let panels = try SpectrogramPanels(
            of: store.run(named: system), file: file, in: store, set: scores.set, steps: scores.steps)
        try plot.write(panels.svg(width: plot.points()))
    }
}
