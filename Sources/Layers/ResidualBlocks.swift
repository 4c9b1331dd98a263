public import Kernels
public import Tensors

/// The options of a residual block of a score network.
public struct ResidualStyle: Sendable {
    /// Applied after each normalisation.
    public var activation: Activation = .silu
    /// Width of the time embedding; `nil` without one.
    public var embedding: Int?
    /// Width of an embedding that modulates the second normalisation; `nil` without one.
    public var modulation: Int?
    /// Divides a sum of two branches by √2.
    public var rescaled = true
    /// Scale of the last convolution's initial weights; 0 makes the block start as its skip connection.
    public var initialScale = 0.0
    /// How maps are halved and doubled.
    public var rule = ResamplingRule()
    /// Probability of dropping an input of the second convolution, in training.
    public var dropout = 0.0

    public init() {}

    /// The factor of a sum of two branches: `1/√2` where sums are rescaled, else 1.
    public var sumScale: Double { rescaled ? 0.5.squareRoot() : 1 }
}

/// The residual block of NCSN++: `(skip(x) + conv(act(norm(conv(act(norm(x))) + Dense(act(temb))))))/√2`, with
/// optional doubling or halving of both branches.
///
/// Song et al., *Score-Based Generative Modeling through SDEs*, ICLR 2021, Appendix H, after BigGAN.
public struct BigGANBlock: Sendable {
    /// How the block resamples its map: not, doubling, or halving.
    public enum Resampled: Sendable { case no, up, down }

    private let style: ResidualStyle
    private let resampled: Resampled
    private let norm0, norm1: GroupNorm
    private let conv0, conv1: Convolution
    private let dense: Linear?
    private let modulation: Modulation?
    private let dropout: Dropout
    private let skip: Convolution?

    public init(
        _ scope: ParameterScope, _ channels: Int, _ filters: Int? = nil, _ resampled: Resampled = .no,
        style: ResidualStyle
    ) {
        let filters = filters ?? channels
        self.style = style
        self.resampled = resampled
        norm0 = GroupNorm(scope.scope("GroupNorm_0"), channels)
        conv0 = Convolution(scope.scope("Conv_0"), channels, filters)
        dense = style.embedding.map { Linear(scope.scope("Dense_0"), $0, filters) }
        norm1 = GroupNorm(scope.scope("GroupNorm_1"), filters)
        modulation = style.modulation.map { Modulation(scope.scope("Modulation_0"), embedding: $0, channels: filters) }
        dropout = Dropout(scope, rate: style.dropout)
        conv1 = Convolution(scope.scope("Conv_1"), filters, filters, initial: .fanAverage(scale: style.initialScale))
        skip =
            channels != filters || resampled != .no
            ? Convolution(scope.scope("Conv_2"), channels, filters, kernel: 1) : nil
    }

    /// - Parameters:
    ///   - x: The map, `[B, H, W, channels]`; consumed, so that its memory can be reused if the caller does not keep
    ///     it.
    ///   - embedding: The time embedding after its activation, `[B, embedding]`.
    ///   - modulating: What modulates the second normalisation, `[B, modulation]`; `nil` leaves it alone.
    public func callAsFunction(
        _ x: consuming Tensor, _ embedding: Tensor?, _ mode: ForwardMode, modulating: Tensor? = nil
    ) -> Tensor {
        var h = norm0(x, style.activation)
        switch resampled {
        case .no: break
        case .up: (h, x) = (h.resampled(style.rule.doubling), x.resampled(style.rule.doubling))
        case .down: (h, x) = (h.resampled(style.rule.halving), x.resampled(style.rule.halving))
        }
        h = conv0(h, shift: embedding.flatMap { embedding in dense.map { $0(embedding) } })
        if let skip { x = skip(x) }
        h = norm1.activated(h, style.activation, by: modulation, modulating)
        return conv1(dropout(h, mode), residual: x, scale: style.sumScale)
    }
}

extension GroupNorm {
    /// Normalisation and activation, with the modulation between them if there is one.
    fileprivate func activated(
        _ h: Tensor, _ activation: Activation, by modulation: Modulation?, _ embedding: Tensor?
    ) -> Tensor {
        guard let modulation, let embedding else { return self(h, activation) }
        return modulation(self(h), embedding, activation)
    }
}

