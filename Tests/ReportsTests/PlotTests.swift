import Foundation
import FoundationXML
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// Plots as values and as drawings.
@Suite struct PlotTests {
    private let scratch: TestFolder
    private let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    private static let hostile = "a<script>alert(1)</script>&\"'\u{1B}[31m\u{202E}b"

    /// Whether a text is well-formed XML.
    private func isXML(_ text: String) -> Bool { XMLParser(data: Data(text.utf8)).parse() }

    private func run(_ name: String, seed: UInt64 = 0, p: Double = 0) throws -> Run {
        try store.register(Sample.run(name, seed: seed, resolved: #"{"conditioning":{"cond_drop_prob":\#(p)}}"#))
    }

    /// A sweep of five values on eight files, whose middle one collapsed.
    private func sweep(seeds: [UInt64] = [0]) throws -> [Run] {
        let set = try Sample.set(files: 8, in: store)
        let metric = try Sample.siSDR(in: store)
        try Sample.evaluation(of: .anchor("noisy"), on: set, metric, Array(repeating: 2, count: 8), in: store)
        var runs: [Run] = []
        for (p, level) in [(0.0, 10.0), (0.1, 10.4), (0.2, 3), (0.3, 10.6), (0.4, 10.2)] {
            for seed in seeds {
                let run = try run("s,cond_drop_prob=\(p)", seed: seed, p: p)
                try Sample.evaluation(
                    of: .run(run.id, checkpoint: nil), on: set, at: .init(steps: 30), metric,
                    (0..<8).map { level + 0.1 * Double($0) + Double(seed) }, in: store)
                runs.append(run)
            }
        }
        return runs
    }

    @Test func aLevelFarBelowBothNeighboursIsSuspect() throws {
        let plot = try Plot.sweep("si_sdr", over: "cond_drop_prob", of: sweep().map(\.id), in: store)
        let points = try #require(plot.series.first).points
        #expect(
            points.map(\.x) == [0, 0.1, 0.2, 0.3, 0.4] && points.map(\.isSuspect) == [false, false, true, false, false])
        #expect(points.allSatisfy { $0.interval?.contains($0.y) == true })
        #expect(plot.levels == [Plot.Level("noisy", 2)])
        #expect(plot.notes.contains { $0.contains("which value is best, these points cannot say") })
        let seeds = try Plot.sweep(
            "si_sdr", over: "conditioning.cond_drop_prob", of: sweep(seeds: [0, 1, 2]).map(\.id), in: store)
        for point in seeds.series[0].points {
            let interval = try #require(point.interval)
            #expect(abs(interval.upperBound - interval.lowerBound - 2) < 1e-9)
        }
    }

    @Test func curvesAreSmoothedWithoutTheBiasOfTheirStart() throws {
        let run = try run("a")
        try store.record(
            TrainingBatch(
                steps: (1...2000).map {
                    StepRecord(step: $0, loss: 5, gradientNorm: 1, learningRate: 1e-4, seconds: 1)
                },
                validations: [100, 200].map { ValidationRecord(step: $0, metric: "pesq", value: 1.5, n: 2) }),
            of: run.id)
        let plot = try Plot.curves(of: [run], in: store, quantity: "loss")
        #expect(
            plot.series.map(\.form) == [.shadow, .line] && plot.series[1].points.allSatisfy { abs($0.y - 5) < 1e-9 })
        #expect(plot.series[0].points.count <= 601)
        #expect(try Plot.curves(of: [run], in: store, quantity: "pesq").series[0].points.map(\.x) == [100, 200])
        let error = #expect(throws: PlotError.self) { try Plot.curves(of: [run], in: store, quantity: "lose") }
        #expect(error?.hint?.contains("gradient_norm") == true && error?.hint?.contains("pesq") == true)
    }

