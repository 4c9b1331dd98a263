import Diffusion
import SpecLanguage
import Specs

extension Catalog {
    /// How far the mean of the sampling start is from the marginal's: the weight of clean speech that is left at the
    /// end.
    ///
    ///     y − mean(T) = clean(T) (y − x₀)
    ///
    /// - Returns: The weight at the default parameters and its closed form; `nil` for an SDE that is not registered.
    public func priorMismatch(of sde: String) -> (value: Double, formula: String)? {
        guard let entry = sdes[sde], let built = try? entry.standard(vocabulary) else { return nil }
        return (built.priorMismatch(), entry.descriptor.traits.priorMismatch ?? "clean(T)")
    }
}
