public import Diffusion
import SpecLanguage
import Specs

extension Registry<any Predictor> {
    private static let song = "Song et al., ICLR 2021"
    private static let storm = "Lemercier et al., StoRM, TASLP 2023"

    /// The steps back in time of the sampler `pc`.
    static let predictors = Registry(
        "predictor",
        [
            Entry("reverse_diffusion", "The reverse of the SDE's own discretisation", source: song) {
                ReverseDiffusion()
            },
            Entry("euler_maruyama", "Euler–Maruyama on the reverse SDE, with the grid's step", source: song) {
                EulerMaruyama()
            },
            Entry(
                "reverse_diffusion_share", "As reverse_diffusion, with steps of 1/N whatever the grid is", source: storm
            ) { ReverseDiffusion(stepsByShare: true) },
            Entry("euler_maruyama_share", "As euler_maruyama, with steps of 1/N whatever the grid is", source: storm) {
                EulerMaruyama(stepsByShare: true)
            },
            Entry("ancestral", "Draws from the posterior of the exact transition", source: song + ", App. F") {
                Ancestral()
            },
            Entry("none", "No prediction") { NoPredictor() },
        ])
}

/// Makes a corrector for a step size `snr`.
public struct CorrectorFactory: Sendable {
    /// - Parameter: The step size r of the Langevin dynamics.
    public let make: @Sendable (Double) -> any Corrector
}

extension Registry<CorrectorFactory> {
    /// The steps at each time of the sampler `pc`.
    static let correctors = Registry(
        "corrector",
        [
            Entry(
                "ald", "Annealed Langevin dynamics, step size from the marginal's std",
                source: "Richter et al., TASLP 2023"
            ) { CorrectorFactory { AnnealedLangevin(snr: $0) } },
            Entry(
                "langevin", "Langevin dynamics, step size from the norms of score and noise",
                source: "Song et al., ICLR 2021, Alg. 4"
            ) { CorrectorFactory { Langevin(snr: $0) } },
            Entry("none", "No correction") { CorrectorFactory { _ in NoCorrector() } },
        ])
}
