import Diffusion
import SpecLanguage

extension Catalog {
    /// How far the mean of the sampling start is from the marginal's: the weight of clean speech that is left at the
    /// end.
    ///
    ///     y − mean(T) = clean(T) (y − x₀)
    ///
    /// - Returns: The weight at the default parameters and its closed form; `nil` for an SDE that is not registered.
    public func priorMismatch(of sde: String) -> (value: Double, formula: String)? {
        guard let built = try? sdes[sde]?.standard(vocabulary) else { return nil }
        return (built.priorMismatch(), Self.mismatchFormulas[sde] ?? "clean(T)")
    }

    private static let mismatchFormulas = [
        "ouve": "e^(−theta)", "sbve": "0, but for eps", "sbve_edm2": "0, but for eps",
        "bbed": "1 − T_sampling", "ve": "1", "flow": "1 − T_rev",
        "vp": "e^(−(beta_min + beta_max)/4)", "subvp": "e^(−(beta_min + beta_max)/4)",
    ]
}
