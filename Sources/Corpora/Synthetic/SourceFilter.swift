import Foundation
import Kernels

/// Renders an utterance: glottal pulses and turbulence through a cascade of formants, friction beside it.
///
/// The glottal flow over an open phase of relative length OQ is `g(τ) = 27/4 τ² (1 − τ)`, `0 ≤ τ ≤ 1` (Rosenberg's
/// polynomial family; Klatt and Klatt, JASA 87, 1990); its difference from sample to sample is the flow derivative
/// averaged over the sample, which keeps the abrupt closure from aliasing.
struct SourceFilter: Sendable {
    let voice: Voice
    let sampleRate: Double

    /// The samples of an utterance; the level is arbitrary.
    func render(_ utterance: Utterance, count: Int, stream: RandomStream) -> [Float] {
        let noise = stream.child(0).normals(count)
        var speech = source(utterance, noise: noise, pulses: stream.child(1))
        shape(&speech, utterance)
        speech.add(friction(utterance, noise: noise))
        return speech
    }

    private func frames(_ utterance: Utterance, _ count: Int) -> [Range<Int>] {
        (0..<utterance.frameCount).map { frame in
            func sample(_ frame: Int) -> Int { min(count, Int(Double(frame) * Utterance.framePeriod * sampleRate)) }
            return sample(frame)..<sample(frame + 1)
        }
    }

    /// Pulses with jitter and shimmer, and turbulence that is strongest while the glottis is open.
    private func source(_ utterance: Utterance, noise: [Float], pulses: RandomStream) -> [Float] {
        var signal = [Float](repeating: 0, count: noise.count)
        var phase = 0.0
        var flow = 0.0
        var low = 0.0
        var cycle = 0
        var (stretch, strength) = (1.0, 1.0)
        let smoothing = 1 - exp(-2 * .pi * voice.tilt / sampleRate)
        for (frame, range) in frames(utterance, noise.count).enumerated() {
            let level = utterance.voice[frame] * openness(utterance, frame)
            let breath = utterance.breath[frame]
            guard level > 1e-4 || breath > 1e-4 else {
                low = 0
                continue
            }
            let step = utterance.pitch[frame] / sampleRate
            // The closure has the same steepness at every pitch.
            let scale = voice.openQuotient / (6.75 * step)
            for index in range {
                phase += step * stretch
                if phase >= 1 {
                    phase -= 1
                    cycle += 1
                    stretch = 1 + voice.jitter * max(-3, min(3, pulses.normal(2 * cycle)))
                    strength = 1 + voice.shimmer * max(-3, min(3, pulses.normal(2 * cycle + 1)))
                }
                let tau = phase / voice.openQuotient
                let next = tau < 1 ? 6.75 * tau * tau * (1 - tau) : 0
                let pulse = (next - flow) * scale * strength
                flow = next
                let turbulence = Double(noise[index])
                low += smoothing * (pulse - low)
                signal[index] = Float(
                    level * (low + voice.breathiness * (0.3 + next) * turbulence) + 0.12 * breath * turbulence)
            }
        }
        return signal
    }

    /// Speakers give close and front vowels, which the tract passes weakly, more voice than open and back ones.
    private func openness(_ utterance: Utterance, _ frame: Int) -> Double {
        let (f1, f2) = (utterance.formants[0][frame], utterance.formants[1][frame])
        return (500 * voice.tract / f1).squareRoot() * pow(f2 / (1500 * voice.tract), 0.3)
    }

    /// F1 to F3 move; the higher formants of the tract stay, about 1 kHz apart, up to the band's end.
    private func shape(_ signal: inout [Float], _ utterance: Utterance) {
        let ranges = frames(utterance, signal.count)
        for formant in 0..<3 {
            var resonator = Resonator()
            for (frame, range) in ranges.enumerated() {
                let frequency = utterance.formants[formant][frame]
                let bandwidth = formant == 0 ? utterance.width[frame] : 50 + 0.035 * frequency
                resonator.tune(frequency: frequency, bandwidth: bandwidth, sampleRate: sampleRate)
                resonator.filter(&signal, in: range)
            }
        }
        for number in 4...11 {
            let frequency = (Double(number) * 1000 - 500) * voice.tract
            guard frequency < 0.46 * sampleRate else { break }
            var resonator = Resonator(
                frequency: frequency, bandwidth: 80 + 0.05 * frequency, sampleRate: sampleRate)
            resonator.filter(&signal)
        }
    }

    private func friction(_ utterance: Utterance, noise: [Float]) -> [Float] {
        var signal = noise
        var resonator = Resonator()
        for (frame, range) in frames(utterance, noise.count).enumerated() {
            resonator.tune(
                frequency: min(utterance.frictionPeak[frame], 0.45 * sampleRate),
                bandwidth: utterance.frictionWidth[frame], sampleRate: sampleRate)
            resonator.normalisePower()
            resonator.filter(&signal, in: range)
            let level = Float(0.5 * utterance.friction[frame])
            for index in range { signal[index] *= level }
        }
        return signal
    }
}

extension Voice {
    /// Speech of this speaker with a root mean square of 1, silence included; a floor of −60 dB stands for the room.
    func speech(count: Int, sampleRate: Int, stream: RandomStream) -> [Float] {
        var draws = Draws(stream.child(0))
        let utterance = Utterance(of: self, seconds: Double(count) / Double(sampleRate), draws: &draws)
        let synthesis = SourceFilter(voice: self, sampleRate: Double(sampleRate))
        var samples = synthesis.render(utterance, count: count, stream: stream.child(1))
        var lows = FirstOrderFilter.highPass(60, sampleRate: Double(sampleRate))
        lows.filter(&samples)
        samples.scale(toRootMeanSquare: 1)
        samples.add(stream.child(2).normals(count, standardDeviation: 1e-3))
        return samples
    }
}
