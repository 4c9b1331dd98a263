import Backbones
import Diffusion
import Objectives
import Specs

/// A resolved spec, looked up in the catalog: the parts that training and evaluation share.
public struct ModelBuilder: Sendable {
    public let spec: ExperimentSpec
    public let catalog: Catalog
    public let frontEnd: FrontEnd

    public init(spec: ExperimentSpec, catalog: Catalog) {
        self.spec = spec
        self.catalog = catalog
        frontEnd = FrontEnd(spec.transform)
    }

    public func loss() throws -> any TrainingLoss {
        try catalog.losses.make(spec.objective.loss).make(spec.objective, frontEnd, spec.data)
    }

    /// The model with the initial weights of a seed.
    public func model(seed: UInt64) throws -> ScoreModel {
        let descriptor = catalog.backbones[spec.backbone.name]?.descriptor
        let takesPreconditioning = descriptor?.traits.contains(.takesPreconditioning) ?? false
        guard spec.conditioning == nil else {
            throw IncompatibleParts(
                reason: "conditioning: this version has the noise-conditioned network, but not its training; leave the section out")
        }
        var choice = spec.backbone
        choice.settings["seed"] = .integer(Int(seed))
        return ScoreModel(
            backbone: try catalog.backbones.make(choice), sde: try catalog.sdes.make(spec.sde),
            preconditioning: takesPreconditioning ? Preconditioning(spec.objective) : nil, output: try loss().output)
    }

    public func sampler(_ choice: Choice, steps: Int?, finalTime: Double) throws -> any Sampler {
        try catalog.samplers.make(choice).make(catalog, try catalog.sdes.make(spec.sde), steps, finalTime)
    }

    public func enhancer(_ model: ScoreModel, _ point: EvaluationPoint) throws -> Enhancer {
        Enhancer(
            model: model, sampler: try sampler(point.sampler, steps: point.N, finalTime: point.tEps), frontEnd: frontEnd,
            padding: FramePadding(rawValue: point.padding) ?? .zero)
    }

    /// The enhancer of validation.
    public func validationEnhancer(_ model: ScoreModel) throws -> Enhancer {
        Enhancer(
            model: model,
            sampler: try sampler(spec.train.validationSampler, steps: spec.train.validationN, finalTime: spec.train.tEps),
            frontEnd: frontEnd, padding: FramePadding(rawValue: spec.evaluate.padding) ?? .zero)
    }
}
