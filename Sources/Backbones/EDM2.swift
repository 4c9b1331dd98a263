import Foundation
public import Layers
public import Tensors

/// A network that scales its own input and output for a bridge, predicts clean speech, and estimates its expected loss.
public protocol UncertainBackbone: Backbone {
    /// The weight of the squared distance at a time: the inverse of the factor of the network's output.
    func lossWeight(at t: Double) -> Double

    /// `u(t)`, the logarithm of the expected loss: `[B, 1]` for one time per sample.
    func uncertainty(at t: [Double], _ mode: ForwardMode) -> Tensor
}

/// `edm2`: the magnitude-preserving U-Net of EDM2, preconditioned for the Schrödinger bridge.
///
///     D(x_t, y, t) = c_s x_t + c_out(t) U(c_in(t) x_t, ¼ ln std(t), c_in(T) y)
///     c_in  = 1 / ((w_x + w_y)² σ_x² + w_y² σ_n² + std²)
///     c_out = √((1 − w_x − w_y)² σ_x² + w_y² σ_n² + std²)   for c_s = 1,     σ_x for c_s = 0
///
/// with the weights `w_x`, `w_y` and the deviation `std` of the bridge's marginal per real number. Spectrograms are
/// `[B, F, N, 2]`; real and imaginary part are two channels.
///
/// Karras et al., CVPR 2024; EDM2SE, ICASSP 2026, arXiv 2505.05216, Eq. (20)–(23): `c_in` has no square root there, and
/// has none here. It is the network of M4 in Richter et al., ICASSP 2025.
public struct EDM2: UncertainBackbone {
    /// All weights, in the reference's order and with its names.
    public let parameters: [Parameter]
    /// Constants that are stored with the weights.
    public let buffers: [Parameter]
    /// What the network was built from.
    public let options: EDM2Options
    private let network: EDM2UNet
    private let features: MagnitudeFourier
    private let logVariance: MagnitudeLinear

    public init(_ options: EDM2Options = EDM2Options(), seed: UInt64 = 0) throws(BackboneError) {
        try options.validate()
        self.options = options
        let scope = ParameterScope(seed: seed)
        network = EDM2UNet(options, scope.scope("unet"))
        features = MagnitudeFourier(scope.scope("logvar_fourier"), count: options.logvarChannels)
        logVariance = MagnitudeLinear(scope.scope("logvar_linear"), options.logvarChannels, 1)
        (parameters, buffers) = (scope.collector.parameters, scope.collector.buffers)
    }

    /// 2 to the number of halvings, for bins and frames alike.
    public var divisor: (bins: Int, frames: Int) {
        let factor = 1 << (options.channelMult.count - 1)
        return (factor, factor)
    }

    /// `2^levels`, twice the network's divisor, as the reference's script pads.
    public var frameMultiple: Int { 2 * divisor.frames }

    /// `false`, as in the reference's script, which removes the padded frames before the synthesis.
    public var usesFilledFrames: Bool { false }

    /// Clean speech `D(x_t, y, t)`, `[B, F, N, 2]`, already scaled.
    public func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode) -> Tensor {
        precondition(x.shape == y.shape && x.rank == 4 && x.shape[3] == 2, "x \(x.shape), y \(y.shape)")
        func factors(_ factor: @escaping @Sendable ((input: Double, output: Double, level: Double)) -> Double) -> Tensor
        {
            .computed(from: t, shape: [t.count]) { [options] in
                $0.map { Float(factor(options.scalings(at: Double($0)))) }
            }
        }
        let condition = y.scaled(by: options.scalings(at: options.endTime).input)
        let out = network(x.scaledSamples(by: factors(\.input)), t, condition, mode)
            .scaledSamples(by: factors(\.output))
        return options.prediction == .noise ? x + out : out
    }

    /// `1/c_out(t)` for `c_s` = 1, `1/σ_x²` for `c_s` = 0.
    public func lossWeight(at t: Double) -> Double {
        options.prediction == .noise ? 1 / options.scalings(at: t).output : 1 / (options.sigmaX * options.sigmaX)
    }

    /// A linear map of Fourier features of `¼ ln std(t)`, `[B, 1]`.
    public func uncertainty(at t: [Double], _ mode: ForwardMode) -> Tensor {
        logVariance(features(t.map { Float(options.scalings(at: $0).level) }), mode)
    }
}

extension EDM2Options {
    /// The marginal of the bridge per real number: the weights of clean and noisy speech, and the standard deviation.
    ///
    ///     σ² = c (k^{2t} − 1)/(2 ln k) + ε,   σ̄² = σ_T² − σ² + ε
    ///     w_x = σ̄²/(σ_T² + ε),   w_y = σ²/(σ_T² + ε),   std = σ σ̄/(σ_T + ε)
    package func marginal(at t: Double) -> (clean: Double, noisy: Double, std: Double, sigma: Double, sigmaBar: Double)
    {
        func variance(_ t: Double) -> Double {
            let rate = 2 * log(k)
            return (rate == 0 ? c * t : c * expm1(rate * t) / rate) + epsilon
        }
        let (past, whole) = (variance(t), variance(endTime))
        let future = max(0, whole - past) + epsilon
        return (
            future / (whole + epsilon), past / (whole + epsilon),
            (past * future).squareRoot() / (whole.squareRoot() + epsilon),
            past.squareRoot(), future.squareRoot()
        )
    }

    /// The factors of the network's input and output at a time, and the noise level that it takes as input.
    package func scalings(at t: Double) -> (input: Double, output: Double, level: Double) {
        let m = marginal(at: t)
        let (x, n, s) = (sigmaX * sigmaX, m.noisy * m.noisy * sigmaN * sigmaN, m.std * m.std)
        let (sum, rest) = (m.clean + m.noisy, 1 - m.clean - m.noisy)
        let output = prediction == .noise ? (rest * rest * x + n + s).squareRoot() : sigmaX
        return (1 / (sum * sum * x + n + s), output, log(m.std) / 4)
    }
}
