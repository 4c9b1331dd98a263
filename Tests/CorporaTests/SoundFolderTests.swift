import Corpora
import Foundation
import TestFolders
import Testing

@Suite struct SoundFolderTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: folder.file(name), withDestinationPath: target)
    }

    @Test func linksAreFollowedAndAreNoTraps() throws {
        try folder.tone("real/a.wav", seed: 1)
        try folder.tone("real/deep/b.wav", seed: 2)
        try link("set/sub", to: "../real")
        try link("set/one.wav", to: "../real/a.wav")
        try link("real/deep/up", to: "../..")
        try link("linked", to: "set")
        let names = ["one.wav", "sub/a.wav", "sub/deep/b.wav"]
        for place in ["set", "set/", "linked", "linked//"] {
            let found = try SoundFolder.files(in: folder.path + "/" + place)
            #expect(found.filter { !$0.contains("/up/") } == names, "\(place)")
            #expect(found.count < 20)
        }
    }

    @Test func hiddenFilesArePassedOverAndEndingsCountInAnyCase() throws {
        for name in ["a.wav", "b.WAV", "c.Wav", "d.flac", "e.FLAC"] { try folder.tone("set/\(name)", seed: 1) }
        for name in ["._a.wav", ".b.wav", ".hidden/c.wav", "notes.txt", "wav", "x.wav.txt", "f.mp3"] {
            try folder.text("set/\(name)", "x")
        }
        #expect(try SoundFolder.files(in: folder.path + "/set") == ["a.wav", "b.WAV", "c.Wav", "d.flac", "e.FLAC"])
        #expect(try SoundFolder.files(in: folder.path + "/set", .any).contains("f.mp3"))
    }

    @Test func twoFilesOfOneNameInUnicodeAreAnError() throws {
        try folder.tone("set/Zo\u{EB}.wav", seed: 1)
        try folder.tone("set/Zoe\u{308}.wav", seed: 2)
        let error = #expect(throws: CorpusError.self) { try SoundFolder.files(in: folder.path + "/set") }
        #expect(error?.reason == .sameName)
    }

    /// The superuser may read everything: for it there is nothing to be shown.
    @Test(.enabled(if: getuid() != 0, "the superuser reads every folder"))
    func aFolderThatCannotBeReadIsNamedWithWhatHelps() throws {
        try folder.tone("c/a.wav", seed: 1)
        _ = try folder.file("c/closed/b.wav")
        #expect(unsafe chmod(folder.path + "/c/closed", 0) == 0)
        defer { unsafe chmod(folder.path + "/c/closed", 0o755) }
        let error = #expect(throws: CorpusError.self) { try SoundFolder.files(in: folder.path + "/c") }
        #expect(
            error?.path.hasSuffix("c/closed") == true && error?.summary.hasPrefix("cannot be read: ") == true
                && error?.hint?.contains("chmod") == true)
    }

    @Test func aNameThatIsNoTextIsNamed() throws {
        try folder.text("set/x", "")
        let path = Array("\(folder.path)/set/M".utf8) + [0xFC] + Array("ller.wav".utf8) + [0]
        let descriptor = unsafe path.map { CChar(bitPattern: $0) }.withUnsafeBufferPointer {
            unsafe open($0.baseAddress!, O_CREAT | O_WRONLY, 0o644)
        }
        #expect(close(descriptor) == 0)
        let error = #expect(throws: CorpusError.self) { try SoundFolder.files(in: folder.path + "/set") }
        #expect(error?.reason == .badName)
    }

    // MARK: Corpora

    /// Names that are one in Unicode and two in bytes, as copies by macOS make them.
    @Test func pairsAreMadeByUnicodeAndOpenedByTheirBytes() throws {
        try folder.tone("test/clean/Zo\u{EB}_1.wav", seed: 1)
        try folder.tone("test/noisy/Zoe\u{308}_1.wav", seed: 2)
        try folder.text("test/manifest.csv", "file,noise\nZoe\u{308}_1.wav,rain\n")
        let set = try Corpus(at: folder.path).set("test")
        let pair = try #require(set.files.first)
        #expect(set.unpaired.isEmpty && pair.entry?.noise == "rain")
        #expect(Array(pair.noisyPath.utf8).suffix(11) == Array("Zoe\u{308}_1.wav".utf8))
        var cache = FactsCache()
        #expect(try SetScan(reading: set, cache: &cache).fingerprint != nil)
    }

    @Test func aCorpusMayBeFLACAndItsFoldersLinks() throws {
        try folder.tone("disk/clean/c1.flac", seed: 1)
        try folder.tone("disk/noisy/c1.flac", seed: 2)
        try folder.tone("disk/clean/c2.Wav", seed: 3)
        try folder.tone("disk/noisy/c2.flac", seed: 4)
        try link("corpus/test", to: "../disk")
        let set = try Corpus(at: folder.path + "/corpus").set("test")
        #expect(set.files.map(\.name) == ["c1.flac", "c2.Wav"] && set.unpaired.isEmpty && set.ruled.isEmpty)
        var cache = FactsCache()
        let scan = try SetScan(reading: set, cache: &cache)
        #expect(scan.findings(expecting: .init(sampleRate: 16_000)).isEmpty)
    }

    @Test func filesOfTheDNSChallengeArePairedAndThatIsSaid() throws {
        for id in 1...12 {
            try folder.tone("train/clean/clean_fileid_\(id).wav", seed: id)
            try folder.tone("train/noisy/book_0\(id)_snr\(20 - id)_fileid_\(id).wav", seed: 100 + id)
        }
        try folder.tone("train/noisy/stray.wav", seed: 200)
        let set = try Corpus(at: folder.path).set("train")
        #expect(set.files.count == 12 && set.unpaired == ["noisy/stray.wav"])
        #expect(
            set.files.allSatisfy { pair in
                pair.name.range(of: "fileid").map { pair.cleanPath.hasSuffix("clean_" + pair.name[$0.lowerBound...]) }
                    ?? false
            })
        var cache = FactsCache()
        let notes = try SetScan(reading: set, cache: &cache).findings(expecting: .init(sampleRate: 16_000)).filter {
            $0.severity == .note && $0.code == .pairing
        }
        #expect(notes.map(\.message) == ["12 pairs have different names, paired by the number behind 'fileid_'"])
    }
}

@Suite struct ContentHashTests {
    @Test(arguments: [0, 1, 7, 8, 9, 1 << 20, 1 << 20 + 3])
    func theHashOfAFileIsThatOfItsBytes(count: Int) throws {
        let folder = try TestFolder()
        let data = Data((0..<min(count, 1 << 20 + 3)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) })
        let path = try folder.file("bytes")
        try data.write(to: URL(fileURLWithPath: path))
        #expect(try ContentHash(ofFile: path) == ContentHash(ofBytes: data))
    }
}
