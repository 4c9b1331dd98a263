import ArgumentParser
import Diagnostics
import Experiments
import Kernels

struct BenchSTFT: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stft", abstract: "The short-time transform of a recording at 16 kHz, and back.")
    @OptionGroup var options: BenchOptions

    @Option(help: "Length of the recording, in seconds.")
    var seconds = 10.0

    func run() throws {
        options.threads.apply()
        try options.show(KernelBenchmark.shortTimeTransform(seconds: seconds, repetitions: options.repetitions))
    }
}

struct BenchConv: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conv", abstract: "A convolution and its gradients, by each algorithm.")
    @OptionGroup var options: BenchOptions

    @Option(help: ArgumentHelp("Batch, height, width, channels, filters.", valueName: "B,H,W,C,F"))
    var shape = "1,256,256,128,128"

    @Option(help: "The side of the filter.")
    var kernel = 3

    func run() throws {
        options.threads.apply()
        let sizes = shape.split(separator: ",").compactMap { Int($0) }
        guard sizes.count == 5, sizes.allSatisfy({ $0 > 0 }), kernel > 0 else {
            throw ValidationError("--shape \(shape): five positive numbers are needed, as 1,256,256,128,128")
        }
        let shape = ConvolutionShape(
            batch: sizes[0], height: sizes[1], width: sizes[2], channels: sizes[3], filters: sizes[4], kernel: kernel)
        for result in KernelBenchmark.convolution(shape, repetitions: options.repetitions) { try options.show(result) }
    }
}