/// The residual block of DDPM, with a linear map as skip connection where the channels change.
///
/// Ho et al., *Denoising Diffusion Probabilistic Models*, NeurIPS 2020, Appendix B.
public struct DDPMBlock: Sendable {
    private let style: ResidualStyle
    private let norm0, norm1: GroupNorm
    private let conv0, conv1: Convolution
    private let dense: Linear?
    private let modulation: Modulation?
    private let dropout: Dropout
    private let skip: NetworkInNetwork?

    public init(_ scope: ParameterScope, _ channels: Int, _ filters: Int? = nil, style: ResidualStyle) {
        let filters = filters ?? channels
        self.style = style
        norm0 = GroupNorm(scope.scope("GroupNorm_0"), channels)
        conv0 = Convolution(scope.scope("Conv_0"), channels, filters)
        dense = style.embedding.map { Linear(scope.scope("Dense_0"), $0, filters) }
        norm1 = GroupNorm(scope.scope("GroupNorm_1"), filters)
        modulation = style.modulation.map { Modulation(scope.scope("Modulation_0"), embedding: $0, channels: filters) }
        dropout = Dropout(scope, rate: style.dropout)
        conv1 = Convolution(scope.scope("Conv_1"), filters, filters, initial: .fanAverage(scale: style.initialScale))
        skip = channels != filters ? NetworkInNetwork(scope.scope("NIN_0"), channels, filters) : nil
    }

    /// `(skip(x) + conv(…)) · sumScale`, `[B, H, W, filters]`.
    ///
    /// - Parameters:
    ///   - embedding: The time embedding before its projection; `nil` without one.
    ///   - modulating: The noise embedding that scales and shifts the second normalisation; `nil` leaves it out.
    public func callAsFunction(
        _ x: consuming Tensor, _ embedding: Tensor?, _ mode: ForwardMode, modulating: Tensor? = nil
    ) -> Tensor {
        var h = conv0(norm0(x, style.activation), shift: embedding.flatMap { embedding in dense.map { $0(embedding) } })
        if let skip { x = skip(x) }
        h = norm1.activated(h, style.activation, by: modulation, modulating)
        return conv1(dropout(h, mode), residual: x, scale: style.sumScale)
    }
}

/// Self-attention over all pixels of a map, with one head: `(x + V(x) softmax(QKᵀ/√C))/√2`.
public struct AttentionBlock: Sendable {
    private let norm: GroupNorm
    private let query, key, value, output: NetworkInNetwork
    private let sumScale: Double

    public init(_ scope: ParameterScope, _ channels: Int, style: ResidualStyle) {
        norm = GroupNorm(scope.scope("GroupNorm_0"), channels)
        query = NetworkInNetwork(scope.scope("NIN_0"), channels, channels)
        key = NetworkInNetwork(scope.scope("NIN_1"), channels, channels)
        value = NetworkInNetwork(scope.scope("NIN_2"), channels, channels)
        output = NetworkInNetwork(scope.scope("NIN_3"), channels, channels, scale: style.initialScale)
        sumScale = style.sumScale
    }

    /// For maps `[B, H, W, C]`; each sample attends to itself alone.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        let (batch, channels) = (x.shape[0], x.shape[3])
        let rows = [batch, x.shape[1] * x.shape[2], channels]
        let h = norm(x)
        let (q, k, v) = (query(h).reshaped(rows), key(h).reshaped(rows), value(h).reshaped(rows))
        let mixed = output(q.attention(to: k, v, alpha: 1 / Double(channels).squareRoot())).reshaped(x.shape)
        return .weighted(sumScale, x, sumScale, mixed)
    }
}

/// Joins the input pyramid with the features of a level: a 1×1 convolution of it, added or concatenated.
public struct Combine: Sendable {
    /// How the pyramid joins: added, or as further channels.
    public enum Method: String, CaseIterable, Sendable { case sum, cat }

    private let convolution: Convolution
    private let method: Method

    public init(_ scope: ParameterScope, _ pyramid: Int, _ channels: Int, _ method: Method) {
        convolution = Convolution(scope.scope("Conv_0"), pyramid, channels, kernel: 1)
        self.method = method
    }

    /// From a pyramid `[B, H, W, P]` and features `[B, H, W, C]` to `[B, H, W, C]`, or `[B, H, W, 2C]` beside each
    /// other.
    public func callAsFunction(_ pyramid: Tensor, _ features: Tensor) -> Tensor {
        switch method {
        case .sum: convolution(pyramid, residual: features)
        case .cat: .concatenated([convolution(pyramid), features])
        }
    }
}
