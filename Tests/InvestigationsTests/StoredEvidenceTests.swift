import Foundation
import Investigations
import Reported
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

/// Hypotheses on runs of a store that no investigation of the repository names.
@Suite struct StoredEvidenceTests {
    private let scratch: TestFolder
    private let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    /// A run of `name` for each of `seeds`, with a score of each file; nil is a failure.
    private func train(
        _ name: String, _ seeds: [[Double?]], metric: String = "mos", isHigherBetter: Bool = true,
        settings: String = #"{"lr":1}"#
    ) throws {
        let files = (0..<(seeds.first?.count ?? 0)).map { TestFile(path: "f\($0).wav", seconds: 2) }
        let set = try store.register(
            testSet: "street", fingerprint: "x\(files.count)", folder: "street", sampleRate: 16_000, files: files)
        let column = try store.register(
            metric: metric, signature: metric + "|v1", unit: "", higherIsBetter: isHigherBetter)
        for (seed, values) in seeds.enumerated() {
            var draft = Sample.run("\(name),seed=\(seed)", seed: UInt64(seed), resolved: settings)
            draft.key = RunKey(identity: "\(name) \(settings) \(seed)", seed: UInt64(seed), dataFingerprint: "data")
            draft.spec = StoredSpec(file: "\(name).yaml", written: "name: \(name)", resolved: settings)
            let run = try store.register(draft)
            try store.end(run.id, as: .finished)
            let point = EvaluationPoint(steps: 7, sampler: "pc", weights: "ema", noiseSeed: 0)
            try Sample.evaluation(of: .run(run.id, checkpoint: nil), on: set, at: point, column, values, in: store)
        }
    }

    private func report(_ test: String, metric: String = "mos", _ cells: [String] = ["a", "b"]) throws
        -> InvestigationReport
    {
        let declared = cells.map { "  \($0): { run: \($0), set: street, at: { N: 7 }, spec: \($0).yaml }\n" }.joined()
        let text =
            """
            title: t\nmetric: \(metric)\ncells:\n\(declared)hypotheses:\n  - id: H\n    claim: c\n    tests: \
            [\(test)]\n
            """
        let library = ReportedLibrary([])
        return try InvestigationReport(
            of: try Investigation(text: text, file: "here/t.yaml"), reporting: library, from: store)
    }

    private static let files = (0..<12).map { 2 + 0.1 * Double($0 % 4) }

