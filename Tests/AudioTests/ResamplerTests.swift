import Audio
import Foundation
import Testing

@Suite struct ResamplerTests {
    static let cases = [
        "impulse_48k_to_16k", "speech_16k_to_48k", "speech_44k1_to_16k", "speech_48k_to_16k",
        "speech_8k_to_16k", "noise_44k1_to_16k", "sweep_48k_to_16k", "two_channels_48k_to_16k",
    ]

    /// `librosa.resample` (0.11, soxr_hq), to 1e-4 of full scale.
    @Test(arguments: cases)
    func agreesWithLibrosa(name: String) throws {
        let parts = name.split(separator: "_")
        let rate = { (text: Substring) in ["48k": 48000, "44k1": 44100, "16k": 16000, "8k": 8000][text] }
        let resampler = Resampler(
            from: try #require(rate(parts[parts.count - 3])), to: try #require(rate(parts[parts.count - 1])))
        let folder = "Fixtures/resample/\(name)"
        let input = try NumPyArray(folder: folder, file: "input")
        let expected = try NumPyArray(folder: folder, file: "output")
        let output = try resampler.resample(channels: input.rows)
        #expect(output.map(\.count) == expected.rows.map(\.count))
        for (channel, wanted) in zip(output, expected.rows) {
            let worst = zip(channel, wanted).map { abs($0 - $1) }.max() ?? 0
            #expect(worst <= 1e-4)
        }
    }

    @Test(arguments: [1, 2, 3, 100, 7001])
    func lengthIsTheRatioRoundedUp(count: Int) throws {
        for (from, to) in [(48000, 16000), (44100, 16000), (8000, 16000), (16000, 10000)] {
            let output = try Resampler(from: from, to: to).resample([Float](repeating: 0.5, count: count))
            #expect(output.count == Int((Double(count) * Double(to) / Double(from)).rounded(.up)))
        }
    }

    @Test func equalRatesKeepTheSignal() throws {
        let signal: [Float] = [0.1, -0.2, 0.3]
        #expect(try Resampler(from: 16000, to: 16000).resample(signal) == signal)
        #expect(try Resampler(from: 48000, to: 16000).resample([]) == [])
    }

    /// A tone well inside both bands keeps its level and phase.
    @Test func toneKeepsLevelAndPhase() throws {
        let tone = { (rate: Double, n: Int) in Float(0.5 * sin(2 * .pi * 440 * Double(n) / rate)) }
        let output = try Resampler(from: 48000, to: 16000).resample((0..<48000).map { tone(48000, $0) })
        for n in 1000..<15000 { #expect(abs(output[n] - tone(16000, n)) < 1e-4) }
    }
}

/// The float32 arrays of the fixtures: `[n]` or `[channels, n]`.
private struct NumPyArray {
    var rows: [[Float]]

    init(folder: String, file: String) throws {
        let url = try #require(
            Bundle.module.url(forResource: file, withExtension: "npy", subdirectory: folder))
        let data = try Data(contentsOf: url)
        let headerEnd = 10 + Int(data[8]) + Int(data[9]) << 8
        let header = String(decoding: data[10..<headerEnd], as: UTF8.self)
        let shapeText = try #require(header.split(separator: "(").last?.split(separator: ")").first)
        let shape = shapeText.split { !$0.isNumber }.compactMap { Int($0) }
        let values = unsafe data[headerEnd...].withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { unsafe bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
        let width = try #require(shape.last)
        rows = stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
    }
}
