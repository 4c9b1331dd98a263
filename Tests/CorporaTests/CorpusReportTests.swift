import Audio
import Corpora
import Foundation
import Kernels
import TestFolders
import Testing

@Suite struct CorpusReportTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    /// 16 pairs of synthetic speech and 4 test pairs of other speakers.
    private func corpus(train: Int = 16, test: Int = 4) throws {
        try SyntheticCorpus {
            ($0.train, $0.valid, $0.test, $0.testOOD) = (train, 0, test, 0)
            $0.seconds = 1.5...2.5
        }.write(to: folder.path + "/data")
    }

    private func report(_ cache: String? = nil, rate: Int? = nil) throws -> CorpusReport {
        let sets = try Corpus(at: folder.path + "/data").sets
        return try CorpusReport(on: sets.map { ($0, SetRole(name: $0.name)) }, sampleRate: rate, cachePath: cache)
    }

    private func samples(_ name: String) throws -> [Float] { try SoundFile.readMono("\(folder.path)/data/\(name)") }

    private func write(_ samples: [Float], _ name: String, rate: Int = 16_000) throws {
        try SoundFile.write(samples, sampleRate: rate, to: try folder.file("data/" + name))
    }

    @Test func aSoundCorpusHasNoFindingsAndTheSNRsOfItsManifest() throws {
        try corpus()
        let report = try report()
        #expect(report.findings.isEmpty && report.sampleRate == 16_000)
        #expect(report.sets.map(\.pairs) == [16, 4] && report.sets[0].snrs.values.reduce(0, +) == 16)
        #expect(report.sets[0].snrs.keys.allSatisfy { (-5...10).contains($0) })
        #expect(CorpusReport.rules.allSatisfy { report.verdict(on: $0) == nil })
    }

    /// A copy of a test recording among the training files, made in each of the ways in which copies come about.
    @Test(arguments: ["gain", "trim", "rate", "noise", "bits", "flac", "everything"])
    func copiesBetweenSplitsAreFound(way: String) throws {
        try corpus()
        let name = "test/clean/s25_0001.wav"
        let original = try samples(name)
        var (copy, rate, ending) = (original, 16_000, "wav")
        if ["gain", "everything"].contains(way) { copy = copy.map { 0.3 * $0 } }
        if ["trim", "everything"].contains(way) { copy = Array(copy.dropFirst(5237).dropLast(1111)) }
        if way == "rate" { (copy, rate) = (try Resampler(from: 16_000, to: 8000).resample(copy), 8000) }
        if way == "everything" { (copy, rate) = (try Resampler(from: 16_000, to: 44_100).resample(copy), 44_100) }
        if ["noise", "everything"].contains(way) {
            copy = zip(copy, RandomStream(seed: 1, purpose: "bit").uniforms(copy.count, bound: 1 / 32768)).map {
                $0 + $1
            }
        }
        if way == "bits" { copy = copy.map { ($0 * 128).rounded() / 128 } }
        if ["flac", "everything"].contains(way) { ending = "flac" }
        let noisy = zip(copy, RandomStream(seed: 2, purpose: "other noise").normals(copy.count)).map { $0 + 0.02 * $1 }
        try write(copy, "train/clean/s01_0999.\(ending)", rate: rate)
        try write(noisy, "train/noisy/s01_0999.\(ending)", rate: rate)
        let report = try report()
        // The same samples in another container are equal content already.
        let code = way == "flac" ? Finding.Code.contentOverlap : .nearDuplicate
        let found = try #require(report.findings.first { $0.code == code })
        #expect(found.severity == .error && found.set == "train & test")
        #expect(found.files.count == 1 && found.files[0].contains("s01_0999") && found.files[0].contains("s25_0001"))
    }

    /// 500 recordings of other words than the 50 they are compared with: 25,000 comparisons, none accused.
    @Test func fiveHundredCleanPairsAreNotAccused() throws {
        try SyntheticCorpus {
            ($0.train, $0.valid, $0.test, $0.testOOD) = (500, 0, 50, 0)
            $0.seconds = 1.0...1.4
        }.write(to: folder.path + "/data")
        let report = try report()
        #expect(report.findings.isEmpty, "\(report.findings)")
    }

    @Test func aDelayOfOnePairIsAnErrorThatNamesIt() throws {
        try corpus()
        let name = "train/noisy/s03_0003.wav"
        let late = [Float](repeating: 0, count: 160) + (try samples(name).dropLast(160))
        try write(late, name)
        let finding = try #require(try report().findings.first { $0.code == .alignment })
        #expect(
            finding.severity == .error && finding.files == ["s03_0003.wav"] && finding.message.contains("10.0 ms late"))
        #expect(try report().findings.allSatisfy { $0.code == .alignment })
    }

    @Test func exchangedFoldersAreFound() throws {
        try corpus()
        let files = FileManager.default
        try files.moveItem(atPath: folder.path + "/data/train/clean", toPath: folder.path + "/data/train/x")
        try files.moveItem(atPath: folder.path + "/data/train/noisy", toPath: folder.path + "/data/train/clean")
        try files.moveItem(atPath: folder.path + "/data/train/x", toPath: folder.path + "/data/train/noisy")
        #expect(try report().findings.contains { $0.code == .exchange && $0.severity == .error && $0.set == "train" })
    }

    @Test func noisyFilesOfOtherRecordingsAndNearlyCleanOnesAreFound() throws {
        try corpus()
        try write(try samples("train/noisy/s05_0005.wav"), "train/noisy/s04_0004.wav")
        let count = min(try samples("train/clean/s04_0004.wav").count, try samples("train/noisy/s05_0005.wav").count)
        for part in ["clean", "noisy"] {
            try write(Array(try samples("train/\(part)/s04_0004.wav").prefix(count)), "train/\(part)/s04_0004.wav")
        }
        let clean = try samples("train/clean/s06_0006.wav")
        try write(clean.enumerated().map { $1 + ($0 % 7 == 0 ? 2 / 32768 : 0) }, "train/noisy/s06_0006.wav")
        let found = try report().findings.filter { $0.code == .snr }
        #expect(found.count == 2 && found[0].severity == .error && found[0].files == ["s04_0004.wav"])
        #expect(found[1].severity == .warning && found[1].files == ["s06_0006.wav"])
    }

    @Test func aMeanIsFound() throws {
        try corpus()
        try write(try samples("train/noisy/s02_0002.wav").map { $0 + 0.03 }, "train/noisy/s02_0002.wav")
        let found = try #require(try report().findings.first { $0.code == .dc })
        #expect(found.files == ["noisy/s02_0002.wav"] && found.severity == .warning)
    }

    @Test func aReportIsKeptUntilAFileOrWhatIsExpectedChanges() throws {
        try corpus(train: 4, test: 2)
        let cache = folder.path + "/report.json"
        let first = try report(cache)
        let written = FileManager.default.contents(atPath: cache)
        #expect(written != nil)
        #expect(try report(cache) == first && FileManager.default.contents(atPath: cache) == written)
        #expect(try report(cache, rate: 48_000).findings.contains { $0.code == .rate && $0.severity == .error })
        try write(try samples("train/noisy/s02_0002.wav").map { $0 + 0.03 }, "train/noisy/s02_0002.wav")
        #expect(try report(cache).findings.contains { $0.code == .dc })
        try Data("damaged".utf8).write(to: URL(fileURLWithPath: cache))
        #expect(try report(cache).findings.contains { $0.code == .dc })
    }
}
