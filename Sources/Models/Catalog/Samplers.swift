package import Diffusion
import SpecLanguage
import Specs

/// What a sampler is made for.
package struct SamplerContext: Sendable {
    /// Where predictors and correctors are looked up.
    package var catalog: Catalog
    package var sde: any SDE
    /// N, the number of reverse steps; `nil` for a sampler that chooses its steps.
    package var steps: Int?
    /// t_eps, the time at which sampling ends.
    package var finalTime: Double

    package init(catalog: Catalog, sde: any SDE, steps: Int?, finalTime: Double) {
        (self.catalog, self.sde, self.steps, self.finalTime) = (catalog, sde, steps, finalTime)
    }

    /// N.
    ///
    /// - Throws: `IncompatibleParts` where none was given.
    fileprivate func numberOfSteps() throws -> Int {
        guard let steps else { throw IncompatibleParts(reason: "sampler: it takes N steps, and no N is given") }
        return steps
    }

    /// A starting point inside of the process and before its last time.
    fileprivate func startTime(_ start: Double?, before finalTime: Double? = nil) throws -> Double? {
        guard let start else { return nil }
        let finalTime = finalTime ?? self.finalTime
        guard start > finalTime, start <= sde.endTime else {
            throw IncompatibleParts(
                reason: "sampler: start \(start) must lie between t_eps \(finalTime) and the SDE's end, \(sde.endTime)")
        }
        return start
    }

    /// The SDE as a bridge, which the samplers of bridges need.
    fileprivate func bridge(_ need: String) throws -> SBVE {
        guard let bridge = sde as? SBVE else { throw IncompatibleParts(reason: need) }
        return bridge
    }
}

/// Makes a sampler for an SDE, N and a final time.
public struct SamplerFactory: Sendable {
    /// - Throws: `IncompatibleParts`, or an unknown predictor or corrector.
    package let make: @Sendable (SamplerContext) throws -> any Sampler
}

extension Registry<SamplerFactory> {
    /// The samplers.
    static let samplers = Registry(
        "sampler",
        [
            predictorCorrector, adaptive,
            fixed(
                "ode_euler", .euler, "by Euler's method", calls: "N", "N + 1",
                source: "Song et al., ICLR 2021, Eq. (13)"),
            fixed(
                "ode_midpoint", .midpoint, "by the midpoint method", calls: "2N − 1", "2N + 1", source: "Runge, 1895"),
            fixed(
                "ode_heun", .heun, "by Heun's method", calls: "2N − 1", "2N + 1",
                source: "Karras et al., NeurIPS 2022, Alg. 1"),
            Entry(
                "regression", "The estimate of the regression in front of the diffusion, which is left out",
                source: "Lemercier et al., StoRM, TASLP 2023",
                traits: [.choosesSteps, .takesRegression]
            ) { SamplerFactory { _ in RegressionEstimate() } },
            lastPrediction(
                "edm2_ode", .ode,
                "The bridge's deterministic sampler with the network asked at the time that a step leaves"),
            lastPrediction(
                "edm2_sde", .sde,
                "The bridge's stochastic sampler with the network asked at the time that a step leaves"),
            meanFlow,
            bridge("sb_ode", .ode, "The bridge's deterministic sampler"),
            bridge("sb_sde", .sde, "The bridge's stochastic sampler"),
        ])

    // MARK: Predictor and corrector

    private struct PredictorCorrectorSettings: Sendable {
        var predictor = Choice("reverse_diffusion")
        var corrector = Choice("ald")
        var correctorSteps = 1
        var snr = 0.5
        var start: Double?
    }

    private static let predictorCorrector = Entry(
        "pc", "Predictor and corrector on the reverse SDE", source: "Song et al., ICLR 2021, Alg. 1",
        of: PredictorCorrectorSettings(),
        [
            Setting(\.predictor, "predictor", of: .predictor, "The step back in time."),
            Setting(\.corrector, "corrector", of: .corrector, "The steps at each time."),
            Setting(
                \.correctorSteps, "corrector_steps", in: .between(0, 1000), "Corrector steps at each time."),
            Setting(\.snr, "snr", in: .positive, "Step size of the corrector, r."),
            start(\.start),
        ]
    ) { settings in
        SamplerFactory { context in
            let catalog = context.catalog
            return PredictorCorrector(
                sde: context.sde, predictor: try catalog.predictors.make(settings.predictor),
                corrector: try catalog.correctors.make(settings.corrector).make(settings.snr),
                correctorSteps: settings.correctorSteps, steps: try context.numberOfSteps(),
                finalTime: context.finalTime, startTime: try context.startTime(settings.start))
        }
    }

