import Audio
import Corpora
import Foundation
import Kernels
import TestFolders
import Testing

@Suite struct MixedCorpusTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private func noise(_ name: String, seed: UInt64, frames: Int, level: Float = 0.2) throws {
        let samples = RandomStream(seed: seed, purpose: "noise").normals(frames).map { level * $0 }
        try SoundFile.write(samples, sampleRate: 16_000, to: folder.file(name))
    }

    private func sources() throws {
        for number in 0..<5 {
            try folder.tone("speech/p\(number)/p\(number)_1.wav", seed: number, frames: 9000 + number)
        }
        try folder.tone("speech/p9/p9_short.wav", seed: 9, frames: 100)
        try noise("noise/1-100-A-7.wav", seed: 1, frames: 20_000, level: 2)
        try noise("noise/2-200-B-12.wav", seed: 2, frames: 17_000)
        try noise("noise/3-300-A-12.wav", seed: 3, frames: 900)
    }

    private var recipe: MixedCorpus {
        var recipe = MixedCorpus.esc50(clean: folder.path + "/speech", noise: folder.path + "/noise")
        (recipe.count, recipe.snrs) = (4, [0, 5, -2.5])
        return recipe
    }

    private func samples(_ file: PairedFile) throws -> (clean: [Float], noise: [Float]) {
        let clean = try SoundFile.readMono(file.cleanPath)
        let noisy = try SoundFile.readMono(file.noisyPath)
        return (clean, zip(noisy, clean).map { $0 - $1 })
    }

    @Test func ratiosAreMetAndShareOneNoisePerFile() throws {
        try sources()
        let base = folder.path + "/out"
        #expect(try recipe.write(to: base) == .made)
        #expect(try recipe.write(to: base) == .unchanged)
        let sets = try recipe.setNames.map { try Corpus(at: base).set($0) }
        #expect(sets.map(\.name) == ["test-0dB", "test-5dB", "test--2.5dB"])
        for index in 0..<4 {
            let pairs = try sets.map { try samples($0.files[index]) }
            func energy(_ signal: [Float]) -> Double { signal.reduce(0) { $0 + Double($1) * Double($1) } }
            for (set, pair) in zip(sets, pairs) {
                let stated = try #require(set.files[index].entry?.snr)
                #expect(abs(10 * log10(energy(pair.clean) / energy(pair.noise)) - stated) < 0.05)
                #expect(set.files[index].entry?.other["noise_file"] == sets[0].files[index].entry?.other["noise_file"])
                #expect(["7", "12"].contains(set.files[index].entry?.noise))
                let dot = zip(pair.noise, pairs[0].noise).reduce(0) { $0 + Double($1.0) * Double($1.1) }
                #expect(dot / (energy(pair.noise) * energy(pairs[0].noise)).squareRoot() > 0.999)
            }
        }
        #expect(sets.allSatisfy { !$0.files.contains { $0.name.contains("short") } })
    }

    @Test func otherRecordingsMakeAnotherCorpus() throws {
        try sources()
        let before = recipe.digestOfSources()
        #expect(!before.isEmpty && before == recipe.digestOfSources())
        try noise("noise/3-300-A-12.wav", seed: 4, frames: 901)
        #expect(recipe.digestOfSources() != before)
        #expect(MixedCorpus(clean: folder.path + "/nowhere", noise: folder.path, snrs: [0]).digestOfSources().isEmpty)
    }

    @Test func classesAndFilesCanBeChosen() throws {
        try sources()
        var chosen = recipe
        chosen.classes = ["7"]
        (chosen.minimumNoise, chosen.minimumSpeech, chosen.count) = (0, 0, nil)
        try chosen.write(to: folder.path + "/out")
        let set = try Corpus(at: folder.path + "/out").set("test-0dB")
        #expect(set.files.count == 6 && set.files.allSatisfy { $0.entry?.noise == "7" })
        chosen.classes = ["99"]
        #expect(throws: CorpusError.self) { try chosen.write(to: folder.path + "/other") }
        chosen = recipe
        chosen.count = 60
        #expect(throws: CorpusError.self) { try chosen.write(to: folder.path + "/other") }
        chosen = recipe
        chosen.sampleRate = 48_000
        let error = #expect(throws: CorpusError.self) { try chosen.write(to: folder.path + "/other") }
        #expect(error?.summary.contains("48000 Hz is required") == true)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["noise", "out", "speech"])
    }

    @Test func silentNoiseIsDrawnAgainOrRefused() throws {
        try sources()
        try SoundFile.write(
            [Float](repeating: 0, count: 20_000), sampleRate: 16_000, to: folder.file("noise/4-1-A-3.wav"))
        try recipe.write(to: folder.path + "/out")
        var silent = recipe
        silent.classes = ["3"]
        #expect(throws: CorpusError.self) { try silent.write(to: folder.path + "/other") }
    }

    @Test func aNoisesClassIsItsFolderOrItsFieldInTheName() {
        var recipe = MixedCorpus(clean: "c", noise: "n", snrs: [0])
        #expect(recipe.classOfNoise("rain/a.wav") == "rain" && recipe.classOfNoise("a.wav") == "a")
        recipe.noiseClass = .esc50
        #expect(recipe.classOfNoise("5-9032-A-0.wav") == "0")
    }

    @Test func aMixtureThatWouldSaturateIsScaledAsAWhole() {
        let clean = (0..<800).map { 0.8 * sin(0.1 * Float($0)) }
        let noise = RandomStream(seed: 5, purpose: "noise").normals(800)
        let mixture = Mixture(clean, with: noise, snr: 0)
        #expect(mixture.gain < 1)
        #expect(mixture.noisy.allSatisfy { abs($0) <= 0.99001 })
        #expect(zip(mixture.clean, clean).allSatisfy { abs($0 - Float(mixture.gain) * $1) < 1e-6 })
    }
}
