import ArgumentParser
import AtomicFiles
import Diagnostics
import Experiments
import Foundation
import Investigations
import Progress
import Runs
import SpecLanguage
import Specs

/// Combinations of factors as specs beside the store: what they cost, their runs, and their scores.
struct FactorRounds {
    let design: FactorDesign
    let stem: String
    let options: Investigate

    /// What is to be done, and how long it takes.
    struct Cost {
        var trainings = 0
        var evaluations = 0
        /// s of what is like something that was measured.
        var measured = 0.0
        /// s of trainings of other kinds, by the assumption that `text` states, and s of one forward pass.
        var assumed = 0.0
        var forward = 0.0
        /// Steps whose time cannot be estimated.
        var unknown = 0

        var seconds: Double { measured + assumed }

        /// `3 trainings and 6 evaluations to do, about 0:12 as measured`.
        var text: String {
            var text =
                """
                \(trainings) \(trainings == 1 ? "training" : "trainings") and \(evaluations) \
                \(evaluations == 1 ? "evaluation" : "evaluations") to do
                """
            if measured > 0 { text += ", about \(Duration.written(measured)) as measured" }
            if assumed > 0 {
                text +=
                    "\(measured > 0 ? " and" : ",") about \(Duration.written(assumed)) of training if a step takes "
                    + "three forward passes of each of its crops (one takes \(String(format: "%.3g", forward)) s here)"
            }
            if unknown > 0 {
                text += ", \(unknown) of them of a kind that was not measured yet and is not counted in the time"
            }
            return text
        }
    }

    /// What is still to be done of some combinations.
    func cost(of combinations: [Combination]) throws -> Cost {
        let folder = (URL(fileURLWithPath: options.store.path).path as NSString).deletingLastPathComponent
        let known = FileManager.default.fileExists(atPath: options.store.path) ? try options.store.open() : nil
        let planner = Planner(store: known, folder: folder, corpora: options.corpora.folder)
        var (cost, seen, timed) = (Cost(), Set<String>(), [String: Double?]())
        for combination in combinations {
            let loaded = try design.spec(of: combination, named: stem).loaded
            let plan = try planner.plan(loaded)
            // Combinations of one evaluation factor share their trainings.
            for (run, step) in zip(loaded.runs, plan.steps.filter { $0.kind == .train })
            where seen.insert("\(run.identity)\(run.spec.data.path ?? "")").inserted {
                guard step.state != .cached else { continue }
                cost.trainings += 1
                if let seconds = step.seconds { cost.measured += seconds } else { add(run.spec, to: &cost, &timed) }
            }
            for step in plan.pending where step.kind == .evaluate {
                cost.evaluations += 1
                if let seconds = step.seconds { cost.measured += seconds } else { cost.unknown += 1 }
            }
        }
        return cost
    }

    /// A training of a kind that was not measured: three forward passes of each crop, one of which is timed now.
    private func add(_ spec: ExperimentSpec, to cost: inout Cost, _ timed: inout [String: Double?]) {
        let key = "\(spec.backbone) \(spec.transform) \(spec.data.numFrames)"
        if timed[key] == nil { timed[key] = .some((try? CropTiming.forward(of: spec)) ?? nil) }
        guard let steps = spec.train.maxSteps, let forward = timed[key] ?? nil else {
            cost.unknown += 1
            return
        }
        cost.forward = max(cost.forward, forward)
        cost.assumed += 3 * forward * Double(steps * spec.train.effectiveBatch)
    }

    /// Runs combinations, each as a process of this program; what was trained before is reused.
    ///
    /// - Throws: `ExitCode` of the first that fails.
    func execute(_ combinations: [Combination]) throws {
        let folder = (URL(fileURLWithPath: options.store.path).deletingLastPathComponent().path) + "/investigations"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for combination in combinations {
            let spec = try design.spec(of: combination, named: stem)
            let file = "\(folder)/\(spec.loaded.spec.name).yaml"
            try PendingFile.write(Data(spec.text.utf8), to: file)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/proc/self/exe")
            process.arguments =
                ["run", file, "--no-table", "--store", options.store.path, "--journal", options.store.journal.rawValue]
                + (options.corpora.folder.map { ["--corpora", $0] } ?? [])
            process.sendOutputToMessages()  // what it says of itself is no part of the report
            try process.run()
            process.waitUntilExit()
            let code = process.terminationReason == .uncaughtSignal ? 130 : process.terminationStatus
            if code != 0 { throw ExitCode(code) }
        }
    }

