import Audio
import Checkpoints
import Enhancement
import Experiments
import Foundation
import Models
import Parallelism
import Specs
import Testing

/// When an output counts as done, and where outputs go.
@Suite struct EnhancedOutputTests {
    private func folder(
        _ options: FolderEnhancer.Options = .init(), steps: Int = 2, weights choice: StoredModel.Choice = .ema,
        segments: Segments? = nil
    ) throws -> FolderEnhancer {
        let model = try StoredModel(at: checkpointFixture("bridge.ckpt"))
        let short = try model.overriding(
            StoredModel.overrides(of: model.spec, catalog: .standard, sampler: nil, steps: steps, settings: []))
        let loaded = try short.enhancer(choice).enhancer
        let enhancer = Enhancer(
            model: loaded.model, sampler: loaded.sampler, frontEnd: loaded.frontEnd, padding: loaded.padding,
            segments: segments)
        return FolderEnhancer(enhancer: enhancer, sampleRate: 16000, options: options)
    }

    private func tone(_ count: Int, pitch: Double = 440, rate: Int = 16000) -> [Float] {
        (0..<count).map { Float(0.3 * sin(2 * .pi * pitch * Double($0) / Double(rate))) }
    }

    private func write(_ sound: Sound, _ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try SoundFile.write(sound, to: path)
    }

    // MARK: What counts as done

