import Specs

/// How the segment of a noisy recording is found that contains the least speech, to serve as a noise reference.
public enum NoiseSegmentRule: String, CaseIterable, Sendable {
    /// The segment of least energy.
    case quietest
    /// The segment with the fewest frames of speech; among equals, the one of least energy.
    ///
    /// A frame of 10 ms counts as speech where its energy is more than 6 dB above the noise floor, which is the tenth
    /// percentile of the frames' energies.
    case speechFree = "speech_free"

    /// The rule that a spec's reference asks for; `speechFree` where it names none.
    init(_ selection: NoiseReferenceSpec.Selection?) { self = selection == .quietest ? .quietest : .speechFree }

    /// The first sample of the segment of `count` samples. Frames of digital silence are avoided: they are no noise.
    public func start(in noisy: [Float], count: Int, sampleRate: Int) -> Int {
        guard noisy.count > count, count > 0 else { return 0 }
        let hop = max(1, sampleRate / 100)
        let energies = stride(from: 0, through: noisy.count - hop, by: hop).map { first in
            (first..<first + hop).reduce(0.0) { $0 + Double(noisy[$1]) * Double(noisy[$1]) }
        }
        let frames = max(1, count / hop)
        let last = min(energies.count - frames, (noisy.count - count) / hop)
        guard last > 0 else { return 0 }
        let sounding = energies.filter { $0 > 0 }.sorted()
        guard !sounding.isEmpty else { return 0 }
        let threshold = 4 * sounding[sounding.count / 10]
        let silence = Self.sums(energies.map { $0 > 0 ? 0 : 1 })
        let speech = Self.sums(energies.map { $0 > threshold ? 1 : 0 })
        let energy = Self.sums(energies)
        func cost(_ frame: Int) -> (Double, Double) {
            func inside(_ sums: [Double]) -> Double { sums[frame + frames] - sums[frame] }
            switch self {
            case .quietest: return (inside(silence), inside(energy))
            case .speechFree: return (inside(silence) + inside(speech), inside(energy))
            }
        }
        return hop * ((0...last).min { cost($0) < cost($1) } ?? 0)
    }

    /// Running sums, from 0 on.
    private static func sums(_ values: [Double]) -> [Double] {
        values.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    }
}
