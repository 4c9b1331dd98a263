import ArgumentParser
import Collectives
import Diagnostics
import Experiments
import Kernels
import Tensors
import Training

/// Which network, on which batch.
struct BenchNetworkOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A network of the catalog.", valueName: "name"))
    var backbone = "ncsnpp_v2"

    @Option(help: "full, as published, or quickstart.")
    var size = BenchmarkSize.full

    @Option(help: "Spectrograms at once; the size's own if not given.", in: 1...65_536)
    var batch: Int?

    @Option(help: "Frames of each; the size's own if not given.", in: 1...1_000_000)
    var frames: Int?

    func network(recompute: Bool = false) throws -> NetworkBenchmark {
        try NetworkBenchmark(backbone: backbone, size: size, recompute: recompute, batch: batch, frames: frames)
    }
}

struct BenchForward: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward", abstract: "One evaluation of a network, without gradients.")
    @OptionGroup var network: BenchNetworkOptions
    @OptionGroup var options: BenchOptions

    func run() throws {
        try options.apply()
        try options.show(network.network().forward(repetitions: options.repetitions))
    }
}

struct BenchTrain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "One optimizer step: forward, backward, Adam, average of the weights.",
        discussion: """
            With --processes, or under mpirun, srun or torchrun, the step is one of several processes, which share its \
            batches and the threads. Then in_calls_share is the share of the step that is spent in exchanges, waiting \
            for each other included, and exchange_share what the exchange of all gradients takes by itself.
            """)
    @OptionGroup var network: BenchNetworkOptions
    @OptionGroup var options: BenchOptions
    @OptionGroup var processes: ProcessOptions

    @Option(help: "Batches whose gradients a step averages; one for each process if not given.", in: 1...65_536)
    var batches: Int?

    @Flag(help: "Recompute blocks in the backward pass, for less memory.")
    var recompute = false

    @Option(
        help:
            """
            What is minimised: score_matching, denoiser, data_prediction, or data_prediction_pesq with the \
            differentiable PESQ.
            """
    )
    var loss = BenchmarkLoss.scoreMatching

    func run() throws {
        let team = try ProcessTeam(processes)
        try options.apply(in: team)
        let count = team?.place.count ?? 1
        guard batches ?? count >= count else {
            throw ValidationError("--batches \(batches ?? 0): \(count) processes need one each")
        }
        defer { team?.finish() }
        let group = try team?.join(processes).group
        defer { group?.close() }
        let result = try network.network(recompute: recompute).train(
            loss, batches: batches ?? count, in: group, repetitions: options.repetitions)
        if group?.rank ?? 0 == 0 { try options.show(result) }
    }
}

struct BenchSample: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Predictor-corrector sampling, and what is not the network in it.",
        discussion: "With --files, as many inputs are sampled by one worker and by all threads, one thread each.")
    @OptionGroup var network: BenchNetworkOptions
    @OptionGroup var options: BenchOptions

    @Option(help: "Steps N of two evaluations each.", in: 1...100_000)
    var steps = 30

    @Option(
        help:
            """
            pc with Langevin steps of a fixed (ald) or a measured size (langevin), ode_euler, ode_heun, ode, sb_sde or \
            sb_ode.
            """
    )
    var sampler = BenchmarkSampler.ald

    @Option(help: "Samples as many inputs, with one worker and with all.", in: 1...10_000)
    var files: Int?

    func run() throws {
        try options.apply()
        let network = try network.network()
        guard let files else {
            return try options.show(network.sample(sampler, steps: steps, repetitions: options.repetitions))
        }
        let (one, expected) = network.sampleFiles(files, workers: 1, steps: steps, repetitions: options.repetitions)
        let (all, samples) = network.sampleFiles(
            files, workers: Engine.threads, steps: steps, repetitions: options.repetitions)
        try options.show(one)
        var result = all
        result.details = [
            ("throughput", one.median / all.median),
            ("bitwise_equal", zip(expected, samples).allSatisfy { $0.values == $1.values } ? 1 : 0),
        ]
        try options.show(result)
    }
}
