import Specs
import WeightFiles

extension StoredModel {
    /// The model ready to enhance, at the first evaluation point of its spec.
    ///
    /// - Returns: The enhancer, its point, and the weights it uses without their values.
    /// - Throws: `IncompatibleParts` for a conditioned model; what ``weights(_:)`` throws.
    public func enhancer(_ choice: Choice = .ema) throws -> (enhancer: Enhancer, point: EvaluationPoint, weights: Weights) {
        guard spec.conditioning == nil else {
            throw IncompatibleParts(reason: "\(path) is a conditioned model, and there is no noise reference to give it here")
        }
        let builder = ModelBuilder(spec: spec, catalog: catalog)
        guard let point = spec.evaluationPoints(takesSteps: takesSteps).first else {
            throw CheckpointError(path: path, reason: "its spec evaluates nothing", hint: "give --N and --sampler")
        }
        let model = try builder.model(seed: 0)
        var weights = try weights(choice)
        try model.loadModel(weights.arrays)
        weights.arrays = []
        return (try builder.enhancer(model, point), point, weights)
    }

    private func takesSteps(_ sampler: Specs.Choice) -> Bool {
        !(catalog.samplers[sampler.name]?.descriptor.traits.contains(.choosesSteps) ?? false)
    }

    /// Overrides of a spec for a sampler and its settings as a person names them.
    ///
    /// A setting of the spec's own sampler stands unless it is replaced; another sampler begins from its defaults.
    public static func overrides(
        of spec: ExperimentSpec, catalog: Catalog, sampler: String?, steps: Int?, settings: [(name: String, value: String)],
        tEps: Double? = nil, padding: String? = nil
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
            let text = (["name: \(SettingValue.text(name))"] + values.map { "\($0.name): \($0.value)" }).joined(separator: ", ")
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
        return overrides
    }
}
