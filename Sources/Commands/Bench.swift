public import ArgumentParser
public import Diagnostics
import Experiments
import Foundation
import Kernels

/// `sgmse bench`: how long the engine takes.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Time networks, training steps, transforms, metrics and the store, each after a warm-up, several times.",
        subcommands: [
            BenchForward.self, BenchTrain.self, BenchSample.self, BenchSTFT.self, BenchConv.self, BenchProducts.self,
            BenchMetrics.self, BenchStore.self,
        ])
}

/// What every measurement takes, and how it is printed.
struct BenchOptions: ParsableArguments {
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var precision: PrecisionOptions

    @Option(help: "Counted repetitions.", in: 1...100_000)
    var repetitions = 5

    @Flag(help: "Print one JSON object a line.")
    var json = false

    func apply(in team: ProcessTeam? = nil) throws {
        try threads.apply()
        try device.apply(in: team)
        try precision.precision?.use()
    }

    func show(_ result: Benchmark) throws { try json ? emitData(line(result), terminator: "\n") : emit(row(result)) }

    private func line(_ result: Benchmark) -> String {
        var members = [
            "\"work\": \"\(result.work)\"", "\"median_s\": \(result.median)", "\"min_s\": \(result.least)",
            "\"repetitions\": \(result.seconds.count)", "\"threads\": \(result.threads)", "\"gflop\": \(result.gflop)",
            "\"gflops\": \(result.gflops)", "\"peak_bytes\": \(result.peakBytes)",
            "\"engine_peak_bytes\": \(result.engineBytes)",
            "\"min_processor_s\": \(result.processorSeconds.min() ?? 0)",
        ]
        members.append("\"device\": \"\(result.device)\", \"precision\": \"\(result.precision)\"")
        members += result.details.map { "\"\($0.name)\": \($0.value)" }
        return "{" + members.joined(separator: ", ") + "}"
    }

    private func row(_ result: Benchmark) -> String {
        let times = String(
            format: "median %.4f s  least %.4f s  processor %.4f s", result.median, result.least,
            result.processorSeconds.min() ?? 0)
        let work = result.gflop > 0 ? String(format: "%.1f GFLOP  %.0f GFLOP/s  ", result.gflop, result.gflops) : ""
        let rest =
            work
            + String(
                format: "peak %.0f MB, %.0f MB of it the engine's", 1e-6 * Double(result.peakBytes),
                1e-6 * Double(result.engineBytes))
        let details = result.details.map { String(format: "  %@ %.4f", $0.name, $0.value) }.joined()
        return
            """
            \(result.work)  \(times)  \(rest)\(details)  (\(result.seconds.count) times, threads: \(result.threads), \
            device: \(result.device), \(result.precision))
            """
    }
}

extension BenchmarkSize: ExpressibleByArgument {}
extension BenchmarkLoss: ExpressibleByArgument {}
extension BenchmarkSampler: ExpressibleByArgument {}
