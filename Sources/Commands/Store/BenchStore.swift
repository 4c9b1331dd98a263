import ArgumentParser
import Foundation
import Reports
import Runs

/// `sgmse bench store`: how fast a large store is filled, listed and compared.
struct BenchStore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Fill a store of its own with runs and scores; list them, and compare 50. Or let many write at once.",
        discussion: "Exit 1 with --check if a bound is missed.")

    @Option(help: "Runs.", in: 1...1_000_000)
    var runs = 10_000

    @Option(help: "Scores of each run: a multiple of 10.", in: 10...100_000)
    var scoresPerRun = 1000

    @Option(
        help: ArgumentHelp(
            "Instead, so many light writers beside a trainer and an evaluator: how long they wait for their turns.",
            valueName: "count"), in: 1...200)
    var writers: Int?

    @Option(help: "With --writers, for so many seconds.", in: 1...600)
    var seconds = 10.0

    @Option(
        help: ArgumentHelp("A folder on the disk to be measured; a temporary one if not given.", valueName: "folder"))
    var folder: String?

    @Flag(help: "Print a JSON document.")
    var json = false

    @Flag(help: "Exit 1 if a bound is missed.")
    var check = false

    func validate() throws {
        if scoresPerRun % 10 != 0 {
            throw ValidationError("--scores-per-run \(scoresPerRun): a multiple of 10 is needed")
        }
    }

    func run() throws {
        let place = (folder ?? NSTemporaryDirectory()) + "/sgmse-bench-" + UUID().uuidString
        let signals = InterruptSignals(removing: place)
        defer {
            signals.stop()
            try? FileManager.default.removeItem(atPath: place)
        }
        if let writers {
            let benchmark = try WriterBenchmark(at: place + "/store.sqlite", writers: writers, seconds: seconds)
            try json ? emit(benchmark.json) : emit(benchmark.table.terminal(), terminator: "")
            if check, !benchmark.meetsBounds { throw ExitCode(1) }
            return
        }
        let store = try RunStore(at: place + "/store.sqlite")
        let benchmark = try StoreBenchmark(filling: store, runs: runs, scoresPerRun: scoresPerRun) { done in
            Terminal.replaceLine(with: "  \(done)/\(runs) runs")
        }
        Terminal.replaceLine(with: "")
        try json ? emit(benchmark.json) : emit(benchmark.table.terminal(), terminator: "")
        try store.close()
        if check, !benchmark.meetsBounds { throw ExitCode(1) }
    }
}
