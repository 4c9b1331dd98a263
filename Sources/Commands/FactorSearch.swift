import ArgumentParser
import AtomicFiles
import Experiments
import Foundation
import Gates
import Investigations
import JSONValues
import Models
import Reports
import Runs
import SpecLanguage
import Specs
import SpeechMetrics

/// Varies the settings in which two runs or specs differ, and reports the share of the gap that each explains.
struct FactorSearch {
    let options: Investigate

    init(_ options: Investigate) { self.options = options }

    func explain(from first: String, to second: String) throws {
        let (source, target) = (try side(of: first), try side(of: second))
        guard let set = options.testSet ?? target.spec.evaluate.sets.first?.name else {
            throw ValidationError("\(second) has no test set to compare on")
        }
        for (name, one) in [(first, source), (second, target)]
        where !one.spec.evaluate.sets.contains(where: { $0.name == set }) {
            throw ValidationError(
                "\(name) has no test set '\(set)'; it has \(one.spec.evaluate.sets.map(\.name).joined(separator: ", "))"
            )
        }
        try ValidationError.check([options.metric], "metric", among: Catalog.standard.metrics.names)
        let design = try FactorDesign(
            from: source.spec, to: target.spec,
            asking: .init(set: set, metric: options.metric, seeds: seeds(source, target)),
            loader: Library.loader)
        guard !design.factors.isEmpty else {
            throw ValidationError("\(first) and \(second) differ in nothing that decides a score")
        }
        let evaluated = design.factors.count - design.trained.count
        guard design.factors.count < 64, evaluated <= 8 else {
            throw ValidationError(
                """
                \(first) and \(second) differ in \(design.factors.count) settings, \(evaluated) of them of the \
                evaluation; 63 in all and 8 of the evaluation are the most: take specs that are closer
                """)
        }
        let identities = [source, target].map { $0.spec.identity.short.prefix(4) }.joined()
        try search(design, stem: "gap-\(identities)-\(set)-\(options.metric)")
    }

    /// A spec, and the seeds it is trained with.
    private struct Side {
        var spec: ExperimentSpec
        var seeds: [Int]
    }

    private func side(of name: String) throws -> Side {
        if ProtocolSides.isSpec(name) {
            let loaded = try Library.loader.load(Library.file(of: name), profile: options.profile)
            if !loaded.unknown.isEmpty { _ = try ProtocolGate.report(on: loaded) }  // which says what is not known
            return Side(spec: loaded.spec, seeds: loaded.spec.train.seeds)
        }
        let store = try options.store.open()
        let found = try NamedTrainings(called: name, in: store)
        guard found.configurations.count == 1, let run = found.runs.first else {
            throw ValidationError(
                "'\(name)' is \(found.configurations.count) configurations; name one of them: "
                    + found.configurations.prefix(8).map { "'\($0)'" }.joined(separator: ", "))
        }
        let spec = try JSONDecoder().decode(ExperimentSpec.self, from: Data(try store.spec(of: run.id).resolved.utf8))
        return Side(spec: spec, seeds: found.seeds)
    }

    private func seeds(_ source: Side, _ target: Side) -> [Int] {
        guard options.seeds.isEmpty else { return options.seeds }
        let shared = source.seeds.filter(target.seeds.contains)
        return shared.count > 1 ? shared : [0, 1, 2]
    }

    private func search(_ design: FactorDesign, stem: String) throws {
        for factor in design.factors {
            printError(
                """
                  \(factor.isOfEvaluation ? "evaluation" : "training  ") \(factor.name): \(shortened(factor.from)) → \
                \(shortened(factor.to))
                """
            )
        }
        let rounds = FactorRounds(design: design, stem: stem, options: options)
        printError(
            """
            \(design.factors.count) factors, \(design.trained.count) of training; seeds \
            \(design.question.seeds.map(String.init).joined(separator: ", "))
            """
        )
        try printCostOfPath(design, rounds)
        var wanted = design.evaluations
        var spent = 0
        while true {
            let cost = try rounds.cost(of: wanted)
            printError("next: \(wanted.count) combinations, \(cost.text)")
            if let most = options.trainings, spent + cost.trainings > most {
                printError("stopped: --trainings \(most) leaves \(most - spent)")
                break
            }
            if options.computes { try rounds.execute(wanted) }
            spent += cost.trainings
            guard let scores = try rounds.scores().of(design.factors, effect: options.effect) else {
                guard !options.computes else {
                    throw ValidationError("an end of the path has no scores; the messages above say why")
                }
                break
            }
            let path = scores.path
            guard options.computes, !path.missing.isEmpty else { break }
            guard wanted != path.missing else {
                throw ValidationError("combinations of the path have no scores; the messages above say why")
            }
            wanted = path.missing
        }
        try show(design, try rounds.scores())
    }

    /// Prints the most trainings and time that the path between both ends takes, estimated from its first step.
    private func printCostOfPath(_ design: FactorDesign, _ rounds: FactorRounds) throws {
        guard design.trained.count > 1 else { return }
        let first = design.trained.map { design.start.with($0) }
        let (most, cost) = (AblationPath.most(of: design.trained.count), try rounds.cost(of: first))
        let seconds = cost.seconds * Double(most) / Double(first.count)
        printError(
            """
            the path between both ends: at most \(most) combinations of training, \
            \(most * design.question.seeds.count) trainings
            """
                + (seconds > 0 ? ", about \(Duration.written(seconds))" : ""))
    }

    private func show(_ design: FactorDesign, _ measured: FactorRounds.Scores) throws {
        guard let scores = measured.of(design.factors, effect: options.effect) else {
            printError("nothing is computed yet; --run trains and evaluates it")
            if options.json { try emit(Reports.JSON.object([.init("factors", .array(design.factors.map(\.json)))])) }
            return
        }
        let report = FactorReport(
            scores, metric: options.metric, seeds: design.question.seeds, clusters: measured.clusters)
        try options.json ? emit(report.json) : emit(report.table, as: .terminal)
    }

    private func shortened(_ text: String) -> String { text.count > 60 ? text.prefix(57) + "..." : text }
}

extension FactorDesign.Factor {
    fileprivate var json: Reports.JSON {
        [
            "factor": .string(name), "from": .string(from), "to": .string(to),
            "kind": .string(isOfEvaluation ? "evaluation" : "training"),
        ]
    }
}
