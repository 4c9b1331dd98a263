public import Kernels
public import Tensors

/// How maps are halved and doubled.
public struct ResamplingRule: Hashable, Sendable {
    /// A FIR filter, or repetition and averaging.
    public var fir: Bool
    /// Its taps, before normalisation.
    public var taps: [Float]

    public init(fir: Bool = true, taps: [Float] = [1, 3, 3, 1]) {
        self.fir = fir
        self.taps = taps
    }

    // Few taps make `p` negative: the shifts below round down, as the paddings must.

    private func normalized(gain: Float) -> [Float] {
        let total = taps.reduce(0, +)
        return taps.map { $0 / total * gain }
    }

    /// Doubles height and width. Karras et al., *StyleGAN2*, CVPR 2020, Appendix B.
    public var doubling: Resampling {
        guard fir else { return Resampling(taps: [1, 1], up: 2, down: 1, padBefore: 1, padAfter: 0) }
        let p = taps.count - 2
        return Resampling(taps: normalized(gain: 2), up: 2, down: 1, padBefore: ((p + 1) >> 1) + 1, padAfter: p >> 1)
    }

    /// Halves height and width.
    public var halving: Resampling {
        guard fir else { return Resampling(taps: [0.5, 0.5], up: 1, down: 2, padBefore: 0, padAfter: 0) }
        let p = taps.count - 2
        return Resampling(taps: normalized(gain: 1), up: 1, down: 2, padBefore: (p + 1) >> 1, padAfter: p >> 1)
    }

    /// The smoothing before a convolution of size `kernel` and stride 2.
    func beforeHalving(kernel: Int) -> Resampling {
        let p = taps.count - 2 + kernel - 1
        return Resampling(taps: normalized(gain: 1), up: 1, down: 1, padBefore: (p + 1) >> 1, padAfter: p >> 1)
    }

    /// The smoothing after a transposed convolution of size `kernel` and stride 2.
    func afterDoubling(kernel: Int) -> Resampling {
        let p = taps.count - 2 - (kernel - 1)
        return Resampling(
            taps: normalized(gain: 2), up: 1, down: 1, padBefore: ((p + 1) >> 1) + 1, padAfter: (p >> 1) + 1)
    }
}

/// Halves a map and convolves it: FIR and a 3×3 convolution of stride 2, or the latter alone.
public struct Downsample: Sendable {
    private let rule: ResamplingRule
    private let convolution: Convolution?

    public init(_ scope: ParameterScope, _ channels: Int, _ filters: Int, convolved: Bool, rule: ResamplingRule) {
        self.rule = rule
        convolution =
            convolved
            ? Convolution(
                scope.scope(rule.fir ? "Conv2d_0" : "Conv_0"), channels, filters, stride: 2,
                padding: rule.fir ? (0, 0) : (0, 1))
            : nil
    }

    /// From `[B, H, W, C]` to `[B, H/2, W/2, F]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        guard let convolution else { return x.resampled(rule.halving) }
        return convolution(rule.fir ? x.resampled(rule.beforeHalving(kernel: 3)) : x)
    }
}

/// Doubles a map and convolves it: a transposed 3×3 convolution and FIR, or repetition and a convolution.
public struct Upsample: Sendable {
    private let rule: ResamplingRule
    private let convolution: Convolution?

    public init(_ scope: ParameterScope, _ channels: Int, _ filters: Int, convolved: Bool, rule: ResamplingRule) {
        self.rule = rule
        convolution =
            convolved
            ? Convolution(
                scope.scope(rule.fir ? "Conv2d_0" : "Conv_0"), channels, filters, padding: rule.fir ? (2, 2) : nil)
            : nil
    }

    /// From `[B, H, W, C]` to `[B, 2H, 2W, F]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        guard let convolution else { return x.resampled(rule.doubling) }
        guard rule.fir else { return convolution(x.resampled(rule.doubling)) }
        // A transposed convolution is one over the input spread with zeros; the bias follows the filter.
        let spread = x.resampled(Resampling(taps: [1], up: 2, down: 1, padBefore: 0, padAfter: -1))
        let transposed = spread.convolved(convolution.weight.tensor, padBefore: 2)
        return transposed.resampled(rule.afterDoubling(kernel: 3)).addingToPixels(convolution.bias.tensor)
    }
}
