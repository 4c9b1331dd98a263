import Foundation
import TestFolders
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// `sgmse enhance` with a network that was trained for moments, as a person runs it.
@Suite struct EnhanceCommandTests {
    private let scratch: TestFolder
    private let checkpoint = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("ExperimentsTests/Fixtures/checkpoint/bridge.ckpt").path

    init() throws { scratch = try TestFolder() }

    /// A WAV file of 16-bit samples at 16 kHz whose end the disk need not hold: a tone, and silence up to so many
    /// seconds.
    private func write(_ name: String, seconds: Int = 1, channels: Int = 1) throws {
        func bytes(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let size = 32000 * seconds * channels
        var data = Data("RIFF".utf8) + bytes(36 + size, 4) + Data("WAVEfmt ".utf8)
        data +=
            bytes(16, 4) + bytes(1, 2) + bytes(channels, 2) + bytes(16000, 4) + bytes(32000 * channels, 4)
            + bytes(2 * channels, 2) + bytes(16, 2)
        data += Data("data".utf8) + bytes(size, 4)
        for n in 0..<8000 * channels { data += bytes(Int(9000 * sin(0.17 * Double(n / channels))), 2) }
        let url = URL(fileURLWithPath: scratch.path + "/" + name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
        #expect(unsafe truncate(url.path, off_t(44 + size)) == 0)
    }

    private func call(_ arguments: [String]) -> [String] {
        ["enhance", "--checkpoint", checkpoint, "--N", "2"] + arguments
    }
    private func enhance(_ arguments: String...) throws -> Program.End {
        try Program(call(arguments), in: scratch.path).wait()
    }

    @Test func whatMadeAnOutputIsKnownByTheNextCall() throws {
        try write("in/a.wav")
        #expect(try enhance("--input", "in", "--output", "out").out.hasPrefix("1 enhanced, 0 skipped, 0 failed\n"))
        #expect(try enhance("--input", "in", "--output", "out").out.hasPrefix("0 enhanced, 1 skipped, 0 failed\n"))
        let other = try enhance("--input", "in", "--output", "out", "--N", "3")
        #expect(other.code == 0 && other.out.hasPrefix("1 enhanced, 0 skipped, 0 failed\n"), "\(other)")
        #expect(
            other.error.contains("note: 1 output was made with other settings (sampler) and made anew"),
            "\(other.error)")
        try write("out/a.wav", seconds: 2)
        let foreign = try enhance("--input", "in", "--output", "out")
        #expect(
            foreign.code == 3
                && foreign.error.contains(
                    "out/a.wav: was not made by this program, or was changed since; --overwrite replaces it")
        )
        #expect(try enhance("--input", "in", "--output", "out", "--overwrite").code == 0)
    }

    /// Batches are a matter of execution: nothing is made anew for them.
    @Test func filesInBatchesAreThoseOfFilesAlone() throws {
        for name in ["a", "b", "c"] { try write("in/\(name).wav") }
        #expect(try enhance("--input", "in", "--output", "alone").code == 0)
        let end = try enhance("--input", "in", "--output", "out", "--batch-files", "2")
        #expect(end.code == 0 && end.out.hasPrefix("3 enhanced, 0 skipped, 0 failed\n"), "\(end)")
        for name in ["a", "b", "c"] {
            #expect(scratch.data("out/\(name).wav") == scratch.data("alone/\(name).wav"))
        }
        let call = call(["--input", "in", "--output", "out"])
        let again = try Program(call, in: scratch.path, environment: ["SGMSE_BATCH_FILES": "3"]).wait()
        #expect(again.out.hasPrefix("0 enhanced, 3 skipped, 0 failed\n"), "\(again)")
        let wrong = try Program(call, in: scratch.path, environment: ["SGMSE_BATCH_FILES": "0"]).wait()
        #expect(wrong.code == 2 && wrong.error.contains("SGMSE_BATCH_FILES is '0'; "), "\(wrong)")
    }

    @Test func aStereoFileFailsAloneAndAFileMayBeNamed() throws {
        try write("in/a.wav")
        try write("in/b.wav", channels: 2)
        let end = try enhance("--input", "in", "--output", "out")
        #expect(
            end.code == 1 && end.out.hasPrefix("1 enhanced, 0 skipped, 1 failed\n")
                && end.error.contains("✗ b.wav: has 2 channels"), "\(end)")
        let each = try enhance("--input", "in/b.wav", "--output", "x.wav", "--channels", "each")
        #expect(each.code == 0 && scratch.data("x.wav")?[22] == 2, "\(each)")
        #expect(try enhance("--input", "in", "--output", "x.wav").code == 3)
    }

    /// Hours of audio take the memory of a segment, and two seconds to be left.
    @Test(.timeLimit(.minutes(2))) func aLongRecordingTakesLittleMemoryAndIsLeftAtOnce() throws {
        try write("in/long.wav", seconds: 3 * 3600)
        let program = try Program(
            call(["--input", "in", "--output", "out", "--segment", "5", "--N", "50"]), in: scratch.path)
        #expect(program.waitUntil { program.hasOpen("in/long.wav") || !scratch.files(".jsonl").isEmpty })
        // Somewhere in reading, hashing and enhancing.
        usleep(2_500_000)
        let status =
            (try? String(contentsOfFile: "/proc/\(program.process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") }?.split(separator: " ").compactMap {
            Int($0)
        }.first
        #expect(try #require(peak) < 400_000, "\(peak ?? 0) kB")
        let start = ContinuousClock.now
        kill(program.process.processIdentifier, SIGINT)
        let end = program.wait()
        #expect(end.code == 130 && ContinuousClock.now - start < .seconds(4), "\(end)")
        #expect(scratch.files("").allSatisfy { !$0.contains(".sgmse-part-") } && scratch.data("out/long.wav") == nil)
    }
}
