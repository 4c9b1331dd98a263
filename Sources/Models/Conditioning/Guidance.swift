public import Tensors

/// Classifier-free guidance: `s₀ + w (s₁ − s₀)`.
///
/// `s₁` is the score under the reference's embedding, `s₀` the one under the embedding of zeros that training's dropout
/// uses. At `w` = 0 and `w` = 1 only one of them is computed, otherwise both in one batch.
///
/// Ho & Salimans, *Classifier-Free Diffusion Guidance*, 2022, with `w` here one more than theirs.
public struct Guidance: Hashable, Sendable {
    /// `w`: 1 is the conditional score alone, 0 the unconditional one, above 1 extrapolates.
    public var scale: Double
    /// Whether scales of 0 and 1 evaluate the network once; the probes set it to `false` to compare both ways.
    public var takesShortcut: Bool

    public init(_ scale: Double = 1, takesShortcut: Bool = true) {
        (self.scale, self.takesShortcut) = (scale, takesShortcut)
    }

    /// A model's output, and how many evaluations of the network it took.
    ///
    /// - Parameter condition: The embedding of the reference, or none.
    public func output(
        _ model: ScoreModel, _ x: Tensor, _ y: Tensor, _ t: Double, under condition: NoiseCondition
    ) -> (value: Tensor, evaluations: Int) {
        let batch = x.shape[0]
        func once(_ noise: Tensor?) -> (value: Tensor, evaluations: Int) {
            (model(x, y, [Double](repeating: t, count: batch), noise: noise), 1)
        }
        guard case .embedding(let embedding) = condition else { return once(nil) }
        let empty = Tensor.zeros(embedding.shape)
        if takesShortcut, scale == 1 { return once(embedding) }
        if takesShortcut, scale == 0 { return once(empty) }
        let both = model(
            .stacked([x, x]), .stacked([y, y]), [Double](repeating: t, count: 2 * batch),
            noise: .stacked([embedding, empty]))
        let (conditional, unconditional) = (both.samples(0..<batch), both.samples(batch..<2 * batch))
        return (.weighted(scale, conditional, 1 - scale, unconditional), 2)
    }
}

/// A noise reference as a network takes it.
public enum NoiseCondition: Sendable {
    /// The network takes none, or its conditioning layers are left out.
    case none
    /// `[B, width]`, or a sequence `[B, L, width]`.
    case embedding(Tensor)
}

extension ScoreModel {
    /// The condition that the network receives for a reference, whose segment is divided by `divisor` as its recording
    /// is.
    ///
    /// - Parameter transform: From samples to a compressed spectrogram `[1, F, N, 2]`.
    package func condition(
        of reference: NoiseReference, dividedBy divisor: Float, transform: ([[Float]]) -> Tensor
    ) -> NoiseCondition {
        switch reference {
        case .skipped: return .none
        case .zero: return emptyEmbedding().map(NoiseCondition.embedding) ?? .none
        case .segment(let samples):
            guard isConditioned else { return .none }
            return embedding(of: transform([samples.map { $0 / divisor }])).map(NoiseCondition.embedding) ?? .none
        }
    }
}