    @Test func aMetricIsDrawnOverItsFactors() throws {
        let set = try Sample.set(files: 8, in: store)
        let metric = try Sample.siSDR(in: store)
        let run = try run("a")
        for steps in [10, 30, 50] {
            try Sample.evaluation(
                of: .run(run.id, checkpoint: nil), on: set, at: .init(steps: steps), metric,
                (0..<8).map { Double(steps + $0) },
                calls: 2 * steps, in: store)
        }
        let plot = try Plot.metric("si_sdr", over: .N, of: [run.id], in: store)
        #expect(
            plot.series.map(\.label) == ["a"] && plot.series[0].points.map(\.x) == [10, 30, 50]
                && plot.series[0].points[1].y == 33.5)
        let byCalls = try Plot.metric("si_sdr", over: .nfe, of: [run.id], in: store)
        #expect(byCalls.series.map(\.label) == ["a"] && byCalls.series[0].points.map(\.x) == [20, 60, 100])
        let bySNR = try Plot.metric("si_sdr", over: .snr, of: [run.id], in: store, steps: 30)
        #expect(bySNR.series[0].points.map(\.x) == [5])
        #expect(throws: PlotError.self) { try Plot.metric("si_sdr", over: .guidance, of: [run.id], in: store) }
        #expect(throws: PlotError.self) { try Plot.metric("pesq", over: .N, of: [run.id], in: store) }
        let groups = try Plot.groups("si_sdr", by: "speaker", of: [run.id], in: store, steps: 30)
        #expect(groups.x.categories == ["s0", "s1"] && groups.series[0].points.map(\.y) == [33, 34])
    }

    @Test func pairsAreThoseOfTheSameFiles() throws {
        let runs = try sweep()
        let plot = try Plot.pairs("si_sdr", of: runs[0], against: runs[2], anchor: "", in: store)
        #expect(
            plot.hasDiagonal && plot.series.flatMap(\.points).count == 8
                && plot.notes == ["8 files of 'test', 8 above the diagonal"])
        let noisy = try Plot.pairs("si_sdr", of: runs[0], against: nil, anchor: "noisy", in: store)
        #expect(noisy.series.flatMap(\.points).allSatisfy { $0.x == 2 })
    }

    @Test(arguments: [100.0, 252, 516])
    func drawingsAreXMLOfTheirWidthAndHostileNamesAreHarmless(width: Double) throws {
        let points = (0..<9).map { number -> Plot.Point in
            let x = Double(number)
            return Plot.Point(x, x * x, interval: x...(x * x + 9), isSuspect: number == 4)
        }
        let forms: [Plot.Series.Form] = [.line, .markedLine, .marks, .bars, .shadow]
        var plot = Plot(title: Self.hostile, x: .init(Self.hostile), y: .init(Self.hostile, isLogarithmic: true))
        plot.series = forms.enumerated().map { place, form in
            Plot.Series(Self.hostile + "\(place)", points, form: form, style: place * 3)
        }
        plot.levels = [.init(Self.hostile, 4)]
        plot.notes = [String(repeating: Self.hostile + " ", count: 20)]
        plot.hasDiagonal = true
        let text = plot.svg(width: width)
        #expect(isXML(text) && text.contains("width=\"\(Int(width))pt\"") && text == plot.svg(width: width))
        #expect(
            !text.contains("<script") && !text.contains("\u{1B}") && !text.contains("\u{202E}") && !text.contains("nan")
        )
    }

    @Test func emptyAndOddValuesAreDrawnToo() {
        for values in [[], [Double.nan], [.infinity, 1], [0, 0], [-5e300, 5e300], [1e-300, 1]] {
            for isLogarithmic in [false, true] {
                let plot = Plot(
                    x: .init("x", isLogarithmic: isLogarithmic), y: .init("y", isLogarithmic: isLogarithmic),
                    series: [.init("s", values.map { .init($0, $0) }, form: .markedLine, style: 0)])
                #expect(isXML(plot.svg()), "\(values)")
            }
        }
    }

    /// Each kind of drawing, one point on a page by its hundredths.
    @Test func aDrawingOfEachKindIsAsRecorded() throws {
        let runs = try sweep(seeds: [0, 1, 2])
        try store.record(
            TrainingBatch(
                steps: (1...40).map { step in
                    StepRecord(step: step, loss: 5 + 20 / Double(step), gradientNorm: 1, learningRate: 1e-4, seconds: 1)
                }), of: runs[0].id)
        let drawings = [
            "curves": try Plot.curves(of: [runs[0]], in: store, quantity: "loss"),
            "sweep": try Plot.sweep("si_sdr", over: "cond_drop_prob", of: runs.map(\.id), in: store),
            "groups": try Plot.groups("si_sdr", by: "speaker", of: runs.prefix(2).map(\.id), in: store, steps: 30),
            "pairs": try Plot.pairs("si_sdr", of: runs[0], against: runs[3], anchor: "", in: store),
        ]
        for (name, plot) in drawings { try Golden.expect(plot.svg(width: 252), as: "\(name).svg") }
    }
}
