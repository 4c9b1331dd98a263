import Foundation
import Reports
import Runs
import Statistics
import StoreSamples
import TestFolders
import Testing

/// What tells rows and columns of a comparison apart.
@Suite struct CompareFactorsTests {
    let scratch: TestFolder
    let store: RunStore
    let study: StudySample

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
        study = try StudySample(in: store, sets: ["test"])
    }

    private func report(_ options: ComparisonReport.Options = .init(metrics: ["pesq"], steps: [30])) throws
        -> ComparisonReport
    {
        try ComparisonReport(of: try store.runs().reversed().map(\.id), in: store, options: options)
    }

    /// Other values of t_eps and padding are other rows, by name where the store has them, and by number where it does
    /// not.
    @Test func noTwoEvaluationsShareARow() throws {
        let run = try study.run("a", level: 1, steps: [30], other: #"{"padding":"reflect","t_eps":"0.03"}"#)
        try study.evaluate(run, level: 1, steps: [30], other: #"{"padding":"reflect","t_eps":"0.1"}"#)
        try study.evaluate(run, level: 1, steps: [30], other: #"{"padding":"zero","t_eps":"0.03"}"#)
        #expect(
            try report().rows.map(\.label) == [
                "noisy", "a [padding=reflect, t_eps=0.03]", "a [padding=reflect, t_eps=0.1]",
                "a [padding=zero, t_eps=0.03]",
            ])
        let metric = try Sample.siSDR(in: store)
        let old = try store.register(Sample.run("old"))
        for identity in ["x", "y"] {
            let point = EvaluationPoint(steps: 30)
            let draft = EvaluationDraft(
                identity: identity, subject: .run(old.id, checkpoint: nil), testSet: study.sets[0].set.id, point: point,
                provenance: Sample.provenance)
            let evaluation = try store.register(draft)
            try store.record(
                scores: [.init(file: study.sets[0].files[0].id!, metric: metric.id, outcome: .value(1))],
                of: evaluation.id)
        }
        let labels = try ComparisonReport(of: [old.id], in: store).rows.filter { $0.anchor == nil }.map(\.label)
        #expect(
            labels.count == 2 && Set(labels).count == 2 && labels.allSatisfy { $0.hasPrefix("old [evaluation=") },
            "\(labels)")
    }

    /// Counted evaluations of networks are a column where they are asked for, and no difference between systems.
    @Test func rowsShowHowOftenNetworksWereAsked() throws {
        let metric = try Sample.siSDR(in: store)
        let runs = try ["corrected", "plain"].map { try store.register(Sample.run($0)) }
        for (run, factor) in zip(runs, [2, 1]) {
            for steps in [5, 30] {
                try Sample.evaluation(
                    of: .run(run.id, checkpoint: nil), on: study.sets[0], at: .init(steps: steps), metric,
                    study.sets[0].files.map { _ in 1 }, calls: factor * steps, in: store)
            }
        }
        func keys(_ rows: [String]) throws -> [[String]] {
            let report = try ComparisonReport(
                of: runs.map(\.id), in: store, options: .init(rows: rows, metrics: ["si_sdr"]))
            #expect(!report.table.notes.contains { $0.contains("nfe") })
            return report.rows.filter { $0.anchor == nil }.map(\.keys)
        }
        #expect(
            try keys(["system", "N", "nfe"]) == [
                ["corrected", "5", "10"], ["corrected", "30", "60"], ["plain", "5", "5"], ["plain", "30", "30"],
            ])
        #expect(try keys(["system", "N"]).first == ["corrected", "5"])
    }

    @Test func theCheckpointsStepIsInTheLabelAndCountsAsADifference() throws {
        let a = try study.run("a", level: 1, settings: #"{"train":{"lr":0.001}}"#, checkpoint: (.bestPESQ, 100))
        let b = try study.run("b", level: 2, settings: #"{"train":{"lr":0.0001}}"#, checkpoint: (.bestPESQ, 400))
        let report = try report()
        #expect(report.rows.map(\.label) == ["noisy", "a [best_pesq@100]", "b [best_pesq@400]"])
        let note = try #require(report.table.notes.first { $0.contains("2 things differ") })
        #expect(
            note.contains("train.lr: 0.0001 against 0.001")
                && note.contains("checkpoint: best_pesq@400 against best_pesq@100"))
        #expect(note.contains("missing: 'b' evaluated with checkpoint = best_pesq@100"), "\(note)")
        let diff = try DiffReport(between: a.id, and: b.id, in: store)
        #expect(diff.checkpoints?.first == "best_pesq@100" && diff.checkpoints?.second == "best_pesq@400")
        #expect(diff.tables[0].notes == ["2 things differ: the scores do not show which of them matters"])
    }

    @Test func aLongerTrainingEndsAtALaterStepAndThatIsOneThing() throws {
        let a = try study.run("a", level: 1, settings: #"{"train":{"max_steps":1000}}"#)
        let b = try study.run("b", level: 2, settings: #"{"train":{"max_steps":2000}}"#, checkpoint: (.last, 2000))
        #expect(try !report().table.notes.contains { $0.contains("things differ") })
        #expect(try DiffReport(between: a.id, and: b.id, in: store).checkpoints == nil)
    }

    @Test func aRunThatIsolatesOneOfTheThingsIsNamed() throws {
        try study.run("a", level: 1, settings: #"{"sde":{"name":"ouve","theta":1.5},"train":{"lr":0.001}}"#)
        try study.run("b", level: 2, settings: #"{"sde":{"name":"sbve","k":2.6},"train":{"lr":0.0001}}"#)
        try study.run("c", level: 2, settings: #"{"sde":{"name":"ouve","theta":1.5},"train":{"lr":0.0001}}"#)
        let notes = try report().table.notes.filter { $0.contains("things differ") }
        #expect(notes.count == 1)
        // Another SDE with its settings is one thing.
        #expect(
            notes[0].hasPrefix("b against a: 2 things differ (sde: sbve against ouve; train.lr: 0.0001 against 0.001)"),
            "\(notes)")
        #expect(
            notes[0].contains("missing: a run like 'a' with sde = sbve alone")
                && notes[0].contains("'c' differs from 'a' in train.lr alone"))
    }

    @Test func aCheckpointThatValidatesBelowTheNoisyInputIsAWarning() throws {
        let run = try study.run("a", level: 1, checkpoint: (.bestPESQ, 100))
        let records = [
            ValidationRecord(step: 100, metric: "pesq", value: 1.8, n: 4),
            ValidationRecord(step: 100, metric: "noisy_pesq", value: 1.9, n: 4),
        ]
        try store.record(TrainingBatch(validations: records), of: run.id)
        let text = "warning: a: the checkpoint best_pesq@100 validates below the noisy input (pesq 1.80 against 1.90)"
        #expect(try report().table.notes.contains(text))
    }

    @Test func noiseSeedsAndSignaturesHaveColumnsOfTheirOwnUnlessRowsTellThem() throws {
        let run = try study.run("a", level: 1)
        try study.evaluate(run, level: 1, noiseSeed: 1)
        let report = try report()
        #expect(report.columns.map(\.groups) == [["test", "noise_seed = 0"], ["test", "noise_seed = 1"]])
        #expect(report.rows.map(\.label) == ["noisy", "a"] && report.cells[0].allSatisfy { $0 != nil })
        let asked = try self.report(.init(rows: ["system", "noise_seed"], metrics: ["pesq"], steps: [30]))
        #expect(asked.columns.count == 1 && asked.rows.map(\.keys) == [["noisy", ""], ["a", "0"], ["a", "1"]])
        let other = try store.register(metric: "pesq", signature: "pesq|16000|v2", unit: "MOS", higherIsBetter: true)
        let evaluation = try #require(try store.evaluations(of: run.id).first)
        try store.record(
            scores: [.init(file: study.sets[0].files[0].id!, metric: other.id, outcome: .value(1))], of: evaluation.id)
        let names = try ComparisonReport(of: [run.id], in: store, options: .init(metrics: ["pesq"])).columns.map(\.name)
        #expect(Set(names) == ["pesq (pesq|16000|v1)", "pesq (pesq|16000|v2)"])
    }

    @Test func twoVersionsOfASetAreSaidNotToBeComparable() throws {
        let run = try study.run("a", level: 1)
        let newer = try store.register(
            testSet: "test", fingerprint: "0123456789", folder: "data", sampleRate: 16_000, files: Sample.files(2))
        try Sample.evaluation(
            of: .run(run.id, checkpoint: nil), on: newer, at: .init(steps: 30), try Sample.siSDR(in: store), [1, 2],
            in: store)
        let report = try report(.init())
        #expect(
            report.table.notes.contains(
                "two different versions of 'test' were scored; their columns are not comparable"))
        #expect(report.table.notes.contains("test@01234567: data, 16000 Hz"))
        #expect(Set(report.columns.map { $0.groups[0] }) == ["test@fp-test", "test@01234567"])
    }

    @Test func rowsTakePathsOfSpecsAndPropertiesOfFiles() throws {
        try study.run("a", level: 1, settings: #"{"train":{"lr":0.001},"sde":{"name":"ouve"}}"#)
        try study.run("b", level: 2, settings: #"{"train":{"lr":0.0001},"sde":{"name":"ouve"}}"#)
        let paths = try report(.init(rows: ["train.lr", "sde"], metrics: ["pesq"], steps: [30]))
        #expect(paths.rows.map(\.keys) == [["", ""], ["0.0001", "ouve"], ["0.001", "ouve"]])
        let metrics = try report(.init(rows: ["metric", "system"], columns: ["set"], steps: [30]))
        #expect(metrics.columns.map(\.name) == ["test"] && metrics.rows.count == 3 * StudySample.metrics.count)
        #expect(metrics.rows.filter { $0.anchor == nil }.prefix(2).map(\.keys) == [["estoi", "a"], ["estoi", "b"]])
        let noises = try report(.init(columns: ["set", "noise_type", "metric"], metrics: ["pesq"], steps: [30]))
        #expect(noises.columns.map(\.groups) == [["test", "noise_type = hum"], ["test", "noise_type = rain"]])
        #expect(noises.cells.joined().allSatisfy { $0?.statistic.n == 12 })
        let levels = try report(.init(rows: ["system", "snr"], metrics: ["pesq"], steps: [30]))
        #expect(
            levels.rows.filter { $0.anchor == nil }.map { $0.keys[1] } == ["0.0", "5.0", "10.0", "0.0", "5.0", "10.0"])
        #expect(levels.shortfalls.isEmpty)
    }

    @Test func waiversAndFailedGatesAreInTheLabelsAndNotes() throws {
        try study.run("a", level: 1, settings: #"{"waive":{"leakage":"known"}}"#)
        let b = try study.run("b", level: 2)
        try store.record([
            GateFinding(subject: "test", gate: "sample-rate", severity: .failure, message: "wrong", run: b.id)
        ])
        let report = try report()
        #expect(report.rows.map(\.label) == ["noisy", "a [waived=leakage]", "b [failed_gates=sample-rate]"])
        #expect(report.table.notes.contains("checks were waived for a: leakage"))
    }

    @Test func seedsAreRowsOrTakenTogether() throws {
        // A spec of several seeds adds them to the names; the identity of a run has its seed in it.
        for seed in 0..<3 { try study.run("a,seed=\(seed)", seed: UInt64(seed), level: 1 + Double(seed)) }
        #expect(try report().rows.map(\.label) == ["noisy", "a,seed=0", "a,seed=1", "a,seed=2"])
        let together = try report(.init(metrics: ["pesq"], steps: [30], overSeeds: true))
        #expect(together.rows.map(\.label) == ["noisy", "a"])
        let cell = try #require(together.cells[1][0])
        let means = cell.samples.map { Statistic($0.series.values).mean }
        #expect(cell.samples.map(\.seed) == [0, 1, 2] && abs(cell.mean - means.reduce(0, +) / 3) < 1e-12)
        let text = together.table.rows[1].cells[2].text
        let spread = Statistic(means).std * 1.5.squareRoot()
        #expect(text == String(format: "%.2f ± %.2f (24 × 3 seeds)", cell.mean, spread), "\(text)")
        #expect(try report().table.notes.allSatisfy { !$0.contains("things differ") })
        #expect(
            together.table.notes.contains("mean of the seeds' means ± standard deviation between them (files × seeds)"))
    }

    @Test func intervalsStandInPlaceOfTheSpreadWhereTheyAreAskedFor() throws {
        for seed in 0..<3 { try study.run("a,seed=\(seed)", seed: UInt64(seed), level: 1 + Double(seed)) }
        let speakers = try report(.init(metrics: ["pesq"], steps: [30], showsIntervals: true))
        let cell = try #require(speakers.cells[1][0])
        let interval = try #require(cell.interval)
        #expect(interval.contains(cell.mean) && interval.upperBound - interval.lowerBound < 2 * cell.statistic.std)
        #expect(speakers.table.rows[1].cells[2].text.contains(/^\d\.\d\d \[\d\.\d\d, \d\.\d\d\] \(24\)/))
        let together = try report(.init(metrics: ["pesq"], steps: [30], showsIntervals: true, overSeeds: true))
        let seeds = try #require(together.cells[1][0])
        let (all, range) = (try #require(seeds.seeds), try #require(seeds.interval))
        // Student's t for three seeds: 4.303 s / √3, with s divided by 2.
        let half = 4.3026527 * all.std * 1.5.squareRoot() / 3.0.squareRoot()
        #expect(abs(range.upperBound - seeds.mean - half) < 1e-6 && abs(seeds.mean - range.lowerBound - half) < 1e-6)
    }

    @Test func rowsAreSortedColumnsLeftOutAndNumbersShortened() throws {
        try study.run("a", level: 1)
        try study.run("b", level: 3)
        let sorted = try report(.init(metrics: ["pesq"], steps: [30], sort: "pesq"))
        #expect(sorted.rows.map(\.label) == ["noisy", "b", "a"])
        let some = try report(
            .init(metrics: ["pesq"], steps: [30], precision: 4, showsCounts: false, onlyDiffering: true)
        ).table
        #expect(some.columns.map(\.name) == ["system", "pesq"])
        #expect(
            some.markdown.contains(" ± ") && !some.markdown.contains("(24)") && some.markdown.contains(#/\d\.\d{4} ± /#)
        )
    }

    @Test func theBestOfAColumnIsMarkedAndWhatIsAsGood() throws {
        try study.run("a", level: 3)
        try study.run("b", level: 3.01)
        try study.run("c", level: 1)
        let cells = try report().cells
        let marks = cells.map { $0[0]?.marks ?? [] }
        #expect(marks[1].union(marks[2]) == [.best, .tied] && marks[0].isEmpty && marks[3].isEmpty, "\(marks)")
    }

    /// Two speakers, as in VoiceBank-DEMAND's test set, cannot say what holds for others.
    @Test func fewSpeakersAreSaidToBeTooFew() throws {
        let set = try Sample.set("pair", files: 12, in: store)
        let runs = try ["a", "b"].map { try store.register(Sample.run($0)) }
        let metric = try Sample.siSDR(in: store)
        for (place, run) in runs.enumerated() {
            let values = (0..<12).map { Double($0 % 5 + place * 3 + $0 % 2) as Double? }
            try Sample.evaluation(
                of: .run(run.id, checkpoint: nil), on: set, at: .init(steps: 30), metric, values, in: store)
        }
        let report = try ComparisonReport(of: runs.map(\.id), in: store, options: .init(baseline: runs[0].id))
        #expect(
            report.contrasts[0].comparison.interval == nil
                && report.contrasts[0].verdict == "no interval: 2 speakers, at least 6 are needed")
        #expect(
            report.table.notes.contains {
                $0.hasPrefix("pair: 2 speakers are too few to say what is as good as the best")
            })
        let byFile = try ComparisonReport(
            of: runs.map(\.id), in: store, options: .init(ignoresSpeakers: true, baseline: runs[0].id))
        #expect(byFile.contrasts[0].unit == "files" && byFile.contrasts[0].verdict == "better")
    }

    @Test func allPairsAreCorrectedTogetherAndTheirLackIsSaid() throws {
        try study.run("a", level: 1)
        try study.run("b", level: 1.01)
        try study.run("c", level: 3)
        let report = try report(.init(steps: [30], allPairs: true))
        #expect(report.contrasts.count == 3 * StudySample.metrics.count)
        #expect(report.contrasts.allSatisfy { $0.comparison.clusters == 8 && $0.unit == "speakers" })
        #expect(report.contrasts.allSatisfy { ($0.comparison.adjusted ?? 0) >= ($0.comparison.p ?? 1) })
        let verdicts = report.contrasts.map {
            "\(report.rows[$0.row].label)-\(report.rows[$0.against].label) \($0.verdict)"
        }
        #expect(verdicts.contains { $0.hasPrefix("b-a cannot tell; 80 % power needs about ") }, "\(verdicts)")
        let table = try #require(report.differences)
        #expect(table.rows.count == 15 && table.columns.map(\.name).contains("p (Holm)"))
    }

    @Test func seedsAreCrossedWithSpeakersInDifferences() throws {
        for seed in 0..<3 {
            try study.run("a,seed=\(seed)", seed: UInt64(seed), level: 1)
            try study.run("b,seed=\(seed)", seed: UInt64(seed), level: 3)
        }
        let base = try store.run(named: "a,seed=0")
        let report = try report(.init(metrics: ["pesq"], steps: [30], overSeeds: true, baseline: base.id))
        let one = try #require(report.contrasts.last?.comparison)
        #expect(report.contrasts.count == 2 && one.seeds == 3 && one.clusters == 8 && one.isShown == true)
        #expect(report.differences?.notes.contains { $0.hasPrefix("with fewer than 6 seeds") } == true)
    }

    @Test func tidyHasOneMeanOrOneScoreALine() throws {
        try study.run("a", level: 1)
        let means = try report(.init()).tidy(perFile: false)
        #expect(means.rows.count == 3 * StudySample.metrics.count)
        #expect(
            means.csv.hasPrefix(
                "system,run,seed,checkpoint,N,sampler,weights,set,noise_seed,metric,unit,signature,mean,std,n,"))
        let scores = try report().tidy(perFile: true)
        #expect(scores.rows.count == 2 * 24 && scores.columns.suffix(2).map(\.name) == ["file", "value"])
    }
}
