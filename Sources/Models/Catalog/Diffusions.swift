import Diffusion
public import Failures
import SpecLanguage
import Specs

extension Registry<any SDE> {
    private static let reverse = ["pc", "ode", "ode_euler", "ode_midpoint", "ode_heun"]
    private static let scoreLosses = ["score_matching", "denoiser", "score_matching_mae"]
    private static let sgmse = "Richter et al., TASLP 2023"
    private static let song = "Song et al., ICLR 2021"

    private static let sigmas: [Field] = [
        .number("sigma_min", default: 0.05, in: .positive, "Least standard deviation of the noise."),
        .number("sigma_max", default: 0.5, in: .positive, "Most standard deviation of the noise."),
    ]
    private static let betas: [Field] = [
        .number("beta_min", default: 0.1, in: .positive, "Least noise rate."),
        .number("beta_max", default: 20.0, in: .positive, "Most noise rate."),
        .number("scale", default: 0.5, in: .positive, "Standard deviation that the noise tends to."),
    ]

    /// The diffusions.
    static let sdes = Registry(
        "SDE",
        [
            Entry(
                "ouve", "Ornstein–Uhlenbeck, exploding variance", source: sgmse,
                parameters: [.number("theta", default: 1.5, in: .positive, "Stiffness of the pull towards y.")]
                    + sigmas,
                traits: [.steps(30), .samplers(reverse), .losses(scoreLosses), .ascending("sigma_min", "sigma_max")]
            ) {
                OUVE(theta: $0.number("theta"), sigmaMin: $0.number("sigma_min"), sigmaMax: $0.number("sigma_max"))
            },
            Entry(
                "sbve", "Schrödinger bridge, exploding variance", source: "Jukić et al., Interspeech 2024",
                parameters: [
                    .number("k", default: 2.6, in: .positive, "Growth of the diffusion coefficient."),
                    .number("c", default: 0.4, in: .positive, "Scale of the diffusion coefficient, squared."),
                    .number("eps", default: 1e-8, in: .positive, "Keeps denominators from zero."),
                ],
                traits: [
                    .steps(50), .samplers(["sb_ode", "sb_sde", "edm2_ode", "edm2_sde"]),
                    .losses(["data_prediction", "uncertainty"]),
                ]
            ) {
                SBVE(k: $0.number("k"), c: $0.number("c"), epsilon: $0.number("eps"))
            },
            Entry(
                "sbve_edm2", "The bridge with noise of unit variance in the real and in the imaginary part",
                source: "EDM2SE, ICASSP 2026",
                parameters: [
                    .number("k", default: 2.6, in: .positive, "Growth of the diffusion coefficient."),
                    .number("c", default: 0.4, in: .positive, "Scale of the diffusion coefficient, squared."),
                    .number("eps", default: 1e-8, in: .positive, "Keeps denominators from zero."),
                ],
                traits: [
                    .steps(50), .samplers(["edm2_ode", "edm2_sde", "sb_ode", "sb_sde"]),
                    .losses(["uncertainty", "data_prediction"]),
                ]
            ) {
                SBVE(k: $0.number("k"), c: $0.number("c"), epsilon: $0.number("eps"), noiseScale: 2.0.squareRoot())
            },
            Entry(
                "bbed", "Brownian bridge with exponential diffusion", source: "Lay et al., Interspeech 2023",
                parameters: [
                    .number("k", default: 2.6, in: .positive, "Growth of the diffusion coefficient."),
                    .number("theta", default: 0.52, in: .positive, "Its square at time 0."),
                    .number(
                        "T_sampling", default: 0.999,
                        in: Bounds(from: 0, to: 1, excludesLower: true, excludesUpper: true), "Where sampling starts."),
                ],
                traits: [.steps(30), .samplers(reverse), .losses(scoreLosses)]
            ) {
                BBED(k: $0.number("k"), theta: $0.number("theta"), endTime: $0.number("T_sampling"))
            },
            Entry(
                "ve", "Exploding variance around the clean speech", source: song, parameters: sigmas,
                traits: [.steps(30), .samplers(reverse), .losses(scoreLosses), .ascending("sigma_min", "sigma_max")]
            ) { VE(sigmaMin: $0.number("sigma_min"), sigmaMax: $0.number("sigma_max")) },
            Entry(
                "vp", "Preserved variance, drifting to the noisy speech", source: song, parameters: betas,
                traits: [.steps(30), .samplers(reverse), .losses(scoreLosses), .ascending("beta_min", "beta_max")]
            ) { VP(betaMin: $0.number("beta_min"), betaMax: $0.number("beta_max"), scale: $0.number("scale")) },
            Entry(
                "subvp", "As vp, with less noise on the way", source: song, parameters: betas,
                traits: [.steps(30), .samplers(reverse), .losses(scoreLosses), .ascending("beta_min", "beta_max")]
            ) { SubVP(betaMin: $0.number("beta_min"), betaMax: $0.number("beta_max"), scale: $0.number("scale")) },
            Entry(
                "flow", "Flow matching: a straight path, whose velocity is learned", source: "Lee et al., ICASSP 2025",
                parameters: [
                    .number(
                        "sigma_min", default: 0.0, in: .nonNegative, "Standard deviation of the noise at clean speech."),
                    .number(
                        "sigma_max", default: 0.487, in: .positive, "Standard deviation of the noise at the start."),
                    .oneOf(
                        "origin", ["noisy", "noise"], default: "noisy",
                        "What sampling starts around: noisy speech, or noise alone."),
                    .number(
                        "T_rev", default: 1.0, in: Bounds(from: 0, to: 1, excludesLower: true),
                        "The last time of training, where sampling starts."),
                ],
                traits: [
                    .steps(5), .samplers(["ode_euler", "ode_midpoint", "ode_heun", "ode", "mean_flow"]),
                    .losses(["velocity_matching", "mean_flow", "composition"]),
                ]
            ) {
                FlowMatching(
                    sigmaMin: $0.number("sigma_min"), sigmaMax: $0.number("sigma_max"),
                    origin: .init(rawValue: $0.text("origin")) ?? .noisy, endTime: $0.number("T_rev"))
            },
        ])
}

