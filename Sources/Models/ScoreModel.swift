public import Backbones
public import Diffusion
public import Layers
public import Objectives
import Specs
public import Tensors

/// A network as a model of the diffusion: the score of `p(x_t | y)`, clean speech, or the velocity of a flow.
///
/// `ncsnpp_v2` and `ncsnpp_v2_cond` are scaled from outside, and `edm2` scales itself and predicts clean speech; every
/// other network's score or velocity is minus its output, as in the reference.
public struct ScoreModel: Sendable {
    /// The network `F`, with its parameters.
    public let backbone: any Backbone
    /// The diffusion, whose marginal scales the network's input and output.
    public let sde: any SDE
    /// How the network is scaled; `nil` for one whose output is minus the score.
    public let preconditioning: Preconditioning?
    /// What a call gives: score, clean speech, or velocity; decides how the network's output is converted.
    public let output: ModelOutput
    /// What embeds a noise reference for a conditioned network.
    public let encoder: (any NoiseEncoder)?
    /// Whether the encoder is trained with the network.
    public let trainsEncoder: Bool
    /// The regression in front of the diffusion, which then runs between clean speech and its estimate.
    public var regression: Regression?
    /// The network's passes, where a device records them.
    private let replays = Replays()

    public init(
        backbone: any Backbone, sde: any SDE, preconditioning: Preconditioning?, output: ModelOutput,
        encoder: (any NoiseEncoder)? = nil, trainsEncoder: Bool = true
    ) {
        self.backbone = backbone
        self.sde = sde
        self.preconditioning = preconditioning
        self.output = output
        self.encoder = encoder
        self.trainsEncoder = trainsEncoder
    }

    /// The output for states `x` and noisy speech `y`, `[B, F, N, 2]`, at one time per sample.
    ///
    /// - Parameter noise: The embedding of a noise reference; `nil` leaves the conditioning layers out.
    public func callAsFunction(
        _ x: Tensor, _ y: Tensor, _ t: [Double], _ mode: ForwardMode = .evaluation, noise: Tensor? = nil
    ) -> Tensor {
        func network(_ x: Tensor, _ y: Tensor, _ t: [Float]) -> Tensor { self.network(x, y, t, mode, noise: noise) }
        if backbone is any UncertainBackbone { return network(x, y, t.map(Float.init)) }
        guard let preconditioning else { return -network(x, y, t.map(Float.init)) }
        return preconditioning.apply(
            x, y, t, sigma: t.map { sde.marginal(at: $0).std }, output: output, network: network)
    }
}

extension ScoreModel {
    /// The network alone, recorded and replayed where the device in use can do that.
    package func network(
        _ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode = .evaluation, noise: Tensor? = nil
    ) -> Tensor {
        // Passes that normalise the weights and those that leave them are not the same operations.
        let keepsWeights = mode.isTraining && backbone is any UncertainBackbone && Magnitude.keepsWeights
        return replays(
            [x, y] + [noise].compactMap(\.self), t, variant: keepsWeights ? 2 : mode.isTraining ? 1 : 0,
            weights: (backbone.parameters + backbone.buffers).map(\.tensor)
        ) { inputs, t in
            guard let conditioned = backbone as? any ConditionedBackbone else {
                return backbone(inputs[0], inputs[1], t, mode)
            }
            return conditioned(inputs[0], inputs[1], t, noise: inputs.count > 2 ? inputs[2] : nil, mode)
        }
    }
}

// MARK: Two times

extension ScoreModel {
    /// The average velocity over the stretches from `t` down to `r`, of a network of two times.
    ///
    /// - Parameter rates: How fast each `t` moves while `x` moves by the tangent that it carries; the result then
    ///   carries its derivative.
    public func average(
        _ x: Tensor, _ y: Tensor, from t: [Double], until r: [Double], rates: [Double] = [],
        _ mode: ForwardMode = .evaluation
    ) -> Tensor {
        guard let network = backbone as? any IntervalBackbone else {
            preconditionFailure("a network of one time is asked for an average over two")
        }
        return -network(x, y, t.map(Float.init), until: r.map(Float.init), rates: rates.map(Float.init), mode)
    }
}

// MARK: Conditioning

extension ScoreModel {
    /// What stands beside the state: noisy speech, or what a regression makes of it.
    package func condition(_ noisy: Tensor, _ estimate: Tensor?) -> Tensor {
        guard let regression, let estimate else { return noisy }
        return regression.conditions(noisy, estimate)
    }

    /// Whether the model is conditioned on a noise reference.
    public var isConditioned: Bool { encoder != nil && backbone is any ConditionedBackbone }

    /// The embedding of references `[B, F, N, 2]`; `nil` for a model that takes none.
    ///
    /// - Parameter kept: Which samples keep theirs; the others get zeros, as all do that have no reference.
    public func embedding(of reference: Tensor, kept: [Bool] = []) -> Tensor? {
        guard let encoder, isConditioned else { return nil }
        let embedded = trainsEncoder ? encoder(reference) : Gradients.off { encoder(reference) }.detached
        guard kept.contains(false) else { return embedded }
        precondition(kept.count == reference.shape[0], "\(kept.count) choices for \(reference.shape[0]) references")
        return embedded.scaledSamples(by: kept.map { $0 ? 1 : 0 })
    }

    /// The embedding that stands for "no reference": zeros, which still pass the conditioning layers' biases.
    public func emptyEmbedding(batch: Int = 1) -> Tensor? {
        guard let encoder, isConditioned else { return nil }
        return .zeros([batch, encoder.width])
    }
}

// MARK: Weights

/// A parameter of a model under the name that its checkpoints have for it.
public struct ModelWeight: Sendable {
    /// Unique in the model; behind `regression.` or `noise_encoder.` for other networks than the backbone.
    public let name: String
    /// The tensor, shared with the network: assigning to it changes the network.
    public let parameter: Parameter
    /// `false` for what is stored but stays: fixed frequencies, a frozen encoder.
    public let isTrained: Bool
}

extension ScoreModel {
    package static let encoderPrefix = "noise_encoder."
    package static let regressionPrefix = "regression."

    /// Running statistics and fixed features by the names that checkpoints have for them.
    public var buffers: [(name: String, parameter: Parameter)] {
        var buffers: [(name: String, parameter: Parameter)] = []
        for buffer in regression?.backbone.buffers ?? [] {
            buffers.append((Self.regressionPrefix + buffer.name, buffer))
        }
        for buffer in backbone.buffers { buffers.append((buffer.name, buffer)) }
        return buffers
    }

    /// All parameters: those of a regression behind `regression.`, the network's by their own names, then the encoder's
    /// behind `noise_encoder.`.
    public var weights: [ModelWeight] {
        let own = backbone.parameters.map {
            ModelWeight(name: $0.name, parameter: $0, isTrained: trainsDiffusion && $0.isTrained)
        }
        let encoders = (encoder?.parameters ?? []).map {
            ModelWeight(name: Self.encoderPrefix + $0.name, parameter: $0, isTrained: trainsEncoder && $0.isTrained)
        }
        return (regression?.weights ?? []) + own + encoders
    }

    /// Whether the diffusion's network is trained: not where a regression is trained alone.
    private var trainsDiffusion: Bool { regression?.training != .alone }
}
