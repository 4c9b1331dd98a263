import Kernels
public import Layers
public import Tensors

/// A network that also takes an embedding of the noise.
public protocol ConditionedBackbone: Backbone {
    /// Width of the noise embedding.
    var noiseWidth: Int { get }

    /// - Parameter noise: The embedding `[B, noiseWidth]`, or a sequence of them `[B, L, noiseWidth]`; `nil` leaves the
    ///   conditioning layers out altogether, which an embedding of zeros does not.
    func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], noise: Tensor?, _ mode: ForwardMode) -> Tensor
}

extension ConditionedBackbone {
    /// The network without its conditioning layers; no training runs it in this way.
    public func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode) -> Tensor {
        callAsFunction(x, y, t, noise: nil, mode)
    }
}

/// How a noise embedding enters a network.
public struct NoiseConditioning: Hashable, Sendable {
    /// Where it enters, through projections `p`, `γ`, `β` of two layers each: the time embedding `e`, or the blocks.
    public enum Injection: String, CaseIterable, Sendable {
        /// `e + p(z)`.
        case add
        /// `γ(z) e + β(z)`. Perez et al., *FiLM*, AAAI 2018.
        case film
        /// Every block's second normalisation is scaled and shifted; the time embedding stays as it is.
        case adaptiveNorm = "adagn"
        /// Every attention block is followed by attention to the sequence of embeddings.
        case crossAttention = "cross_attention"
    }

    /// How the last layer of `γ` starts; the last layer of `β` starts at zero.
    public enum ScaleStart: String, CaseIterable, Sendable {
        /// Weights of one and a bias of zero, as in the reference: the scale is the sum of the hidden activations.
        case ones
        /// Weights of zero and a bias of one: the network starts without conditioning.
        case identity
    }

    /// Where the noise embedding enters the network.
    public var injection: Injection
    /// Width of the noise embedding.
    public var width: Int
    /// How the projection of a scale starts.
    public var scaleStart: ScaleStart

    public init(_ injection: Injection = .add, width: Int = 512, scaleStart: ScaleStart = .ones) {
        self.injection = injection
        self.width = width
        self.scaleStart = scaleStart
    }
}

/// `ncsnpp_v2_cond`: NCSN++ with an embedding of the noise that changes its time embedding or its blocks.
///
/// An injection that takes one embedding gets the mean of a sequence; attention gets one embedding as a sequence of
/// length one. The injections into the blocks start as the identity.
public struct ConditionedNCSNpp: ConditionedBackbone {
    private enum Injection: Sendable {
        case add(Projection)
        case film(scale: Projection, shift: Projection)
        case adaptiveNorm(Projection)
        case crossAttention
    }

    /// All weights, in the reference's order and with its names.
    public let parameters: [Parameter]
    /// How the noise embedding enters.
    public let conditioning: NoiseConditioning
    /// The network that it changes.
    public let network: NCSNpp
    private let injection: Injection

    public init(
        _ options: NCSNppOptions = .v2, _ conditioning: NoiseConditioning = NoiseConditioning(), seed: UInt64 = 0
    ) throws(BackboneError) {
        guard conditioning.width > 0 else {
            throw BackboneError(option: "noise_embed_dim", reason: "needs a positive width, not \(conditioning.width)")
        }
        guard options.conditional else {
            throw BackboneError(
                option: "conditional", reason: "without a time embedding the noise has nowhere to enter")
        }
        let scope = ParameterScope(seed: seed)
        var options = options
        if conditioning.injection == .adaptiveNorm { options.noiseModulation = 4 * options.nf }
        if conditioning.injection == .crossAttention { options.noiseAttention = conditioning.width }
        network = try NCSNpp(options, scope: scope)
        self.conditioning = conditioning
        let before = network.parameters.count
        let (from, to) = (conditioning.width, 4 * options.nf)
        switch conditioning.injection {
        case .add:
            injection = .add(Projection(scope.scope("noise_proj"), from, to))
        case .film:
            let (weight, bias): (Float, Float) = conditioning.scaleStart == .ones ? (1, 0) : (0, 1)
            injection = .film(
                scale: Projection(
                    scope.scope("noise_proj_gamma"), from, to, last: (.constant(weight), .constant(bias))),
                shift: Projection(scope.scope("noise_proj_beta"), from, to, last: (.constant(0), .constant(0))))
        case .adaptiveNorm:
            injection = .adaptiveNorm(Projection(scope.scope("noise_proj"), from, to))
        case .crossAttention:
            injection = .crossAttention
        }
        // The reference lists the projections after the output layer, whose weight and bias come first.
        let all = scope.collector.parameters
        parameters = Array(all[..<2] + all[before...] + all[2..<before])
    }

    /// Width of the noise embedding that the network takes.
    public var noiseWidth: Int { conditioning.width }
    /// That of NCSN++: 2 to the number of halvings.
    public var divisor: (bins: Int, frames: Int) { network.divisor }

    /// `[B, F, N, 2]`; of clean speech or a score, as the model's preconditioning says.
    public func callAsFunction(
        _ x: Tensor, _ y: Tensor, _ t: [Float], noise: Tensor?, _ mode: ForwardMode
    ) -> Tensor {
        let time = embedding(t, noise: noise)
        guard let noise else { return network(x, y, t, embedding: time, mode) }
        switch injection {
        case .add, .film:
            return network(x, y, t, embedding: time, mode)
        case .adaptiveNorm(let project):
            return network(x, y, t, embedding: time, modulation: project(single(noise)), mode)
        case .crossAttention:
            let sequence = noise.rank == 3 ? noise : noise.reshaped([noise.shape[0], 1, noiseWidth])
            return network(x, y, t, embedding: time, sequence: sequence, mode)
        }
    }

    /// The time embedding under a noise embedding, `[B, 4·nf]`.
    public func embedding(_ t: [Float], noise: Tensor?) -> Tensor? {
        guard let time = network.embedding(t), let noise else { return network.embedding(t) }
        precondition(
            noise.shape.first == t.count && noise.shape.last == noiseWidth,
            "a noise embedding \(noise.shape) for \(t.count) samples of width \(noiseWidth)")
        switch injection {
        case .add(let project): return time + project(single(noise))
        case .film(let scale, let shift): return scale(single(noise)) * time + shift(single(noise))
        case .adaptiveNorm, .crossAttention: return time
        }
    }

    /// One embedding for each sample: of a sequence, its mean.
    private func single(_ noise: Tensor) -> Tensor {
        guard noise.rank == 3 else { return noise }
        let (batch, length) = (noise.shape[0], noise.shape[1])
        return noise.reshaped([batch, length, 1, noiseWidth]).averagePooled(height: 1, width: 1).reshaped([
            batch, noiseWidth,
        ])
    }
}

/// Two linear layers with SiLU between them.
private struct Projection: Sendable {
    private let first, second: Linear

    init(_ scope: ParameterScope, _ inputs: Int, _ outputs: Int, last: (weight: Initializer, bias: Initializer)? = nil)
    {
        let start = Initializer.torchDefault(fanIn: inputs)
        first = Linear(scope.scope(0), inputs, outputs, initial: start, biasInitial: start)
        let end = Initializer.torchDefault(fanIn: outputs)
        second = Linear(
            scope.scope(2), outputs, outputs, initial: last?.weight ?? end, biasInitial: last?.bias ?? end)
    }

    func callAsFunction(_ x: Tensor) -> Tensor { second(first(x).activated(.silu)) }
}
