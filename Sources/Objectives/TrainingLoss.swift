public import Tensors

/// The input of a loss: a batch of states with the signals and noise that they were made from. Spectrograms are `[B, F,
/// N, 2]`.
public struct LossInput: Sendable {
    /// The model's output: a score, clean speech, or a velocity.
    public var output: Tensor
    /// `x_t = mean + σ z`.
    public var state: Tensor
    /// `E|z|² = 1`, so ½ in each part.
    public var noise: Tensor
    /// The marginal's mean.
    public var mean: Tensor
    /// Clean speech `x₀`.
    public var clean: Tensor
    /// `std(t)` for every sample.
    public var sigma: [Double]
    /// `dx_t/dt` for the clean speech, noisy speech and noise of each sample; zeros for losses without velocities.
    public var velocity: Tensor
    /// The network's own weight for every sample, and its uncertainty `[B, 1]`; see ``UncertaintyLoss``.
    public var weights: [Double] = []
    /// `u_b`, the logarithm of the expected loss; `nil` for a network without one.
    public var uncertainty: Tensor?

    public init(
        output: Tensor, state: Tensor, noise: Tensor, mean: Tensor, clean: Tensor, sigma: [Double],
        velocity: Tensor? = nil
    ) {
        self.output = output
        self.state = state
        self.noise = noise
        self.mean = mean
        self.clean = clean
        self.sigma = sigma
        self.velocity = velocity ?? .zeros(clean.shape)
    }

    var batch: Int { sigma.count }
}

/// A loss and the terms it sums.
public struct LossValue: Sendable {
    /// The loss that training minimises, a scalar.
    public var total: Tensor
    /// Unweighted terms by name, where there are several.
    public var terms: [String: Double]

    public init(total: Tensor, terms: [String: Double] = [:]) {
        self.total = total
        self.terms = terms
    }
}

/// What training minimises.
public protocol TrainingLoss: Sendable {
    /// The quantity that the model predicts under this loss.
    var output: ModelOutput { get }
    func callAsFunction(_ input: LossInput) -> LossValue
}

/// Denoising score matching: `mean_b ½ Σ |σ s + z|²`, or `mean_b ½ Σ |σ s + z|`.
///
/// Vincent 2011; Richter et al., TASLP 2023, Eq. (9); the absolute error is an option of StoRM.
public struct ScoreMatchingLoss: TrainingLoss, Hashable {
    /// The squared error, or the absolute one.
    public enum Norm: String, Hashable, Sendable, CaseIterable { case mse, mae }

    /// The error that is summed.
    public var norm: Norm

    public init(norm: Norm = .mse) { self.norm = norm }

    /// The score, which the loss multiplies by `σ`.
    public var output: ModelOutput { .score }

    /// Summed over bins and frames, averaged over the batch.
    public func callAsFunction(_ input: LossInput) -> LossValue {
        let residual = input.output.scaledSamples(by: input.sigma) + input.noise
        let weight = 1 / Double(input.batch)
        switch norm {
        case .mse: return LossValue(total: residual.halfSquares(sampleWeights: input.sigma.map { _ in weight }))
        case .mae: return LossValue(total: residual.complexModuli().scaled(by: 0.5 * weight))
        }
    }
}

/// Denoising: `mean_b w(σ_b) ½ Σ |D − mean|²` with `D = σ² s + x_t`.
///
/// Richter et al., ICASSP 2025, Eq. (8). The reference multiplies every sample of the batch by every sample's EDM
/// weight; here each sample has its own weight, as in Karras et al. 2022.
public struct DenoiserLoss: TrainingLoss, Hashable {
    /// The weight of a sample's error as a function of its noise level.
    public enum Weighting: String, CaseIterable, Sendable {
        case one = "1"
        case sigmaSquared = "sigma^2"
        case edm
    }

    /// The weight `w(σ)`.
    public var weighting: Weighting
    /// The standard deviation of the data, `σ_data` of EDM's weight.
    public var sigmaData: Double

    public init(weighting: Weighting, sigmaData: Double = 0.1) {
        self.weighting = weighting
        self.sigmaData = sigmaData
    }

    /// The score, from which the loss computes the denoised mean.
    public var output: ModelOutput { .scoreFromDenoiser }

    /// `w(σ)`.
    public func weight(_ sigma: Double) -> Double {
        switch weighting {
        case .one: 1
        case .sigmaSquared: sigma * sigma
        case .edm: (sigma * sigma + sigmaData * sigmaData) / (sigma * sigmaData * sigma * sigmaData)
        }
    }

    /// Summed over bins and frames, averaged over the batch.
    public func callAsFunction(_ input: LossInput) -> LossValue {
        let denoised = input.output.scaledSamples(by: input.sigma.map { $0 * $0 }) + input.state
        let weights = input.sigma.map { weight($0) / Double(input.batch) }
        return LossValue(total: (denoised - input.mean).halfSquares(sampleWeights: weights))
    }
}

/// Data prediction: `mean_b [ ½ Σ |x̂ − x|²/(FN) + λ₁ ½ Σ |x̂(τ) − x(τ)|/L + λ_p PESQ(x, x̂) ]`.
///
/// Jukić et al. 2024; Richter et al., ICASSP 2025, Eq. (12). With a batch of one the reference divides the term in time
/// by `L` twice; here it is divided once.
public struct DataPredictionLoss: TrainingLoss {
    /// A term over waveforms `[B, L]`, clean and estimated; its mean over the batch, a scalar.
    public typealias WaveformTerm = @Sendable (_ clean: Tensor, _ estimate: Tensor) -> Tensor

    /// STFT and compression, to compute samples from spectrograms.
    public var frontEnd: FrontEnd
    /// The weight `λ₁` of the absolute error of the samples.
    public var l1Weight: Double
    /// The weight `λ_p` of ``perceptual``.
    public var perceptualWeight: Double
    /// A term of its own over samples; `nil` without one.
    public var perceptual: WaveformTerm?

    public init(
        frontEnd: FrontEnd, l1Weight: Double = 0.001, perceptualWeight: Double = 0, perceptual: WaveformTerm? = nil
    ) {
        precondition(perceptualWeight == 0 || perceptual != nil, "a perceptual weight without a perceptual term")
        self.frontEnd = frontEnd
        self.l1Weight = l1Weight
        self.perceptualWeight = perceptualWeight
        self.perceptual = perceptual
    }

    /// Clean speech.
    public var output: ModelOutput { .clean }

    /// The sum of the weighted terms; `terms` holds each without its weight.
    public func callAsFunction(_ input: LossInput) -> LossValue {
        let (bins, frames) = (input.clean.shape[1], input.clean.shape[2])
        let weight = 1 / Double(input.batch * bins * frames)
        var total = (input.output - input.clean).halfSquares(sampleWeights: input.sigma.map { _ in weight })
        var terms = ["spectral": Double(total.item)]
        guard l1Weight > 0 || perceptualWeight > 0 else { return LossValue(total: total, terms: terms) }
        let estimate = frontEnd.audio(input.output)
        let clean = frontEnd.audio(input.clean)
        if l1Weight > 0 {
            let l1 = (estimate - clean).absoluteSum().scaled(by: 0.5 / Double(estimate.count))
            terms["l1"] = Double(l1.item)
            total = .weighted(1, total, l1Weight, l1)
        }
        if perceptualWeight > 0, let perceptual {
            let term = perceptual(clean, estimate)
            terms["pesq"] = Double(term.item)
            total = .weighted(1, total, perceptualWeight, term)
        }
        return LossValue(total: total, terms: terms)
    }
}
