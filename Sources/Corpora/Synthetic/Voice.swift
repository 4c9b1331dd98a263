import Kernels

/// A synthetic speaker: what stays the same over all of a speaker's utterances.
struct Voice: Sendable {
    /// Hz, the middle of the speaker's range.
    var pitch: Double
    /// Formants relative to an adult male tract; a shorter tract has higher ones.
    var tract: Double
    /// Shifts of F1, F2, F3, the speaker's own way of articulating.
    var articulation: (Double, Double, Double)
    /// Durations relative to normal.
    var durationScale: Double
    /// Part of a glottal cycle in which the glottis is open.
    var openQuotient: Double
    /// Hz; above it the voice falls by 6 dB per octave more.
    var tilt: Double
    /// Turbulence at the glottis, relative to the pulses.
    var breathiness: Double
    /// Spread of the cycles' lengths and amplitudes.
    var jitter: Double
    var shimmer: Double
    /// How far accents raise the pitch.
    var accentHeight: Double

    /// Speaker `number` of a corpus; the sexes alternate.
    init(seed: UInt64, number: Int) {
        var draws = Draws(RandomStream(seed: seed, purpose: "voice", number))
        let high = number % 2 == 1
        pitch = draws.logUniform(high ? 165...255 : 85...145)
        tract = draws.uniform(high ? 1.10...1.24 : 0.93...1.07)
        articulation = (draws.uniform(0.95...1.05), draws.uniform(0.95...1.05), draws.uniform(0.96...1.04))
        durationScale = draws.uniform(0.85...1.2)
        openQuotient = draws.uniform(high ? 0.6...0.75 : 0.48...0.65)
        tilt = draws.logUniform(high ? 1800...4000 : 2500...6000)
        breathiness = draws.uniform(high ? 0.02...0.06 : 0.008...0.03)
        jitter = draws.uniform(0.004...0.012)
        shimmer = draws.uniform(0.03...0.09)
        accentHeight = draws.uniform(0.10...0.28)
    }
}
