import Foundation
import Kernels

/// Kinds of synthetic noise, all inside the speech band, so that no fixed filter removes them.
public enum NoiseFamily: String, Hashable, Sendable, Codable, CaseIterable {
    // In distribution: broadband and, but for babble, stationary.
    case white, pink, brown
    /// Noise with the long-term spectrum of speech.
    case speechShaped = "speech-shaped"
    /// Falling noise with a few broad resonances that swells slowly.
    case ventilation
    /// Five synthetic voices at once.
    case babble
    // Out of distribution: tonal, modulated, or made of impulses.
    /// Harmonics of a motor whose speed wanders.
    case machine
    /// One octave of noise, deeply modulated at 3 to 9 Hz.
    case modulatedBand = "modulated-band"
    /// Drops: short resonant impulses at random times.
    case rain
    /// A harmonic tone that sweeps up and down.
    case siren
    /// Struck inharmonic partials that die away.
    case bells

    /// Families of the training, validation and test sets, unless a recipe names others.
    public static let inDistribution: [NoiseFamily] = [.white, .pink, .brown, .speechShaped, .ventilation, .babble]
    /// Families of `test-ood` only, unless a recipe names others.
    public static let outOfDistribution: [NoiseFamily] = [.machine, .modulatedBand, .rain, .siren, .bells]

    /// A noise with a root mean square of 1.
    func samples(_ count: Int, sampleRate: Int, stream: RandomStream) -> [Float] {
        var draws = Draws(stream.child(0))
        let maker = NoiseMaker(count: count, sampleRate: Double(sampleRate), stream: stream.child(1))
        var noise =
            switch self {
            case .white: maker.white()
            case .pink: maker.pink()
            case .brown: maker.brown()
            case .speechShaped: maker.speechShaped(&draws)
            case .ventilation: maker.ventilation(&draws)
            case .babble: maker.babble(&draws)
            case .machine: maker.machine(&draws)
            case .modulatedBand: maker.modulatedBand(&draws)
            case .rain: maker.rain(&draws)
            case .siren: maker.siren(&draws)
            case .bells: maker.bells(&draws)
            }
        noise.scale(toRootMeanSquare: 1)
        return noise
    }
}

/// The noises' constructions, at any rate and length.
private struct NoiseMaker {
    let count: Int
    let sampleRate: Double
    let stream: RandomStream

    func white() -> [Float] { stream.normals(count) }

    private func filtered(_ filters: [FirstOrderFilter]) -> [Float] {
        var signal = white()
        for var filter in filters { filter.filter(&signal) }
        return signal
    }

    private func highPass(_ corner: Double) -> FirstOrderFilter { .highPass(corner, sampleRate: sampleRate) }

    /// −3 dB per octave: a pole in every second octave, a zero one octave above it.
    func pink() -> [Float] {
        let poles = sequence(first: 60.0) { $0 * 4 }.prefix { $0 < 0.2 * sampleRate }
        let slope = poles.map { FirstOrderFilter(pole: $0, zero: 2 * $0, sampleRate: sampleRate) }
        return filtered([highPass(80)] + slope)
    }

    /// −6 dB per octave from 200 Hz on; below, where speech has nothing, it falls.
    func brown() -> [Float] {
        filtered([.lowPass(200, sampleRate: sampleRate), highPass(120), highPass(120)])
    }

    func speechShaped(_ draws: inout Draws) -> [Float] {
        filtered([
            highPass(150), .lowPass(draws.uniform(450...650), sampleRate: sampleRate),
            FirstOrderFilter(pole: draws.uniform(1200...2000), zero: 3500, sampleRate: sampleRate),
        ])
    }

    func ventilation(_ draws: inout Draws) -> [Float] {
        var noise = filtered([highPass(120), .lowPass(draws.uniform(250...800), sampleRate: sampleRate)])
        noise.scale(toRootMeanSquare: 1)
        let broad = noise
        for _ in 0..<draws.integer(2...4) {
            let frequency = draws.logUniform(250...2800)
            var resonance = Resonator(frequency: frequency, bandwidth: 0.15 * frequency, sampleRate: sampleRate)
            resonance.normalisePower()
            var part = broad
            resonance.filter(&part)
            part.scale(toRootMeanSquare: draws.uniform(0.2...0.5))
            noise.add(part)
        }
        let (rate, depth, phase) = (draws.uniform(0.2...0.8), draws.uniform(0.05...0.2), draws.uniform(0...6.28))
        modulate(&noise) { 1 + depth * sin(2 * .pi * rate * $0 + phase) }
        return noise
    }

    /// Voices other than the corpus's speakers: their numbers come from the random stream.
    func babble(_ draws: inout Draws) -> [Float] {
        var sum = [Float](repeating: 0, count: count)
        for number in 0..<5 {
            let seed = stream.child(2).block(UInt64(number))
            let voice = Voice(seed: UInt64(seed.0) << 32 | UInt64(seed.1), number: number)
            let speech = voice.speech(count: count, sampleRate: Int(sampleRate), stream: stream.child(3 + number))
            sum.add(speech, gain: Float(draws.uniform(0.6...1)))
        }
        return sum
    }

