public import SpecLanguage

/// The kinds of registries a spec can name entries of.
extension RegistryKind {
    // What a recipe makes for tests alone: an evaluation is identified by the fingerprint of its own files.
    /// Corpora: recipes, and published sets.
    public static let corpus = RegistryKind("corpus", meaninglessParameters: ["test", "test_ood", "ood_snr"])
    /// Networks of the diffusion and of a regression; `recompute` trades time for memory and changes no number.
    public static let backbone = RegistryKind("backbone", meaninglessParameters: ["recompute"])
    /// Diffusion processes and flows.
    public static let sde = RegistryKind("sde", noun: "SDE")
    /// Training objectives.
    public static let loss = RegistryKind("loss")
    /// Solvers of the reverse process.
    public static let sampler = RegistryKind("sampler")
    /// Steps of the `pc` sampler along the reverse SDE.
    public static let predictor = RegistryKind("predictor")
    /// Langevin steps of the `pc` sampler, which do not change the time.
    public static let corrector = RegistryKind("corrector")
    /// Measures of enhanced files.
    public static let metric = RegistryKind("metric")
    /// Classical systems whose scores stand in every table, the noisy input among them.
    public static let anchor = RegistryKind("anchor")
    /// Networks that embed a noise reference.
    public static let noiseEncoder = RegistryKind("noise_encoder", noun: "noise encoder")

    /// All kinds, in the order in which `sgmse registry` lists them.
    public static let all: [RegistryKind] = [
        corpus, backbone, sde, loss, sampler, predictor, corrector, metric, anchor, noiseEncoder,
    ]
}

/// The vocabulary of experiments.
extension Vocabulary {
    public init(_ tables: [RegistryKind: [EntryDescriptor]] = [:], gates: [String] = [], fixedGates: [String] = []) {
        self.init(
            schema: ExperimentSchema.root, ownKeys: ExperimentSchema.ownKeys, tables, gates: gates,
            fixedGates: fixedGates)
    }

    /// The facts about a chosen entry; none for one that is not known.
    package func traits(_ kind: RegistryKind, _ choice: Choice) -> [Trait] { self[kind, choice.name]?.traits ?? [] }
}
