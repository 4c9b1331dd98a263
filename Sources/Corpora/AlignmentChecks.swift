import Audio
import Parallelism

/// Delay and gain between the clean and the noisy file of a pair.
public struct PairAlignment: Hashable, Sendable {
    /// The pair's name.
    public var name: String
    /// Hz; both files have it.
    public var sampleRate: Int
    /// The alignment of the second file (noisy, or an output) to the first (clean), over the middle of both, at most 6
    /// s.
    public var alignment: Alignment

    public init(name: String, sampleRate: Int, alignment: Alignment) {
        (self.name, self.sampleRate, self.alignment) = (name, sampleRate, alignment)
    }

    /// Compares the middle of two files; `nil` where they cannot be read, have several channels or different rates, or
    /// are too short.
    public init?(name: String, first: String, second: String) {
        guard let a = try? SoundFile.header(of: first), let b = try? SoundFile.header(of: second),
            a.channels == 1, b.channels == 1, a.sampleRate == b.sampleRate
        else { return nil }
        let frames = min(a.frames, b.frames)
        let count = min(frames, Int(Alignment.excerpt * Double(a.sampleRate)))
        let range = (frames - count) / 2..<(frames - count) / 2 + count
        guard let x = try? SoundFile.readMono(first, frames: range),
            let y = try? SoundFile.readMono(second, frames: range),
            let alignment = Alignment(of: y, against: x, sampleRate: a.sampleRate)
        else { return nil }
        self.init(name: name, sampleRate: a.sampleRate, alignment: alignment)
    }

    /// Compares the middle of two signals; `nil` where they are too short, or silent.
    init?(name: String, sampleRate: Int, first: [Float], second: [Float]) {
        let frames = min(first.count, second.count)
        let count = min(frames, Int(Alignment.excerpt * Double(sampleRate)))
        let range = (frames - count) / 2..<(frames - count) / 2 + count
        guard let alignment = Alignment(of: Array(second[range]), against: Array(first[range]), sampleRate: sampleRate)
        else { return nil }
        self.init(name: name, sampleRate: sampleRate, alignment: alignment)
    }

    /// Compares some pairs, evenly spread over all, so that the time does not depend on the set's size.
    ///
    /// - Parameter pairs: Name, first and second file.
    public static func sample(
        of pairs: [(name: String, first: String, second: String)], count: Int = 12
    ) -> [PairAlignment] {
        let chosen = pairs.count <= count ? Array(pairs.indices) : (0..<count).map { $0 * pairs.count / count }
        let files = chosen.map { pairs[$0] }
        return files.parallelMap(block: 1) { pair in
            PairAlignment(name: pair.name, first: pair.first, second: pair.second)
        }.compactMap { $0 }
    }

    var milliseconds: Double { 1000 * Double(alignment.delay) / Double(sampleRate) }

    /// Late or early by a millisecond or more, and not by the path of the sound in a room.
    func isShifted(inRoom: Bool) -> Bool {
        alignment.isShifted(by: max(2, sampleRate / 1000), sampleRate: sampleRate, inRoom: inRoom)
    }
}

extension [PairAlignment] {
    /// The findings about pairs of clean and noisy files: shifted, exchanged, or at different levels.
    ///
    /// - Parameter isComplete: Whether all pairs of the set were compared: then each that is shifted is an error.
    public func findings(set: String, layout: Layout, isComplete: Bool = false) -> [Finding] {
        let (first, second) = (layout.cleanFolder, layout.noisyFolder)
        let room = filter(\.alignment.isCertain).map(\.alignment.roomRatio).median
        let isRoom = layout == .dereverberation || room > Self.roomThreshold
        let exchanged = exchange(set: set, first, second, room: layout == .dereverberation ? room : 1)
        let others = exchanged.isEmpty && !isRoom ? level(set: set, first, second) : exchanged
        return shift(set: set, first, second, isRoom, isComplete) + others
    }

    /// The median of the pairs' room ratios above which a room is in the second files: it was 0.88 to 1.03 for speech
    /// in six kinds of noise at −10 to 20 dB, and 1.28 or more for rooms with up to 10 dB more direct than reverberant
    /// sound.
    fileprivate static var roomThreshold: Double { 1.2 }

