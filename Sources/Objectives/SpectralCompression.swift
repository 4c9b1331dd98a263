import Foundation
import Kernels
public import Tensors

/// The map between STFT coefficients and the amplitudes a network works on; phases stay.
public enum SpectralCompression: Hashable, Sendable {
    /// `β |z|^α e^{i∠z}`. Richter et al., TASLP 2023, Eq. (17).
    case exponent(alpha: Double, factor: Double)
    /// `β ln(1 + |z|) e^{i∠z}`.
    case log(factor: Double)
    case none

    /// The compressed spectrogram, as a constant.
    public func compress(_ z: Tensor) -> Tensor {
        if let device = Device.current, let law {
            return Tensor(buffer: device.compress(z.buffer, law), shape: z.shape)
        }
        switch self {
        case .none: return z.detached
        case .exponent(let alpha, let factor) where alpha == 1: return z.detached.scaled(by: factor)
        case .exponent(let alpha, let factor):
            let (gain, power) = (Float(factor), Float((alpha - 1) / 2))
            if alpha == 0.5 {
                return z.scalingBins { square in square > 0 ? gain / square.squareRoot().squareRoot() : 0 }
            }
            return z.scalingBins { square in square > 0 ? gain * pow(square, power) : 0 }
        case .log(let factor):
            let gain = Float(factor)
            return z.scalingBins { square in
                let r = square.squareRoot()
                return r > 0 ? gain * log1p(r) / r : 0
            }
        }
    }

    /// The inverse of ``compress(_:)``, through which gradients flow.
    ///
    /// With `u = z/β` and `out = s(|u|) u`, a gradient `g` becomes `(s g + s′/|u| · u ⟨u, g⟩)/β`; zero at `u = 0`.
    public func expand(_ z: Tensor) -> Tensor {
        if let device = Device.current, let law { return z.expanded(law, on: device) }
        switch self {
        case .none: return z
        case .exponent(let alpha, let factor) where alpha == 1: return z.scaled(by: 1 / factor)
        case .exponent(let alpha, let factor):
            if alpha == 0.5 { return z.rescalingBins(by: 1 / factor) { r in (r, 1 / r) } }
            let p = Float(1 / alpha)
            return z.rescalingBins(by: 1 / factor) { r in (pow(r, p - 1), (p - 1) * pow(r, p - 3)) }
        case .log(let factor):
            return z.rescalingBins(by: 1 / factor) { r in
                let e = expm1(r)
                return (e / r, ((e + 1) * r - e) / (r * r * r))
            }
        }
    }
}

extension SpectralCompression {
    /// The law as a device computes it; `nil` where amplitudes are only scaled.
    fileprivate var law: AmplitudeLaw? {
        switch self {
        case .none: nil
        case .exponent(let alpha, let factor): alpha == 1 ? nil : .power(alpha: alpha, factor: factor)
        case .log(let factor): .log(factor: factor)
        }
    }
}

extension Tensor {
    fileprivate func expanded(_ law: AmplitudeLaw, on device: Device) -> Tensor {
        let (z, shape) = (Kept(self), shape)
        return Tensor(buffer: device.expand(buffer, law), shape: shape, from: [self]) { dy, sink in
            sink.add(Tensor(buffer: device.expandGradient(z.restored(), law, dy: dy.buffer), shape: shape), to: 0)
        }
    }

    /// Each complex number times a real function of its squared magnitude.
    fileprivate func scalingBins(_ scale: (Float) -> Float) -> Tensor {
        let values = mappingBins { _, re, im in
            let s = scale(re * re + im * im)
            return (re * s, im * s)
        }
        return Tensor(values, shape: shape)
    }

    /// `s(r) u` for `u = factor · z`, `r = |u|`; `law` gives `s` and `s′/r`.
    fileprivate func rescalingBins(by factor: Double, _ law: @escaping @Sendable (Float) -> (Float, Float)) -> Tensor {
        let f = Float(factor)
        let (z, shape) = (detached, shape)
        let values = z.mappingBins { _, re, im in
            let u = (re * f, im * f)
            let r = (u.0 * u.0 + u.1 * u.1).squareRoot()
            guard r != 0 else { return (0, 0) }
            let (s, _) = law(r)
            return (s * u.0, s * u.1)
        }
        return Tensor(values, shape: shape, from: [self]) { dy in
            let gradient = dy.withSpan { g in
                z.mappingBins { bin, re, im in
                    let u = (re * f, im * f)
                    let r = (u.0 * u.0 + u.1 * u.1).squareRoot()
                    guard r != 0 else { return (0, 0) }
                    let (s, slope) = law(r)
                    let g = (g[2 * bin], g[2 * bin + 1])
                    let along = slope * (u.0 * g.0 + u.1 * g.1)
                    return (f * (s * g.0 + along * u.0), f * (s * g.1 + along * u.1))
                }
            }
            return [Tensor(gradient, shape: shape)]
        }
    }

    /// The parts of a function of each complex number.
    private func mappingBins(_ body: (_ bin: Int, _ re: Float, _ im: Float) -> (Float, Float)) -> [Float] {
        let count = count
        return withSpan { z in
            var out: [Float] = []
            out.reserveCapacity(count)
            for bin in 0..<count / 2 {
                let value = body(bin, z[2 * bin], z[2 * bin + 1])
                out.append(value.0)
                out.append(value.1)
            }
            return out
        }
    }
}
