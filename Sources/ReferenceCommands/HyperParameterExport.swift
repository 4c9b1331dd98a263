public import SpecLanguage
public import Specs

/// The hyper-parameters under which the reference would store a model, for its constructors to take.
public struct HyperParameterExport: Sendable {
    /// In the reference's order: model, SDE, network, data.
    public let values: [(name: String, value: SettingValue)]
    /// What the reference has no word for.
    public let remarks: [String]
    /// Whether the model is that of the noise-conditioned variant.
    public let isConditioned: Bool
    /// Whether it is that of flow matching.
    public let isFlow: Bool

    /// Every name that a constructor of the reference takes for an SDE.
    private static let knownSDEs = ["ouve", "sbve"]
    /// Settings of ours that no constructor of the reference knows.
    private static let ownParameters: Set<String> = ["recompute", "seed", "noise_cond_start"]

    /// - Throws: `UnknownEntry` where the reference has no such SDE.
    static func check(_ sde: Choice) throws(UnknownEntry) {
        guard knownSDEs.contains(sde.name) else {
            throw UnknownEntry(noun: "SDE of the reference", name: sde.name, known: knownSDEs)
        }
    }

    /// The `N` that the reference's SDEs have where nobody gives one.
    private static let usualSteps = 30

    /// - Throws: `UnknownEntry` where the reference has no such SDE.
    public init(_ spec: ExperimentSpec) throws(UnknownEntry) {
        if let regression = spec.regression {
            self.values = try RegenerationReference.values(spec, regression)
            (isConditioned, isFlow) = (false, false)
            self.remarks =
                spec.evaluate.padding == .zeroPad
                ? [] : ["evaluate.padding \(spec.evaluate.padding) has no word there: it fills up by zeros"]
            return
        }
        if spec.sde.name == FlowReference.process {
            (values, remarks) = try FlowReference.values(spec)
            (isConditioned, isFlow) = (false, true)
            return
        }
        try Self.check(spec.sde)
        isConditioned = spec.conditioning != nil
        isFlow = false
        var values: [(name: String, value: SettingValue)] = [
            ("backbone", .text(spec.backbone.name)), ("sde", .text(spec.sde.name)),
        ]
        var remarks: [String] = []
        for (name, path) in HyperParameterImport.paths.sorted(by: { $0.key < $1.key }) {
            guard let value = spec.settings.value(at: path) else { continue }
            switch (path, value) {
            case ("objective.pesq_weight", .number(let weight)) where weight > 0:
                // With a weight the reference expects constants of its loss among the weights, which no inference
                // reads.
                remarks.append("pesq_weight \(value) is written as 0: it changes the training alone")
                values.append((name, .number(0)))
            case ("data.path", .none), ("data.path", .text("")):
                values.append((name, .text(spec.data.corpus?.name ?? "")))
            case (_, .choice(let choice)): values.append((name, .text(choice.name)))
            default: values.append((name, value))
            }
        }
        if let conditioning = spec.conditioning {
            values.append(("train_noise_encoder", .bool(conditioning.trainNoiseEncoder)))
            values.append(("freeze_clap", .bool(false)))
        }
        values.append(("N", .integer(spec.train.validationN ?? Self.usualSteps)))
        values.append(("sampler_type", .text(Self.samplerType(spec.train.validationSampler.name))))
        for settings in [spec.sde.settings, spec.backbone.settings] {
            for (name, value) in settings where !Self.ownParameters.contains(name) { values.append((name, value)) }
        }
        if spec.backbone.settings["noise_cond_start"] == .text("identity") {
            remarks.append("noise_cond_start identity has no counterpart: it changes the initial weights alone")
        }
        values.append(("dummy", .bool(false)))
        self.values = values
        self.remarks = remarks
    }
    /// The reference's word for a sampler: of the bridge `ode` or `sde`, else `ode` or `pc`.
    private static func samplerType(_ name: String) -> String {
        if name.hasPrefix("sb_") { return String(name.dropFirst(3)) }
        return name.hasPrefix("ode") ? "ode" : "pc"
    }
}