    /// Pairs of which the second file is late or early.
    private func shift(set: String, _ first: String, _ second: String, _ isRoom: Bool, _ isComplete: Bool) -> [Finding]
    {
        let shifted = filter { $0.isShifted(inRoom: isRoom) }
        guard !shifted.isEmpty else { return [] }
        // A single shifted pair may be an odd recording; several are a fault of the set.
        let severity: Finding.Severity = isComplete || 4 * shifted.count >= count ? .error : .warning
        return [
            Finding(
                .alignment, severity, set: set,
                "\(second) is \(Self.words(shifted.map(\.milliseconds))) against \(first) in \(shifted.count) of "
                    + "\(count) pairs that were compared",
                fix: "cut or pad \(second) so that both files of each pair begin at the same moment",
                files: shifted.map(\.name))
        ]
    }

    /// Clean and noisy folder that seem to be exchanged: the noise, or the reverberation, is in the first.
    private func exchange(set: String, _ first: String, _ second: String, room: Double) -> [Finding] {
        let certain = filter(\.alignment.isCertain)
        guard !certain.isEmpty else { return [] }
        let floor = certain.map(\.alignment.floor).median
        let isNoisier = floor < -2.5 && 2 * certain.count(where: { $0.alignment.floor < -2.5 }) > certain.count
        let reason: String
        if isNoisier {
            reason = "the pauses of \(first) are \(Self.decibels(-floor)) louder than those of \(second)"
        } else if room < 1 / Self.roomThreshold {
            reason = "the reverberation is in \(first)"
        } else {
            return []
        }
        return [
            Finding(
                .exchange, .error, set: set,
                "\(first) and \(second) seem to be exchanged: \(reason) (\(certain.count) pairs compared)",
                fix: "check which folder holds the targets, and rename the folders", files: certain.map(\.name))
        ]
    }

    /// A level of the speech in the second file that differs from the first.
    private func level(set: String, _ first: String, _ second: String) -> [Finding] {
        let comparable = filter { $0.alignment.isCertain && $0.alignment.gain > -60 }
        let other = comparable.filter { abs($0.alignment.gain) > 1.5 }
        guard 2 * other.count > comparable.count else { return [] }
        let gains = other.map(\.alignment.gain)
        let (median, spread) = (gains.median, (gains.min() ?? 0, gains.max() ?? 0))
        let range = spread.1 - spread.0 > 1 ? ", between \(Self.decibels(spread.0)) and \(Self.decibels(spread.1))" : ""
        return [
            Finding(
                .level, abs(median) >= 3 ? .error : .warning, set: set,
                "the speech in \(second) is \(Self.decibels(abs(median))) \(median < 0 ? "below" : "above") that in "
                    + "\(first) (\(other.count) of \(comparable.count) pairs compared\(range))",
                fix: "scale both files of each pair alike: \(second) seems to be normalised by itself",
                files: other.map(\.name))
        ]
    }

    /// `100.0 ms late`, or `between 12.0 ms early and 40.5 ms late`.
    static func words(_ delays: [Double]) -> String {
        func word(_ delay: Double) -> String { "\(short(abs(delay))) ms \(delay < 0 ? "early" : "late")" }
        guard let least = delays.min(), let most = delays.max() else { return "" }
        return most - least < 0.1 ? word(delays.median) : "between \(word(least)) and \(word(most))"
    }

    private static func decibels(_ value: Double) -> String { "\(short(value)) dB" }
    private static func short(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}

extension [PairAlignment] {
    /// The delay of outputs against their clean files, common to all or different for each.
    public func outputFinding() -> (message: String, files: [String])? {
        let certain = filter(\.alignment.isCertain)
        let delays = certain.map { Double($0.alignment.delay) }
        let common = delays.median
        let isConstant = abs(common) >= 2 && 5 * delays.count(where: { abs($0 - common) <= 1 }) >= 4 * delays.count
        let isRoom = certain.map(\.alignment.roomRatio).median > Self.roomThreshold
        let late = certain.filter { one in
            guard isConstant else { return one.isShifted(inRoom: isRoom) }
            return one.alignment.isShifted(by: 2, sampleRate: one.sampleRate, inRoom: isRoom)
        }
        guard !late.isEmpty else { return nil }
        let samples = isConstant ? " (\(Int(abs(common))) samples)" : ""
        return (
            "\(Self.words(late.map(\.milliseconds)))\(samples) against the clean files in \(late.count) of \(count) "
                + "files that were compared",
            late.map(\.name)
        )
    }
}

extension [Double] {
    /// 0 of none.
    fileprivate var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
