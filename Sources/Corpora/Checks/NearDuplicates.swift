import Audio
import Foundation
public import Parallelism

/// Recordings of which one is a copy of the other: at another level, trimmed, resampled, requantised or coded anew.
///
/// Words that two fingerprints share at one offset make candidates; a candidate counts where the fingerprints differ in
/// less than 30 % of their bits over half a second or more, and then the signals themselves correlate by 0.8 or more.
public struct NearDuplicates: Sendable {
    /// A recording that is compared.
    public struct Recording: Sendable {
        /// The name that findings print, such as `folder/name`.
        public var name: String
        /// The file, read again where the fingerprints of two recordings are alike.
        public var path: String
        /// Recordings of one group are not compared with each other.
        public var group: Int
        /// 32-bit words of the spectrum, one per frame.
        public var fingerprint: Fingerprint

        public init(name: String, path: String, group: Int, fingerprint: Fingerprint) {
            (self.name, self.path, self.group, self.fingerprint) = (name, path, group, fingerprint)
        }
    }

    /// Two files of one recording.
    public struct Match: Hashable, Sendable {
        /// Indices into the list of recordings.
        public var first, second: Int
        /// Time in s of the first recording at which the second begins.
        public var offset: Double
        /// Absolute correlation coefficient of the overlapping parts at 8 kHz; 1 for copies.
        public var correlation: Double
    }

    /// A word that occurs at more places than this identifies no recording.
    private static let mostPlaces = 64
    private static let (mostDifferent, leastFrames, leastCorrelation) = (0.3, 20, 0.8)

    /// A place where a word occurs.
    private struct Place: Sendable {
        var word: UInt32
        var recording: Int32
        var frame: Int32
    }

    /// Two recordings at one offset.
    private struct Candidate: Hashable {
        var first, second: Int32
        var offset: Int32
    }

    /// Compares all recordings of different groups, in parallel where signals are read.
    public static func matches(among recordings: [Recording], interruption: Interruption = Interruption())
        throws(Interrupted) -> [Match]
    {
        let found = candidates(recordings)
        let confirmed = try found.parallelMap(block: 1, interruption: interruption) { candidate in
            correlated(candidate, recordings)
        }
        return confirmed.compactMap { $0 }
    }

    /// The best offset of each two recordings whose fingerprints are alike.
    private static func candidates(_ recordings: [Recording]) -> [Candidate] {
        var places: [Place] = []
        for (index, recording) in recordings.enumerated() {
            for (frame, word) in recording.fingerprint.words.enumerated() {
                guard let word, (6...26).contains(word.nonzeroBitCount) else { continue }
                places.append(Place(word: word, recording: Int32(index), frame: Int32(frame)))
            }
        }
        places.sort { ($0.word, $0.recording, $0.frame) < ($1.word, $1.recording, $1.frame) }
        var votes: [Candidate: Int] = [:]
        var start = 0
        while start < places.count {
            var end = start + 1
            while end < places.count, places[end].word == places[start].word { end += 1 }
            if end - start <= mostPlaces { vote(places[start..<end], recordings, &votes) }
            start = end
        }
        let ordered = votes.filter { $0.value >= 2 }.sorted { one, other in
            one.value != other.value
                ? one.value > other.value
                : (one.key.first, one.key.second, one.key.offset) < (
                    other.key.first, other.key.second, other.key.offset
                )
        }
        var best: [[Int32]: Candidate] = [:]
        for (candidate, _) in ordered where best[[candidate.first, candidate.second]] == nil {
            let first = recordings[Int(candidate.first)].fingerprint
            let second = recordings[Int(candidate.second)].fingerprint
            let alike = (-1...1).map { first.difference(to: second, offset: Int(candidate.offset) + $0) }
            guard alike.contains(where: { $0.share < mostDifferent && $0.frames >= leastFrames }) else { continue }
            best[[candidate.first, candidate.second]] = candidate
        }
        return best.values.sorted { ($0.first, $0.second) < ($1.first, $1.second) }
    }

    private static func vote(_ places: ArraySlice<Place>, _ recordings: [Recording], _ votes: inout [Candidate: Int]) {
        for (index, one) in zip(places.indices, places) {
            for other in places[(index + 1)...]
            where recordings[Int(one.recording)].group != recordings[Int(other.recording)].group {
                votes[
                    Candidate(first: one.recording, second: other.recording, offset: one.frame - other.frame),
                    default: 0] += 1
            }
        }
    }

    /// The match of a candidate whose signals are alike, too.
    private static func correlated(_ candidate: Candidate, _ recordings: [Recording]) -> Match? {
        let rate = 8000
        let (one, other) = (recordings[Int(candidate.first)].path, recordings[Int(candidate.second)].path)
        guard let x = signal(one, rate), let y = signal(other, rate) else { return nil }
        let shift = Int(Double(candidate.offset) * Fingerprint.hop * Double(rate))
        let (a, b) = (Array(x.dropFirst(max(0, shift))), Array(y.dropFirst(max(0, -shift))))
        let count = min(a.count, b.count)
        guard let alignment = Alignment(of: Array(b.prefix(count)), against: Array(a.prefix(count)), sampleRate: rate)
        else { return nil }
        // The second is later by the delay; so much is left out of it.
        let (late, early) = (max(0, alignment.delay), max(0, -alignment.delay))
        let correlation = correlation(a.dropFirst(early), b.dropFirst(late))
        guard correlation >= leastCorrelation else { return nil }
        let offset = (Double(shift) - Double(alignment.delay)) / Double(rate)
        return Match(
            first: Int(candidate.first), second: Int(candidate.second), offset: offset, correlation: correlation)
    }

    private static func signal(_ path: String, _ rate: Int) -> [Float]? {
        guard let sound = try? SoundFile.read(path, frames: nil), let samples = sound.channels.first else { return nil }
        return try? Resampler(from: sound.sampleRate, to: rate).resample(samples)
    }

    private static func correlation(_ x: ArraySlice<Float>, _ y: ArraySlice<Float>) -> Double {
        var (product, first, second) = (0.0, 0.0, 0.0)
        for (a, b) in zip(x, y) {
            product += Double(a) * Double(b)
            first += Double(a) * Double(a)
            second += Double(b) * Double(b)
        }
        return abs(product) / max((first * second).squareRoot(), .leastNormalMagnitude)
    }
}