extension Registry<any Predictor> {
    static let predictors = Registry(
        "predictor",
        [
            Entry("reverse_diffusion", "The reverse of the SDE's own discretisation", source: "Song et al., ICLR 2021")
            { _ in
                ReverseDiffusion()
            },
            Entry(
                "euler_maruyama", "Euler–Maruyama on the reverse SDE, with the grid's step",
                source: "Song et al., ICLR 2021"
            ) { _ in
                EulerMaruyama()
            },
            Entry(
                "reverse_diffusion_share", "As reverse_diffusion, with steps of 1/N whatever the grid is",
                source: "Lemercier et al., StoRM, TASLP 2023"
            ) { _ in
                ReverseDiffusion(stepsByShare: true)
            },
            Entry(
                "euler_maruyama_share", "As euler_maruyama, with steps of 1/N whatever the grid is",
                source: "Lemercier et al., StoRM, TASLP 2023"
            ) { _ in
                EulerMaruyama(stepsByShare: true)
            },
            Entry(
                "ancestral", "Draws from the posterior of the exact transition",
                source: "Song et al., ICLR 2021, App. F"
            ) { _ in
                Ancestral()
            },
            Entry("none", "No prediction") { _ in NoPredictor() },
        ])
}

extension Registry<CorrectorFactory> {
    static let correctors = Registry(
        "corrector",
        [
            Entry(
                "ald", "Annealed Langevin dynamics, step size from the marginal's std",
                source: "Richter et al., TASLP 2023"
            ) { _ in
                CorrectorFactory { AnnealedLangevin(snr: $0) }
            },
            Entry(
                "langevin", "Langevin dynamics, step size from the norms of score and noise",
                source: "Song et al., ICLR 2021, Alg. 4"
            ) { _ in
                CorrectorFactory { Langevin(snr: $0) }
            },
            Entry("none", "No correction") { _ in CorrectorFactory { _ in NoCorrector() } },
        ])
}

