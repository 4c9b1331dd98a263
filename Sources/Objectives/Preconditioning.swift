import Foundation
public import Tensors

/// How a network's input and output are scaled around it, with `σ = std(t)` of the diffusion.
///
///     F = net(c_in x_t, c_in y, t) · scaling,    output = c_skip x_t + c_out F
///
/// Karras et al., *Elucidating the Design Space of Diffusion-Based Generative Models*, NeurIPS 2022, Table 1;
/// Richter et al., ICASSP 2025, Sec. 3.
public struct Preconditioning: Hashable, Sendable {
    /// The factor of the network's output before `c_out`: `1/σ` or `1/t`.
    public enum NetworkScaling: String, CaseIterable, Sendable {
        case inverseSigma = "1/sigma"
        case inverseTime = "1/t"
    }
    /// `c_in`: 1, or EDM's `1/√(σ² + σ_data²)`.
    public enum Input: String, CaseIterable, Sendable {
        case one = "1"
        case edm
    }
    /// `c_out`: 1, `σ`, `1/σ`, or EDM's `σ σ_data/√(σ² + σ_data²)`.
    public enum Output: String, CaseIterable, Sendable {
        case one = "1"
        case sigma
        case inverseSigma = "1/sigma"
        case edm
    }
    /// `c_skip`: 0, or EDM's `σ_data²/(σ² + σ_data²)`.
    public enum Skip: String, CaseIterable, Sendable {
        case zero = "0"
        case edm
    }

    /// `scaling`, the factor of the network itself; 1 if `nil`.
    public var networkScaling: NetworkScaling?
    /// `c_in`.
    public var input: Input
    /// `c_out`.
    public var output: Output
    /// `c_skip`.
    public var skip: Skip
    /// Standard deviation of the data, `σ_data`.
    public var sigmaData: Double

    public init(
        networkScaling: NetworkScaling? = nil, input: Input = .one, output: Output = .one, skip: Skip = .zero,
        sigmaData: Double = 0.1
    ) {
        self.networkScaling = networkScaling
        self.input = input
        self.output = output
        self.skip = skip
        self.sigmaData = sigmaData
    }

    func inputScale(_ sigma: Double) -> Double {
        input == .one ? 1 : 1 / (sigma * sigma + sigmaData * sigmaData).squareRoot()
    }

    func outputScale(_ sigma: Double) -> Double {
        switch output {
        case .one: 1
        case .sigma: sigma
        case .inverseSigma: 1 / sigma
        case .edm: sigma * sigmaData / (sigmaData * sigmaData + sigma * sigma).squareRoot()
        }
    }

    func skipScale(_ sigma: Double) -> Double {
        skip == .zero ? 0 : sigmaData * sigmaData / (sigma * sigma + sigmaData * sigmaData)
    }

    func networkScale(_ sigma: Double, _ t: Double) -> Double {
        switch networkScaling {
        case .inverseSigma: 1 / sigma
        case .inverseTime: 1 / t
        case nil: 1
        }
    }
}

/// What a model's output means.
public enum ModelOutput: Hashable, Sendable {
    /// The score of `p(x_t | y)`.
    case score
    /// The score, from a network that predicts the mean: `(F − x_t)/σ²`, whatever `c_skip` and `c_out` say.
    case scoreFromDenoiser
    /// Clean speech.
    case clean
    /// The velocity `dx_t/dt` of a flow.
    case velocity
}

extension Preconditioning {
    /// The model's output for states `x`, `[B, F, N, 2]`, at one time per sample.
    ///
    /// - Parameters:
    ///   - sigma: `std(t)` for every sample.
    ///   - network: The network over scaled inputs.
    public func apply(
        _ x: Tensor, _ y: Tensor, _ t: [Double], sigma: [Double], output kind: ModelOutput,
        network: (Tensor, Tensor, [Float]) -> Tensor
    ) -> Tensor {
        let scaleIn = sigma.map(inputScale)
        let isPlain = scaleIn.allSatisfy { $0 == 1 }
        let F = network(
            isPlain ? x : x.scaledSamples(by: scaleIn), isPlain ? y : y.scaledSamples(by: scaleIn), t.map(Float.init))
        let scaling = zip(sigma, t).map(networkScale)
        switch kind {
        case .scoreFromDenoiser:
            let scaled = scaling.allSatisfy { $0 == 1 } ? F : F.scaledSamples(by: scaling)
            return (scaled - x).scaledSamples(by: sigma.map { 1 / ($0 * $0) })
        case .score, .clean, .velocity:
            let out = zip(scaling, sigma.map(outputScale)).map(*)
            let scaled = out.allSatisfy { $0 == 1 } ? F : F.scaledSamples(by: out)
            let skips = sigma.map(skipScale)
            return skips.allSatisfy { $0 == 0 } ? scaled : scaled + x.scaledSamples(by: skips)
        }
    }
}
