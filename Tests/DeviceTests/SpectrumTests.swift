import Kernels
import Objectives
import Tensors
import Testing

extension DeviceSuite {
    /// Transforms, compressions and losses over waveforms.
    @Suite struct SpectrumTests {
        @Test(arguments: [(510, 128, 3000), (512, 256, 2049), (63, 20, 400), (78, 64, 128)])
        func shortTimeTransformsAgree(size: Int, hop: Int, samples: Int) throws {
            let stft = ShortTimeFourier(size: size, hop: hop)
            try expectAgreement(1e-5) {
                let spectra = stft.forward(
                    (0..<2).map { RandomStream(seed: 5, purpose: "signal", $0).normals(samples) })
                return [spectra]
                    + [samples, samples + 300, hop].flatMap { length in
                        // The last half window divides by almost nothing: rounding there is not compared.
                        withGradients([spectra]) {
                            stft.inverse($0[0], length: length).channels(0..<min(length, samples - size / 2))
                        }
                    }
            }
        }

        @Test(arguments: [
            SpectralCompression.exponent(alpha: 0.5, factor: 0.15), .exponent(alpha: 0.3, factor: 2), .log(factor: 0.4),
            .none,
        ])
        func compressionsAgree(law: SpectralCompression) throws {
            try expectAgreement(2e-5, "\(law)") {
                var values = noise("z", [2, 5, 7, 2]).values
                values[6] = 0
                values[7] = 0
                let z = Tensor(values, shape: [2, 5, 7, 2])
                return [law.compress(z)] + withGradients([law.compress(z)]) { law.expand($0[0]).scaled(by: 1) }
            }
        }

        private func pair(_ rate: Int, _ samples: Int) -> (clean: Tensor, estimate: Tensor) {
            let clean = (0..<3).flatMap { pair -> [Float] in
                let draws = RandomStream(seed: 11, purpose: "speech", pair).normals(samples)
                var state: Float = 0
                return draws.enumerated().map { index, draw in
                    state = 0.9 * state + draw * (index / (rate / 8) % 3 == 0 ? 0.02 : 1)
                    return 0.1 * state
                }
            }
            let noise = RandomStream(seed: 12, purpose: "noise").normals(clean.count, standardDeviation: 0.05)
            return (
                Tensor(clean, shape: [3, samples]),
                Tensor(zip(clean, noise).map { 0.8 * $0 + $1 }, shape: [3, samples])
            )
        }

        @Test(arguments: [(16000, 8000), (16000, 16325), (48000, 24010), (8000, 4001)])
        func theDifferentiablePESQAgrees(rate: Int, samples: Int) throws {
            let loss = PerceptualLoss(sampleRate: rate, factor: 2)
            let (clean, estimate) = pair(rate, samples)
            try expectAgreement(2e-5, "\(rate) Hz") {
                let leaves = [clean, estimate]
                let mean = leaves.map { $0.tracked() }
                let value = loss.mean(mean[0], mean[1])
                let gradients = value.gradients()
                return withGradients(leaves) { loss($0[0], $0[1]) }
                    + [value.detached] + mean.map { gradients[$0] ?? .zeros($0.shape) }
            }
        }

        @Test func silentAndInfiniteWaveformsHaveTheSamePlaces() throws {
            let loss = PerceptualLoss(sampleRate: 16000)
            var (clean, estimate) = pair(16000, 8000)
            var values = clean.values
            for index in 0..<8000 { values[index] = 0 }
            clean = Tensor(values, shape: clean.shape)
            values = estimate.values
            values[8001] = .infinity
            estimate = Tensor(values, shape: estimate.shape)
            let device = try #require(Plugin.device)
            let (host, found) = (
                Device.with(nil) { loss(clean, estimate).values }, Device.with(device) { loss(clean, estimate).values }
            )
            #expect(host.map(\.isNaN) == [true, true, false] && found.map(\.isNaN) == host.map(\.isNaN))
            let means = [nil, device].map { Device.with($0) { loss.mean(clean, estimate).item } }
            #expect(means.map(\.isNaN) == [true, true])
            let quiet = estimate.samples(0..<1)
            #expect(Device.with(device) { loss.mean(clean.samples(0..<1), quiet).item } == 0)
        }
    }
}