    @Test func anOutputIsPassedOverOnlyWhereTheSameCallMadeIt() throws {
        try withFolder { place in
            let (input, output) = (place + "/in", place + "/out")
            try write(Sound(tone(3200), sampleRate: 16000), input + "/a.wav")
            func outcome(_ folder: FolderEnhancer) throws -> (enhanced: Int, skipped: Int, remarks: [String]) {
                let summary = try folder.run(input: input, output: output)
                return (summary.enhanced, summary.skipped, summary.remarks)
            }
            #expect(try outcome(folder()).enhanced == 1)
            let first = try Data(contentsOf: URL(fileURLWithPath: output + "/a.wav"))
            #expect(try outcome(folder()).skipped == 1)
            let others: [(FolderEnhancer, String)] = [
                (try folder(steps: 3), "sampler"), (try folder(.init(seed: 1)), "seed"),
                (try folder(weights: .raw), "weights"),
                (try folder(.init(encoding: .float32)), "encoding"),
                (try folder(segments: Segments(length: 1600, overlap: 400)), "segment"),
                (try folder(.init(model: ["backbone": "another"])), "backbone"),
            ]
            for (other, name) in others {
                let changed = try outcome(other)
                #expect(changed.enhanced == 1, "\(name)")
                #expect(
                    changed.remarks.first?.hasPrefix("1 output was made with other settings (") == true
                        && changed.remarks[0].contains(name), "\(changed)")
                #expect(try outcome(other).skipped == 1)
            }
            try write(Sound(tone(3200, pitch: 300), sampleRate: 16000), input + "/a.wav")
            #expect(try outcome(folder()).remarks.first?.contains("input") == true)
            try write(Sound(tone(3200), sampleRate: 16000), input + "/a.wav")
            #expect(try outcome(folder()).enhanced == 1)
            #expect(try Data(contentsOf: URL(fileURLWithPath: output + "/a.wav")) == first)
        }
    }

    @Test func aFileThatIsNotOursIsNeverReplacedUnasked() throws {
        try withFolder { place in
            for name in ["a", "b"] { try write(Sound(tone(3200), sampleRate: 16000), "\(place)/in/\(name).wav") }
            try write(Sound(tone(100), sampleRate: 16000), place + "/out/a.wav")
            let mine = try Data(contentsOf: URL(fileURLWithPath: place + "/out/a.wav"))
            for options in [FolderEnhancer.Options(), .init(replaces: true)] {
                let error = #expect(throws: EnhancementInputError.self) {
                    try folder(options).run(input: place + "/in", output: place + "/out")
                }
                #expect(error?.description.contains("out/a.wav: was not made by this program") == true)
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: place + "/out/a.wav")) == mine)
            #expect(!FileManager.default.fileExists(atPath: place + "/out/b.wav"))
            #expect(try folder(.init(overwrites: true)).run(input: place + "/in", output: place + "/out").enhanced == 2)
            // One of ours that somebody changed is not ours any more.
            try write(Sound(tone(50), sampleRate: 16000), place + "/out/b.wav")
            #expect(throws: EnhancementInputError.self) {
                try folder().run(input: place + "/in", output: place + "/out")
            }
        }
    }

    /// The line of an output is written before the output has its name, so a crash between leaves the old output, still
    /// ours.
    @Test func aLineThatWasCutOffOrRunsAheadLosesNothing() throws {
        try withFolder { place in
            try write(Sound(tone(3200), sampleRate: 16000), place + "/in/a.wav")
            #expect(try folder().run(input: place + "/in", output: place + "/out").enhanced == 1)
            let first = try Data(contentsOf: URL(fileURLWithPath: place + "/out/a.wav"))
            #expect(try folder(steps: 3).run(input: place + "/in", output: place + "/out").enhanced == 1)
            try first.write(to: URL(fileURLWithPath: place + "/out/a.wav"))
            let ledger = place + "/out/.sgmse-enhanced.jsonl"
            let handle = try #require(FileHandle(forWritingAtPath: ledger))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(#"{"file":"a.wav","hash":"12"#.utf8))
            try handle.close()
            #expect(try folder().run(input: place + "/in", output: place + "/out").skipped == 1)
            #expect(try folder(steps: 3).run(input: place + "/in", output: place + "/out").enhanced == 1)
            #expect(try folder(steps: 3).run(input: place + "/in", output: place + "/out").skipped == 1)
        }
    }

    // MARK: Where outputs go

    @Test func oneFileMayBeNamed() throws {
        try withFolder { place in
            try write(Sound(tone(3200), sampleRate: 16000), place + "/in/a.wav")
            #expect(try folder().run(input: place + "/in/a.wav", output: place + "/new/x.wav").enhanced == 1)
            #expect(try SoundFile.header(of: place + "/new/x.wav").frames == 3200)
            #expect(try folder().run(input: place + "/in/a.wav", output: place + "/new/x.wav").skipped == 1)
            #expect(
                try folder(.init(states: 1)).run(input: place + "/in/a.wav", output: place + "/new/y.flac").enhanced
                    == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: place + "/new/y-states") == ["1-t0.000.wav"])
        }
    }

    /// A Sun audio file: 24 bytes of header, 16-bit samples, big-endian.
    private func sun(_ samples: [Float]) -> Data {
        func word(_ value: UInt32) -> Data { Data([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }) }
        let data = samples.flatMap {
            [UInt8(truncatingIfNeeded: Int16($0 * 32767) >> 8), UInt8(truncatingIfNeeded: Int16($0 * 32767))]
        }
        return Data(".snd".utf8) + word(24) + word(UInt32(data.count)) + word(3) + word(16000) + word(1) + data
    }

    @Test func otherFormatsBecomeWAVAndNamesThatMeetAreSaid() throws {
        try withFolder { place in
            try write(Sound(tone(3200), sampleRate: 16000), place + "/in/b.wav")
            for name in ["a", "b"] { try sun(tone(3200)).write(to: URL(fileURLWithPath: "\(place)/in/\(name).au")) }
            let summary = try folder().run(input: place + "/in", output: place + "/out")
            #expect(summary.enhanced == 2 && summary.failed.map(\.file) == ["b.wav"])
            #expect(summary.failed.first?.reason.contains("that of b.au") == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: place + "/out/a.wav")).prefix(4) == Data("RIFF".utf8))
        }
    }

    @Test func channelsAreRefusedTakenFirstOrEachByItself() throws {
        try withFolder { place in
            let (left, right) = (tone(3200), tone(3200, pitch: 250))
            try write(
                Sound(channels: [left, right, [Float](repeating: 0, count: 3200)], sampleRate: 16000),
                place + "/in/s.wav")
            try write(Sound(left, sampleRate: 16000), place + "/in/m.wav")
            let refused = try folder().run(input: place + "/in", output: place + "/refuse")
            #expect(refused.enhanced == 1 && refused.failed.map(\.file) == ["s.wav"])
            #expect(
                try folder(.init(channels: .first)).run(input: place + "/in", output: place + "/first").enhanced == 2)
            #expect(try SoundFile.header(of: place + "/first/s.wav").channels == 1)
            #expect(try folder(.init(channels: .each)).run(input: place + "/in", output: place + "/each").enhanced == 2)
            let each = try SoundFile.read(place + "/each/s.wav")
            #expect(each.channels[0] == (try SoundFile.readMono(place + "/first/s.wav")))
            #expect(each.channels[1] != each.channels[0] && each.channels[2].allSatisfy { $0 == 0 })
        }
    }

    // MARK: Long recordings

    /// What is read and written by segments is what the same enhancer makes in memory.
    @Test(arguments: [16000, 44100])
    func aFileThatIsReadByPiecesGivesWhatTheWholeGives(rate: Int) throws {
        try withFolder { place in
            let samples = zip(tone(rate / 2, rate: rate), tone(rate / 2, pitch: 3, rate: rate)).map { $0 * $1 }
            try write(Sound(samples, sampleRate: rate), place + "/in/a.wav")
            let long = try folder(.init(encoding: .float32), segments: Segments(length: 3000, overlap: 500))
            let summary = try long.run(input: place + "/in", output: place + "/out")
            #expect((summary.enhanced, summary.segmented) == (1, 1))
            let noisy = try SoundFile.readMono(place + "/in/a.wav", convertedTo: 16000)
            let whole = try long.enhancer.enhance(noisy, file: "a.wav", seed: 0).audio
            let found = try SoundFile.readMono(place + "/out/a.wav")
            #expect(found.count == whole.count && zip(found, whole).allSatisfy { abs($0 - $1) < 1e-5 })
            let leftovers = try FileManager.default.contentsOfDirectory(atPath: place + "/out").filter {
                $0.hasPrefix(".sgmse-part-")
            }
            #expect(leftovers.isEmpty)
        }
    }

    @Test func nobodyIsKeptWaitingByASampler() throws {
        let slow = try folder(steps: 10_000)
        let interruption = Interruption()
        try withFolder { place in
            try write(Sound(tone(16000), sampleRate: 16000), place + "/in/a.wav")
            Thread.detachNewThread {
                usleep(300_000)
                interruption.request()
            }
            let start = ContinuousClock.now
            #expect(throws: Interrupted.self) {
                try slow.run(input: place + "/in", output: place + "/out", interruption: interruption)
            }
            #expect(ContinuousClock.now - start < .seconds(30))
            #expect(!FileManager.default.fileExists(atPath: place + "/out/a.wav"))
        }
    }
}
