import Diffusion
public import Models
public import Tensors

/// A conditioned model as the probes see it: its score under an embedding, and its guided score.
public struct ProbeSubject: Sendable {
    /// The weights that are probed.
    public var model: ScoreModel
    /// The guided score, computed the long way at every scale.
    public var guided: @Sendable (_ x: Tensor, _ y: Tensor, _ t: Double, _ embedding: Tensor, _ scale: Double) -> Tensor

    /// A model under this program's guidance.
    public init(_ model: ScoreModel) {
        self.model = model
        guided = { x, y, t, embedding, scale in
            Guidance(scale, takesShortcut: false).output(model, x, y, t, under: .embedding(embedding)).value
        }
    }

    /// The score at one time for all samples of a batch.
    func score(_ x: Tensor, _ y: Tensor, _ t: Double, _ embedding: Tensor) -> Tensor {
        model(x, y, [Double](repeating: t, count: x.shape[0]), noise: embedding)
    }
}

/// A state of the diffusion at which a probe evaluates the model, with embeddings of references.
public struct ProbeState: Sendable {
    /// The recording that the state is made of.
    public var file: String
    /// The noise's type, where the set states it.
    public var noise: String?
    /// `[1, F, N, 2]`.
    public var clean, noisy, draw: Tensor
    /// The embeddings of the file's own noise, another's, and white noise.
    public var oracle, mismatched, random: Tensor

    public init(
        file: String, noise: String? = nil, clean: Tensor, noisy: Tensor, draw: Tensor, oracle: Tensor,
        mismatched: Tensor,
        random: Tensor
    ) {
        (self.file, self.noise, self.clean, self.noisy, self.draw) = (file, noise, clean, noisy, draw)
        (self.oracle, self.mismatched, self.random) = (oracle, mismatched, random)
    }

    /// The state at a time, `mean + std·z`.
    func state(of model: ScoreModel, at t: Double) -> Tensor {
        let marginal = model.sde.marginal(at: t)
        return .weighted(1, .weighted(marginal.clean, clean, marginal.noisy, noisy), marginal.std, draw)
    }
}

/// A mean and its 95 % interval.
public struct ProbeEstimate: Hashable, Sendable, Codable {
    /// NaN for no value.
    public var mean: Double
    /// `nil` for fewer than two values.
    public var lower, upper: Double?
    /// How many values, one for each file.
    public var n: Int
}
