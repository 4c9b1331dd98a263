import Corpora
import Foundation
import Imports
import Reports
import Runs
import SpeechMetrics
import Testing

/// Another system's output as an evaluation of its own.
@Suite struct EnhancedFolderTests {
    private let sample: ExternalSample

    init() throws { sample = try ExternalSample() }

    private func system(_ name: String = "metricgan-plus", nfe: Int? = 1, seconds: Double? = 3) throws -> ExternalSystem
    {
        try ExternalSystem(name, nfe: nfe, seconds: seconds, reserved: ["noisy", "wiener"])
    }

    private func imported(as system: ExternalSystem) throws -> Evaluation? {
        let folder = try EnhancedFolder(sample.out, on: sample.set, files: sample.files)
        let metrics = try MetricCatalog.standard.named(["si_sdr", "estoi"])
        return try folder.score(as: system, with: metrics, in: sample.store, provenance: ExternalSample.provenance)
    }

    private func failure() -> ImportFailure? {
        #expect(throws: ImportFailure.self) { try EnhancedFolder(sample.out, on: sample.set, files: sample.files) }
    }

    @Test func itsScoresAreThoseOfItsFilesAndItStandsInTheTable() throws {
        let evaluation = try #require(try imported(as: system()))
        let scores = try sample.store.scores(of: evaluation.id)
        #expect(scores.count == 6 && scores.allSatisfy { $0.outcome.value != nil })
        let pair = SpeechPair(
            clean: ExternalSample.clean(0), noisy: nil, enhanced: ExternalSample.mix(0, 0.02), sampleRate: 16_000)
        let expected = try #require(MetricCatalog.standard["si_sdr"]?.evaluate(pair).value)
        #expect(scores.contains { abs(($0.outcome.value ?? 0) - expected) < 0.05 })  // files have 16 or 32 bits
        let results = try sample.store.results(of: evaluation.id)
        #expect(results.map(\.nfe) == [1, 1, 1] && abs(results.reduce(0) { $0 + $1.seconds } - 3) < 1e-9)
        let known = try #require(try sample.store.evaluation(identity: evaluation.identity))
        #expect(
            known.anchor == "metricgan-plus" && known.status == .finished
                && known.external?.contains("\"files\":3") == true)
        let report = try ComparisonReport(of: [], in: sample.store)
        #expect(report.table.terminal().contains("metricgan-plus"))
    }

    @Test func theSameOutputTwiceIsOneEvaluationAndOtherOutputNeedsAnotherName() throws {
        _ = try imported(as: system())
        #expect(try imported(as: system()) == nil)
        try sample.scratch.write(ExternalSample.mix(1, 0.03), "out/p1.wav")
        let failure = #expect(throws: ImportFailure.self) { try imported(as: system()) }
        #expect(failure?.description.contains("give this one another name, such as 'metricgan-plus-2'") == true)
        #expect(try imported(as: system("metricgan-plus-2")) != nil)
    }

    @Test func aMissingOutputIsNoMeanOverAPart() throws {
        try FileManager.default.removeItem(atPath: sample.out + "/p1.wav")
        let problem = failure()?.problems.first
        #expect(problem?.code == "missing" && problem?.files == ["p1.wav"])
    }

    @Test func anOutputOfAnotherRateLengthOrChannelIsNamed() throws {
        try sample.scratch.write(ExternalSample.mix(0, 0.02), "out/p0.wav", rate: 8000)
        try sample.scratch.write(Array(ExternalSample.mix(1, 0.02).dropLast(5)), "out/p1.wav")
        try sample.scratch.write(ExternalSample.clean(2), "out/p2.wav")
        #expect(failure()?.problems.map(\.code) == ["rate", "length", "clean"])
    }

    @Test(arguments: [160, -160, 33])
    func aLateOrEarlyOutputIsNamedWithItsDelay(samples: Int) throws {
        for index in 0..<3 {
            let output = ExternalSample.mix(index, 0.02)
            let silence = [Float](repeating: 0, count: abs(samples))
            let shifted = samples > 0 ? silence + output.dropLast(samples) : Array(output.dropFirst(-samples)) + silence
            try sample.scratch.write(shifted, "out/p\(index).wav")
        }
        let problem = failure()?.problems.first
        #expect(
            problem?.code == "alignment" && problem?.summary.contains("by \(abs(samples)) samples") == true,
            "\(problem?.summary ?? "none")")
        #expect(problem?.summary.contains(samples > 0 ? "late" : "early") == true)
    }

    @Test func aWaivedDelayIsImportedAndStandsUnderTheTable() throws {
        for index in 0..<3 {
            let late = [Float](repeating: 0, count: 160) + ExternalSample.mix(index, 0.02).dropLast(160)
            try sample.scratch.write(late, "out/p\(index).wav")
        }
        let folder = try EnhancedFolder(
            sample.out, on: sample.set, files: sample.files,
            waive: ["alignment": "a causal system", "length": "whatever"])
        #expect(folder.waived == ["alignment": "a causal system"])
        let evaluation = try #require(
            try folder.score(
                as: system(), with: MetricCatalog.standard.named(["si_sdr"]), in: sample.store,
                provenance: ExternalSample.provenance))
        let known = try sample.store.evaluation(identity: evaluation.identity)
        #expect(known?.externalRecord?.waived == ["alignment": "a causal system"])
        let notes = try ComparisonReport(of: [], in: sample.store).table.notes
        #expect(notes.contains("checks were waived for metricgan-plus: alignment"), "\(notes)")
        // Nothing else is waived with it.
        try sample.scratch.write(Array(ExternalSample.mix(1, 0.02).dropLast(5)), "out/p1.wav")
        let failure = #expect(throws: ImportFailure.self) {
            try EnhancedFolder(sample.out, on: sample.set, files: sample.files, waive: ["alignment": "a causal system"])
        }
        #expect(failure?.problems.map(\.code) == ["length"])
    }

    @Test func severalOutputsForOneFileAreRefused() throws {
        try sample.scratch.write(ExternalSample.mix(0, 0.02), "out/p0_5dB.wav")
        #expect(failure()?.problems.map(\.code) == ["pairing"])
    }

    @Test func aSetThatChangedIsRefused() throws {
        try sample.scratch.write(ExternalSample.mix(0, 0.3), "set/noisy/p0.wav")
        #expect(failure()?.problems.map(\.code) == ["changed"])
    }

    @Test(arguments: ["", "noisy", "a\u{1B}[31m", String(repeating: "x", count: 101), " x"])
    func namesThatNoTableCanShowAreRefused(name: String) {
        #expect(throws: ImportFailure.self) { try system(name) }
    }
}
