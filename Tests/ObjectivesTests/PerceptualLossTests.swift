import Foundation
import Kernels
import Objectives
import Tensors
import Testing
import WeightFiles

@Suite struct PerceptualLossTests {
    /// Something like a voice: 30 harmonics of a gliding pitch under syllables, at any rate.
    private func voice(_ count: Int, rate: Double = 16000) -> [Float] {
        (0..<count).map { n in
            let t = Double(n) / rate
            let phase = 2 * Double.pi * (140 * t + 30 * t * t)
            let syllable = 0.55 + 0.45 * sin(2 * .pi * 5 * t)
            return Float(syllable * (1...30).reduce(0) { $0 + sin(Double($1) * phase) / Double($1) } * 0.1)
        }
    }

    /// A band of many tones, at any rate.
    private func hiss(_ count: Int, rate: Double = 16000, gain: Double) -> [Float] {
        let random = RandomStream(seed: 3, purpose: "hiss")
        let tones = (0..<60).map { (random.uniform(2 * $0, in: 100...6500), random.uniform(2 * $0 + 1, in: 0...6)) }
        return (0..<count).map { n in
            Float(gain * tones.reduce(0) { $0 + sin(2 * .pi * $1.0 * Double(n) / rate + $1.1) } / 60.squareRoot())
        }
    }

    private func sum(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map(+) }

    private func row(_ values: [Float]) -> Tensor { Tensor(values, shape: [1, values.count]) }

    /// The loss's gradients for both waveforms.
    private func gradients(_ loss: PerceptualLoss, _ clean: [Float], _ estimate: [Float]) -> (
        clean: [Float], estimate: [Float]
    ) {
        let (a, b) = (row(clean).tracked(), row(estimate).tracked())
        let table = loss(a, b).gradients()
        return (table[a]?.values ?? [], table[b]?.values ?? [])
    }