extension Registry<SamplerFactory> {
    static let samplers = Registry(
        "sampler",
        [
            Entry(
                "pc", "Predictor and corrector on the reverse SDE", source: "Song et al., ICLR 2021, Alg. 1",
                parameters: [
                    .choice("predictor", of: .predictor, default: "reverse_diffusion", "The step back in time."),
                    .choice("corrector", of: .corrector, default: "ald", "The steps at each time."),
                    .integer("corrector_steps", default: 1, in: .between(0, 1000), "Corrector steps at each time."),
                    .number("snr", default: 0.5, in: .positive, "Step size of the corrector, r."),
                    start,
                ]
            ) { settings in
                SamplerFactory { catalog, sde, steps, finalTime in
                    PredictorCorrector(
                        sde: sde, predictor: try catalog.predictors.make(settings.choice("predictor")),
                        corrector: try catalog.correctors.make(settings.choice("corrector")).make(
                            settings.number("snr")),
                        correctorSteps: settings.integer("corrector_steps"), steps: steps ?? 30, finalTime: finalTime,
                        startTime: try startTime(settings, sde, finalTime))
                }
            },
            Entry(
                "ode",
                "Probability-flow ODE, or a flow's own, by the adaptive Runge–Kutta method of Dormand and Prince, RK45",
                source: "Song et al., ICLR 2021, Eq. (13)",
                parameters: [
                    .number("rtol", default: 1e-5, in: .positive, "Relative tolerance."),
                    .number("atol", default: 1e-5, in: .positive, "Absolute tolerance."),
                    start,
                ],
                traits: [.choosesSteps]
            ) { settings in
                SamplerFactory { _, sde, _, finalTime in
                    let solver = ODESolver.rk45(
                        relativeTolerance: settings.number("rtol"), absoluteTolerance: settings.number("atol"))
                    return ode(sde, solver, finalTime, try startTime(settings, sde, finalTime))
                }
            },
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
            ) { _ in SamplerFactory { _, _, _, _ in RegressionEstimate() } },
            lastPrediction(
                "edm2_ode", .ode,
                "The bridge's deterministic sampler with the network asked at the time that a step leaves"),
            lastPrediction(
                "edm2_sde", .sde,
                "The bridge's stochastic sampler with the network asked at the time that a step leaves"),
            Entry(
                "mean_flow", "Steps by the average velocity over each: N evaluations, of which one is enough",
                source: "Geng et al., 2025, Eq. (13)", parameters: [start], traits: [.needsInterval]
            ) { settings in
                SamplerFactory { _, sde, steps, _ in
                    MeanFlowSampler(process: sde, steps: steps ?? 5, startTime: try startTime(settings, sde, 0))
                }
            },
            bridge("sb_ode", .ode, "The bridge's deterministic sampler"),
            bridge("sb_sde", .sde, "The bridge's stochastic sampler"),
        ])

    private static let start = Field.number(
        "start", default: .absent, in: Bounds(from: 0, to: 1, excludesLower: true),
        "Reverse starting point; the SDE's end if absent.")

    /// A starting point inside of the process and before its last time.
    private static func startTime(_ settings: Settings, _ sde: any SDE, _ finalTime: Double) throws -> Double? {
        guard let start = settings.optionalNumber("start") else { return nil }
        guard start > finalTime, start <= sde.endTime else {
            throw IncompatibleParts(
                reason: "sampler: start \(start) must lie between t_eps \(finalTime) and the SDE's end, \(sde.endTime)")
        }
        return start
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
            source: source, parameters: [start]
        ) { settings in
            SamplerFactory { _, sde, steps, finalTime in
                let usual = sde is FlowMatching ? 5 : 30
                return ode(
                    sde, .fixed(method, steps: steps ?? usual), finalTime, try startTime(settings, sde, finalTime))
            }
        }
    }

    private static func lastPrediction(_ name: String, _ process: BridgeSampler.Process, _ summary: String) -> Entry {
        Entry(name, summary, source: "EDM2SE, ICASSP 2026, after Jukić et al., Interspeech 2024") { _ in
            SamplerFactory { _, sde, steps, _ in
                guard let bridge = sde as? SBVE else {
                    throw IncompatibleParts(reason: "sampler '\(name)' needs a bridge: the SDE 'sbve' or 'sbve_edm2'")
                }
                return LastPredictionSampler(bridge: bridge, process: process, steps: steps ?? 50)
            }
        }
    }

    /// A flow's model predicts the slope itself; any other process's slope follows from the score.
    private static func ode(_ sde: any SDE, _ solver: ODESolver, _ finalTime: Double, _ start: Double?) -> any Sampler {
        sde is FlowMatching
            ? VelocityFlow(process: sde, solver: solver, finalTime: finalTime, startTime: start)
            : ProbabilityFlow(sde: sde, solver: solver, finalTime: finalTime, startTime: start)
    }

    private static func bridge(_ name: String, _ process: BridgeSampler.Process, _ summary: String) -> Entry {
        Entry(
            name, summary, source: "Jukić et al., Interspeech 2024",
            parameters: [
                .number("end", default: 1e-4, in: Bounds(from: 0, to: 1, excludesLower: true), "The last time.")
            ]
        ) { settings in
            SamplerFactory { _, sde, steps, _ in
                guard let bridge = sde as? SBVE else {
                    throw IncompatibleParts(reason: "sampler '\(name)' needs the SDE 'sbve'")
                }
                return BridgeSampler(
                    bridge: bridge, process: process, steps: steps ?? 50, finalTime: settings.number("end"))
            }
        }
    }
}

/// Parts of a spec that cannot work together.
public struct IncompatibleParts: Diagnostic, Hashable, Sendable {
    public var reason: String

    public init(reason: String) { self.reason = reason }

    public var summary: String { reason }
    public var category: FailureCategory { .request }
    public var description: String { line }
}
