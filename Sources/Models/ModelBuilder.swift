import Backbones
public import Corpora
public import Diffusion
public import Objectives
public import SpecLanguage
public import Specs

/// A resolved spec, looked up in the catalog: the parts that training and evaluation share.
public struct ModelBuilder: Sendable {
    /// The resolved spec that decides every part.
    public let spec: ExperimentSpec
    /// Where the spec's names are looked up.
    public let catalog: Catalog
    /// STFT and amplitude compression of the spec.
    public let frontEnd: FrontEnd

    public init(spec: ExperimentSpec, catalog: Catalog) {
        self.spec = spec
        self.catalog = catalog
        frontEnd = FrontEnd(spec.transform)
    }

    /// The loss that training minimises.
    ///
    /// - Throws: `UnknownEntry`; ``IncompatibleParts`` for settings that do not fit together.
    public func loss() throws -> any TrainingLoss {
        try catalog.losses.make(spec.objective.loss).make(spec.objective, frontEnd, spec.data)
    }

    /// The model with the initial weights of a seed.
    public func model(seed: UInt64) throws -> ScoreModel { try networks(seed: seed, output: try loss().output) }

    /// The same without its loss, where only its networks matter.
    package func networks(seed: UInt64, output: ModelOutput) throws -> ScoreModel {
        let regression = try spec.regression.map { try self.regression($0, seed: seed) }
        let inputs = regression.map { Regression.inputs($0.condition) } ?? 2
        let descriptor = catalog.backbones[spec.backbone.name]?.descriptor
        let takesPreconditioning = descriptor?.traits.contains(.takesPreconditioning) ?? false
        var model = ScoreModel(
            backbone: try backbone(spec.backbone, seed: seed, inputs: inputs), sde: try catalog.sdes.make(spec.sde),
            preconditioning: takesPreconditioning ? Preconditioning(spec.objective) : nil, output: output,
            encoder: try spec.conditioning.map { try encoder($0, seed: seed) },
            trainsEncoder: spec.conditioning?.trainNoiseEncoder ?? true)
        model.regression = regression
        return model
    }

    /// A network with what follows from other settings.
    private func backbone(_ chosen: Choice, seed: UInt64, inputs: Int) throws -> any Backbone {
        if inputs > 2, !(catalog.backbones[chosen.name]?.descriptor.traits.contains(.readsSeveral) ?? false) {
            throw IncompatibleParts(
                reason: """
                    backbone '\(chosen.name)' reads two spectrograms, and regression.condition 'both' makes three; use \
                    post_denoiser or noisy
                    """)
        }
        var context = BackboneContext(seed: seed)
        context.inputs = inputs
        if let conditioning = spec.conditioning { context.embeddingWidth = conditioning.noiseEmbedDim }
        context.sde = try catalog.sdes.make(spec.sde)
        return try catalog.backbones.make(chosen).make(context)
    }

    private func regression(_ chosen: RegressionSpec, seed: UInt64) throws -> Regression {
        Regression(
            // From another seed, so that two networks of one kind do not begin equal.
            backbone: try backbone(chosen.backbone, seed: seed &+ 1_000_003, inputs: 1), condition: chosen.condition,
            training: chosen.training, norm: chosen.loss, weight: chosen.weight)
    }

    private func encoder(_ conditioning: ConditioningSpec, seed: UInt64) throws -> any NoiseEncoder {
        var context = NoiseEncoderContext(seed: seed)
        (context.filters, context.width) = (conditioning.noiseEncoderNF, conditioning.noiseEmbedDim)
        return try catalog.noiseEncoders.make(conditioning.noiseEncoder).make(context)
    }

    /// A sampler for the spec's SDE.
    ///
    /// - Parameters:
    ///   - steps: `N`; `nil` where the sampler chooses its steps.
    ///   - finalTime: `t_eps`, where the reverse process ends.
    /// - Throws: `UnknownEntry`; ``IncompatibleParts`` for a sampler that does not fit the SDE.
    public func sampler(_ choice: Choice, steps: Int?, finalTime: Double) throws -> any Sampler {
        try catalog.samplers.make(choice).make(
            SamplerContext(catalog: catalog, sde: catalog.sdes.make(spec.sde), steps: steps, finalTime: finalTime))
    }

    /// The model with sampler, padding, guidance and segments of one evaluation point.
    ///
    /// - Throws: As ``sampler(_:steps:finalTime:)``.
    public func enhancer(_ model: ScoreModel, _ point: EvaluationPoint) throws -> Enhancer {
        Enhancer(
            model: model, sampler: try sampler(point.sampler, steps: point.N, finalTime: point.tEps),
            frontEnd: frontEnd,
            padding: FramePadding(point.padding), guidance: Guidance(point.guidance ?? 1),
            segments: point.segment.map { Segments(seconds: $0, sampleRate: spec.data.sampleRate) })
    }

    /// How the files of an evaluation get their noise references; `nil` without conditioning.
    public func references(_ point: EvaluationPoint, _ files: [PairedFile]) -> ReferenceChooser? {
        point.reference.flatMap { references($0, files, seed: UInt64(point.noiseSeed)) }
    }

    /// The same for a reference by itself, of the training's length unless it says otherwise.
    public func references(
        _ reference: NoiseReferenceSpec, _ files: [PairedFile], seed: UInt64
    ) -> ReferenceChooser? {
        spec.conditioning.map {
            ReferenceChooser(
                reference, count: ((reference.numFrames ?? $0.refNumFrames) - 1) * frontEnd.stft.hop,
                sampleRate: spec.data.sampleRate, rates: spec.ratePolicy, seed: seed, files: files)
        }
    }

    /// Validation gives a conditioned model the noise of the file itself, at the length used in training.
    package func validationReferences(_ files: [PairedFile]) -> ReferenceChooser? {
        references(NoiseReferenceSpec(mode: .oracle), files, seed: 0)
    }

    /// The enhancer of validation.
    public func validationEnhancer(_ model: ScoreModel) throws -> Enhancer {
        Enhancer(
            model: model,
            sampler: try sampler(
                spec.train.validationSampler, steps: spec.train.validationN, finalTime: spec.train.tEps),
            frontEnd: frontEnd, padding: FramePadding(spec.evaluate.padding))
    }
}
