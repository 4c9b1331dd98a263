public import Kernels
public import Tensors

/// Scale and shift of a normalised map by an embedding, `act((1 + γ(z)) ⊙ h + β(z))`; starts as the identity.
///
/// Adaptive group normalisation: Dhariwal & Nichol, *Diffusion Models Beat GANs*, NeurIPS 2021, §3.
public struct Modulation: Sendable {
    private let linear: Linear
    private let channels: Int

    public init(_ scope: ParameterScope, embedding: Int, channels: Int) {
        linear = Linear(scope, embedding, 2 * channels, initial: .constant(0))
        self.channels = channels
    }

    /// - Parameter embedding: `[B, embedding]`.
    public func callAsFunction(_ h: Tensor, _ embedding: Tensor, _ activation: Activation) -> Tensor {
        let both = linear(embedding)
        return h.modulated(scale: both.channels(0..<channels), shift: both.channels(channels..<2 * channels))
            .activated(activation)
    }
}

/// Attention of all pixels of a map to a sequence of embeddings, with one head: `x + O softmax(Q(x) K(z)ᵀ/√C) V(z)`.
///
/// It starts close to the identity, so the sum is not rescaled as in other blocks. Rombach et al., *High-Resolution
/// Image Synthesis with Latent Diffusion Models*, CVPR 2022, §3.3.
public struct CrossAttentionBlock: Sendable {
    private let norm: GroupNorm
    private let query, key, value, output: NetworkInNetwork

    /// - Parameter width: Of the embeddings.
    public init(_ scope: ParameterScope, _ channels: Int, width: Int) {
        norm = GroupNorm(scope.scope("GroupNorm_0"), channels)
        query = NetworkInNetwork(scope.scope("NIN_0"), channels, channels)
        key = NetworkInNetwork(scope.scope("NIN_1"), width, channels)
        value = NetworkInNetwork(scope.scope("NIN_2"), width, channels, scale: 1)
        output = NetworkInNetwork(scope.scope("NIN_3"), channels, channels, scale: 0)
    }

    /// - Parameter sequence: `[B, L, width]`.
    public func callAsFunction(_ x: Tensor, _ sequence: Tensor) -> Tensor {
        let (batch, channels) = (x.shape[0], x.shape[3])
        let rows = [batch, x.shape[1] * x.shape[2], channels]
        let q = query(norm(x)).reshaped(rows)
        let mixed = q.attention(to: key(sequence), value(sequence), alpha: 1 / Double(channels).squareRoot())
        return x + output(mixed).reshaped(x.shape)
    }
}
