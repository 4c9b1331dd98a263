import Audio
import Corpora
import Foundation
import Runs
import TestFolders

extension TestFolder {
    func write(_ samples: [Float], _ name: String, rate: Int = 16_000) throws {
        try SoundFile.write(samples, sampleRate: rate, to: try file(name))
    }
}

/// Three pairs of half a second, registered as `test`, and another system's output for them in `out`.
struct ExternalSample {
    let scratch: TestFolder
    let store: RunStore
    let set: TestSet
    let files: [TestFile]
    static let provenance = Provenance(version: "1", machine: "m", threads: 1, commandLine: "sgmse import")

    init() throws {
        scratch = try TestFolder()
        for index in 0..<3 {
            try scratch.write(Self.clean(index), "set/clean/p\(index).wav")
            try scratch.write(Self.mix(index, 0.1), "set/noisy/p\(index).wav")
            try scratch.write(Self.mix(index, 0.02), "out/p\(index).wav")
        }
        store = try RunStore(at: scratch.store)
        let audio = try PairedSet(at: scratch.path + "/set", name: "test")
        var cache = FactsCache()
        let fingerprint = try SetScan(reading: audio, as: .test, cache: &cache).fingerprint?.description ?? ""
        (set, files) = try store.register(
            testSet: "test", fingerprint: fingerprint, folder: audio.path, sampleRate: 16_000,
            files: audio.files.map { TestFile(path: $0.name, seconds: 0.5) })
    }

    /// Noise in syllables, which has no period.
    static func clean(_ index: Int) -> [Float] {
        var state = UInt32(index + 1)
        return (0..<8000).map { n in
            state = state &* 1_664_525 &+ 1_013_904_223
            let noise = Double(state >> 8) / Double(1 << 24) - 0.5
            return Float(0.6 * noise * pow(sin(2 * .pi * 4 * Double(n) / 16_000 + 0.3), 2))
        }
    }

    static func mix(_ index: Int, _ level: Double) -> [Float] {
        zip(clean(index), 0..<8000).map { $0 + Float(level * sin(Double($1 * $1 % 7919 + 37 * index))) }
    }

    var out: String { scratch.path + "/out" }
}
