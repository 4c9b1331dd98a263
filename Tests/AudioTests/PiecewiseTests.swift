import Audio
import Foundation
import TestFolders
import Testing

/// Signals that come in pieces.
@Suite struct PiecewiseTests {
    private let signal: [Float] = (0..<50_000).map { n in
        let (tone, chirp) = (sin(0.03 * Double(n)), sin(1e-5 * Double(n * n)))
        return Float(0.5 * tone + 0.2 * chirp)
    }

    @Test(
        arguments: [(48_000, 16_000), (44_100, 16_000), (16_000, 44_100), (8_000, 16_000), (16_000, 16_000)],
        [1, 777, 20_000])
    func resamplingByPiecesIsResamplingTheWhole(rates: (Int, Int), size: Int) throws {
        let resampler = Resampler(from: rates.0, to: rates.1)
        let signal = size == 1 ? Array(signal.prefix(3000)) : signal
        let stream = try ResamplerStream(resampler)
        var found: [Float] = []
        for start in stride(from: 0, to: signal.count, by: size) {
            found += try stream.process(Array(signal[start..<min(start + size, signal.count)]))
            found += try stream.process([])
        }
        found += try stream.finish()
        let whole = try resampler.resample(signal)
        #expect(found.count == whole.count)
        #expect(zip(found, whole).allSatisfy { abs($0 - $1) < 2e-6 })
    }

    @Test(arguments: ["a.wav", "a.flac"], SoundFile.Encoding.allCases)
    func writingByPiecesIsWritingTheWhole(name: String, encoding: SoundFile.Encoding) throws {
        let owner = try TestFolder()
        let folder = owner.path
        let sound = Sound(channels: [signal, signal.reversed()], sampleRate: 16_000)
        try SoundFile.write(sound, to: "\(folder)/whole-\(name)", as: encoding)
        let writer = try SoundFileWriter(
            to: "\(folder)/\(name)", sampleRate: 16_000, channels: 2, frames: signal.count, as: encoding)
        for start in stride(from: 0, to: signal.count, by: 999) {
            try writer.append(sound.channels.map { Array($0[start..<min(start + 999, signal.count)]) })
        }
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/\(name)"))
        try writer.finish()
        #expect(try SoundFile.read("\(folder)/\(name)") == SoundFile.read("\(folder)/whole-\(name)"))
    }

    @Test func aWriterThatIsGivenUpLeavesNothing() throws {
        let owner = try TestFolder()
        let folder = owner.path
        do {
            let writer = try SoundFileWriter(to: folder + "/a.wav", sampleRate: 16_000, channels: 1, frames: 100)
            try writer.append([[0.1, 0.2]])
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
}
