import Foundation
public import Kernels
public import Tensors

/// `y = x ∗ weight + bias` over maps `[B, H, W, C]`, with a filter `[F, C, k, k]`.
public struct Convolution: Sendable {
    /// The filter `[F, C, k, k]`.
    public let weight: Parameter
    /// One number for each filter: `[F]`.
    public let bias: Parameter
    private let stride: Int
    private let padBefore, padAfter: Int

    /// - Parameters:
    ///   - padding: Zeros before and after; `(k − 1)/2` unless given.
    ///   - initial: Of the weight; the bias starts at zero unless `biasInitial` says otherwise.
    public init(
        _ scope: ParameterScope, _ channels: Int, _ filters: Int, kernel: Int = 3, stride: Int = 1,
        padding: (before: Int, after: Int)? = nil, initial: Initializer = .fanAverage(scale: 1),
        biasInitial: Initializer = .constant(0)
    ) {
        weight = scope.parameter("weight", [filters, channels, kernel, kernel], initial)
        bias = scope.parameter("bias", [filters], biasInitial)
        self.stride = stride
        padBefore = padding?.before ?? (kernel - 1) / 2
        padAfter = padding?.after ?? padBefore
    }

    /// `scale · (x ∗ weight + bias + shift + residual)`.
    public func callAsFunction(
        _ x: Tensor, shift: Tensor? = nil, residual: Tensor? = nil, scale: Double = 1
    ) -> Tensor {
        x.convolved(
            weight.tensor, bias: bias.tensor, shift: shift, residual: residual, scale: scale, stride: stride,
            padBefore: padBefore, padAfter: padAfter)
    }
}

/// `y = x Wᵀ + b` for rows `[B, inputs]`, with `W` `[outputs, inputs]`.
public struct Linear: Sendable {
    /// The matrix `W`, `[outputs, inputs]`.
    public let weight: Parameter
    /// `b`, `[outputs]`.
    public let bias: Parameter

    public init(
        _ scope: ParameterScope, _ inputs: Int, _ outputs: Int, initial: Initializer = .fanAverage(scale: 1),
        biasInitial: Initializer = .constant(0)
    ) {
        weight = scope.parameter("weight", [outputs, inputs], initial)
        bias = scope.parameter("bias", [outputs], biasInitial)
    }

    /// From rows `[B, inputs]` to `[B, outputs]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        x.matrixProduct(weight.tensor, transposed: true).addingToPixels(bias.tensor)
    }
}

/// A linear map of the channels of every pixel: `y = x W + b`, with `W` `[inputs, outputs]`.
public struct NetworkInNetwork: Sendable {
    /// The matrix `W`, `[inputs, outputs]`.
    public let weight: Parameter
    /// `b`, `[outputs]`.
    public let bias: Parameter

    public init(_ scope: ParameterScope, _ inputs: Int, _ outputs: Int, scale: Double = 0.1) {
        weight = scope.parameter("W", [inputs, outputs], .fanAverage(scale: scale))
        bias = scope.parameter("b", [outputs], .constant(0))
    }

    /// From maps `[B, …, inputs]` to `[B, …, outputs]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        let leading = Array(x.shape.dropLast())
        let rows = x.reshaped([leading.reduce(1, *), x.shape[x.rank - 1]])
        return rows.matrixProduct(weight.tensor).addingToPixels(bias.tensor).reshaped(leading + [weight.shape[1]])
    }
}

/// Group normalisation with an affine map, and the activation that follows it.
public struct GroupNorm: Sendable {
    /// The factor of each channel, `[C]`; 1 at the start.
    public let weight: Parameter
    /// The offset of each channel, `[C]`; 0 at the start.
    public let bias: Parameter
    private let groups: Int
    private let epsilon: Double

