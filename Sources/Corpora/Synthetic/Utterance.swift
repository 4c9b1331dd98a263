import Foundation
import Kernels

/// The movements of one utterance, as tracks of one value per control frame of 2.5 ms.
///
/// Phrases with pauses between them, of syllables with onset, nucleus and coda; targets glide into each other
/// (co-articulation), pitch declines over a phrase, rises on stressed syllables, and falls or rises at the end.
struct Utterance: Sendable {
    /// s
    static let framePeriod = 0.0025

    /// Hz.
    var pitch: [Double] = []
    var voice: [Double] = []
    var breath: [Double] = []
    var friction: [Double] = []
    /// Hz, after the speaker's tract.
    var formants: [[Double]] = [[], [], []]
    var width: [Double] = []
    var frictionPeak: [Double] = []
    var frictionWidth: [Double] = []

    var frameCount: Int { pitch.count }

    /// An utterance of a speaker that fills `seconds`.
    init(of speaker: Voice, seconds: Double, draws: inout Draws) {
        let frames = Int((seconds / Self.framePeriod).rounded(.up))
        rest(draws.uniform(0.04...0.14), speaker)
        while frameCount < frames {
            let left = Double(frames - frameCount) * Self.framePeriod
            guard left > 0.45 else {
                rest(left, speaker)
                break
            }
            phrase(of: min(draws.uniform(0.7...1.7), left - 0.08), speaker, &draws)
            rest(draws.uniform(0.10...0.30), speaker)
        }
        cut(to: frames)
        glide()
    }

    // MARK: Targets

    private mutating func phrase(of seconds: Double, _ speaker: Voice, _ draws: inout Draws) {
        let start = frameCount
        let end = start + Int(seconds / Self.framePeriod)
        var accents: [(middle: Int, halfWidth: Double, height: Double)] = []
        while frameCount < end {
            let stressed = draws.chance(0.5)
            let first = frameCount
            syllable(stressed: stressed, speaker, &draws)
            guard stressed else { continue }
            let height = speaker.accentHeight * draws.uniform(0.4...1.3)
            accents.append(((first + frameCount) / 2, Double(frameCount - first) * 0.8, height))
        }
        cut(to: end)
        intonate(start..<end, accents, speaker, asks: draws.chance(0.2), &draws)
    }

    /// One syllable: (plosive | fricative | sonorant | cluster)? vowel coda?
    private mutating func syllable(stressed: Bool, _ speaker: Voice, _ draws: inout Draws) {
        let strength = (stressed ? 1 : draws.uniform(0.45...0.75)) * pow(10, draws.uniform(-2...2) / 20)
        let scale = speaker.durationScale
        let length = scale * (stressed ? draws.uniform(0.9...1.35) : draws.uniform(0.6...0.9))
        let consonants = [Phone.plosives, Phone.fricatives, Phone.sonorants]
        var phones: [Phone] = []
        if draws.chance(0.88) { phones += draws.pick(draws.pick(consonants)).map { $0.lasting(scale) } }
        if draws.chance(0.15) { phones += draws.pick(Phone.sonorants).map { $0.lasting(0.8 * scale) } }
        let nucleus = stressed || draws.chance(0.5) ? draws.pick(Phone.vowels) : Phone.schwa
        phones += nucleus.map { $0.lasting(length) }
        if draws.chance(0.35) { phones += draws.pick(draws.pick(consonants)).map { $0.lasting(0.9 * scale) } }

        var shape = nucleus[0].formants ?? (500, 1500, 2500)
        for phone in phones {
            shape = phone.formants ?? shape
            append(
                phone, shape: shape, strength: strength, frames: Int(phone.duration / 1000 / Self.framePeriod), speaker)
        }
    }

    private mutating func rest(_ seconds: Double, _ speaker: Voice) {
        let neutral = Phone(formants: (500, 1500, 2500), duration: 0)
        append(neutral, shape: (500, 1500, 2500), strength: 0, frames: Int(seconds / Self.framePeriod), speaker)
    }