    /// The recorded pair of Fixtures/perceptual_clipped, within its own tolerances.
    @Test func recordedValuesAreReproduced() throws {
        let folder = Bundle.module.bundlePath + "/Fixtures/perceptual_clipped/"
        struct Case: Decodable {
            struct Values: Decodable { var loss_float64, d_symm_float64, d_asymm_float64, mos_float64: [Double] }
            var scalars: Values
            var tolerances: [String: Double]
        }
        let recorded = try JSONDecoder().decode(
            Case.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "case.json")))
        func array(_ name: String) throws -> [Float] { try NumPyFile.read(path: folder + name + ".npy").values }
        func tolerance(_ name: String) throws -> Double { try #require(recorded.tolerances[name]) }
        let (clean, estimate) = (try array("ref"), try array("deg"))
        let loss = PerceptualLoss(sampleRate: 16000)
        let distance = try loss.distance(clean: clean, estimate: estimate)
        let relative = try tolerance("loss_rel")
        for (value, expected) in [
            (distance.penalty, recorded.scalars.loss_float64[0]),
            (distance.symmetric, recorded.scalars.d_symm_float64[0]),
            (distance.asymmetric, recorded.scalars.d_asymm_float64[0]),
        ] { #expect(abs(value - expected) < relative * expected) }
        let opinionTolerance = try tolerance("mos_abs")
        #expect(abs(distance.meanOpinionScore - recorded.scalars.mos_float64[0]) < opinionTolerance)
        let ours = gradients(loss, clean, estimate)
        for (name, gradient) in [("grad_ref", ours.clean), ("grad_deg", ours.estimate)] {
            let expected = try array(name)
            try #require(gradient.count == expected.count)
            let worst = zip(gradient, expected).map { abs($0 - $1) }.max() ?? .infinity
            let allowed = try tolerance(name + "_relmax") * Double(expected.map(abs).max() ?? 0)
            #expect(Double(worst) <= allowed)
        }
    }

    /// Gradients of both waveforms against central differences in random directions, with and without resampling.
    @Test(arguments: [16000, 22050, 8000], [0.003, 0.05])
    func gradientsMatchDifferences(rate: Int, gain: Double) throws {
        let loss = PerceptualLoss(sampleRate: rate)
        let count = loss.shortestSignal + 700
        // A floor under the voice: loudness bends sharply where a band is all but empty.
        let floor = RandomStream(seed: 4, purpose: "floor").normals(count, standardDeviation: 0.005)
        let clean = sum(voice(count, rate: Double(rate)), floor)
        let estimate = sum(clean, hiss(count, rate: Double(rate), gain: gain))
        let gradient = gradients(loss, clean, estimate)
        for direction in 0..<3 {
            let step = RandomStream(seed: 5, purpose: "direction", direction).normals(count, standardDeviation: 3e-8)
            for isClean in [true, false] {
                let (base, slopes) = isClean ? (clean, gradient.clean) : (estimate, gradient.estimate)
                let (up, down) = (zip(base, step).map { $0 + $1 }, zip(base, step).map { $0 - $1 })
                func penalty(_ moved: [Float]) throws -> Double {
                    try loss.distance(clean: isClean ? moved : clean, estimate: isClean ? estimate : moved).penalty
                }
                let difference = try penalty(up) - penalty(down)
                // Single precision moves a sample by a little more or less than the step; the exact move counts.
                let predicted = slopes.indices.reduce(0.0) {
                    $0 + Double(slopes[$1]) * (Double(up[$1]) - Double(down[$1]))
                }
                let scale = slopes.reduce(0.0) { $0 + Double($1 * $1) }.squareRoot() * 6e-8
                #expect(abs(difference - predicted) < 0.01 * scale, "\(difference) against \(predicted)")
            }
        }
    }

    /// More noise is a greater loss and a lower score, in the range of the mapping.
    @Test func noiseIsHeard() throws {
        let loss = PerceptualLoss(sampleRate: 16000)
        let clean = voice(8000)
        var last = PerceptualDistance(symmetric: 0, asymmetric: 0)
        #expect(abs(last.meanOpinionScore - 4.644) < 0.001)
        for gain in [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1] {
            let distance = try loss.distance(clean: clean, estimate: sum(clean, hiss(8000, gain: gain)))
            #expect(distance.penalty > last.penalty && distance.meanOpinionScore < last.meanOpinionScore)
            #expect(1...4.65 ~= distance.meanOpinionScore)
            last = distance
        }
        #expect(last.penalty > 2)
    }

    /// No waveform's scale counts, so that no gradient points along its waveform.
    @Test func levelsDoNotCount() throws {
        let loss = PerceptualLoss(sampleRate: 16000)
        let clean = voice(7000)
        let estimate = sum(clean, hiss(7000, gain: 0.02))
        let penalty = try loss.distance(clean: clean, estimate: estimate).penalty
        let scaled = try loss.distance(clean: clean.map { $0 * 0.125 }, estimate: estimate.map { $0 * 4 }).penalty
        #expect(abs(scaled - penalty) < 1e-9 * penalty)
        let gradient = gradients(loss, clean, estimate)
        for (slopes, wave) in [(gradient.clean, clean), (gradient.estimate, estimate)] {
            let along = zip(slopes, wave).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let size = zip(slopes, wave).reduce(0.0) { $0 + abs(Double($1.0) * Double($1.1)) }
            #expect(size > 0 && abs(along) < 1e-5 * size)
        }
    }

    /// The same sounds, sampled at other rates, are as far apart.
    @Test(arguments: [48000, 44100, 24000])
    func ratesAgree(rate: Int) throws {
        func penalty(_ rate: Int) throws -> Double {
            let clean = voice(rate / 2, rate: Double(rate))
            return try PerceptualLoss(sampleRate: rate)
                .distance(clean: clean, estimate: sum(clean, hiss(rate / 2, rate: Double(rate), gain: 0.02))).penalty
        }
        let expected = try penalty(16000)
        let converted = try penalty(rate)
        #expect(abs(converted - expected) < 0.02 * expected)
    }

    /// Batches are their samples, and the factor scales value and gradient.
    @Test func batchesAndFactors() throws {
        let (clean, other) = (voice(6000), voice(6000, rate: 14000))
        let estimates = [sum(clean, hiss(6000, gain: 0.01)), sum(other, hiss(6000, gain: 0.05))]
        let loss = PerceptualLoss(sampleRate: 16000, factor: 0.25)
        let estimate = Tensor(estimates[0] + estimates[1], shape: [2, 6000]).tracked()
        let cleans = Tensor(clean + other, shape: [2, 6000])
        let values = loss(cleans, estimate).values.map(Double.init)
        let mean = loss.mean(cleans, estimate)
        let unscaled = PerceptualLoss(sampleRate: 16000)
        for (index, pair) in [(clean, estimates[0]), (other, estimates[1])].enumerated() {
            let penalty = try unscaled.distance(clean: pair.0, estimate: pair.1).penalty
            #expect(abs(values[index] - 0.25 * penalty) < 1e-6)
        }
        #expect(abs(Double(mean.item) - (values[0] + values[1]) / 2) < 1e-6)
        let gradient = mean.gradients()[estimate]?.values ?? []
        let second = gradients(unscaled, other, estimates[1]).estimate
        let worst = zip(gradient.suffix(6000), second).map { abs($0 - 0.125 * $1) }.max() ?? .infinity
        #expect(worst < 1e-6 * (second.map(abs).max() ?? 0))
    }

    /// Equal waveforms are 1e-21 apart, and next to nothing pulls at them.
    @Test func equalWaveformsAreBarelyApart() throws {
        let loss = PerceptualLoss(sampleRate: 16000)
        let value = try loss.distance(clean: voice(8000), estimate: voice(8000)).penalty
        #expect(value > 0 && value < 1e-20)
        let gradient = gradients(loss, voice(8000), voice(8000))
        #expect(gradient.clean.allSatisfy { abs($0) < 1e-18 } && gradient.estimate.allSatisfy { abs($0) < 1e-18 })
    }

    /// Digital silence after speech has a finite gradient, whichever waveform has the greater peak.
    @Test(arguments: [Float(0.3), 3])
    func silenceWithinSpeechHasAGradient(gain: Float) {
        let clean = voice(6000) + [Float](repeating: 0, count: 5000) + voice(3000)
        let estimate = sum(clean, hiss(14000, gain: 0.01)).map { $0 * gain }
        let gradient = gradients(PerceptualLoss(sampleRate: 16000), clean, estimate)
        #expect(gradient.clean.allSatisfy(\.isFinite) && gradient.clean.contains { $0 != 0 })
        #expect(gradient.estimate.allSatisfy(\.isFinite) && gradient.estimate.contains { $0 != 0 })
    }

    /// A pair without a distance says why; in a batch it is NaN, pulls at nothing, and silence leaves the mean.
    @Test func pairsWithoutADistanceSayWhy() throws {
        let loss = PerceptualLoss(sampleRate: 16000)
        let (clean, silence) = (voice(6000), [Float](repeating: 0, count: 6000))
        func reason(_ clean: [Float], _ estimate: [Float]) -> PerceptualLossError? {
            do throws(PerceptualLossError) {
                _ = try loss.meanOpinionScore(clean: clean, estimate: estimate)
                return nil
            } catch { return error }
        }
        #expect(reason(clean, silence) == .silentEstimate)
        #expect(reason(silence, clean) == .silentClean)
        #expect(reason(silence, silence) == .silentClean)
        #expect(reason(clean, [.nan] + clean.dropFirst()) == .notFinite)
        #expect(reason(clean, clean + [0]) == .differentLengths(clean: 6000, estimate: 6001))
        #expect(loss.shortestSignal == 5248)
        #expect(reason(voice(5247), voice(5247)) == .tooShort(samples: 5247, least: 5248))
        #expect(reason(voice(5248), voice(5248)) == nil)
        let estimate = sum(clean, hiss(6000, gain: 0.05))
        let estimates = Tensor(silence + estimate, shape: [2, 6000]).tracked()
        let cleans = Tensor(clean + clean, shape: [2, 6000])
        let (values, mean) = (loss(cleans, estimates).values, loss.mean(cleans, estimates))
        #expect(values[0].isNaN && values[1] == mean.item)
        let gradient = mean.gradients()[estimates]?.values ?? []
        #expect(gradient.prefix(6000).allSatisfy { $0 == 0 } && gradient.suffix(6000).contains { $0 != 0 })
        let isFinite = gradient.allSatisfy(\.isFinite)
        #expect(isFinite)
        #expect(loss.mean(row(clean), row(silence)).item == 0)
        #expect(loss.mean(row(clean), row([.infinity] + clean.dropFirst())).item.isNaN)
    }
}
