public import Models
import Objectives
import SpecLanguage
public import Specs
import WeightFiles

/// The noise reference of a conditioned model, and the guidance scale; `nil` takes the model's own.
public struct ReferenceChoice: Sendable {
    /// The guidance scale `w`.
    public var guidance: Double?
    /// A mode, or a file or folder of noise, as `ReferenceChooser.named(…)` takes it.
    public var reference: String?
    /// Length of the reference, in seconds.
    public var seconds: Double?

    public init(guidance: Double? = nil, reference: String? = nil, seconds: Double? = nil) {
        (self.guidance, self.reference, self.seconds) = (guidance, reference, seconds)
    }

    var isEmpty: Bool { guidance == nil && reference == nil && seconds == nil }
}

/// A model with its weights loaded, and where its parts come from.
public struct LoadedEnhancer: Sendable {
    /// The network with its sampler, which turns a noisy recording into an enhanced one.
    public var enhancer: Enhancer
    /// The settings of the enhancement: the first evaluation point of the spec, with the guidance that was asked for.
    public var point: EvaluationPoint
    /// Without their values.
    public var weights: StoredModel.Weights
    /// How a conditioned model's noise references are chosen.
    public var references: ReferenceChooser?
    /// Remarks on the reference and the guidance, to be shown to the user.
    public var remarks: [String] = []
    /// The spec's settings of the model as text, by section.
    public var model: [String: String] = [:]
}

extension StoredModel {
    /// The model ready to enhance, at the first evaluation point of its spec.
    ///
    /// A conditioned model takes its reference from the recording itself, where it is free of speech, unless
    /// `condition` says otherwise.
    /// - Throws: `IncompatibleParts` or `ReferenceError` for a condition that the model cannot take; what
    ///   ``weights(_:)`` throws.
    public func enhancer(
        _ choice: Choice = .ema, under condition: ReferenceChoice = ReferenceChoice(), seed: UInt64 = 0
    ) throws -> LoadedEnhancer {
        let builder = ModelBuilder(spec: spec, catalog: catalog)
        guard var point = spec.evaluationPoints(takesSteps: takesSteps).first else {
            throw CheckpointError(path: path, reason: "its spec evaluates nothing", hint: "give --N and --sampler")
        }
        if spec.conditioning == nil, !condition.isEmpty {
            throw IncompatibleParts(reason: "\(path) is not a conditioned model: it takes no guidance and no reference")
        }
        if spec.conditioning != nil {
            // A list of scales is a factor of evaluations; none of them is the usual one.
            point.guidance = condition.guidance ?? (spec.evaluate.guidance.count == 1 ? spec.evaluate.guidance[0] : 1)
        }
        let model = try builder.model(seed: 0)
        var weights = try weights(choice)
        try model.loadModel(weights.arrays)
        weights.arrays = []
        var loaded = LoadedEnhancer(enhancer: try builder.enhancer(model, point), point: point, weights: weights)
        for section in ["transform", "backbone", "conditioning", "sde", "objective"] {
            loaded.model[section] = spec.settings[section]?.description
        }
        if let conditioning = spec.conditioning {
            let (chooser, note) = try ReferenceChooser.named(
                condition.reference ?? "estimated", duration: condition.seconds,
                trainedFrames: conditioning.refNumFrames,
                stft: builder.frontEnd.stft, sampleRate: spec.data.sampleRate, seed: seed)
            loaded.references = chooser
            loaded.remarks =
                [note].compactMap(\.self) + Self.neverTrained(conditioning, point.guidance ?? 1, chooser.reference.mode)
        }
        return loaded
    }

    /// Remarks on guidance and references that the network was not trained with.
    private static func neverTrained(
        _ conditioning: ConditioningSpec, _ guidance: Double, _ mode: NoiseReferenceSpec.Mode
    ) -> [String] {
        if mode == .none { return ["reference none leaves the conditioning out, which no network is trained for"] }
        guard conditioning.condDropProb == 0, mode == .zero || guidance != 1 else { return [] }
        return [
            """
            guidance \(SettingValue.number(guidance).compact) with reference \(mode) asks a network that never trained \
            without a reference: its cond_drop_prob is 0
            """
        ]
    }

    private func takesSteps(_ sampler: SpecLanguage.Choice) -> Bool {
        !(catalog.samplers[sampler.name]?.descriptor.traits.contains(.choosesSteps) ?? false)
    }

    /// Overrides of a spec for a sampler and its settings, as given on the command line.
    ///
    /// A setting of the spec's own sampler stands unless it is replaced; another sampler begins from its defaults.
    public static func overrides(
        of spec: ExperimentSpec, catalog: Catalog, sampler: String?, steps: Int?,
        settings: [(name: String, value: String)],
        tEps: Double? = nil, padding: String? = nil, segment: Double? = nil
    ) -> [String] {
        var overrides: [String] = []
        let own = spec.evaluate.samplers.first
        let name = sampler ?? own?.name ?? "pc"
        if sampler != nil || !settings.isEmpty {
            var values: [(name: String, value: String)] = []
            if let own, own.name == name { values = own.settings.map { ($0.name, $0.value.description) } }
            for setting in settings {
                values.removeAll { $0.name == setting.name }
                values.append(setting)
            }
            let text = (["name: \(SettingValue.text(name))"] + values.map { "\($0.name): \($0.value)" }).joined(
                separator: ", ")
            overrides.append("evaluate.sampler={ \(text) }")
        }
        let choosesSteps = catalog.samplers[name]?.descriptor.traits.contains(.choosesSteps) ?? false
        if let steps {
            overrides.append("evaluate.N=\(steps)")
        } else if choosesSteps {
            overrides.append("evaluate.N=none")
        } else if spec.evaluate.N.isEmpty {
            overrides.append("evaluate.N=30")
        } else if spec.evaluate.N.count > 1 {
            overrides.append("evaluate.N=\(spec.evaluate.N[0])")
        }
        if let tEps { overrides.append("evaluate.t_eps=\(tEps)") }
        if let padding { overrides.append("evaluate.padding=\(padding)") }
        if let segment { overrides.append("evaluate.segment=\(segment > 0 ? "\(segment)" : "none")") }
        return overrides
    }
}
