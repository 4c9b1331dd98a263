import Audio
import Corpora
import SpeechMetrics

/// What is done to outputs that do not fit their clean files, where a person asks for it; each is a part of the
/// signatures.
public struct OutputFitting: OptionSet, Sendable, Hashable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// An output that is late or early is moved by its measured delay, and what has no counterpart is cut off.
    public static let alignment = OutputFitting(rawValue: 1)
    /// Signals of different lengths are cut at their ends to the shortest.
    public static let trimming = OutputFitting(rawValue: 2)
    /// An output at a higher rate than its clean file is lowered to it.
    public static let resampling = OutputFitting(rawValue: 4)

    /// The rate that an output must have: any that is not below `rate` where it is lowered.
    func required(_ rate: Int, of path: String) throws(SoundFileError) -> Int {
        guard contains(.resampling) else { return rate }
        return max(rate, try SoundFile.header(of: path).sampleRate)
    }

    /// The pair with its output, made to fit.
    func fitted(_ pair: SpeechPair, _ output: [Float], from path: String) throws(SoundFileError) -> SpeechPair {
        var pair = pair
        pair.enhanced = output
        let own = try required(pair.sampleRate, of: path)
        if own != pair.sampleRate {
            do throws(ResamplingError) {
                pair.enhanced = try Resampler(from: own, to: pair.sampleRate).resample(output)
            } catch {
                throw SoundFileError(path, .unreadable("\(error)"))
            }
            pair.fitting.append("resampled")
        }
        if contains(.alignment) { align(&pair) }
        if contains(.trimming) { trim(&pair) }
        return pair
    }

    /// Removes the delay of the output, where it is certain.
    private func align(_ pair: inout SpeechPair) {
        guard let alignment = Alignment(of: pair.enhanced, against: pair.clean, sampleRate: pair.sampleRate),
            alignment.isCertain,
            alignment.delay != 0
        else { return }
        let (late, early) = (max(0, alignment.delay), max(0, -alignment.delay))
        func kept(_ samples: [Float]) -> [Float] { Array(samples.dropFirst(early).dropLast(late)) }
        pair.enhanced = Array(pair.enhanced.dropFirst(late).dropLast(early))
        (pair.clean, pair.noisy) = (kept(pair.clean), pair.noisy.map(kept))
        pair.fitting.append("aligned")
    }

    private func trim(_ pair: inout SpeechPair) {
        let count = min(pair.clean.count, pair.enhanced.count, pair.noisy?.count ?? .max)
        guard [pair.clean.count, pair.enhanced.count, pair.noisy?.count ?? count].contains(where: { $0 != count })
        else { return }
        func kept(_ samples: [Float]) -> [Float] { Array(samples.prefix(count)) }
        (pair.clean, pair.noisy, pair.enhanced) = (kept(pair.clean), pair.noisy.map(kept), kept(pair.enhanced))
        pair.fitting.append("trimmed")
    }
}
