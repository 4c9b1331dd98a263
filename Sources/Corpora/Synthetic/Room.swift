import Foundation
import Kernels

/// A synthetic room: direct sound, a few early reflections, and a diffuse tail that decays exponentially.
///
/// The tail is velvet noise, impulses of random sign at random places, 2000 per second, with amplitudes
/// `10^{−3t/T60}`: it sounds like Gaussian noise and costs one addition per impulse and sample (Järveläinen and
/// Karjalainen, *Reverberation modeling using velvet noise*, AES 30th Conference, 2007).
struct Room: Sendable {
    /// s until the energy has fallen by 60 dB.
    let t60: Double
    /// Ratio of direct to reverberant energy in dB that the response is scaled to.
    let directRatio: Double
    /// Delays in samples and amplitudes of the reflections; the direct sound is `(0, 1)` and not among them.
    let reflections: [(delay: Int, amplitude: Float)]

    init(t60: Double, sampleRate: Double, draws: inout Draws) {
        self.t60 = t60
        directRatio = draws.uniform(-3...6)
        var taps: [(delay: Int, amplitude: Double)] = []
        for _ in 0..<6 {
            let delay = draws.uniform(0.003...0.04)
            taps.append((Int(delay * sampleRate), draws.uniform(0.3...0.8) * pow(10, -3 * delay / t60)))
        }
        let spacing = sampleRate / 2000
        var slot = 0.015 * sampleRate
        while slot < t60 * sampleRate {
            let delay = slot + draws.uniform() * spacing
            let sign = draws.chance(0.5) ? 0.25 : -0.25
            taps.append((Int(delay), sign * pow(10, -3 * delay / sampleRate / t60)))
            slot += spacing
        }
        let energy = taps.reduce(0) { $0 + $1.amplitude * $1.amplitude }
        let gain = (pow(10, -directRatio / 10) / energy).squareRoot()
        reflections = taps.map { ($0.delay, Float($0.amplitude * gain)) }
    }

    /// The signal at the microphone in the room, of the same length; the direct sound is not delayed.
    func reverberate(_ signal: [Float]) -> [Float] {
        var received = signal
        for (delay, amplitude) in reflections where delay < signal.count {
            for index in delay..<received.count { received[index] += amplitude * signal[index - delay] }
        }
        return received
    }
}
