import Audio
import Corpora
import Foundation
import TestFolders
import Testing

/// Pairs that lie well against each other, and pairs that do not.
@Suite struct AlignmentTests {
    let folder: TestFolder
    private var base: String { folder.path + "/corpus" }

    init() throws { folder = try TestFolder() }

    /// Speech-like pairs, some of which are changed on the disk.
    private func findings(
        snr: Double = 5, layout: Layout = .denoising, noises: [NoiseFamily] = NoiseFamily.inDistribution,
        count: Int = 6,
        rate: Int = 16_000, _ change: (_ clean: inout [Float], _ noisy: inout [Float]) -> Void = { _, _ in }
    ) throws -> [Finding] {
        let corpus = SyntheticCorpus {
            ($0.layout, $0.snr, $0.seconds, $0.sampleRate) = (layout, snr...snr, 2...3, rate)
            ($0.train, $0.valid, $0.test, $0.testOOD, $0.noises) = (1, 1, count, 1, noises)
            $0.oodNoises = NoiseFamily.allCases.filter { !noises.contains($0) }
        }
        if FileManager.default.fileExists(atPath: base) { try FileManager.default.removeItem(atPath: base) }
        try corpus.write(to: base)
        let set = try Corpus(at: base).set("test")
        for file in set.files {
            var (clean, noisy) = (try SoundFile.readMono(file.cleanPath), try SoundFile.readMono(file.noisyPath))
            change(&clean, &noisy)
            try SoundFile.write(clean, sampleRate: rate, to: file.cleanPath, durable: false)
            try SoundFile.write(noisy, sampleRate: rate, to: file.noisyPath, durable: false)
        }
        var cache = FactsCache()
        return try SetScan(reading: set, cache: &cache).findings(expecting: .init(sampleRate: rate))
            .filter { [.alignment, .exchange, .level].contains($0.code) }
    }

    private func late(_ signal: [Float], by samples: Int) -> [Float] {
        samples >= 0
            ? [Float](repeating: 0, count: samples) + signal.dropLast(samples)
            : signal.dropFirst(-samples) + [Float](repeating: 0, count: -samples)
    }

    // MARK: No false alarms

    @Test(arguments: [-5.0, 15], NoiseFamily.allCases)
    func goodPairsInAnyNoiseAreLeftAlone(snr: Double, noise: NoiseFamily) throws {
        #expect(try findings(snr: snr, noises: [noise], count: 3).isEmpty)
    }

    @Test(arguments: [0, 96, 480])
    func aRoomAndItsPathAreNoShift(path: Int) throws {
        let found = try findings(layout: .dereverberation) { _, reverb in reverb = late(reverb, by: path) }
        #expect(found.isEmpty, "\(found)")
    }

    // MARK: What is found

    @Test(arguments: [(1600, "100.0 ms late"), (160, "10.0 ms late"), (-640, "40.0 ms early")], [-5.0, 10])
    func shiftedPairsAreFoundWithTheirDelay(shift: (samples: Int, words: String), snr: Double) throws {
        let found = try findings(snr: snr) { _, noisy in noisy = late(noisy, by: shift.samples) }
        #expect(found.map(\.code) == [.alignment] && found.first?.severity == .error, "\(found)")
        #expect(
            found.first?.message.hasPrefix("noisy is \(shift.words) against clean in 6 of 6 pairs") == true, "\(found)")
    }

    @Test func pairsShiftedEachByItsOwnAreFound() throws {
        var number = 0
        let found = try findings { _, noisy in
            number += 1
            noisy = late(noisy, by: 160 * number)
        }
        #expect(found.first?.message.hasPrefix("noisy is between 10.0 ms late and 60.0 ms late") == true, "\(found)")
    }

    @Test(arguments: [-1600, 2400])
    func aShiftOfReverberantFilesIsFound(samples: Int) throws {
        let found = try findings(layout: .dereverberation) { _, reverb in reverb = late(reverb, by: samples) }
        #expect(found.map(\.code) == [.alignment], "\(found)")
    }

    @Test(arguments: [-5.0, 5])
    func exchangedFoldersAreFound(snr: Double) throws {
        let noises: [NoiseFamily] = [.white, .pink, .brown, .speechShaped, .ventilation]
        let found = try findings(snr: snr, noises: noises) { swap(&$0, &$1) }
        #expect(found.map(\.code) == [.exchange] && found.first?.severity == .error, "\(found)")
        let rooms = try findings(layout: .dereverberation) { swap(&$0, &$1) }
        #expect(rooms.map(\.code) == [.exchange], "\(rooms)")
    }

    @Test(arguments: [-15.0, 6])
    func aNoisyFileThatWasScaledByItselfIsFound(decibels: Double) throws {
        let found = try findings { _, noisy in noisy = noisy.map { $0 * Float(pow(10, (decibels - 12) / 20)) } }
        let expected = "the speech in noisy is \(abs(decibels - 12)) dB below that in clean"
        #expect(found.map(\.code) == [.level] && found.first?.message.hasPrefix(expected) == true, "\(found)")
    }

    // MARK: What cannot be told

    /// Harmonics of one pitch, steady or in syllables, have peaks of one height at every multiple of their period.
    @Test(arguments: [37, 160, 1000], [0.0, 3.0])
    func aPeriodicSoundHasNoCertainDelay(samples: Int, syllables: Double) throws {
        func tone(_ n: Int) -> Float {
            let t = Double(n) / 16_000
            let sum = (1...8).reduce(0.0) { $0 + sin(2 * .pi * 150 * Double($1) * t) / Double($1) }
            return Float(0.1 * sum * (syllables > 0 ? pow(sin(2 * .pi * syllables * t), 2) : 1))
        }
        let (first, second) = ((0..<32_000).map(tone), (0..<32_000).map { tone($0 - samples) })
        let alignment = try #require(Alignment(of: second, against: first, sampleRate: 16_000))
        #expect(!alignment.isCertain && alignment.delay == 0, "\(alignment)")
    }

    @Test(arguments: [0, 37, 1000]) func speechWithPitchHasACertainDelay(samples: Int) throws {
        let corpus = SyntheticCorpus { ($0.train, $0.valid, $0.test, $0.testOOD) = (1, 1, 1, 1) }
        let speech = corpus.pair(0, of: try #require(corpus.sets.first)).0.clean
        let alignment = try #require(Alignment(of: late(speech, by: samples), against: speech, sampleRate: 16_000))
        #expect(alignment.isCertain && alignment.delay == samples, "\(alignment)")
    }
}