    @Test func differencesArePairedByFileAndHoldOverSeeds() throws {
        try train("a", [0.5, 0.52, 0.48].map { rise in Self.files.map { $0 + rise } })
        try train("b", [0, 0.01, -0.01].map { rise in Self.files.map { $0 + rise } })
        let report = try report("{ above: [a, b], effect: 0.3 }")
        #expect(report.findings[0].verdict == .supported, "\(report.text)")
        let answer = report.findings[0].answers[0]
        // Files alone spread by 0.1; only a paired test gives an interval this narrow.
        #expect(
            (answer.interval?.lowerBound ?? 0) > 0.44 && abs((answer.difference ?? 0) - 0.5) < 1e-9, "\(report.text)")
        #expect(report.conclusion == "supported: H")
    }

    @Test func oneTrainingOfEachDoesNotDecideOverSeeds() throws {
        try train("a", [Self.files.map { $0 + 1 }])
        try train("b", [Self.files])
        let report = try report("{ above: [a, b], effect: 0.3 }")
        #expect(
            report.findings[0].verdict == .inconclusive
                && report.text.contains("no configuration here was trained twice"), "\(report.text)")
        #expect(report.conclusion == "nothing is supported; inconclusive: H")
    }

    @Test func filesWithoutAScoreInOneRunAreLeftOutOfBoth() throws {
        let high = Self.files.enumerated().map { $0 == 0 ? nil : Optional($1 + 0.5) }
        try train("a", [high, high, Self.files.map { $0 + 0.51 }])
        try train("b", [Self.files.enumerated().map { $0 == 0 ? 40 : $1 }, Self.files, Self.files.map { $0 + 0.01 }])
        let report = try report("{ above: [a, b], effect: 0.3 }")
        #expect(
            report.findings[0].verdict == .supported
                && abs((report.findings[0].answers[0].difference ?? 0) - 0.5) < 0.01, "\(report.text)")
    }

    @Test func aRunOfWhichNothingCouldBeScoredIsMissing() throws {
        try train("a", [Self.files.map { _ in nil }, Self.files.map { _ in nil }])
        try train("b", [Self.files, Self.files])
        let report = try report("{ above: [a, b] }")
        #expect(
            report.findings[0].verdict == .missing && report.text.contains("no file of it has a mos"), "\(report.text)")
    }

    @Test func oneFileDoesNotDecide() throws {
        try train("a", [[3], [3.1], [3.05]])
        try train("b", [[2], [2.1], [2.05]])
        for scope in ["files", "seeds"] {
            let report = try report("{ above: [a, b], effect: 0.3, over: \(scope) }")
            #expect(
                report.findings[0].verdict == .inconclusive && report.text.contains("has one file"), "\(report.text)")
        }
    }

    @Test func equalScoresAreEqual() throws {
        try train("a", [Self.files, Self.files])
        try train("b", [Self.files, Self.files])
        #expect(try report("{ above: [a, b], effect: 0.1 }").findings[0].verdict == .refuted)
        #expect(try report("{ equal: [a, b], effect: 0.1 }").findings[0].verdict == .supported)
        #expect(try report("{ below_input: { rows: [a], input: b } }").findings[0].verdict == .inconclusive)
    }

    @Test func everyMissingCellIsNamedWithItsCommand() throws {
        let report = try report("{ above: [a, b] }")
        #expect(
            report.text.contains("not measured: a (the store has no run 'a'); b (the store has no run 'b')"),
            "\(report.text)")
        #expect(
            report.steps.map(\.measurement.command) == [
                "sgmse run here/a.yaml --set 'evaluate.N=[7]'", "sgmse run here/b.yaml --set 'evaluate.N=[7]'",
            ])
    }

    @Test func aSweepIsNoConfigurationAndAnEditedSpecIsANewOne() throws {
        let (low, high) = ([Self.files], [Self.files.map { $0 + 1 }])
        try train("a", low)
        try train("b", low + low + low)
        let before = try report("{ equal: [a, b], effect: 0.1, over: files }")
        #expect(before.findings[0].verdict == .supported, "\(before.text)")
        // Trained again after a change of the spec: what was made before is another configuration.
        try train("a", high, settings: #"{"lr":2}"#)
        let after = try report("{ above: [a, b], effect: 0.5, over: files }")
        #expect(after.findings[0].verdict == .supported && after.text.contains("a (3.15, one run)"), "\(after.text)")
        let text =
            """
            title: t\nmetric: mos\ncells: { s: { run: sweep.yaml, set: street } }\nhypotheses: [{ id: H, claim: c, \
            tests: [{ above: [s, s] }] }]\n
            """
        var spec = Sample.run("z,p=1", resolved: "{}")
        for (name, seed) in [("z,p=1", UInt64(0)), ("z,p=2", 1)] {
            spec = Sample.run(name, seed: seed, resolved: "{}")
            spec.spec = StoredSpec(file: "sweep.yaml", written: "name: z", resolved: "{}")
            _ = try store.register(spec)
        }
        let sweep = try InvestigationReport(
            of: try Investigation(text: text, file: "t.yaml"), reporting: ReportedLibrary([]), from: store)
        #expect(sweep.text.contains("is 2 configurations; name one of them, such as 'z,p=1'"), "\(sweep.text)")
    }

    @Test func aNameMeansItsSeedsWithOrWithoutAProfile() throws {
        try train("a@smoke", [Self.files, Self.files])
        let smoke = try NamedTrainings(called: "a", in: store)
        #expect(smoke.seeds == [0, 1] && smoke.configurations == ["a@smoke"])
        try train("a@large", [Self.files])
        #expect(try NamedTrainings(called: "a", in: store).configurations.sorted() == ["a@large", "a@smoke"])
        try train("a", [Self.files, Self.files, Self.files])
        #expect(try NamedTrainings(called: "a", in: store).seeds == [0, 1, 2])
        #expect(try NamedTrainings(called: "a,seed=1", in: store).seeds == [1])
        #expect(throws: StoreError.self) { try NamedTrainings(called: "nobody", in: store) }
    }

    @Test func whatACellDoesNotNameIsAsItsSpecHasIt() throws {
        let settings =
            #"{"evaluate":{"padding":"zero","reference":{"name":"oracle","num_frames":9}},"#
            + #""conditioning":{"ref_num_frames":4}}"#
        try train("b", [Self.files.map { $0 - 1 }])
        let files = (0..<12).map { TestFile(path: "f\($0).wav", seconds: 2) }
        let set = try store.register(
            testSet: "street", fingerprint: "x12", folder: "street", sampleRate: 16_000, files: files)
        let column = try store.register(metric: "mos", signature: "mos|v1", unit: "", higherIsBetter: true)
        var draft = Sample.run("a,seed=0", resolved: settings)
        draft.spec = StoredSpec(file: "a.yaml", written: "name: a", resolved: settings)
        let run = try store.register(draft)
        for (padding, reference, rise) in [
            ("zero", "oracle/9", 0.0), ("reflection", "oracle/9", 7), ("zero", "oracle", 8),
        ] {
            var point = EvaluationPoint(
                steps: 7, sampler: "pc", weights: "ema", noiseSeed: 0, other: #"{"padding":"\#(padding)"}"#)
            point.reference = reference
            try Sample.evaluation(
                of: .run(run.id, checkpoint: nil), on: set, at: point, column, Self.files.map { $0 + rise }, in: store)
        }
        let report = try report("{ above: [a, b], effect: 0.5, over: files }")
        #expect(report.text.contains("a (2.15, one run)"), "\(report.text)")
        // A second name of the same runs is as good as the first.
        _ = try store.register(
            { () -> RunDraft in
                var other = draft
                other.name = "c,seed=0"
                return other
            }())
        let other = try self.report("{ above: [c, b], effect: 0.5, over: files }", ["c", "b"])
        #expect(other.text.contains("c (2.15, one run)"), "\(other.text)")
    }

    @Test func twoThingsChangedAtOnceAreSaid() throws {
        try train("a", [Self.files, Self.files], settings: #"{"train":{"lr":1},"backbone":{"name":"x","nf":3}}"#)
        try train("b", [Self.files, Self.files], settings: #"{"train":{"lr":2},"backbone":{"name":"y","nf":4}}"#)
        let words = "The two differ in 2 recorded settings, backbone (x against y), train.lr (1 against 2)"
        #expect(try report("{ above: [a, b] }").text.contains(words))
        try train("c", [Self.files, Self.files], settings: #"{"train":{"lr":2},"backbone":{"name":"x","nf":3}}"#)
        let one = try report("{ above: [a, c] }", ["a", "c"])
        #expect(!one.text.contains("recorded settings"), "\(one.text)")
    }

    @Test func whereLessIsBetterTheInputIsACeiling() throws {
        try train("a", [Self.files.map { $0 + 1 }], metric: "lsd", isHigherBetter: false)
        try train("b", [Self.files], metric: "lsd", isHigherBetter: false)
        let report = try report("{ below_input: { rows: [a], input: b } }", metric: "lsd")
        #expect(report.findings[0].verdict == .supported && report.text.contains("lies above b"), "\(report.text)")
        #expect(
            try self.report("{ below_input: { rows: [b], input: a } }", metric: "lsd").findings[0].verdict == .refuted)
    }

    @Test func aCollapsedSeedIsNamedAndGoodSeedsAreNot() throws {
        try train("a", [0, 0.02, -1.5].map { rise in Self.files.map { $0 + rise } })
        try train("b", [0.3, 0.31, 0.29].map { rise in Self.files.map { $0 + rise } })
        let found = try report("{ collapsed_seed: { cells: [a, b] }, effect: 0.5 }")
        #expect(found.findings[0].verdict == .supported, "\(found.text)")
        #expect(found.text.contains("seed 2 of a scores 0.65, its other 2 trainings 2.16 on average"), "\(found.text)")
        #expect(try report("{ collapsed_seed: { cells: [b] }, effect: 0.5 }", ["b"]).findings[0].verdict == .refuted)
        try train("c", [Self.files, Self.files.map { $0 - 1 }])
        #expect(try report("{ collapsed_seed: { cells: [c] } }", ["c"]).findings[0].verdict == .inconclusive)
    }

    @Test func theSameHypothesesAreAskedOfAnotherRun() throws {
        try train("a", [Self.files, Self.files])
        try train("b", [Self.files, Self.files.map { $0 + 0.01 }])
        try train("mine", [Self.files.map { $0 + 1 }, Self.files.map { $0 + 1.01 }])
        let text =
            "title: t\nmetric: mos\ncells: { a: { run: a, set: street }, b: { run: b, set: street } }\n"
            + "hypotheses: [{ id: H, claim: c, tests: [{ above: [a, b], effect: 0.3 }] }]\n"
        let investigation = try Investigation(text: text, file: "t.yaml")
        let other = try #require(investigation.taking("mine", for: "a"))
        #expect(investigation.taking("mine", for: "z") == nil)
        let library = ReportedLibrary([])
        #expect(
            try InvestigationReport(of: investigation, reporting: library, from: store).findings[0].verdict == .refuted)
        let report = try InvestigationReport(of: other, reporting: library, from: store)
        #expect(report.findings[0].verdict == .supported && report.text.contains("mine"), "\(report.text)")
    }

    @Test func samplesSeenFollowFromTheSettingsOfARun() throws {
        try train("a", [Self.files], settings: #"{"train":{"max_steps":100,"batch_size":4,"devices":2}}"#)
        try train("b", [Self.files], settings: #"{"train":{"max_steps":200,"batch_size":8,"devices":1}}"#)
        let report = try report("{ less: { cells: [a, b], path: train.samples } }")
        #expect(
            report.findings[0].verdict == .supported
                && report.text.contains("train.samples of a is 800, less than the 1600 of b"), "\(report.text)")
    }

    @Test func aHundredHypothesesOnRunsTakeLessThanASecond() throws {
        for number in 0..<40 {
            try train("r\(number)", [0, 0.01].map { rise in Self.files.map { $0 + rise + 0.02 * Double(number) } })
        }
        let cells = (0..<40).map { "  r\($0): { run: r\($0), set: street, at: { N: 7 } }\n" }.joined()
        let hypotheses = (0..<100).map {
            "  - { id: H\($0), claim: c, tests: [{ above: [r\($0 % 40), r\(($0 + 13) % 40)], effect: 0.1 }] }\n"
        }.joined()
        let investigation = try Investigation(
            text: "title: t\nmetric: mos\ncells:\n\(cells)hypotheses:\n\(hypotheses)", file: "t.yaml")
        var report: InvestigationReport?
        let time = try ContinuousClock().measure {
            report = try InvestigationReport(of: investigation, reporting: ReportedLibrary([]), from: store)
        }
        #expect(report?.findings.count == 100 && report?.findings.allSatisfy { $0.verdict.isDecided } == true)
        #expect(time < .seconds(1), "\(time)")
    }
}
