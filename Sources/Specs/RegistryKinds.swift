public import SpecLanguage

/// The kinds of registries a spec can name entries of.
extension RegistryKind {
    // What a recipe makes for tests alone: an evaluation is identified by the fingerprint of its own files.
    public static let corpus = RegistryKind("corpus", meaninglessParameters: ["test", "test_ood", "ood_snr"])
    public static let backbone = RegistryKind("backbone", meaninglessParameters: ["recompute"])
    public static let sde = RegistryKind("sde", noun: "SDE")
    public static let loss = RegistryKind("loss")
    public static let sampler = RegistryKind("sampler")
    public static let predictor = RegistryKind("predictor")
    public static let corrector = RegistryKind("corrector")
    public static let metric = RegistryKind("metric")
    public static let anchor = RegistryKind("anchor")
    public static let noiseEncoder = RegistryKind("noise_encoder", noun: "noise encoder")

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
