/// The kinds of registries a spec can name entries of.
public enum RegistryKind: String, Hashable, Sendable, Codable, CaseIterable {
    case corpus, backbone, sde, loss, sampler, predictor, corrector, metric, anchor
    case noiseEncoder = "noise_encoder"

    /// The kind in the words of a message.
    public var noun: String {
        switch self {
        case .sde: "SDE"
        case .noiseEncoder: "noise encoder"
        default: rawValue
        }
    }

    /// Parameters that are no part of any identity: they decide how an entry computes and nothing of what it computes, or
    /// what is otherwise told apart.
    ///
    /// Told by name, since a stored spec is read without the registries it was resolved with.
    public var meaninglessParameters: Set<String> {
        switch self {
        case .backbone: ["recompute"]
        // What a recipe makes for tests alone: an evaluation is told by the fingerprint of its own files.
        case .corpus: ["test", "test_ood", "ood_snr"]
        default: []
        }
    }
}

/// An entry of a registry as the language sees it: its name, help, parameters, and the facts that checks need.
public struct EntryDescriptor: Sendable {
    public var name: String
    public var summary: String
    /// The paper or code it comes from.
    public var source: String
    public var parameters: Schema
    public var traits: [Trait]

    public init(
        _ name: String, _ summary: String, source: String = "", parameters: [Field] = [], traits: [Trait] = []
    ) {
        self.name = name
        self.summary = summary
        self.source = source
        self.parameters = Schema(parameters)
        self.traits = traits
    }

    /// Every parameter at its default.
    public func defaults(_ vocabulary: ExperimentVocabulary = ExperimentVocabulary()) -> Settings {
        var resolver = SettingsResolver(vocabulary, recordsOrigins: false)
        return resolver.defaults(of: parameters, path: name)
    }
}

/// A fact about an entry that lets the checker find contradictions without knowing any science.
public enum Trait: Hashable, Sendable {
    // Backbones
    /// It halves bins and frames once less than this list parameter has elements: `2^(levels − 1)` must divide both.
    case halves(levels: String)
    /// The number of bins must leave this remainder, as in `257 = 1·256 + 1`.
    case bins(multipleOf: Int, plus: Int)
    /// It takes the embedding of a noise reference.
    case takesCondition
    /// It follows `network_scaling`, `c_in`, `c_out`, and `c_skip`, and can predict data.
    case takesPreconditioning
    /// The padding of frames in evaluation, where the spec does not say.
    case padding(String)
    /// The rate it was made for, in Hz.
    case rate(Int)

    // SDEs
    /// The number of steps where the spec does not say.
    case steps(Int)
    /// Its samplers, the usual one first.
    case samplers([String])
    /// The losses that train it.
    case losses([String])

    // Losses
    /// The weightings it has; none means that weighting does not apply.
    case weightings([String])
    /// It has the terms in the time domain, `l1_weight` and `pesq_weight`.
    case hasTimeTerms

    // Samplers
    /// It chooses its own steps, so N does not apply.
    case choosesSteps

    // Any entry
    /// The first parameter must be below the second.
    case ascending(String, String)
    /// The first parameter must not be above the second.
    case ordered(String, String)

    // Corpora and metrics
    /// The names of its sets.
    case sets([String])
    /// One more set for each level of a list parameter: `test-0dB`, `test-5dB`, … for the prefix `test`.
    case setSeries(prefix: String, levels: String)
    /// The sample rates it exists at, in Hz.
    case rates([Int])
}

/// All that a spec can name: for each kind of registry, the descriptors of its entries.
///
/// The upper layer makes it from its registries and hands it down; nothing here knows a tensor.
public struct ExperimentVocabulary: Sendable {
    private var tables: [RegistryKind: [EntryDescriptor]]
    private var places: [RegistryKind: [String: Int]]
    private var traits: [RegistryKind: [String: [Trait]]]
    /// The names of checks that a spec may waive, besides the language's own.
    public var gates: [String]
    /// Checks that nothing can waive.
    public var fixedGates: [String]

    public init(_ tables: [RegistryKind: [EntryDescriptor]] = [:], gates: [String] = [], fixedGates: [String] = []) {
        self.tables = tables
        (self.gates, self.fixedGates) = (gates, fixedGates)
        places = tables.mapValues { entries in
            Dictionary(entries.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        }
        traits = tables.mapValues { entries in
            Dictionary(entries.map { ($0.name, $0.traits) }, uniquingKeysWith: { first, _ in first })
        }
    }

    public func entries(_ kind: RegistryKind) -> [EntryDescriptor] { tables[kind] ?? [] }

    public subscript(kind: RegistryKind, name: String) -> EntryDescriptor? {
        places[kind]?[name].flatMap { tables[kind]?[$0] }
    }

    /// The facts about a chosen entry; none for one that is not known.
    func traits(_ kind: RegistryKind, _ choice: Choice) -> [Trait] { traits[kind]?[choice.name] ?? [] }

    /// A larger copy.
    public func adding(_ entry: EntryDescriptor, to kind: RegistryKind) -> ExperimentVocabulary {
        var tables = tables
        tables[kind, default: []].append(entry)
        return ExperimentVocabulary(tables, gates: gates)
    }
}
