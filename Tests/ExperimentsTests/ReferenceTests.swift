import Audio
import Corpora
import Experiments
import Foundation
import Kernels
import Models
import Specs
import TestFolders
import Testing

@Suite struct ReferenceTests {
    /// A second of noise at 8 kHz, with speech-like bursts and a quiet stretch from sample 5000 on.
    private static let quiet = 5000..<6000
    private static let noisy: [Float] = {
        let noise = RandomStream(seed: 3, purpose: "noisy").normals(8000, standardDeviation: 0.01)
        return noise.enumerated().map { index, value -> Float in
            let speech = Float(sin(0.2 * Double(index)))
            return ReferenceTests.quiet.contains(index) ? value : value + 0.5 * speech
        }
    }()

    private func chooser(
        _ mode: NoiseReferenceSpec.Mode, by: NoiseReferenceSpec.Selection? = nil, path: String? = nil, count: Int = 800,
        seed: UInt64 = 0
    ) -> ReferenceChooser {
        ReferenceChooser(
            NoiseReferenceSpec(mode: mode, by: by, path: path), count: count, sampleRate: 8000, seed: seed)
    }

    @Test(arguments: NoiseSegmentRule.allCases)
    func theStretchWithoutSpeechIsFound(method: NoiseSegmentRule) {
        let start = method.start(in: Self.noisy, count: 800, sampleRate: 8000)
        #expect(Self.quiet.contains(start) && Self.quiet.contains(start + 799))
    }

    /// Digital silence is quiet, but it tells nothing of the noise.
    @Test(arguments: NoiseSegmentRule.allCases)
    func digitalSilenceIsPassedOver(method: NoiseSegmentRule) {
        var noisy = Self.noisy
        for index in 0..<2000 { noisy[index] = 0 }
        #expect(Self.quiet.contains(method.start(in: noisy, count: 800, sampleRate: 8000)))
    }

    /// A loud stretch without a change is preferred to a quieter one with a burst of speech in it.
    @Test func speechFreeIsNotQuietest() {
        var noisy = RandomStream(seed: 4, purpose: "loud").normals(8000, standardDeviation: 0.1)
        for index in 4000..<8000 { noisy[index] *= (index - 4000) % 1600 < 160 ? 1.8 : 0.7 }
        let quietest = NoiseSegmentRule.quietest.start(in: noisy, count: 1600, sampleRate: 8000)
        let speechFree = NoiseSegmentRule.speechFree.start(in: noisy, count: 1600, sampleRate: 8000)
        #expect(quietest > 2400 && speechFree <= 2400)
    }

    @Test func oracleIsTheDifference() throws {
        let clean = Self.noisy.map { 0.5 * $0 }
        let chosen = try chooser(.oracle).reference(for: .init(id: "a", noisy: Self.noisy, clean: clean))
        let start = try #require(chosen.record.start)
        let expected = (start..<start + 800).map { Self.noisy[$0] - clean[$0] }
        #expect(chosen.reference == .segment(expected))
        let other = try chooser(.oracle, seed: 1).reference(for: .init(id: "a", noisy: Self.noisy, clean: clean))
        #expect(other.record.start != start)
    }

    @Test func whiteNoiseHasTheNoisesLevel() throws {
        let clean = [Float](repeating: 0, count: 8000)
        let recording = ReferenceChooser.Recording(id: "a", noisy: Self.noisy, clean: clean)
        let power: Double = Self.noisy.reduce(0.0) { $0 + Double($1 * $1) } / 8000
        let level = power.squareRoot()
        let record = try chooser(.random, count: 8000).reference(for: recording).record
        let found = try #require(record.level)
        #expect(abs(found - level) < 0.03 * level)
    }

    @Test func aShortRecordingIsPaddedAsInTraining() throws {
        let chosen = try chooser(.start, count: 10).reference(for: .init(id: "a", noisy: [1, 2, 3]))
        #expect(chosen.reference == .segment([0, 0, 0, 1, 2, 3, 0, 0, 0, 0]))
    }

    @Test func filesAndFoldersAreReadAndNamed() throws {
        let temporary = try TestFolder()
        for (name, value) in [("a", Float(0.1)), ("b", 0.2)] {
            try SoundFile.write(
                [Float](repeating: value, count: 2000), sampleRate: 8000, to: temporary.path + "/\(name).wav")
        }
        let recording = ReferenceChooser.Recording(id: "set/b.wav", noisy: Self.noisy)
        let file = try chooser(.file, path: temporary.path + "/a.wav").reference(for: recording)
        #expect(file.record.source == temporary.path + "/a.wav")
        let own = try chooser(.folder, path: temporary.path).reference(for: recording)
        #expect(own.record.source == temporary.path + "/b.wav")
        let drawn = try chooser(.folder, path: temporary.path).reference(
            for: .init(id: "set/c.wav", noisy: Self.noisy))
        #expect(drawn.record.source != nil)
    }

    @Test func aRecordingMustHoldAWholeReferenceAndSound() throws {
        let temporary = try TestFolder()
        try SoundFile.write([Float](repeating: 0.1, count: 30), sampleRate: 8000, to: temporary.path + "/short.wav")
        try SoundFile.write([Float](repeating: 0, count: 2000), sampleRate: 8000, to: temporary.path + "/silent.wav")
        let recording = ReferenceChooser.Recording(id: "a", noisy: Self.noisy)
        for (name, words) in [("short", "holds 0.004 s"), ("silent", "is silent")] {
            let error = #expect(throws: ReferenceError.self) {
                try chooser(.file, path: temporary.path + "/\(name).wav").reference(for: recording)
            }
            #expect(error?.description.contains(words) == true)
        }
    }

    @Test func whatCannotBeHadIsSaid() {
        let recording = ReferenceChooser.Recording(id: "a", noisy: Self.noisy)
        let needs: [(NoiseReferenceSpec.Mode, String)] = [
            (.oracle, "needs the clean recording"), (.mismatched, "no other file"), (.file, "needs a path"),
        ]
        for (mode, words) in needs {
            let error = #expect(throws: ReferenceError.self) { try chooser(mode).reference(for: recording) }
            #expect(error?.description.contains(words) == true)
        }
    }
}