    /// - Parameter groups: `min(channels / 4, 32)`, at least one, unless given.
    public init(_ scope: ParameterScope, _ channels: Int, groups: Int? = nil, epsilon: Double = 1e-6) {
        weight = scope.parameter("weight", [channels], .constant(1))
        bias = scope.parameter("bias", [channels], .constant(0))
        self.groups = groups ?? Self.groups(of: channels)
        self.epsilon = epsilon
    }

    /// The reference's number of groups: `min(channels / 4, 32)`, at least one.
    public static func groups(of channels: Int) -> Int { max(1, min(channels / 4, 32)) }

    /// `activation(weight · (x − μ)/√(σ² + ε) + bias)` of maps `[B, H, W, C]`, with mean and variance of each sample
    /// and group.
    public func callAsFunction(_ x: Tensor, _ activation: Activation = .identity) -> Tensor {
        x.groupNormalized(
            groups: groups, gamma: weight.tensor, beta: bias.tensor, epsilon: epsilon, activation: activation)
    }
}

/// Features `sin 2πWt, cos 2πWt` of a time, with fixed random frequencies `W ~ N(0, scale²)`.
///
/// Tancik et al., *Fourier Features Let Networks Learn High Frequency Functions*, NeurIPS 2020. The phases reach
/// hundreds of radians, so the products are taken in single precision in the reference's order.
public struct FourierFeatures: Sendable {
    /// `W`, `[count]`, stored with the weights and not trained.
    public let frequencies: Parameter

    public init(_ scope: ParameterScope, count: Int, scale: Double) {
        frequencies = scope.parameter("W", [count], .normal(standardDeviation: scale), isTrained: false)
    }

    /// The features with their derivatives for tangents `dt` of the times, for forward-mode differentiation.
    public func callAsFunction(_ t: [Float], rates: [Float]) -> Tensor {
        precondition(t.count == rates.count, "\(rates.count) rates of \(t.count) times")
        let (features, w) = (self(t), frequencies.tensor.values)
        let (values, width) = (features.values, 2 * w.count)
        let derivative = (0..<t.count * width).map { index in
            let (sample, place) = (index / width, index % width)
            // The derivative of the sine is the cosine stored after it, that of the cosine minus the sine stored before
            // it.
            let partner = place < w.count ? values[index + w.count] : -values[index - w.count]
            return 2 * Float.pi * w[place % w.count] * rates[sample] * partner
        }
        return features.carrying(Tensor(derivative, shape: features.shape))
    }

    /// `[B, 2·count]` for times `t`.
    public func callAsFunction(_ t: [Float]) -> Tensor { Tensor(values(t), shape: [t.count, 2 * frequencies.count]) }

    /// The features of times that are made from the network's own, `t`.
    public func callAsFunction(of t: [Float], _ time: @escaping @Sendable (Float) -> Float) -> Tensor {
        .computed(from: t, shape: [t.count, 2 * frequencies.count]) { values($0.map(time)) }
    }

    private func values(_ t: [Float]) -> [Float] {
        let w = frequencies.tensor.values
        var values: [Float] = []
        values.reserveCapacity(2 * w.count * t.count)
        for t in t {
            let phases = w.map { t * $0 * 2 * Float.pi }
            values += phases.map { sin($0) }
            values += phases.map { cos($0) }
        }
        return values
    }
}

/// Features `sin t·ω, cos t·ω` with `ω` falling geometrically from 1 to 1/10000.
///
/// Vaswani et al., *Attention Is All You Need*, NeurIPS 2017, §3.5.
public func positionalFeatures(_ t: [Float], dimension: Int) -> Tensor {
    let half = dimension / 2
    let rate = log(Float(10000)) / Float(max(1, half - 1))
    let frequencies = (0..<half).map { exp(Float($0) * -rate) }
    return .computed(from: t, shape: [t.count, dimension]) { t in
        t.flatMap { t in
            frequencies.map { sin(t * $0) } + frequencies.map { cos(t * $0) } + (dimension % 2 == 1 ? [0] : [])
        }
    }
}
