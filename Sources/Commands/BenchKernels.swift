import ArgumentParser
import Diagnostics
import Experiments
import Kernels
import Models

struct BenchSTFT: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stft", abstract: "The short-time transform of a recording at 16 kHz, and back.")
    @OptionGroup var options: BenchOptions

    @Option(help: "Length of the recording, in seconds.", in: 0.1...3600)
    var seconds = 10.0

    func run() throws {
        try options.apply()
        try options.show(KernelBenchmark.shortTimeTransform(seconds: seconds, repetitions: options.repetitions))
    }
}

struct BenchConv: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conv", abstract: "A convolution and its gradients, by each algorithm.")
    @OptionGroup var options: BenchOptions

    @Option(help: ArgumentHelp("Batch, height, width, channels, filters.", valueName: "B,H,W,C,F"))
    var shape = "1,256,256,128,128"

    @Option(help: "The side of the filter.", in: 1...31)
    var kernel = 3

    func run() throws {
        try options.apply()
        let sizes = shape.split(separator: ",").compactMap { Int($0) }
        guard sizes.count == 5, sizes.allSatisfy((1...65_536).contains) else {
            throw ValidationError("--shape \(shape): five numbers in 1...65536 are needed, as 1,256,256,128,128")
        }
        let (maps, area) = (sizes[..<3].reduce(1.0) { $0 * Double($1) }, Double(kernel * kernel))
        let (channels, filters) = (Double(sizes[3]), Double(sizes[4]))
        let values = 2 * (maps * (channels + filters) + area * channels * filters)
        try MemoryNeed(of: "a convolution of --shape \(shape)", values: values, hint: "lower --shape").check()
        let shape = ConvolutionShape(
            batch: sizes[0], height: sizes[1], width: sizes[2], channels: sizes[3], filters: sizes[4], kernel: kernel)
        for result in KernelBenchmark.convolution(shape, repetitions: options.repetitions) { try options.show(result) }
    }
}
