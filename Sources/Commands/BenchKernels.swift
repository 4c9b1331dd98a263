import ArgumentParser
import Diagnostics
import Experiments
import Foundation
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

struct BenchProducts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Products of matrices: the engine's in fp32 and bf16, beside OpenBLAS where it is installed.",
        discussion: "OpenBLAS (Debian's libopenblas0) is opened when the command runs.")
    @OptionGroup var options: BenchOptions

    func run() throws {
        try options.apply()
        let blas = OpenBLAS()
        if !options.json {
            try emit("product                 tile GFLOP/s    bf16   OpenBLAS   tile/OpenBLAS   difference")
        }
        for (rows, inner, columns) in KernelBenchmark.networkProducts {
            let one = KernelBenchmark.product(
                rows: rows, inner: inner, columns: columns, repetitions: options.repetitions, beside: blas)
            try show(one)
        }
        if !options.json { try emit(blas?.version ?? "no OpenBLAS: libopenblas.so.0 is not installed") }
    }

    private func show(_ one: KernelBenchmark.Product) throws {
        guard !options.json else {
            for result in [one.tile, one.halves, one.openBLAS].compactMap(\.self) { try options.show(result) }
            return
        }
        // By processor time: other programs take their share of the clock.
        func speed(_ result: Benchmark?) -> Double? {
            result.flatMap { one in one.processorSeconds.min().map { one.gflop / $0 } }
        }
        func text(_ value: Double?, _ format: String) -> String { value.map { String(format: format, $0) } ?? "-" }
        func column(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(1, width - text.count)) + text
        }
        let (tile, blas) = (speed(one.tile), speed(one.openBLAS))
        let ratio = tile.flatMap { tile in blas.map { tile / $0 } }
        let name = "\(one.rows)×\(one.inner)×\(one.columns)"
        try emit(
            name + column(text(tile, "%.0f"), 36 - name.count) + column(text(speed(one.halves), "%.0f"), 8)
                + column(text(blas, "%.0f"), 11) + column(text(ratio, "%.2f"), 16)
                + column(text(one.difference, "%.0e"), 13))
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
