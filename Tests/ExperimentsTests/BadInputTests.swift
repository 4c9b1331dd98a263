import Audio
import Corpora
import Experiments
import Foundation
import Models
import Runs
import SpecLanguage
import Specs
import TestFolders
import Testing

/// Each way in which data can be wrong ends with its own error before any training step, and an intact store.
@Suite struct BadInputTests {
    /// A small corpus of tones in a folder of its own.
    private func corpus(_ temporary: TestFolder, rate: Int = 16000) throws -> String {
        let base = temporary.path + "/corpus"
        for (place, set) in ["train", "valid", "test"].enumerated() {
            for file in 0..<2 {
                let pitch = Float(110 + 40 * place + 15 * file)
                let clean = (0..<rate).map {
                    0.4 * sin(Float($0) * pitch * 2 * .pi / Float(rate)) * (1 + sin(Float($0) / 900)) / 2
                }
                let noisy = clean.enumerated().map { $1 + 0.05 * sin(Float($0 * $0 % (7919 + file + 10 * place))) }
                for (folder, signal) in [("clean", clean), ("noisy", noisy)] {
                    try FileManager.default.createDirectory(
                        atPath: "\(base)/\(set)/\(folder)", withIntermediateDirectories: true)
                    try SoundFile.write(signal, sampleRate: rate, to: "\(base)/\(set)/\(folder)/s\(place)_\(file).wav")
                }
            }
        }
        return base
    }

    private func spec(_ base: String) -> String {
        tinySpec.replacingOccurrences(
            of: "corpus: { name: synthetic, train: 6, valid: 2, test: 2, test_ood: 2, shortest: 0.8, longest: 1.0 }",
            with: "path: \(base)"
        ).replacingOccurrences(of: "[test, test-ood]", with: "[test]")
    }

    @Test func aSoundCorpusRuns() throws {
        let temporary = try TestFolder()
        #expect(try temporary.run(spec(try corpus(temporary))).failed.isEmpty)
    }

    enum Damage: String, CaseIterable {
        case missingFolder, unpaired, rate, stereo, empty, truncated, notANumber, leaked
    }

    @Test(arguments: Damage.allCases)
    func damagedDataStopsTheRunBeforeItStarts(damage: Damage) throws {
        let temporary = try TestFolder()
        let base = try corpus(temporary, rate: damage == .rate ? 48000 : 16000)
        let path = base + "/train/noisy/s0_1.wav"
        let expected: String
        switch damage {
        case .missingFolder:
            try FileManager.default.removeItem(atPath: base)
            expected = base
        case .unpaired:
            try FileManager.default.removeItem(atPath: path)
            expected = "s0_1.wav"
        case .rate: expected = "48000"
        case .stereo:
            let samples = try SoundFile.readMono(path)
            try SoundFile.write(Sound(channels: [samples, samples], sampleRate: 16000), to: path)
            expected = "channel"
        case .empty:
            try Data().write(to: URL(fileURLWithPath: path))
            expected = "s0_1.wav"
        case .truncated:
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            try data.prefix(data.count / 2).write(to: URL(fileURLWithPath: path))
            expected = "s0_1.wav"
        case .notANumber:
            try writeNaN(to: path)
            expected = "s0_1.wav"
        case .leaked:
            for folder in ["clean", "noisy"] {
                let target = base + "/test/\(folder)/s2_0.wav"
                try FileManager.default.removeItem(atPath: target)
                try FileManager.default.copyItem(atPath: base + "/train/\(folder)/s0_0.wav", toPath: target)
            }
            expected = "test"
        }
        let error = #expect(throws: (any Error).self) { try temporary.run(spec(base)) }
        #expect("\(try #require(error))".contains(expected), "\(String(describing: error))")
        let store = try temporary.open()
        #expect(try store.runs().allSatisfy { $0.status == .planned })
        #expect(try store.integrityProblems().isEmpty)
        try store.close()
    }

    /// A float WAV of one second with a NaN in its middle.
    private func writeNaN(to path: String) throws {
        try SoundFile.write([Float](repeating: 0.1, count: 16000), sampleRate: 16000, to: path, as: .float32)
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: Float.nan.bitPattern >> (8 * $0)) }
        data.replaceSubrange(data.count - 8000..<data.count - 7996, with: bytes)
        try data.write(to: URL(fileURLWithPath: path))
    }

    @Test func wrongSpecsAreLocated() {
        let loader = SpecLoader(vocabulary: Catalog.standard.vocabulary)
        for (wrong, hint) in [
            ("backbone: { name: ncsnpp_v3 }", "ncsnpp_v2"), ("sde: ouvee", "ouve"), ("trian: { lr: 1 }", "train"),
            ("train: { lr: fast, max_steps: 1 }", "number"),
        ] {
            let error = #expect(throws: SpecErrors.self) {
                try loader.load(text: "name: x\n\(wrong)\n", file: "wrong.yaml")
            }
            #expect(error?.description.contains("wrong.yaml:2:") == true)
            #expect(error?.description.contains(hint) == true, "\(wrong): \(error?.description ?? "")")
        }
    }

    @Test func aStoreOfANewerVersionIsLeftAlone() throws {
        let temporary = try TestFolder()
        let path = temporary.path + "/store.sqlite"
        try Data(
            """
            not a database, and longer than a header of a hundred bytes would be, so that it is read as one of \
            something else
            """
            .utf8
        )
        .write(to: URL(fileURLWithPath: path))
        let before = FileManager.default.contents(atPath: path)
        #expect(throws: StoreError.self) { try temporary.open() }
        #expect(FileManager.default.contents(atPath: path) == before)
    }
}
