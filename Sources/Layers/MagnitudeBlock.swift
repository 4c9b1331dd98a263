public import Kernels
public import Tensors

/// How the blocks of a magnitude-preserving network weigh their branches.
public struct MagnitudeStyle: Hashable, Sendable {
    /// Width of the embedding of the noise level.
    public var embedding = 0
    /// Channels of the condition that the encoder's blocks take.
    public var condition = 2
    /// Channels of each head of attention.
    public var channelsPerHead = 64
    /// Probability of dropping an input of the second convolution, in training.
    public var dropout = 0.0
    /// The shares of a block's residual branch, its attention, and its condition at the start.
    public var (residualBalance, attentionBalance, conditionBalance) = (0.3, 0.3, 0.5)
    /// The limit to whose range the results of blocks are clamped; `nil` for none.
    public var clip: Double? = 256
    /// The filter that maps are halved and doubled with, before it is normalised.
    public var taps: [Float] = [1, 1]

    public init() {}

    /// Halving by the filter with a stride of 2.
    public var halving: Resampling {
        let (taps, pad) = (normalized(to: 1), (taps.count - 1) / 2)
        return Resampling(taps: taps, up: 1, down: 2, padBefore: pad, padAfter: pad)
    }

    /// Its adjoint, times 4 over both axes.
    public var doubling: Resampling {
        let pad = taps.count - 1 - (taps.count - 1) / 2
        return Resampling(taps: normalized(to: 2), up: 2, down: 1, padBefore: pad, padAfter: pad - 1)
    }

    private func normalized(to sum: Float) -> [Float] {
        let total = taps.reduce(0, +)
        return taps.map { $0 / total * sum }
    }
}

/// A block of the U-Net of EDM2 for speech: two convolutions whose middle the embedding scales, then attention.
///
///     h = conv₁(silu(conv₀(silu(x)) (1 + g e W)));   x ← sum(x, h; 0.3);
///     x ← sum(x, norm(cond ∗ V); b);   x ← sum(x, attention; 0.3)
///
/// with `silu` over 0.596 and `sum` of ``Magnitude/sum(_:)``. On the way down pixels are normalised first, and the
/// condition joins with a learned balance `b`; on the way up the weights of the condition stay, unused.
///
/// Karras et al., CVPR 2024, Figure 21, with the condition of EDM2SE (ICASSP 2026).
public struct MagnitudeBlock: Sendable {
    /// Whether the block is on the way down, where maps are halved, or on the way up.
    public enum Side: Sendable { case encoder, decoder }
    /// What the block does to the size of its map: nothing, doubling, or halving.
    public enum Resampled: Sendable { case no, up, down }

    private let style: MagnitudeStyle
    private let side: Side
    private let resampled: Resampled
    private let gain: Parameter
    private let embed: MagnitudeLinear
    private let first, second: MagnitudeConvolution
    private let skip: MagnitudeConvolution?
    private let attention: MagnitudeAttention?
    private let attends: Bool
    private let balance: Parameter
    private let condition: MagnitudeConvolution
    private let dropout: Dropout

    public init(
        _ scope: ParameterScope, _ channels: Int, _ filters: Int, _ side: Side, _ resampled: Resampled = .no,
        attends: Bool = false,
        style: MagnitudeStyle
    ) {
        (self.style, self.side, self.resampled, self.attends) = (style, side, resampled, attends)
        // A module's own parameters precede those of its parts.
        gain = scope.parameter("emb_gain", [], .constant(0))
        balance = scope.parameter("cond_balance", [], .constant(Float(style.conditionBalance)))
        embed = MagnitudeLinear(scope.scope("emb_linear"), style.embedding, filters)
        first = MagnitudeConvolution(
            scope.scope("conv_res0"), side == .encoder ? filters : channels, filters, kernel: 3)
        second = MagnitudeConvolution(scope.scope("conv_res1"), filters, filters, kernel: 3)
        skip = channels == filters ? nil : MagnitudeConvolution(scope.scope("conv_skip"), channels, filters, kernel: 1)
        attention = filters < style.channelsPerHead ? nil : MagnitudeAttention(scope, filters, style: style)
        condition = MagnitudeConvolution(
            scope.scope("conv_cond"), style.condition, skip != nil && side == .encoder ? filters : channels, kernel: 1)
        dropout = Dropout(scope, rate: style.dropout)
    }

    /// - Parameters:
    ///   - embedding: The embedding of the noise level after its activation, `[B, embedding]`.
    ///   - condition: The condition at the block's input resolution, `[B, H, W, condition]`.
    public func callAsFunction(_ x: Tensor, _ embedding: Tensor, _ condition: Tensor, _ mode: ForwardMode) -> Tensor {
        var x = resampling(x)
        if side == .encoder { x = (skip.map { $0(x, mode) } ?? x).normalizedRows() }
        let factors = embed(embedding, mode).scaled(by: gain.tensor) + 1
        var h = first(x.activated(.silu, scaling: nil), mode, gain: 1 / Magnitude.silu)
        h = dropout(h.activated(.silu, scaling: factors), mode)
        if side == .decoder, let skip { x = skip(x, mode) }
        x = second(h, mode, gain: 1 / Magnitude.silu, joining: x, balance: style.residualBalance)
        if side == .encoder {
            x = x.blended(with: self.condition(resampling(condition), mode).normalizedRows(), by: balance.tensor)
        } else {
            self.condition.force(mode)
        }
        if attends, let attention { x = attention(x, mode) }
        return style.clip.map { x.clipped(to: $0) } ?? x
    }

    private func resampling(_ x: Tensor) -> Tensor {
        switch resampled {
        case .no: x
        case .up: x.resampled(style.doubling)
        case .down: x.resampled(style.halving)
        }
    }
}

/// Attention over all pixels by the angles of queries and keys: `softmax(q̂ k̂ᵀ/√c) v̂` with heads of `c` channels
/// whose queries, keys and values have unit magnitude.
struct MagnitudeAttention: Sendable {
    private let joined, output: MagnitudeConvolution
    private let heads, width: Int
    private let balance: Double

    init(_ scope: ParameterScope, _ channels: Int, style: MagnitudeStyle) {
        heads = channels / style.channelsPerHead
        width = channels / heads
        balance = style.attentionBalance
        // Stored by head, channel, and role; read by role, head, and channel.
        let (heads, width) = (heads, width)
        let order = (0..<3).flatMap { role in
            (0..<heads).flatMap { head in (0..<width).map { 3 * (head * width + $0) + role } }
        }
        joined = MagnitudeConvolution(scope.scope("attn_qkv"), channels, 3 * channels, kernel: 1, order: order)
        output = MagnitudeConvolution(scope.scope("attn_proj"), channels, channels, kernel: 1)
    }

    func callAsFunction(_ x: Tensor, _ mode: ForwardMode) -> Tensor {
        let (batch, pixels) = (x.shape[0], x.shape[1] * x.shape[2])
        let all = joined(x, mode).normalizedRows(columns: width).reshaped([batch, pixels, 3 * heads * width])
        func part(_ role: Int, _ head: Int) -> Tensor {
            let start = (role * heads + head) * width
            return all.channels(start..<start + width)
        }
        let mixed = (0..<heads).map {
            part(0, $0).attention(to: part(1, $0), part(2, $0), alpha: 1 / Double(width).squareRoot())
        }
        let values = heads == 1 ? mixed[0] : Tensor.concatenated(mixed)
        return output(values.reshaped(x.shape), mode, joining: x, balance: balance)
    }
}