    func machine(_ draws: inout Draws) -> [Float] {
        let base = draws.logUniform(90...190)
        let (drift, rate) = (draws.uniform(0.005...0.03), draws.uniform(0.3...1.2))
        let centre = draws.logUniform(500...1600)
        let phases = sweep { base * (1 + drift * sin(2 * .pi * rate * $0)) }
        var noise = [Float](repeating: 0, count: count)
        for harmonic in 1...Int(min(0.45 * sampleRate, 4500) / base) {
            let distance = log2(Double(harmonic) * base / centre)
            let level = exp(-0.35 * distance * distance) * draws.uniform(0.2...1)
            let offset = draws.uniform()
            addTone(&noise, phases, multiple: Double(harmonic), offset: offset, level: level)
        }
        let clatter = draws.uniform(8...20)
        modulate(&noise) { 1 + 0.3 * sin(2 * .pi * clatter * $0) }
        return noise
    }

    func modulatedBand(_ draws: inout Draws) -> [Float] {
        var noise = white()
        let frequency = draws.logUniform(600...2600)
        for _ in 0..<2 {
            var band = Resonator(frequency: frequency, bandwidth: 0.6 * frequency, sampleRate: sampleRate)
            band.normalisePower()
            band.filter(&noise)
        }
        for var filter in [highPass(200), highPass(200)] { filter.filter(&noise) }
        let (rate, phase) = (draws.uniform(3...9), draws.uniform(0...6.28))
        modulate(&noise) { time in
            let swing = 0.5 * (1 + sin(2 * .pi * rate * time + phase))
            return 0.05 + swing * swing
        }
        return noise
    }

    func rain(_ draws: inout Draws) -> [Float] {
        let resonances = (0..<6).map { _ in draws.logUniform(500...4500) }
        let perSecond = draws.uniform(120...350)
        var noise = [Float](repeating: 0, count: count)
        for frequency in resonances {
            var drops = [Float](repeating: 0, count: count)
            var time = 0.0
            while true {
                time -= log(1 - draws.uniform()) * Double(resonances.count) / perSecond
                guard Int(time * sampleRate) < count else { break }
                drops[Int(time * sampleRate)] += Float(exp(0.7 * draws.normal()))
            }
            var drop = Resonator(frequency: frequency, bandwidth: draws.uniform(150...450), sampleRate: sampleRate)
            drop.normalisePower()
            drop.filter(&drops)
            noise.add(drops)
        }
        var lows = highPass(150)
        lows.filter(&noise)
        let level = noise.meanSquare.squareRoot()
        noise.add(stream.child(9).normals(count, standardDeviation: 0.15 * level))
        return noise
    }

    func siren(_ draws: inout Draws) -> [Float] {
        let (low, high) = (draws.uniform(450...700), draws.uniform(1000...1700))
        let (rate, phase) = (draws.logUniform(0.4...3), draws.uniform(0...6.28))
        let phases = sweep { low * pow(high / low, 0.5 * (1 + sin(2 * .pi * rate * $0 + phase))) }
        var noise = [Float](repeating: 0, count: count)
        for harmonic in 1...4 where Double(harmonic) * high < 0.45 * sampleRate {
            addTone(
                &noise, phases, multiple: Double(harmonic), offset: draws.uniform(),
                level: pow(0.5, Double(harmonic - 1)))
        }
        return noise
    }

    func bells(_ draws: inout Draws) -> [Float] {
        var noise = [Float](repeating: 0, count: count)
        var start = -draws.uniform(0...0.3)
        while start * sampleRate < Double(count) {
            let base = draws.logUniform(350...1100)
            for ratio in [1.0, 2.01, 2.76, 4.07, 5.4] where ratio * base < 0.4 * sampleRate {
                let decay = draws.uniform(0.15...0.6) / ratio.squareRoot()
                let level = draws.uniform(0.3...1) / ratio.squareRoot()
                addRinging(&noise, from: Int(start * sampleRate), ratio * base, decay: decay, level: level)
            }
            start += draws.uniform(0.12...0.45)
        }
        return noise
    }

    // MARK: Parts

    private func modulate(_ signal: inout [Float], _ gain: (Double) -> Double) {
        for index in signal.indices { signal[index] *= Float(gain(Double(index) / sampleRate)) }
    }

    /// Phases in cycles of a tone whose frequency (Hz) is a function of time (s).
    private func sweep(_ frequency: (Double) -> Double) -> [Double] {
        var phase = 0.0
        return (0..<count).map { index in
            phase += frequency(Double(index) / sampleRate) / sampleRate
            return phase
        }
    }

    private func addTone(_ signal: inout [Float], _ phases: [Double], multiple: Double, offset: Double, level: Double) {
        for index in signal.indices {
            signal[index] += Float(level * sin(2 * .pi * (multiple * phases[index] + offset)))
        }
    }

    /// A decaying tone; what lies before the first sample has already rung.
    private func addRinging(_ signal: inout [Float], from start: Int, _ frequency: Double, decay: Double, level: Double)
    {
        for index in max(0, start)..<max(0, count) {
            let time = Double(index - start) / sampleRate
            guard time < 7 * decay else { return }
            signal[index] += Float(level * exp(-time / decay) * sin(2 * .pi * frequency * time))
        }
    }
}
