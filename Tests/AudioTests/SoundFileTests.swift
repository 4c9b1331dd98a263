import Audio
import Foundation
import TestFolders
import Testing

@Suite final class SoundFileTests {
    private let owner: TestFolder
    let folder: String

    init() throws {
        owner = try TestFolder()
        folder = owner.path + "/"
    }

    private func tone(_ frames: Int, level: Float = 0.5) -> [Float] {
        (0..<frames).map { level * sin(0.07 * Float($0)) }
    }

    @Test(arguments: [SoundFile.Encoding.pcm16, .float32], [1, 2, 3])
    func whatIsWrittenIsRead(encoding: SoundFile.Encoding, channels: Int) throws {
        let sound = Sound(
            channels: (0..<channels).map { tone(1001, level: 0.9 / Float($0 + 1)) }, sampleRate: 16_000)
        let path = folder + "a.wav"
        try SoundFile.write(sound, to: path, as: encoding)
        let back = try SoundFile.read(path)
        let tolerance: Float = encoding == .pcm16 ? 0.5 / 32768 : 0
        for (written, read) in zip(sound.channels, back.channels) {
            #expect(zip(written, read).allSatisfy { abs($0 - $1) <= tolerance })
        }
        #expect(back.sampleRate == 16_000 && back.frames == 1001 && back.channels.count == channels)
        #expect(
            try SoundFile.header(of: path) == SoundFile.Header(sampleRate: 16_000, channels: channels, frames: 1001))
    }

    @Test(arguments: [SoundFile.Encoding.pcm16, .float32])
    func aNameThatEndsSoMakesAFLACFile(encoding: SoundFile.Encoding) throws {
        let (path, samples) = (folder + "a.flac", tone(1001) + [1.5, -1.5])
        try SoundFile.write(samples, sampleRate: 44_100, to: path, as: encoding)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).prefix(4) == Data("fLaC".utf8))
        let step: Float = encoding == .pcm16 ? 1 / 32768 : 1 / 8_388_608
        let back = try SoundFile.readMono(path, sampleRate: 44_100)
        #expect(zip(samples, back).allSatisfy { abs(max(-1, min(1 - step, $0)) - $1) <= step })
    }

    @Test func aRangeIsTheSameFramesOfTheWhole() throws {
        let path = folder + "a.wav"
        try SoundFile.write(tone(500), sampleRate: 8000, to: path, as: .float32)
        let whole = try SoundFile.readMono(path)
        #expect(try SoundFile.readMono(path, frames: 123..<345) == Array(whole[123..<345]))
        #expect(try SoundFile.readMono(path, frames: 7..<7).isEmpty)
        #expect(throws: SoundFileError(path, .outOfRange(requested: 400..<501, frames: 500))) {
            try SoundFile.read(path, frames: 400..<501)
        }
    }

    @Test func sixteenBitsSaturateAndSayHowOften() throws {
        let path = folder + "a.wav"
        #expect(try SoundFile.write([0, 1.5, -1, -2, 0.25], sampleRate: 16_000, to: path) == 2)
        #expect(try SoundFile.readMono(path) == [0, 32767.0 / 32768, -1, -1, 0.25])
    }

    @Test func writingTwiceGivesTheSameBytes() throws {
        for encoding in SoundFile.Encoding.allCases {
            try SoundFile.write(tone(100), sampleRate: 16_000, to: folder + "a.wav", as: encoding)
            try SoundFile.write(tone(100), sampleRate: 16_000, to: folder + "b.wav", as: encoding)
            let (a, b) = (
                FileManager.default.contents(atPath: folder + "a.wav"),
                FileManager.default.contents(atPath: folder + "b.wav")
            )
            #expect(a != nil && a == b)
        }
    }

    /// Written by libsndfile 1.2 from `((0..<64) % 16 - 8) / 16` at 16 kHz.
    @Test func losslessCompressionIsRead() throws {
        let encoded = """
            ZkxhQwAAACIQABAAAAAlAAAlA+gA8AAAAECIHXIG+hoqwpkij72S3xD+hAAAKCAAAAByZWZlcmVuY2UgbGliRkxBQyAxLjQuMyAyMDIz\
            MDYyMwAAAAD/+GUIAD9IFQA4yIGHh4eY8IiA8PDzHhEQHh4eY8IiA8PDwHdu
            """
        let path = folder + "a.flac"
        try #require(Data(base64Encoded: encoded)).write(to: URL(fileURLWithPath: path))
        #expect(try SoundFile.readMono(path, sampleRate: 16_000) == (0..<64).map { Float($0 % 16 - 8) / 16 })
    }

    @Test func aMissingFileIsNamed() {
        let path = folder + "none.wav"
        let error = #expect(throws: SoundFileError.self) { try SoundFile.read(path) }
        #expect(error?.reason == .missing && error?.description.hasPrefix(path) == true)
    }

    @Test func filesWithoutAudioAreErrors() throws {
        try Data().write(to: URL(fileURLWithPath: folder + "empty.wav"))
        try Data("not a sound file, only words".utf8).write(to: URL(fileURLWithPath: folder + "text.wav"))
        try SoundFile.write([Float](), sampleRate: 16_000, to: folder + "header.wav")
        #expect(throws: SoundFileError(folder + "empty.wav", .empty)) { try SoundFile.header(of: folder + "empty.wav") }
        #expect(throws: SoundFileError(folder + "header.wav", .empty)) {
            try SoundFile.header(of: folder + "header.wav")
        }
        let error = #expect(throws: SoundFileError.self) { try SoundFile.read(folder + "text.wav") }
        guard case .unreadable = error?.reason else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(throws: SoundFileError(folder, .unreadable("not a file"))) { try SoundFile.read(folder) }
    }

    /// Every cut of a WAV file, inside the header or the audio, is noticed.
    @Test(arguments: [SoundFile.Encoding.pcm16, .float32])
    func aFileCutShortIsAnError(encoding: SoundFile.Encoding) throws {
        let whole = folder + "whole.wav"
        let cut = folder + "cut.wav"
        try SoundFile.write(tone(64), sampleRate: 16_000, to: whole, as: encoding)
        let bytes = try #require(FileManager.default.contents(atPath: whole))
        for length in 1..<bytes.count {
            try bytes.prefix(length).write(to: URL(fileURLWithPath: cut))
            #expect(throws: SoundFileError.self) { try SoundFile.header(of: cut) }
            #expect(throws: SoundFileError.self) { try SoundFile.read(cut) }
        }
        try bytes.prefix(bytes.count - 10).write(to: URL(fileURLWithPath: cut))
        let size = 64 * (encoding == .pcm16 ? 2 : 4)
        #expect(throws: SoundFileError(cut, .truncated(promised: size, found: size - 10, unit: "bytes"))) {
            try SoundFile.read(cut)
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func samplesThatAreNotFiniteAreErrors(bad: Float) throws {
        let path = folder + "a.wav"
        var samples = tone(64)
        try SoundFile.write(samples, sampleRate: 16_000, to: path, as: .float32)
        var bytes = try #require(FileManager.default.contents(atPath: path))
        let word = (0..<4).map { UInt8(truncatingIfNeeded: bad.bitPattern >> (8 * $0)) }
        bytes.replaceSubrange(bytes.count - 4 * 24..<bytes.count - 4 * 23, with: word)
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(throws: SoundFileError(path, .notFinite(frame: 40, channel: 0))) { try SoundFile.read(path) }
        #expect(throws: Never.self) { try SoundFile.read(path, frames: 0..<40) }

        samples[5] = bad
        #expect(throws: SoundFileError(path, .notFinite(frame: 5, channel: 0))) {
            try SoundFile.write(samples, sampleRate: 16_000, to: path)
        }
    }

    @Test func stereoAndAWrongRateAreErrorsWhereOneIsRequired() throws {
        let path = folder + "a.wav"
        try SoundFile.write(Sound(channels: [tone(9), tone(9)], sampleRate: 48_000), to: path)
        #expect(throws: SoundFileError(path, .notMono(channels: 2))) { try SoundFile.readMono(path) }
        try SoundFile.write(tone(9), sampleRate: 48_000, to: path)
        let error = #expect(throws: SoundFileError(path, .wrongRate(found: 48_000, required: 16_000))) {
            try SoundFile.readMono(path, sampleRate: 16_000)
        }
        #expect(error?.hint?.contains("48000 to 16000") == true)
    }

    /// No folder to write to, and a name that is taken by a folder: the second fails at the very last step.
    @Test func aFailedWriteLeavesTheOldFileAndNothingElse() throws {
        let path = folder + "a.wav"
        try SoundFile.write(tone(64), sampleRate: 16_000, to: path)
        let before = FileManager.default.contents(atPath: path)
        #expect(throws: SoundFileError.self) {
            try SoundFile.write(tone(64), sampleRate: 16_000, to: folder + "none/a.wav")
        }
        try FileManager.default.createDirectory(atPath: folder + "b.wav/full", withIntermediateDirectories: true)
        #expect(throws: SoundFileError.self) { try SoundFile.write(tone(64), sampleRate: 16_000, to: folder + "b.wav") }
        #expect(FileManager.default.contents(atPath: path) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a.wav", "b.wav"])
    }

    /// A limit on the size of files stops a write in its middle, exactly as a full disk does.
    @Test func aDiskThatFillsUpLeavesNothing() async throws {
        let path = folder + "big.wav"
        await #expect(processExitsWith: .success) { [path = path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 4096, rlim_max: rlim_t.max)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            do {
                try SoundFile.write([Float](repeating: 0.1, count: 65_536), sampleRate: 16_000, to: path)
                exit(1)
            } catch let error as SoundFileError {
                guard case .unwritable(let why) = error.reason, why.contains("large") else { exit(2) }
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
}
