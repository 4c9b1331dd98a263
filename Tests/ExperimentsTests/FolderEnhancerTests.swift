import Audio
import Checkpoints
import Enhancement
import Experiments
import Foundation
import Kernels
import Models
import Parallelism
import Specs
import Testing

@Suite struct FolderEnhancerTests {
    /// A model that was trained for moments, two steps of its sampler.
    private func enhancer(steps: Int = 2) throws -> (Enhancer, Int) {
        let model = try StoredModel(at: checkpointFixture("bridge.ckpt"))
        let short = try model.overriding(
            StoredModel.overrides(of: model.spec, catalog: .standard, sampler: nil, steps: steps, settings: []))
        return (try short.enhancer().enhancer, short.spec.data.sampleRate)
    }

    private func tone(_ seconds: Double, rate: Int, pitch: Double = 440) -> [Float] {
        (0..<Int(seconds * Double(rate))).map { Float(0.3 * sin(2 * .pi * pitch * Double($0) / Double(rate))) }
    }

    private func write(_ samples: [Float], rate: Int = 16000, _ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try SoundFile.write(samples, sampleRate: rate, to: path)
    }

    @Test func namesFoldersFormatsAndLengthsAreKept() throws {
        let (enhancer, rate) = try enhancer()
        try withFolder { folder in
            try write(tone(0.2, rate: 16000), folder + "/in/a.wav")
            try write(tone(0.25, rate: 16000, pitch: 300), folder + "/in/deep/er/b.flac")
            try write(tone(0.2, rate: 44100), rate: 44100, folder + "/in/c.wav")
            let plain = FolderEnhancer(enhancer: enhancer, sampleRate: rate)
            let summary = try plain.run(input: folder + "/in", output: folder + "/out")
            #expect((summary.enhanced, summary.skipped, summary.failed.count, summary.resampled) == (3, 0, 0, 1))
            #expect(summary.nfe == 6)
            #expect(abs(summary.audioSeconds - 0.65) < 1e-3)
            #expect(summary.realTimeFactor ?? 0 > 0)
            #expect(
                try SoundFile.header(of: folder + "/out/a.wav") == .init(sampleRate: 16000, channels: 1, frames: 3200))
            #expect(try SoundFile.header(of: folder + "/out/deep/er/b.flac").frames == 4000)
            #expect(
                try SoundFile.header(of: folder + "/out/c.wav") == .init(sampleRate: 16000, channels: 1, frames: 3200))
            let again = try plain.run(input: folder + "/in", output: folder + "/out")
            #expect((again.enhanced, again.skipped) == (0, 3))
            let error = #expect(throws: EnhancementInputError.self) {
                try plain.run(input: folder + "/in", output: folder + "/out/a.wav")
            }
            #expect(error?.description.contains("a.wav: is a file") == true, "\(error as Any)")

            let back = FolderEnhancer(
                enhancer: enhancer, sampleRate: rate, options: .init(restoresRate: true, replaces: true))
            #expect(try back.run(input: folder + "/in", output: folder + "/out").enhanced == 3)
            #expect(
                try SoundFile.header(of: folder + "/out/c.wav") == .init(sampleRate: 44100, channels: 1, frames: 8820))
        }
    }

    @Test func statesOnTheWayAreWrittenBesideTheOutputs() throws {
        let (enhancer, rate) = try enhancer(steps: 6)
        try withFolder { folder in
            try write(tone(0.2, rate: 16000), folder + "/in/deep/a.wav")
            let options = FolderEnhancer.Options(encoding: .float32, states: 3)
            let folderEnhancer = FolderEnhancer(enhancer: enhancer, sampleRate: rate, options: options)
            #expect(try folderEnhancer.run(input: folder + "/in", output: folder + "/in/out/").enhanced == 1)
            let states = folder + "/in/out-states/deep/a"
            let names = try FileManager.default.contentsOfDirectory(atPath: states).sorted()
            #expect(names == ["1-t0.667.wav", "2-t0.333.wav", "3-t0.000.wav"])
            let sounds = try names.map { try SoundFile.readMono(states + "/" + $0) }
            // The last state is the output, and the others are on their way to it.
            let output = try SoundFile.readMono(folder + "/in/out/deep/a.wav")
            let distances = sounds.map { zip($0, output).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) } }
            #expect(distances[2] == 0)
            #expect(distances[0] > 0 && distances[1] > 0)
            // Neither folder is taken for an input.
            #expect(try folderEnhancer.run(input: folder + "/in", output: folder + "/in/out").skipped == 1)
            // Without the wish for states the same audio comes out.
            let plain = FolderEnhancer(enhancer: enhancer, sampleRate: rate, options: .init(encoding: .float32))
            _ = try plain.run(input: folder + "/in/deep/a.wav", output: folder + "/plain")
            _ = try FolderEnhancer(enhancer: enhancer, sampleRate: rate, options: options)
                .run(input: folder + "/in/deep/a.wav", output: folder + "/watched")
            #expect(try SoundFile.read(folder + "/plain/a.wav") == SoundFile.read(folder + "/watched/a.wav"))
        }
    }

    @Test func statesOfEachFileAndCallAreKeptApart() throws {
        let (enhancer, rate) = try enhancer(steps: 6)
        try withFolder { folder in
            try write(tone(0.2, rate: 16000), folder + "/in/x.wav")
            try write(tone(0.2, rate: 16000, pitch: 200), folder + "/in/x.flac")
            try write(tone(0.2, rate: 16000), folder + "/in/y.wav")
            func states(_ name: String) throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: folder + "/out-states/" + name).sorted()
            }
            func run(_ input: String, states: Int) throws {
                let options = FolderEnhancer.Options(replaces: true, states: states)
                _ = try FolderEnhancer(enhancer: enhancer, sampleRate: rate, options: options)
                    .run(input: folder + input, output: folder + "/out")
            }
            try run("/in", states: 3)
            #expect(try states("") == ["x.flac", "x.wav", "y"])
            #expect(try states("x.wav") == ["1-t0.667.wav", "2-t0.333.wav", "3-t0.000.wav"])
            // Only the file's own states give way to new ones.
            try Data("mine".utf8).write(to: URL(fileURLWithPath: folder + "/out-states/x.wav/1-notes.wav"))
            try run("/in/x.wav", states: 2)
            #expect(try states("x.wav") == ["1-notes.wav", "1-t0.500.wav", "2-t0.000.wav"])
            #expect(try states("x.flac").count == 3)
        }
    }

    @Test func oneFileIsEnhancedAlikeAloneAndAmongOthers() throws {
        let (enhancer, rate) = try enhancer()
        try withFolder { folder in
            for name in ["a", "b", "c"] { try write(tone(0.2, rate: 16000, pitch: 200), folder + "/in/\(name).wav") }
            let folderEnhancer = FolderEnhancer(enhancer: enhancer, sampleRate: rate, options: .init(seed: 3))
            _ = try folderEnhancer.run(input: folder + "/in", output: folder + "/all")
            _ = try folderEnhancer.run(input: folder + "/in/b.wav", output: folder + "/one")
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: folder + "/one").sorted() == [
                    ".sgmse-enhanced.jsonl", "b.wav",
                ])
            #expect(try SoundFile.read(folder + "/all/b.wav") == SoundFile.read(folder + "/one/b.wav"))
        }
    }

    @Test func aWrongFileFailsAloneAndTheOthersAreDone() throws {
        let (enhancer, rate) = try enhancer()
        try withFolder { folder in
            try write(tone(0.2, rate: 16000), folder + "/in/a.wav")
            try Data("no sound".utf8).write(to: URL(fileURLWithPath: folder + "/in/b.wav"))
            let half = tone(0.1, rate: 16000)
            try SoundFile.write(Sound(channels: [half, half], sampleRate: 16000), to: folder + "/in/c.wav")
            let folderEnhancer = FolderEnhancer(enhancer: enhancer, sampleRate: rate)
            let summary = try folderEnhancer.run(input: folder + "/in", output: folder + "/out")
            #expect(summary.enhanced == 1 && summary.failed.map(\.file) == ["b.wav", "c.wav"])
            #expect(summary.failed.last?.reason.contains("2 channels; --channels first or each") == true)
            #expect(throws: EnhancementInputError.self) {
                try folderEnhancer.run(input: folder + "/in", output: folder + "/in")
            }
            #expect(throws: EnhancementInputError.self) {
                try folderEnhancer.run(input: folder + "/in/a.wav", output: folder + "/in/a.wav")
            }
            #expect(throws: EnhancementInputError.self) {
                try folderEnhancer.run(input: folder + "/absent", output: folder + "/out")
            }
        }
    }

    /// Segments are enhanced by themselves, at the level of the whole, and joined; what is no longer than one is left
    /// whole.
    @Test func longRecordingsAreEnhancedInSegments() throws {
        let (whole, rate) = try enhancer()
        let cut = Enhancer(
            model: whole.model, sampler: whole.sampler, frontEnd: whole.frontEnd, padding: whole.padding,
            segments: Segments(length: 2000, overlap: 400))
        var noisy = tone(0.25, rate: rate)
        noisy[10] = 0.5  // the peak of all lies in the first segment
        let first = try whole.enhance(Array(noisy[..<2000]), file: "a", seed: 0)
        let joined = try cut.enhance(noisy, file: "a", seed: 0)
        #expect(joined.audio.count == noisy.count && joined.segments == 3 && joined.nfe == 3 * first.nfe)
        #expect(joined.audio[..<1600] == first.audio[..<1600])
        let short = Array(noisy[..<2000])
        #expect(try cut.enhance(short, file: "a", seed: 0).audio == first.audio)
        try withFolder { folder in
            try write(noisy, rate: rate, folder + "/in/long.wav")
            try write(short, rate: rate, folder + "/in/short.wav")
            let summary = try FolderEnhancer(enhancer: cut, sampleRate: rate).run(
                input: folder + "/in", output: folder + "/out")
            #expect((summary.enhanced, summary.segmented) == (2, 1))
        }
    }

    @Test func aSilentFileFailsAloneAndSaysWhy() throws {
        let (enhancer, rate) = try enhancer()
        try withFolder { folder in
            try write(tone(0.2, rate: 16000), folder + "/in/a.wav")
            try write([Float](repeating: 0, count: 3200), folder + "/in/silent.wav")
            let summary = try FolderEnhancer(enhancer: enhancer, sampleRate: rate).run(
                input: folder + "/in", output: folder + "/out")
            #expect(summary.enhanced == 1)
            #expect(summary.failed.map(\.file) == ["silent.wav"])
            #expect(summary.failed.first?.reason.contains("silent") == true)
        }
    }

    @Test func anInterruptedCallLeavesWholeFilesAndGoesOn() throws {
        let (enhancer, rate) = try enhancer()
        try withFolder { folder in
            for index in 0..<5 { try write(tone(0.2, rate: 16000), folder + "/in/\(index).wav") }
            let folderEnhancer = FolderEnhancer(enhancer: enhancer, sampleRate: rate)
            let interruption = Interruption()
            #expect(throws: Interrupted.self) {
                try folderEnhancer.run(input: folder + "/in", output: folder + "/out", interruption: interruption) {
                    _ in interruption.request()
                }
            }
            let done = try FileManager.default.contentsOfDirectory(atPath: folder + "/out").filter {
                $0 != ".sgmse-enhanced.jsonl"
            }
            #expect((1..<5).contains(done.count) && done.allSatisfy { $0.hasSuffix(".wav") && !$0.hasPrefix(".") })
            let rest = try folderEnhancer.run(input: folder + "/in", output: folder + "/out")
            #expect((rest.enhanced, rest.skipped) == (5 - done.count, done.count))
        }
    }
}
