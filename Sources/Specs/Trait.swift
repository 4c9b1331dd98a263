public import SpecLanguage

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
    /// It scales itself, predicts clean speech and tells its uncertainty: the losses that train it.
    case ownLosses([String])
    /// It reads any number of spectrograms side by side.
    case readsSeveral
    /// It takes two times, and so predicts average velocities.
    case takesInterval
    /// The padding of frames in evaluation, where the spec does not say.
    case padding(EvaluateSpec.Padding)
    /// The rate it was made for, in Hz.
    case rate(Int)

    // SDEs
    /// The number of steps where the spec does not say.
    case steps(Int)
    /// Its samplers, the usual one first.
    case samplers([String])
    /// The losses that train it.
    case losses([String])
    /// The weight of clean speech at its end in the names of its parameters, such as `e^(−theta)`.
    case priorMismatch(String)

    // Losses
    /// The weightings it has; none means that weighting does not apply.
    case weightings([String])
    /// It has the terms in the time domain, `l1_weight` and `pesq_weight`.
    case hasTimeTerms
    /// It needs a network that tells its uncertainty.
    case needsUncertainty

    // Losses and samplers
    /// It needs a backbone of two times.
    case needsInterval

    // Samplers
    /// It chooses its own steps, so N does not apply.
    case choosesSteps
    /// It gives the estimate of the regression in front of the diffusion, whatever the diffusion is.
    case takesRegression

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

extension EntryDescriptor {
    public init(
        _ name: String, _ summary: String, source: String = "", parameters: [Field] = [], traits: [Trait] = []
    ) {
        self.init(name, summary, source: source, parameters: parameters, facts: traits)
    }

    /// The facts as this module's checks read them; empty for facts of another type.
    public var traits: [Trait] { facts as? [Trait] ?? [] }
}

extension Registry.Entry {
    /// An entry without parameters.
    public init(
        _ name: String, _ summary: String, source: String = "", traits: [Trait] = [],
        build: @escaping @Sendable () throws -> Value
    ) {
        self.init(EntryDescriptor(name, summary, source: source, traits: traits)) { _ in try build() }
    }

    /// An entry whose parameters are properties of a value.
    ///
    /// - Parameters:
    ///   - standard: Its properties are the defaults.
    ///   - build: What the entry stands for, from the value with the parameters of a spec.
    public init<Parameters: Sendable>(
        _ name: String, _ summary: String, source: String = "", of standard: Parameters,
        _ settings: [Setting<Parameters>], traits: [Trait] = [],
        build: @escaping @Sendable (Parameters) throws -> Value
    ) {
        let declaration = Declaration(of: standard, settings)
        let descriptor = EntryDescriptor(
            name, summary, source: source, parameters: declaration.schema.fields, traits: traits)
        self.init(descriptor) { chosen in
            var parameters = standard
            declaration.fill(&parameters, from: chosen)
            return try build(parameters)
        }
    }
}

/// What entries say once, for those who ask for one fact; an SDE or a network that says nothing has the usual one.
extension [Trait] {
    private func first<Fact>(_ fact: (Trait) -> Fact?) -> Fact? {
        for trait in self { if let found = fact(trait) { return found } }
        return nil
    }

    /// The samplers of an SDE, the usual one first.
    package var samplers: [String] { first { if case .samplers(let names) = $0 { names } else { nil } } ?? ["pc"] }
    /// The steps of an SDE where a spec does not say.
    package var usualSteps: Int { first { if case .steps(let count) = $0 { count } else { nil } } ?? 30 }
    /// The weight of clean speech at an SDE's end, where its entry tells it.
    package var priorMismatch: String? { first { if case .priorMismatch(let formula) = $0 { formula } else { nil } } }
    /// The padding of a network where a spec does not say.
    package var usualPadding: EvaluateSpec.Padding {
        first { if case .padding(let mode) = $0 { mode } else { nil } } ?? .zeroPad
    }
}

extension Trait {
    /// Whether it says what trains a network that scales itself.
    package var isOwnLosses: Bool { if case .ownLosses = self { true } else { false } }
}