    /// Where sampling starts, which many samplers take.
    private static func start<Holder>(_ path: any WritableKeyPath<Holder, Double?> & Sendable) -> Setting<Holder> {
        Setting(
            path, "start", in: Bounds(from: 0, to: 1, excludesLower: true),
            "Reverse starting point; the SDE's end if absent.")
    }

    private struct StartSettings: Sendable {
        var start: Double?
    }

    // MARK: Ordinary differential equations

    private struct AdaptiveSettings: Sendable {
        var relativeTolerance = 1e-5
        var absoluteTolerance = 1e-5
        var start: Double?
    }

    private static let adaptive = Entry(
        "ode",
        "Probability-flow ODE, or a flow's own, by the adaptive Runge–Kutta method of Dormand and Prince, RK45",
        source: "Song et al., ICLR 2021, Eq. (13)", of: AdaptiveSettings(),
        [
            Setting(\.relativeTolerance, "rtol", in: .positive, "Relative tolerance."),
            Setting(\.absoluteTolerance, "atol", in: .positive, "Absolute tolerance."),
            start(\.start),
        ],
        traits: [.choosesSteps]
    ) { settings in
        SamplerFactory { context in
            ode(
                .rk45(
                    relativeTolerance: settings.relativeTolerance, absoluteTolerance: settings.absoluteTolerance),
                context, try context.startTime(settings.start))
        }
    }

    /// - Parameter calls: How often the model is asked, of a flow and of any other process.
    private static func fixed(
        _ name: String, _ method: RungeKutta, _ summary: String, calls flow: String, _ others: String, source: String
    ) -> Entry {
        Entry(
            name,
            """
            The ODE of a flow \(summary), \(flow) evaluations; of other processes the probability flow, \(others) \
            evaluations
            """,
            source: source, of: StartSettings(), [start(\.start)]
        ) { settings in
            SamplerFactory { context in
                ode(
                    .fixed(method, steps: try context.numberOfSteps()), context,
                    try context.startTime(settings.start))
            }
        }
    }

    /// A flow's model predicts the slope itself; any other process's slope follows from the score.
    private static func ode(_ solver: ODESolver, _ context: SamplerContext, _ start: Double?) -> any Sampler {
        context.sde is FlowMatching
            ? VelocityFlow(process: context.sde, solver: solver, finalTime: context.finalTime, startTime: start)
            : ProbabilityFlow(sde: context.sde, solver: solver, finalTime: context.finalTime, startTime: start)
    }

    private static let meanFlow = Entry(
        "mean_flow", "Steps by the average velocity over each: N evaluations, of which one is enough",
        source: "Geng et al., 2025, Eq. (13)", of: StartSettings(), [start(\.start)], traits: [.needsInterval]
    ) { settings in
        SamplerFactory { context in
            MeanFlowSampler(
                process: context.sde, steps: try context.numberOfSteps(),
                startTime: try context.startTime(settings.start, before: 0))
        }
    }

    // MARK: Bridges

    private static func lastPrediction(_ name: String, _ process: BridgeSampler.Process, _ summary: String) -> Entry {
        Entry(name, summary, source: "EDM2SE, ICASSP 2026, after Jukić et al., Interspeech 2024") {
            SamplerFactory { context in
                LastPredictionSampler(
                    bridge: try context.bridge("sampler '\(name)' needs a bridge: the SDE 'sbve' or 'sbve_edm2'"),
                    process: process, steps: try context.numberOfSteps())
            }
        }
    }

    private struct BridgeSettings: Sendable {
        var end = 1e-4
    }

    private static func bridge(_ name: String, _ process: BridgeSampler.Process, _ summary: String) -> Entry {
        Entry(
            name, summary, source: "Jukić et al., Interspeech 2024", of: BridgeSettings(),
            [Setting(\.end, "end", in: Bounds(from: 0, to: 1, excludesLower: true), "The last time.")]
        ) { settings in
            SamplerFactory { context in
                BridgeSampler(
                    bridge: try context.bridge("sampler '\(name)' needs the SDE 'sbve'"), process: process,
                    steps: try context.numberOfSteps(), finalTime: settings.end)
            }
        }
    }
}
