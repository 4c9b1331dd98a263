import Foundation
import Kernels
public import Tensors

/// Conditional flow matching: the distance of a model's velocity from that of the path through `x₀`, `y` and `z`.
///
///     mean_b ½ Σ |v − u|²    or    mean_b ½ Σ |v − u|,    u = clean' x₀ + noisy' y + σ' z
///
/// with the time derivatives of the path's weights, so `y − x₀ + (σ_max − σ_min) z` for the straight path. The sum is
/// over bins and frames, `|·|` is of the complex value.
///
/// Lipman et al., *Flow Matching for Generative Modeling*, ICLR 2023, Eq. (9); Lee et al., *FlowSE*, ICASSP 2025.
public struct VelocityMatchingLoss: TrainingLoss, Hashable {
    /// The squared error, or the absolute one.
    public enum Norm: String, Hashable, Sendable, CaseIterable { case mse, mae }

    /// The error that is summed.
    public var norm: Norm

    public init(norm: Norm = .mse) { self.norm = norm }

    /// The velocity `dx_t/dt`.
    public var output: ModelOutput { .velocity }

    /// Summed over bins and frames, averaged over the batch.
    public func callAsFunction(_ input: LossInput) -> LossValue {
        let error = input.output - input.velocity
        let weights = [Double](repeating: 1 / Double(input.batch), count: input.batch)
        switch norm {
        case .mse: return LossValue(total: error.halfSquares(sampleWeights: weights))
        case .mae: return LossValue(total: error.complexModuli().scaled(by: 0.5 / Double(input.batch)))
        }
    }
}

extension Tensor {
    /// `Σ |z|` over complex values `[…, 2]`, a scalar; the gradient at 0 is 0.
    public func complexModuli() -> Tensor {
        precondition(shape.last == 2, "complex values are [..., 2], not \(shape)")
        if let device = Device.current { return complexModuli(on: device) }
        let (z, shape) = (detached, shape)
        let sum = z.withSpan { z in
            stride(from: 0, to: z.count, by: 2).reduce(0.0) { $0 + Double(hypot(z[$1], z[$1 + 1])) }
        }
        return Tensor([Float(sum)], shape: [], from: [self]) { dy in
            let g = dy.item
            let gradient = z.withSpan { z in
                z.indices.map { index in
                    let modulus = hypot(z[index & ~1], z[index | 1])
                    return modulus > 0 ? g * z[index] / modulus : 0
                }
            }
            return [Tensor(gradient, shape: shape)]
        }
    }

    /// `Σ |z| = Σ z · z/|z|`, whose gradient is `z/|z|`.
    private func complexModuli(on device: Device) -> Tensor {
        let units = device.compress(buffer, .power(alpha: 0, factor: 1))
        let shape = shape
        return Tensor(buffer: FloatBuffer([Float(Kernels.dot(buffer, units))]), shape: [], from: [self]) { dy, sink in
            sink.add(Tensor(buffer: scale(units, by: dy.item), shape: shape), to: 0)
        }
    }
}
