import Foundation
import Kernels
import Objectives
import Tensors
import Testing

/// Laws of the transform and of the compression of amplitudes.
@Suite struct TransformLawTests {
    private func noise(_ count: Int, _ purpose: String) -> [Float] {
        RandomStream(seed: 51, purpose: purpose).normals(count)
    }

    /// Drawn sizes, odd ones too, with any hop up to half of it and any length.
    @Test(arguments: 0..<12, ShortTimeFourier.Window.allCases)
    func theInverseUndoesTheTransform(draw: Int, window: ShortTimeFourier.Window) {
        let random = RandomStream(seed: 52, purpose: "sizes", draw)
        let size = 9 + random.integer(0, below: 40)
        let hop = 1 + random.integer(1, below: size / 2)
        let samples = size + random.integer(2, below: 200)
        let stft = ShortTimeFourier(size: size, hop: hop, window: window)
        let signals = [noise(samples, "a"), noise(samples, "b")]
        let spectra = stft.forward(signals)
        #expect(spectra.shape == [2, stft.bins, stft.frames(of: samples), 2])
        let reached = hop * (samples / hop)
        let back = stft.inverse(spectra)
        #expect(back.shape == [2, reached])
        let expected = signals.flatMap { $0.prefix(reached) }
        let worst = zip(back.values, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(worst < 1e-4, "\(size), \(hop), \(samples): \(worst)")
    }

    /// A sum of signals has the sum of the spectra, and a tone of a bin's frequency has its peak in that bin.
    @Test func theTransformIsLinearAndItsBinsAreFrequencies() {
        let stft = ShortTimeFourier(size: 30, hop: 7)
        let (a, b) = (noise(150, "a"), noise(150, "b"))
        let sum = stft.forward([zip(a, b).map { 2 * $0 - 0.5 * $1 }])
        let parts = 2 * stft.forward([a]) - 0.5 * stft.forward([b])
        #expect(zip(sum.values, parts.values).allSatisfy { abs($0 - $1) < 1e-4 })
        for bin in 0..<stft.bins {
            let tone = (0..<150).map { Float(cos(2 * .pi * Double(bin * $0) / 30)) }
            let values = stft.forward([tone]).values
            let frames = stft.frames(of: 150)
            func power(_ k: Int) -> Float { (0..<2).reduce(0) { $0 + pow(values[(k * frames + 10) * 2 + $1], 2) } }
            #expect((0..<stft.bins).max { power($0) < power($1) } == bin)
        }
    }

    /// Squared Hann windows a quarter apart sum to 3/2, and their roots' squares half a window apart to 1.
    @Test func windowsSumToAConstant() {
        for (window, hop, sum) in [(ShortTimeFourier.Window.hann, 8, 1.5), (.sqrthann, 16, 1), (.sqrthann, 8, 2)] {
            let sums = ShortTimeFourier(size: 32, hop: hop, window: window).squaredWindows(12)
            #expect(sums.count == 32 + 11 * hop - 16)
            #expect(sums[16..<(11 * hop - 16)].allSatisfy { abs($0 - sum) < 1e-5 })
        }
    }

    /// What is not a number stays so: as silence it would pass for the output of a model that left the numbers.
    @Test(arguments: [SpectralCompression.none, .exponent(alpha: 0.5, factor: 0.15), .log(factor: 0.4)])
    func nothingTurnsNaNIntoSilence(compression: SpectralCompression) {
        let z = Tensor([1, 0, .nan, 1, 0, .nan, 0, 0], shape: [1, 4, 1, 2])
        for values in [compression.compress(z).values, compression.expand(z).values] {
            #expect(values[0].isFinite && values[6...] == [0, 0])
            #expect(values[2...3].contains { $0.isNaN } && values[4...5].contains { $0.isNaN })
        }
        let leaf = z.tracked()
        let table = compression.expand(leaf).gradients(seed: Tensor([1, 1, 1, 1, 1, 1, 1, 1], shape: z.shape))
        guard case .none = compression else {
            #expect(table[leaf].map { $0.values[2...5].contains { $0.isNaN } } == true)
            return
        }
    }

    /// Phases stay, amplitudes follow the law, and expansion undoes it over nine decades.
    @Test(arguments: [
        SpectralCompression.none, .exponent(alpha: 0.5, factor: 0.15), .exponent(alpha: 0.667, factor: 0.065),
        .exponent(alpha: 1, factor: 3), .exponent(alpha: 0.3, factor: 2), .log(factor: 0.4),
    ])
    func expansionUndoesCompression(compression: SpectralCompression) {
        let random = RandomStream(seed: 53, purpose: "amplitudes")
        let amplitudes = [0] + (0..<60).map { pow(10, random.uniform($0, in: -5...4)) }
        let values = amplitudes.enumerated().flatMap { index, amplitude -> [Float] in
            let phase = random.uniform(100 + index, in: -.pi ... .pi)
            return [Float(amplitude * cos(phase)), Float(amplitude * sin(phase))]
        }
        let z = Tensor(values, shape: [1, amplitudes.count, 1, 2])
        let small = compression.compress(z)
        let back = compression.expand(small).values
        for (index, amplitude) in amplitudes.enumerated() {
            let (re, im) = (Double(small.values[2 * index]), Double(small.values[2 * index + 1]))
            let expected =
                switch compression {
                case .none: amplitude
                case .exponent(let alpha, let factor): factor * pow(amplitude, alpha)
                case .log(let factor): factor * log1p(amplitude)
                }
            #expect(abs(hypot(re, im) - (amplitude > 0 ? expected : 0)) <= 1e-5 * expected)
            // No part of it lies across the phase.
            let across = re * Double(values[2 * index + 1]) - im * Double(values[2 * index])
            #expect(abs(across) <= 1e-6 * hypot(re, im) * amplitude)
            for part in 2 * index...2 * index + 1 {
                #expect(Double(abs(back[part] - values[part])) <= 2e-5 * amplitude, "\(amplitude)")
            }
        }
    }
}
