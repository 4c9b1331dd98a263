import Audio
import Corpora
import Foundation
import TestFolders
import Testing

@Suite struct SyntheticTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    private let small = SyntheticCorpus { corpus in
        (corpus.train, corpus.valid, corpus.test, corpus.testOOD) = (6, 2, 6, 5)
        corpus.seconds = 1.5...1.8
    }

    private func scan(_ path: String) throws -> CorpusScan { try CorpusScan(reading: Corpus(at: path)) }

    private func power(_ samples: [Float]) -> Double {
        samples.reduce(0) { $0 + Double($1) * Double($1) } / Double(samples.count)
    }

    @Test func theQuickstartsCorpusPassesEveryCheckAndKeepsItsRatios() throws {
        let base = folder.path + "/data"
        #expect(try small.write(to: base) == .made)
        let corpus = try Corpus(at: base)
        #expect(corpus.sets.map(\.name) == ["train", "valid", "test", "test-ood"])
        #expect(corpus.sets.map(\.files.count) == [6, 2, 6, 5])
        #expect(try scan(base).findings(expecting: .init(sampleRate: 16_000)).isEmpty)
        for set in corpus.sets {
            let families = set.name == "test-ood" ? NoiseFamily.outOfDistribution : NoiseFamily.inDistribution
            let allowed = Set(families.map(\.rawValue))
            #expect(set.files.allSatisfy { file in file.entry?.noise.map(allowed.contains) ?? false })
            for file in set.files {
                let clean = try SoundFile.readMono(file.cleanPath, sampleRate: 16_000)
                let noisy = try SoundFile.readMono(file.noisyPath, sampleRate: 16_000)
                let ratio = 10 * log10(power(clean) / power(zip(noisy, clean).map { $0 - $1 }))
                let stated = try #require(file.entry?.snr)
                #expect(abs(ratio - stated) < 0.02 && (0...10).contains(stated))
                #expect((1.5...1.8).contains(Double(clean.count) / 16_000))
            }
        }
    }

    @Test func equalParametersGiveEqualFilesAndOtherSeedsOthers() throws {
        let (one, two, three) = (folder.path + "/1", folder.path + "/2", folder.path + "/3")
        try small.write(to: one)
        try small.write(to: two)
        try SyntheticCorpus { ($0, $0.seed) = (small, 1) }.write(to: three)
        let prints = try [one, two, three].map { try scan($0).sets.map(\.fingerprint) }
        #expect(prints[0] == prints[1])
        #expect(zip(prints[0], prints[2]).allSatisfy { $0 != $1 })
    }

    @Test func aSecondCallDoesNothingAndOtherParametersAreAnError() throws {
        let base = folder.path + "/data"
        try small.write(to: base)
        #expect(try small.write(to: base) == .unchanged)
        var other = small
        other.test = 7
        #expect(other.folderName != small.folderName)
        let error = #expect(throws: CorpusError.self) { try other.write(to: base) }
        #expect(error?.summary.contains("\"test\" : 6") == true)
        try FileManager.default.removeItem(atPath: base + "/test/clean/s24_0000.wav")
        #expect(throws: CorpusError.self) { try small.write(to: base) }
        #expect(throws: CorpusError.self) { try small.write(to: folder.path) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["data"])
    }

    @Test func allFilesMayHaveOneLength() throws {
        let base = folder.path + "/data"
        try SyntheticCorpus {
            ($0.train, $0.valid, $0.test, $0.testOOD) = (3, 2, 2, 2)
            $0.seconds = 0.25...0.25
        }.write(to: base)
        let scan = try scan(base)
        #expect(scan.findings(expecting: .init(sampleRate: 16_000)).isEmpty)
        for set in scan.sets {
            for pair in set.pairs {
                #expect(try pair.clean.get().header.frames == 4000 && pair.noisy.get().header.frames == 4000)
            }
        }
    }

    @Test func aRecipeThatFailsLeavesNothing() throws {
        var bad = small
        bad.oodNoises = [.white]
        #expect(throws: CorpusError.self) { try bad.write(to: folder.path + "/data") }
        try folder.text("taken", "")
        #expect(throws: CorpusError.self) { try small.write(to: folder.path + "/taken/data") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken"])
    }

    @Test func aSeriesOfRatiosSharesSpeechAndNoise() throws {
        let base = folder.path + "/data"
        try SyntheticCorpus {
            ($0.train, $0.valid, $0.test, $0.testOOD) = (0, 0, 0, 5)
            $0.oodSNRs = [0, 5, 2.5]
        }.write(to: base)
        let corpus = try Corpus(at: base)
        #expect(corpus.sets.map(\.name) == ["test-ood-0dB", "test-ood-2.5dB", "test-ood-5dB"])
        func noise(_ set: Int, _ file: Int) throws -> [Float] {
            let pair = corpus.sets[set].files[file]
            return try zip(SoundFile.readMono(pair.noisyPath), SoundFile.readMono(pair.cleanPath)).map { $0 - $1 }
        }
        for file in 0..<5 {
            let (a, b) = (try noise(0, file), try noise(2, file))
            let dot = zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } / Double(a.count)
            #expect(dot / (power(a) * power(b)).squareRoot() > 0.999)
        }
    }

    @Test func reverberantAndWideBandVariantsAreMade() throws {
        let base = folder.path + "/data"
        try SyntheticCorpus {
            ($0.train, $0.valid, $0.test, $0.testOOD) = (2, 1, 1, 1)
            ($0.layout, $0.sampleRate, $0.seconds) = (.dereverberation, 48_000, 1...1.2)
        }.write(to: base)
        let corpus = try Corpus(at: base)
        #expect(corpus.sets.allSatisfy { $0.layout == .dereverberation })
        #expect(try scan(base).findings(expecting: .init(sampleRate: 48_000)).isEmpty)
        let times = try corpus.sets.map { set in
            try set.files.map { Double(try #require($0.entry?.other["t60"])) ?? 0 }
        }
        #expect(times[0].allSatisfy((0.3...0.7).contains) && times[3].allSatisfy((0.9...1.3).contains))
    }
}
