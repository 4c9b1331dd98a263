import Audio
import Corpora
import Foundation
import TestFolders
import Testing

@Suite struct CheckTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private func findings(rate: Int = 16_000, crop: Int = 0) throws -> [Finding] {
        let corpus = try Corpus(at: folder.path)
        return try CorpusScan(reading: corpus).findings(expecting: .init(sampleRate: rate, cropLength: crop))
    }

    private func goodCorpus(rate: Int = 16_000) throws {
        for seed in 0..<3 {
            try folder.pair("train", "p1_\(seed).wav", seed: seed, rate: rate)
            try folder.pair("valid", "p2_\(seed).wav", seed: 10 + seed, rate: rate)
            try folder.pair("test", "p3_\(seed).wav", seed: 20 + seed, rate: rate)
        }
    }

    @Test func aGoodCorpusHasNoFinding() throws {
        try goodCorpus()
        #expect(try findings().isEmpty)
    }

    /// A set counts by what it is used for, not by what it is called.
    @Test func aSetInTwoRolesIsFound() throws {
        try goodCorpus()
        let sets = try Corpus(at: folder.path).sets
        var cache = FactsCache()
        let training = try SetScan(reading: sets[0], cache: &cache)
        for test in [sets[0], try PairedSet(at: folder.path + "/train", name: "held-out")] {
            let found = CorpusScan(sets: [training, try SetScan(reading: test, as: .test, cache: &cache)]).overlaps()
            #expect(
                found.map(\.code) == [.contentOverlap]
                    && found[0].message.contains("the training set is the test set, too"))
        }
    }

    /// 48 kHz files under a 16 kHz spec, as a distributed data set really has it.
    @Test func aWrongRateSaysWhatItMeansAndTheFix() throws {
        try goodCorpus(rate: 48_000)
        let found = try findings(crop: 32_640)
        #expect(found.map(\.code) == [.rate, .rate, .rate] && found.allSatisfy { $0.severity == .error })
        let first = try #require(found.first)
        #expect(first.message.contains("48000 Hz") && first.message.contains("3 times its frequency"))
        #expect(first.message.contains("0.68 s instead of 2.04 s"))
        #expect(first.fix.contains("resample the data to 16000 Hz") && first.files.count == 6)
    }

    @Test func aValidationSetCopiedFromTheTestSetIsFound() throws {
        try goodCorpus()
        let files = FileManager.default
        try files.removeItem(atPath: folder.path + "/valid")
        try files.copyItem(atPath: folder.path + "/test", toPath: folder.path + "/valid")
        let found = try findings()
        #expect(found.map(\.code) == [.contentOverlap, .speakerOverlap] && found.allSatisfy { $0.severity == .error })
        #expect(found[0].set == "valid & test" && found[0].message.contains("every pair of test"))
        #expect(found[0].files.count == 6 && found[1].message.contains("p3"))
    }

    @Test func theSameAudioUnderAnotherNameOrEncodingIsFound() throws {
        try goodCorpus()
        let sound = try SoundFile.read(folder.path + "/train/clean/p1_1.wav")
        try SoundFile.write(sound, to: folder.path + "/test/clean/p3_0.wav", as: .float32)
        let found = try findings()
        #expect(found.map(\.code) == [.contentOverlap])
        #expect(found[0].files == ["test/clean/p3_0.wav = train/clean/p1_1.wav"])
    }

    @Test func speakersOfAManifestMustNotCross() throws {
        try goodCorpus()
        try folder.text("test/manifest.csv", "file,speaker\np3_0,p1\np3_1,p9\np3_2,p9\n")
        let found = try findings()
        #expect(found.map(\.code) == [.speakerOverlap] && found[0].files == ["test/p3_0.wav"])
    }

    @Test func everyKindOfBadFileIsNamed() throws {
        try goodCorpus()
        try folder.tone("train/clean/p1_0.wav", seed: 0, frames: 399)
        try folder.tone("train/noisy/p1_1.wav", seed: 3, channels: 2)
        try folder.tone("valid/clean/p2_0.wav", seed: 0, level: 0)
        try folder.tone("valid/noisy/p2_1.wav", seed: 77, level: 3)
        try folder.tone("test/clean/lonely.wav", seed: 90)
        let path = folder.path + "/test/noisy/p3_2.wav"
        try SoundFile.write([Float](repeating: 0.1, count: 400), sampleRate: 16_000, to: path, as: .float32)
        var bytes = try #require(FileManager.default.contents(atPath: path))
        bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
        try bytes.write(to: URL(fileURLWithPath: path))
        let cut = folder.path + "/test/noisy/p3_1.wav"
        try #require(FileManager.default.contents(atPath: cut)).prefix(300).write(to: URL(fileURLWithPath: cut))

        let found = try findings()
        func files(_ code: Finding.Code) -> [String] { found.filter { $0.code == code }.flatMap(\.files) }
        #expect(files(.length) == ["p1_0.wav (399 and 400 samples)"])
        #expect(files(.channels) == ["noisy/p1_1.wav"])
        #expect(files(.silence) == ["clean/p2_0.wav"])
        #expect(files(.clipping) == ["noisy/p2_1.wav"])
        #expect(files(.pairing) == ["clean/lonely.wav"])
        #expect(files(.notFinite) == ["noisy/p3_2.wav"])
        #expect(files(.unreadable).count == 1 && files(.unreadable)[0].contains("cut short"))
        #expect(found.map(\.severity) == found.map(\.severity).sorted(by: >))
    }

    @Test func theFingerprintIsOfNamesAndAudioOnly() throws {
        try goodCorpus()
        func fingerprint() throws -> AudioFingerprint? {
            var cache = FactsCache()
            return try SetScan(reading: try Corpus(at: folder.path).set("train"), cache: &cache).fingerprint
        }
        let first = try fingerprint()
        let path = folder.path + "/train/clean/p1_1.wav"
        let sound = try SoundFile.read(path)
        try SoundFile.write(sound, to: path, as: .float32)
        #expect(try first != nil && fingerprint() == first)
        var changed = sound
        changed.channels[0][17] += 1 / 32768
        try SoundFile.write(changed, to: path)
        #expect(try fingerprint() != first)
        try SoundFile.write(sound, to: path)
        #expect(try fingerprint() == first)
        try FileManager.default.moveItem(atPath: path, toPath: folder.path + "/train/clean/p1_9.wav")
        try FileManager.default.moveItem(
            atPath: folder.path + "/train/noisy/p1_1.wav", toPath: folder.path + "/train/noisy/p1_9.wav")
        #expect(try fingerprint() != first)
    }

    @Test func theCacheKnowsUnchangedFilesAndForgetsChangedOnes() throws {
        try goodCorpus()
        let cache = folder.path + "/facts.tsv"
        let corpus = try Corpus(at: folder.path)
        let first = try CorpusScan(reading: corpus, cachePath: cache)
        let kept = FactsCache(contentsOf: cache)
        #expect(kept.facts.count == 18)
        #expect(try CorpusScan(reading: corpus, cachePath: cache) == first)
        // A poisoned cache is believed for files that did not change, and only for them.
        var poisoned = kept
        for key in poisoned.facts.keys { poisoned.facts[key]?.peak = 0 }
        try poisoned.write(to: cache)
        try folder.tone("train/clean/p1_0.wav", seed: 55, frames: 500)
        let second = try CorpusScan(reading: corpus, cachePath: cache)
        let peaks = try second.sets.flatMap(\.pairs).flatMap { [try $0.clean.get().peak, try $0.noisy.get().peak] }
        #expect(peaks.filter { $0 > 0 }.count == 1)
    }

    /// The digest of a text and bytes that `sha256sum` was given: `printf 'sha256-pcm-v1 2 3\\n'` and six floats.
    @Test func theNameOfAudioIsTheStandardsDigestWhateverTheEncoding() throws {
        let channels: [[Float]] = [[0, 0.5, -1], [0.25, -0.25, 1]]
        #expect(
            AudioDigest(of: channels).description
                == "sha256-pcm-v1:6390b5f06fa615aaa72e41311faad3fd9f25a3b6a9f2776ba0bd7283b3d65149")
        #expect(AudioDigest(of: [[0, 0.5, -1, 0.25, -0.25, 1]]) != AudioDigest(of: channels))
        #expect(
            AudioDigest("sha256-pcm-v1:" + AudioDigest(of: channels).hex) == AudioDigest(of: channels)
                && AudioDigest("0123") == nil)
        let sound = Sound(channels: [[0, 0.5, -0.25, 0.125]], sampleRate: 16_000)
        let digests = try ["a.wav", "b.flac"].flatMap { name in
            try [SoundFile.Encoding.pcm16, .pcm24, .float32].filter { name == "a.wav" || $0 != .float32 }.map {
                encoding in
                try SoundFile.write(sound, to: try folder.file(name), as: encoding, durable: false)
                return AudioFacts(of: try SoundFile.read(folder.path + "/" + name)).content
            }
        }
        #expect(digests.count == 5 && Set(digests) == [AudioDigest(of: sound.channels)])
    }

    @Test func theHashTellsEveryBitAndTheLengthApart() throws {
        var seen: Set<ContentHash> = []
        for count in 0..<70 { seen.insert(ContentHash(of: [Float](repeating: 0, count: count))) }
        for index in 0..<64 {
            for bit in 0..<32 {
                var samples = [Float](repeating: 0.25, count: 64)
                samples[index] = Float(bitPattern: samples[index].bitPattern ^ 1 << UInt32(bit))
                seen.insert(ContentHash(of: samples))
            }
        }
        #expect(seen.count == 70 + 64 * 32)
        let hash = ContentHash(of: "x")
        #expect(ContentHash(hash.description) == hash && ContentHash(of: "y") != hash)
    }
}
