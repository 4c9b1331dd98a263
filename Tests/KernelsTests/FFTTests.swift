import Foundation
import Kernels
import Testing

@Suite struct FFTTests {
    static let lengths = [1, 2, 3, 8, 15, 17, 64, 510, 512, 1534]

    @Test(arguments: lengths)
    func realSpectrumEqualsItsDefinition(length: Int) {
        let signal = RandomStream(seed: 1, purpose: "fft", length).normals(length).map(Double.init)
        let spectrum = RealFFT<Double>(length: length).forward(signal)
        for bin in 0...length / 2 {
            var (re, im) = (0.0, 0.0)
            for (n, x) in signal.enumerated() {
                let angle = -2 * Double.pi * Double(bin * n % length) / Double(length)
                re += x * cos(angle)
                im += x * sin(angle)
            }
            #expect(abs(spectrum[2 * bin] - re) < 1e-10)
            #expect(abs(spectrum[2 * bin + 1] - im) < 1e-10)
        }
    }

    @Test(arguments: lengths)
    func inverseUndoesForward(length: Int) {
        let signal = RandomStream(seed: 2, purpose: "fft", length).normals(length)
        let real = RealFFT<Float>(length: length)
        for (a, b) in zip(real.inverse(real.forward(signal)), signal) { #expect(abs(a - b) < 2e-6) }

        let complex = ComplexFFT<Float>(length: length)
        let pairs = RandomStream(seed: 3, purpose: "fft", length).normals(2 * length)
        var (spectrum, back) = (pairs, pairs)
        var spectrumSpan = spectrum.mutableSpan
        complex.forward(pairs.span, into: &spectrumSpan)
        var backSpan = back.mutableSpan
        complex.inverse(spectrum.span, into: &backSpan)
        for (a, b) in zip(back, pairs) { #expect(abs(a - b) < 2e-6) }
    }

    @Test func complexTransformOfRealNumbersAgreesWithTheRealOne() {
        let signal = RandomStream(seed: 4, purpose: "fft").normals(510).map(Double.init)
        let real = RealFFT<Double>(length: 510).forward(signal)
        let pairs: [Double] = signal.flatMap { [$0, 0] as [Double] }
        var whole = pairs
        var span = whole.mutableSpan
        ComplexFFT<Double>(length: 510).forward(pairs.span, into: &span)
        for index in real.indices { #expect(abs(real[index] - whole[index]) < 1e-11) }
    }

    /// Overlapping, odd-aligned frames give the bits of the frames transformed one by one.
    @Test(arguments: [1, 127, 128])
    func batchesEqualSingleFrames(hop: Int) {
        let (length, frames) = (510, 9)
        let fft = RealFFT<Float>(length: length)
        let signal = RandomStream(seed: 5, purpose: "fft").normals(length + (frames - 1) * hop)
        var spectra = [Float](repeating: 0, count: frames * 2 * fft.bins)
        var span = spectra.mutableSpan
        fft.forward(frames: frames, of: signal.span, hop: hop, into: &span)
        for frame in 0..<frames {
            let alone = fft.forward(Array(signal[frame * hop..<frame * hop + length]))
            #expect(Array(spectra[frame * 2 * fft.bins..<(frame + 1) * 2 * fft.bins]) == alone)
        }
    }

    @Test func threadsMayShareAPlan() async {
        let signal = RandomStream(seed: 6, purpose: "fft").normals(1534)
        let expected = RealFFT<Float>(length: 1534).forward(signal)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    (0..<50).allSatisfy { extra in
                        _ = RealFFT<Float>(length: 700 + extra)
                        return RealFFT<Float>(length: 1534).forward(signal) == expected
                    }
                }
            }
            for await same in group { #expect(same) }
        }
    }
}
