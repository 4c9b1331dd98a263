public import SpecLanguage
public import Specs

/// The factors in which two specs differ, and the specs of the combinations between them.
///
/// Each setting is a factor of its own. Settings that make no valid spec when one of them is changed alone, such as a
/// conditioned network and its conditioning, are one factor together.
public struct FactorDesign: Sendable {
    /// Settings that change together from the first spec's values to the second's.
    public struct Factor: Hashable, Sendable {
        /// The path of the setting, or the paths joined by ` + `.
        public var name: String
        /// The settings that take the second spec's values; more than the name has where others must change too, such
        /// as `waive`.
        public var paths: [String]
        /// The first spec's value, as text.
        public var from: String
        /// The second spec's value, as text.
        public var to: String
        /// Whether it changes the evaluation alone, so that weights are reused.
        public var isOfEvaluation: Bool
    }

    /// What is scored at each combination.
    public struct Question: Hashable, Sendable {
        /// The name of the test set, which both specs must have.
        public var set: String
        /// The name of the metric.
        public var metric: String
        /// The seeds with which each combination is trained.
        public var seeds: [Int]

        public init(set: String, metric: String, seeds: [Int]) {
            (self.set, self.metric, self.seeds) = (set, metric, seeds)
        }
    }

    /// Numbered by their place, as ``Combination`` names them.
    public let factors: [Factor]
    /// What every spec of the design computes, and nothing else.
    public let question: Question
    private let first: ExperimentSpec
    private let second: ExperimentSpec
    private let loader: SpecLoader

    /// - Throws: `SpecErrors` where the two ends, or what lies between them, are no valid specs.
    public init(from first: ExperimentSpec, to second: ExperimentSpec, asking question: Question, loader: SpecLoader)
        throws(SpecErrors)
    {
        (self.question, self.loader) = (question, loader)
        self.first = Self.narrowed(first, question)
        self.second = Self.narrowed(second, question)
        var factors = Self.factors(from: self.first, to: self.second)
        let first = self.first
        let second = self.second
        func isValid(_ paths: [String]) -> Bool {
            (try? Self.load(first, second, paths, name: "combination", loader)) != nil
        }
        let (valid, failing) = (factors.filter { isValid($0.paths) }, factors.filter { !isValid($0.paths) })
        if !failing.isEmpty { factors = valid + [Self.joined(failing)] }
        self.factors = factors
        _ = try Self.load(first, second, [], name: "combination", loader)
        _ = try Self.load(first, second, factors.flatMap(\.paths), name: "combination", loader)
    }

    /// The spec of a combination, whose name contains the combination as a hexadecimal number.
    public func spec(of combination: Combination, named stem: String) throws(SpecErrors) -> (
        text: String, loaded: LoadedSpec
    ) {
        let paths = factors.indices.filter { combination.has($0) }.flatMap { factors[$0].paths }
        return try Self.load(first, second, paths, name: "\(stem)-\(String(combination.rawValue, radix: 16))", loader)
    }

    /// What has to be scored for the full factorial of the evaluation factors, and for both ends.
    public var evaluations: [Combination] {
        let numbers = factors.indices.filter { factors[$0].isOfEvaluation }
        return Combination.every(of: numbers.count).map { combination in
            numbers.indices.reduce(Combination()) { combination.has($1) ? $0.with(numbers[$1]) : $0 }
        } + (numbers.count == factors.count ? [] : [Combination(all: factors.count)])
    }

    /// All evaluation factors at the target's value.
    public var start: Combination {
        factors.indices.filter { factors[$0].isOfEvaluation }.reduce(Combination()) { $0.with($1) }
    }
    /// The numbers of the factors of training.
    public var trained: [Int] { factors.indices.filter { !factors[$0].isOfEvaluation } }

    // MARK: Factors

    /// What is computed, and not how.
    private static let selecting: Set<String> = [
        "evaluate.sets", "evaluate.metrics", "evaluate.anchors", "evaluate.keep_audio", "train.seeds",
    ]

    private static func factors(from first: ExperimentSpec, to second: ExperimentSpec) -> [Factor] {
        var factors = second.changes(from: first).filter { !selecting.contains($0.path) }.map { change in
            Factor(
                name: change.path, paths: [change.path], from: "\(change.from)", to: "\(change.to)",
                isOfEvaluation: change.part == .evaluation)
        }
        // The path of the data is no part of the identity, but other files are another factor.
        if first.data.path != second.data.path {
            factors.removeAll { $0.name == "data.corpus" }
            let (from, to) = (
                first.data.path ?? first.data.corpus?.name ?? "none",
                second.data.path ?? second.data.corpus?.name ?? "none"
            )
            factors.append(
                Factor(
                    name: "data", paths: ["data.path", "data.corpus", "waive"], from: from, to: to,
                    isOfEvaluation: false))
        } else if first.waive != second.waive, let place = factors.firstIndex(where: { $0.name.hasPrefix("data.") }) {
            factors[place].paths.append("waive")
        }
        return factors
    }

    private static func joined(_ factors: [Factor]) -> Factor {
        Factor(
            name: factors.map(\.name).joined(separator: " + "), paths: factors.flatMap(\.paths),
            from: factors.map(\.from).joined(separator: " + "),
            to: factors.map(\.to).joined(separator: " + "), isOfEvaluation: factors.allSatisfy(\.isOfEvaluation))
    }

    // MARK: Specs

    /// The spec that computes the question's metric alone, with one value of each factor of the evaluation.
    private static func narrowed(_ spec: ExperimentSpec, _ question: Question) -> ExperimentSpec {
        var settings = spec.settings
        var evaluate = settings.section("evaluate")
        for name in ["N", "sampler", "guidance", "reference", "checkpoint", "weights", "noise_seed"] {
            if case .list(let values)? = evaluate[name], values.count > 1 { evaluate[name] = .list([values[0]]) }
        }
        if case .list(let sets)? = evaluate["sets"] {
            evaluate["sets"] = .list(sets.filter { Self.name(of: $0) == question.set })
        }
        evaluate["metrics"] = .list([.choice(Choice(question.metric))])
        evaluate["anchors"] = .list([])
        evaluate["keep_audio"] = .text("none")
        settings["evaluate"] = .section(evaluate)
        settings.set(.list(question.seeds.map { .integer($0) }), at: "train.seeds")
        return ExperimentSpec(settings)
    }

    private static func name(of set: SettingValue) -> String? {
        if case .section(let settings) = set, case .text(let name)? = settings["name"] { return name }
        return nil
    }

    private static func load(
        _ first: ExperimentSpec, _ second: ExperimentSpec, _ paths: [String], name: String, _ loader: SpecLoader
    ) throws(SpecErrors) -> (text: String, loaded: LoadedSpec) {
        var settings = first.settings
        for path in paths { settings.set(second.settings.value(at: path) ?? .none, at: path) }
        settings["name"] = .text(name)
        let text = ResolvedRendering.yaml(ExperimentSpec(settings))
        return (text, try loader.load(text: text, file: "\(name).yaml"))
    }
}
