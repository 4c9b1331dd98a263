import Foundation
import Kernels
public import Tensors

/// The magnitude-preserving layers of EDM2: no biases, and weights whose magnitude is fixed, not learned.
///
/// Karras et al., *Analyzing and Improving the Training Dynamics of Diffusion Models*, CVPR 2024, Appendix B.
public enum Magnitude {
    /// Whether passes in training leave the stored weights as they are, because one of the same step has normalised
    /// them: twice differs from once by rounding, and a step's bits would depend on how many batches a process has.
    @TaskLocal package static var keepsWeights = false

    /// The root mean square of SiLU of standard normal numbers, by which the layers divide.
    public static let silu = 0.596

    /// The weights of `a` and `b` in `((1 − t) a + t b) / √((1 − t)² + t²)`.
    public static func sum(_ t: Double) -> (first: Double, second: Double) {
        let n = ((1 - t) * (1 - t) + t * t).squareRoot()
        return ((1 - t) / n, t / n)
    }

    /// The weights of `a` and `b` in a concatenation, so that they contribute by `1 − t` and `t` for any numbers of
    /// channels `n` and `m`: `√((n + m)/((1 − t)² + t²))` times `(1 − t)/√n` and `t/√m`.
    public static func concatenation(_ t: Double, _ n: Int, _ m: Int) -> (first: Double, second: Double) {
        let whole = (Double(n + m) / ((1 - t) * (1 - t) + t * t)).squareRoot()
        return (whole * (1 - t) / Double(n).squareRoot(), whole * t / Double(m).squareRoot())
    }
}

/// A convolution with forced weight normalisation: `y = x ∗ ŵ · gain`, `ŵ = w / ((10⁻⁴ + rms(w)) √fan_in)` for each
/// filter.
///
/// In training the stored weight is replaced by `w / (10⁻⁴ + rms(w))` whenever the layer runs, but for the later
/// batches of a step, so that the optimiser cannot make it grow; gradients are those of the stored weight.
public struct MagnitudeConvolution: Sendable {
    /// The filters before their normalisation, `[filters, channels, k, k]`.
    public let weight: Parameter
    private let order: [Int]?

    /// - Parameter order: The filters in the order of the result's channels; their own if `nil`.
    public init(_ scope: ParameterScope, _ channels: Int, _ filters: Int, kernel: Int, order: [Int]? = nil) {
        weight = scope.parameter("weight", [filters, channels, kernel, kernel], .normal(standardDeviation: 1))
        self.order = order
    }

    /// `scale · (gain · x ∗ ŵ + residual)`.
    public func callAsFunction(
        _ x: Tensor, _ mode: ForwardMode, gain: Double = 1, residual: Tensor? = nil, scale: Double = 1
    ) -> Tensor {
        weight.force(mode)
        return x.convolved(
            weight.tensor.magnitudePreserving(gain: gain, order: order), residual: residual, scale: scale)
    }

    /// `(1 − t) x + t · gain · (h ∗ ŵ)` over the magnitude of both, `√((1 − t)² + t²)`.
    public func callAsFunction(_ h: Tensor, _ mode: ForwardMode, gain: Double = 1, joining x: Tensor, balance t: Double)
        -> Tensor
    {
        let weights = Magnitude.sum(t)
        guard weights.first != 0 else { return self(h, mode, gain: gain, scale: weights.second) }
        return self(h, mode, gain: gain * weights.second / weights.first, residual: x, scale: weights.first)
    }

    /// Normalises the weight as a forward pass does, without computing the result.
    public func force(_ mode: ForwardMode) { weight.force(mode) }
}

/// A linear map with forced weight normalisation, as ``MagnitudeConvolution``: rows `[B, inputs]` to `[B, outputs]`.
public struct MagnitudeLinear: Sendable {
    /// The matrix before its normalisation, `[outputs, inputs]`.
    public let weight: Parameter

    public init(_ scope: ParameterScope, _ inputs: Int, _ outputs: Int) {
        weight = scope.parameter("weight", [outputs, inputs], .normal(standardDeviation: 1))
    }

    /// `x Wᵀ` with the normalised matrix, from `[B, inputs]` to `[B, outputs]`; in training the stored weight is
    /// normalised first.
    public func callAsFunction(_ x: Tensor, _ mode: ForwardMode) -> Tensor {
        weight.force(mode)
        return x.matrixProduct(weight.tensor.magnitudePreserving(), transposed: true)
    }
}

extension Parameter {
    /// Forced weight normalisation: in training the weight becomes `w / (10⁻⁴ + rms(w))` for each filter.
    fileprivate func force(_ mode: ForwardMode) {
        guard case .training = mode, !Magnitude.keepsWeights else { return }
        Gradients.off { assign(tensor.detached.normalizedRows(columns: shape.dropFirst().reduce(1, *))) }
    }
}

/// Features `√2 cos(f u + φ)` of a number, with fixed random frequencies `f ~ 2π N(0, 1)` and phases `φ ~ U(−π, π)`.
public struct MagnitudeFourier: Sendable {
    /// `f`, in radians for each unit of `u`; `[count]`.
    public let frequencies: Parameter
    /// `φ`, in radians; `[count]`.
    public let phases: Parameter

    public init(_ scope: ParameterScope, count: Int) {
        frequencies = scope.buffer("freqs", [count], .normal(standardDeviation: 2 * .pi))
        phases = scope.buffer("phases", [count], .uniform(bound: .pi))
    }

    /// `[B, count]` for numbers `u`.
    public func callAsFunction(_ u: [Float]) -> Tensor { callAsFunction(of: u) { $0 } }

    /// The features of numbers that are made from a network's times.
    public func callAsFunction(of t: [Float], _ number: @escaping @Sendable (Float) -> Float) -> Tensor {
        .computed(from: t, shape: [t.count, frequencies.count]) { t in
            let (f, p) = (frequencies.tensor.values, phases.tensor.values)
            return t.map(number).flatMap { u in zip(f, p).map { cos(u * $0 + $1) * Float(2).squareRoot() } }
        }
    }
}
