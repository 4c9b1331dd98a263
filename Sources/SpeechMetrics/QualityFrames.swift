import Foundation

/// The frames of Loizou's quality measures: 30 ms, a new one every 7.5 ms, under a Hann window without its zeros.
///
/// Loizou, *Speech Enhancement: Theory and Practice*, 2nd ed., 2013, ch. 11 and its accompanying code. 2⁻⁵² is added to
/// every sample, so that digital silence causes no division by 0.
struct QualityFrames {
    let sampleRate: Int
    let length: Int
    let hop: Int
    private let window: [Double]

    init(sampleRate: Int) {
        self.sampleRate = sampleRate
        let length = Int((0.03 * Double(sampleRate)).rounded())
        self.length = length
        hop = length / 4
        window = (1...length).map { n -> Double in
            let angle = 2 * Double.pi * Double(n) / Double(length + 1)
            return 0.5 * (1 - cos(angle))
        }
    }

    /// How many frames `count` samples have.
    func count(for samples: Int) -> Int { max(0, (samples - length) / hop) }

    /// One windowed frame.
    func frame(_ index: Int, of signal: [Float]) -> [Double] {
        let start = index * hop
        return (0..<length).map { (Double(signal[start + $0]) + Double.ulpOfOne) * window[$0] }
    }

    /// The value of every frame of a pair.
    ///
    /// - Throws: `tooShort` where there is no frame.
    func map(
        _ pair: SpeechPair, _ value: (_ clean: [Double], _ enhanced: [Double]) -> Double
    ) throws(MetricFailure) -> [Double] {
        let frames = count(for: pair.clean.count)
        guard frames > 0 else {
            throw .tooShort(count: pair.clean.count, minimum: length + hop, of: "samples")
        }
        return (0..<frames).map { value(frame($0, of: pair.clean), frame($0, of: pair.enhanced)) }
    }
}

extension [Double] {
    /// The mean of the lowest 95 %, as Loizou's measures leave out the worst frames.
    var trimmedMean: Double {
        let kept = sorted().prefix(Int((0.95 * Double(count)).rounded()))
        return kept.isEmpty ? 0 : kept.reduce(0, +) / Double(kept.count)
    }
}