    private mutating func append(
        _ phone: Phone, shape: (Double, Double, Double), strength: Double, frames: Int, _ speaker: Voice
    ) {
        func extend(_ track: inout [Double], _ value: Double) { track += repeatElement(value, count: frames) }
        extend(&pitch, speaker.pitch)
        extend(&voice, phone.voice * strength)
        extend(&breath, phone.breath * strength)
        extend(&friction, phone.friction * strength)
        extend(&formants[0], shape.0 * speaker.tract * speaker.articulation.0)
        extend(&formants[1], shape.1 * speaker.tract * speaker.articulation.1)
        extend(&formants[2], shape.2 * speaker.tract * speaker.articulation.2)
        extend(&width, phone.width)
        extend(&frictionPeak, phone.frictionPeak * speaker.tract.squareRoot())
        extend(&frictionWidth, phone.frictionWidth)
    }

    private mutating func cut(to frames: Int) {
        mapTracks { $0.removeLast(max(0, $0.count - frames)) }
    }

    // MARK: Prosody

    private mutating func intonate(
        _ range: Range<Int>, _ accents: [(middle: Int, halfWidth: Double, height: Double)], _ speaker: Voice,
        asks: Bool,
        _ draws: inout Draws
    ) {
        let register = draws.uniform(0.94...1.06)
        let (phase, rate) = (draws.uniform(0...(2 * .pi)), draws.uniform(2...4))
        for frame in range {
            let position = Double(frame - range.lowerBound) / Double(range.count)
            let seconds = Double(frame) * Self.framePeriod
            var contour = register * (1.12 - 0.24 * position) * (1 + 0.012 * sin(2 * .pi * rate * seconds + phase))
            for accent in accents {
                let distance = abs(Double(frame - accent.middle)) / accent.halfWidth
                if distance < 1 { contour *= 1 + accent.height * 0.5 * (1 + cos(.pi * distance)) }
            }
            let ending = max(0, position - 0.8) / 0.2
            contour *= asks ? 1 + 0.3 * ending * ending : 1 - 0.12 * ending
            pitch[frame] = speaker.pitch * contour
            voice[frame] *= 1 - 0.35 * position * position
        }
    }

    /// Lets the targets glide: formants over some 45 ms, amplitudes over 8 to 18 ms.
    private mutating func glide() {
        for index in formants.indices { formants[index] = Self.smoothed(formants[index], frames: 9, times: 2) }
        width = Self.smoothed(width, frames: 9, times: 1)
        pitch = Self.smoothed(pitch, frames: 9, times: 2)
        voice = Self.smoothed(voice, frames: 5, times: 2)
        breath = Self.smoothed(breath, frames: 5, times: 1)
        friction = Self.smoothed(friction, frames: 3, times: 1)
    }

    /// A moving average over an odd number of frames, the ends held.
    static func smoothed(_ track: [Double], frames: Int, times: Int) -> [Double] {
        guard times > 0, let first = track.first, let last = track.last else { return track }
        let half = frames / 2
        var sum = first * Double(half + 1)
        for index in 0..<half { sum += index < track.count ? track[index] : last }
        var result = track
        for index in track.indices {
            sum += index + half < track.count ? track[index + half] : last
            if index > 0 { sum -= index - half - 1 >= 0 ? track[index - half - 1] : first } else { sum -= first }
            result[index] = sum / Double(frames)
        }
        return smoothed(result, frames: frames, times: times - 1)
    }

    private mutating func mapTracks(_ change: (inout [Double]) -> Void) {
        for path in [
            \Utterance.pitch, \.voice, \.breath, \.friction, \.formants[0], \.formants[1], \.formants[2], \.width,
            \.frictionPeak, \.frictionWidth,
        ] { change(&self[keyPath: path]) }
    }
}
