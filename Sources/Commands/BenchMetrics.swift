import ArgumentParser
import Diagnostics
import Experiments
import SpeechMetrics

struct BenchMetrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics", abstract: "The metrics, each by itself and then all together.",
        discussion: "Over the files of --clean and --noisy, or over pairs of the recipe 'synthetic'.")
    @OptionGroup var options: BenchOptions

    @Option(parsing: .upToNextOption, help: "Metrics.")
    var metrics = ["pesq", "estoi", "si_sdr", "si_sir", "si_sar"]

    @Option(help: "Folder of clean files.")
    var clean: String?

    @Option(help: "Folder of noisy files.")
    var noisy: String?

    @Option(help: "Synthetic pairs.", in: 1...10_000)
    var pairs = 12

    @Option(help: "Length of a synthetic pair, in seconds.", in: 0.5...60)
    var seconds = 3.0

    func validate() throws {
        if (clean == nil) != (noisy == nil) { throw ValidationError("--clean and --noisy belong together") }
    }

    func run() throws {
        try options.apply()
        let chosen = try MetricCatalog.standard.named(metrics)
        let benchmark =
            if let clean, let noisy {
                try MetricBenchmark(clean: clean, noisy: noisy, metrics: chosen)
            } else {
                try MetricBenchmark(synthetic: pairs, seconds: seconds, metrics: chosen)
            }
        guard benchmark.count > 0 else {
            throw ValidationError("no file of \(noisy ?? "") has a clean file in \(clean ?? "")")
        }
        for result in benchmark.run(repetitions: options.repetitions) { try options.show(result) }
    }
}