    /// Scores by combination, over the files that all combinations have.
    struct Scores {
        var matrices: [Combination: ScoreMatrix] = [:]
        /// The speaker of each file; nil where too few are known for an error over speakers.
        var clusters: [Int]?
        var isHigherBetter = true

        /// nil where an end has no scores.
        func of(_ factors: [FactorDesign.Factor], effect: Double?) -> FactorScores? {
            guard matrices[[]] != nil, matrices[Combination(all: factors.count)] != nil else { return nil }
            return FactorScores(
                factors.map { .init($0.name, isOfEvaluation: $0.isOfEvaluation) }, matrices, effect: effect,
                isHigherBetter: isHigherBetter)
        }
    }

    /// The scores of every combination that has them.
    ///
    /// - Throws: `ValidationError` where no file has a score in all of them.
    func scores() throws -> Scores {
        guard FileManager.default.fileExists(atPath: options.store.path) else { return Scores() }
        let store = try options.store.open()
        let runs = try store.runs().filter { run in ([run.name] + run.aliases).contains { $0.hasPrefix(stem) } }
        let snapshot = try store.scores(
            of: runs.map(\.id), sets: [design.question.set], metrics: [design.question.metric])
        var found: [Combination: [[TestFile.ID: Double]]] = [:]
        for combination in try reachable() {
            let loaded = try design.spec(of: combination, named: stem).loaded
            let own = loaded.runs.compactMap { series(of: $0, runs, snapshot) }
            if own.count == loaded.runs.count { found[combination] = own }
        }
        guard let some = found.values.first?.first else { return Scores() }
        let files = some.keys.filter { file in found.values.allSatisfy { $0.allSatisfy { $0[file] != nil } } }.sorted()
        guard !files.isEmpty else {
            throw ValidationError(
                "no file of '\(design.question.set)' has a score of \(design.question.metric) in all combinations, so "
                    + "that they cannot be compared; sgmse show NAME tells why scores are missing")
        }
        return Scores(
            matrices: found.mapValues { $0.map { scores in files.map { scores[$0] ?? .nan } } },
            clusters: SpeakerClusters.numbers(of: files, snapshot.files.compactMapValues(\.speaker)),
            isHigherBetter: snapshot.metrics.values.first { $0.name == design.question.metric }?.higherIsBetter ?? true)
    }

    /// The combinations that may have been computed: those of the evaluation, and those whose spec lies beside the
    /// store.
    private func reachable() throws -> [Combination] {
        let folder = URL(fileURLWithPath: options.store.path).deletingLastPathComponent().path + "/investigations"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let written = names.filter { $0.hasPrefix(stem + "-") && $0.hasSuffix(".yaml") }.compactMap { name in
            UInt64(name.dropFirst(stem.count + 1).dropLast(5), radix: 16).map { Combination(rawValue: $0) }
        }
        return written.filter { $0.isSubset(of: Combination(all: design.factors.count)) }
    }

    private func series(of run: SpecRun, _ runs: [Run], _ snapshot: ScoreSnapshot) -> [TestFile.ID: Double]? {
        let own = runs.filter { one in
            one.key.identity == run.identity.hex && one.key.seed == UInt64(run.seed)
                && ([one.name] + one.aliases).contains(run.name)
        }
        guard let point = run.evaluations.first else { return nil }
        // The files of the test set may have changed: what was evaluated on others is not measured yet.
        let set = snapshot.evaluations.filter { $0.run != nil }.max { $0.id < $1.id }?.testSet
        for evaluation in snapshot.evaluations
        where evaluation.testSet == set && own.contains(where: { $0.id == evaluation.run })
            && evaluation.identity.hasPrefix(point.identity.hex + "|")
        {
            for metric in snapshot.metrics.keys {
                guard let found = snapshot.series[.init(evaluation: evaluation.id, metric: metric)] else { continue }
                return Dictionary(zip(found.files, found.values).filter { $0.1.isFinite }) { first, _ in first }
            }
        }
        return nil
    }
}
