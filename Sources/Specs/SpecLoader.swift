public import SpecLanguage

/// Reads experiments: the entry point of the language.
///
///     let loader = SpecLoader(vocabulary: catalog.vocabulary)
///     let loaded = try loader.load("experiments/cfg.yaml", overrides: ["train.lr=3e-4"], profile: "smoke")
///     for run in loaded.runs {
///         run.name                    // "cfg,cond_drop_prob=0.2,seed=1"
///         run.spec.train.lr           // typed, every default filled in
///         run.identity                // of the training: changes with anything that changes the weights
///         for evaluation in run.evaluations { evaluation.point.N; evaluation.identity }
///     }
///
/// A spec is laid over those it `extends`; over both come, in this order, the point of its sweep, the profile, and the
/// overrides. `load` throws `SpecErrors` with every mistake of all the files, each in its place; warnings are returned
/// in `warnings`.
public struct SpecLoader: Sendable {
    /// Sections and registries that specs may name.
    public let vocabulary: Vocabulary
    /// Where spec files are read from: the disk, or texts in memory.
    public let files: SpecFiles
    /// The value of an environment variable, or nil; only a program's commands read their process's own.
    public typealias Environment = @Sendable (String) -> String?

    /// For `~/` and `${env:NAME}` in paths.
    public let environment: Environment

    public init(
        vocabulary: Vocabulary, files: SpecFiles = .disk,
        environment: @escaping Environment = { _ in nil }
    ) {
        self.vocabulary = vocabulary
        self.files = files
        self.environment = environment
    }

    /// Reads a file and all it extends.
    ///
    /// - Parameters:
    ///   - overrides: `path=value`, in order, the last one winning.
    ///   - profile: One of the spec's profiles, such as `smoke`.
    public func load(_ path: String, overrides: [String] = [], profile: String? = nil) throws(SpecErrors) -> LoadedSpec
    {
        var chain = SpecChain(files, vocabulary)
        let tree = chain.compose(path)
        return try load(tree, chain, file: path, overrides: overrides, profile: profile)
    }

    /// Reads a text as if it lay in `file`.
    public func load(
        text: String, file: String = "spec.yaml", overrides: [String] = [], profile: String? = nil
    ) throws(SpecErrors) -> LoadedSpec {
        var chain = SpecChain(files, vocabulary)
        let tree = chain.compose(text: text, file: file)
        return try load(tree, chain, file: file, overrides: overrides, profile: profile)
    }

    private func load(
        _ tree: SpecNode?, _ chain: SpecChain, file: String, overrides: [String], profile: String?
    ) throws(SpecErrors) -> LoadedSpec {
        let (options, mistakes) = Override.parse(overrides)
        guard let tree, tree.entries != nil else { throw SpecErrors(chain.errors + mistakes) }
        var assembly = SpecAssembly(
            tree, vocabulary: vocabulary, file: file, overrides: options, profile: profile,
            errors: chain.errors + mistakes, environment: environment)
        let loaded = assembly.loaded(from: chain.read)
        guard let loaded, !assembly.errors.contains(where: { $0.severity == .error }) else {
            throw SpecErrors(
                chain.isWhole ? assembly.errors : assembly.errors.filter { !Self.omissions.contains($0.code) })
        }
        return loaded
    }

    /// Mistakes that a file which could not be read may have prevented.
    private static let omissions: Set<String> = ["missing-value", "no-audio", "no-end"]
}

/// A spec without mistakes: resolved, and expanded into its runs.
public struct LoadedSpec: Sendable {
    /// The spec without its sweep's points; the runs of a spec without a sweep are exactly this.
    public let spec: ExperimentSpec
    /// Where each value of `spec` comes from, by path.
    public let origins: [String: Origin]
    /// One for each point and seed.
    public let runs: [SpecRun]
    /// Warnings: settings that are allowed and probably not intended.
    public let warnings: [SpecError]
    /// Every file that was read, this one first.
    public let files: [String]
    /// The profile that was laid over the spec; `nil` for none.
    public let profile: String?
    /// The names of all profiles that could have been chosen.
    public let profiles: [String]
    /// The paths a sweep varies.
    public let sweptPaths: [String]

    /// The spec's own file.
    public var file: String { files[0] }

    /// The evaluations of every run, worked out on all cores.
    public var evaluations: [[SpecEvaluation]] { runs.parallelChunks { $0.map(\.evaluations) } }

    /// Settings that the spec marks as unknown and that no override sets; a profile does not count.
    public let unknown: [String: String]
    /// The section `launcher` as it was written: what starts the spec's tasks, which is no part of its meaning.
    public let launcher: SpecNode?
}

/// One training: a resolved spec at one point of its sweep with one seed.
public struct SpecRun: Sendable {
    /// Unique in its spec, and safe as a folder's name.
    public let name: String
    /// What distinguishes it from its siblings: "cond_drop_prob=0.2"; empty without a sweep.
    public let label: String
    /// The seed of the training.
    public let seed: Int
    /// The values that the sweep set, as resolved.
    public let point: [(path: String, value: SettingValue)]
    /// The resolved spec, with this point and this seed alone.
    public let spec: ExperimentSpec
    /// Of the training.
    public let identity: Identity
    /// The points of evaluation, which runs of one spec mostly share.
    let agenda: EvaluationAgenda

    /// The evaluations of the run, in the order of the spec's factors.
    public var evaluations: [SpecEvaluation] {
        agenda.items.map {
            SpecEvaluation(label: $0.label, point: $0.point, identity: $0.identity.joined(to: identity))
        }
    }
}

/// One evaluation of a run.
public struct SpecEvaluation: Hashable, Sendable {
    /// The factors that vary, as text: "set=test,N=30,guidance=1".
    public let label: String
    /// The combination of factors.
    public let point: EvaluationPoint
    /// Decides whether a stored evaluation is the same; of the evaluation, without its run.
    public let identity: Identity
}

/// The points of one `evaluate` section, with their names.
struct EvaluationAgenda: Sendable {
    let evaluate: SettingValue?
    let items: [(label: String, point: EvaluationPoint, identity: Identity)]

    init(_ spec: ExperimentSpec, takesSteps: (Choice) -> Bool) {
        evaluate = spec.settings["evaluate"]
        let points = spec.evaluationPoints(takesSteps: takesSteps)
        let factors = points.map(\.factors)
        // The set, and whatever takes more than one value.
        let varying = Set(
            (factors.first ?? []).indices.filter { place in
                place == 0 || Set(factors.map { $0[place].value }).count > 1
            })
        items = zip(points, factors).map { point, factors in
            let shown = factors.indices.filter(varying.contains).map { "\(factors[$0].name)=\(factors[$0].value)" }
            return (shown.joined(separator: ","), point, point.identity)
        }
    }
}
