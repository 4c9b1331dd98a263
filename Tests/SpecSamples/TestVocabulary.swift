package import SpecLanguage
package import Specs

/// A vocabulary with the reference's names, parameters, and defaults; the real one comes from the registries.
package enum TestVocabulary {
    package static let standard = Vocabulary(
        [
            .corpus: [
                EntryDescriptor(
                    "voicebank-demand", "28 speakers with DEMAND noises",
                    parameters: [
                        .list("valid_speakers", of: .text, default: ["p226", "p287"], "Held out.")
                    ], traits: [.sets(["train", "valid", "test"]), .rates([16000, 48000])]),
                EntryDescriptor(
                    "ood-esc50", "Clean VoiceBank with ESC-50",
                    parameters: [
                        .number("snr", default: 0.0, unit: "dB", "Level.")
                    ], traits: [.sets(["test"])]),
                EntryDescriptor(
                    "synthetic", "Tones and noise, made when needed",
                    parameters: [
                        .integer("files", default: 20, in: .from(1), "Files of each split.")
                    ], traits: [.sets(["train", "valid", "test", "ood"])]),
            ],
            .backbone: [
                EntryDescriptor("ncsnpp", "NCSN++", parameters: network, traits: [.halves(levels: "ch_mult")]),
                EntryDescriptor(
                    "ncsnpp_v2", "NCSN++ with separate inputs", parameters: network,
                    traits: [.halves(levels: "ch_mult"), .takesPreconditioning, .padding(.reflection)]),
                EntryDescriptor(
                    "ncsnpp_48k", "NCSN++ for 48 kHz",
                    parameters: [
                        .integer("nf", default: 128, in: .from(1), "Channels."),
                        .list(
                            "ch_mult", of: .integer(.from(1)), atLeast: 1, default: [1, 1, 2, 2, 2, 2, 2],
                            "Multipliers of nf."),
                        .list("attn_resolutions", of: .integer(.from(1)), default: [], "Heights with attention."),
                    ], traits: [.halves(levels: "ch_mult"), .padding(.reflection), .rate(48000)]),
                EntryDescriptor(
                    "ncsnpp_v2_cond", "NCSN++ with a noise embedding",
                    parameters: network + [
                        .oneOf("noise_cond_type", ["add", "film"], default: "add", "How the embedding enters.")
                    ], traits: [.halves(levels: "ch_mult"), .takesCondition]),
                EntryDescriptor(
                    "dcunet", "Complex U-Net",
                    parameters: [
                        .oneOf(
                            "dcunet_architecture", ["DCUNet-10", "DCUNet-16", "DilDCUNet-v2"], default: "DilDCUNet-v2",
                            "Layers.")
                    ], traits: [.bins(multipleOf: 256, plus: 1)]),
            ],
            .sde: [
                EntryDescriptor(
                    "ouve", "Ornstein–Uhlenbeck, exploding variance", source: "Richter et al. 2023",
                    parameters: [
                        .number("theta", default: 1.5, in: .positive, "Stiffness."),
                        .number("sigma_min", default: 0.05, in: .positive, "Least noise."),
                        .number("sigma_max", default: 0.5, in: .positive, "Most noise."),
                    ],
                    traits: [
                        .steps(30), .samplers(["pc", "ode"]), .losses(["score_matching", "denoiser"]),
                        .ascending("sigma_min", "sigma_max"),
                    ]),
                EntryDescriptor(
                    "sbve", "Schrödinger bridge", source: "Jukić et al. 2024",
                    parameters: [
                        .number("k", default: 2.6, in: .positive, "Growth."),
                        .number("c", default: 0.4, in: .positive, "Scale."),
                        .number("eps", default: 1e-8, in: .positive, "Guard."),
                    ], traits: [.steps(50), .samplers(["sb_ode", "sb_sde"]), .losses(["data_prediction"])]),
            ],
            .loss: [
                EntryDescriptor("score_matching", "Denoising score matching", traits: [.weightings(["sigma^2"])]),
                EntryDescriptor(
                    "denoiser", "Distance of the denoised mean", traits: [.weightings(["1", "sigma^2", "edm"])]),
                EntryDescriptor(
                    "data_prediction", "Distance of the clean signal", traits: [.weightings([]), .hasTimeTerms]),
            ],
            .sampler: [
                EntryDescriptor(
                    "pc", "Predictor and corrector",
                    parameters: [
                        .choice("predictor", of: .predictor, default: "reverse_diffusion", "The step back."),
                        .choice("corrector", of: .corrector, default: "ald", "The step aside."),
                        .integer("corrector_steps", default: 1, in: .from(0), "Steps aside."),
                        .number("snr", default: 0.5, in: .positive, "Size of a step aside."),
                    ]),
                EntryDescriptor(
                    "ode", "Adaptive Runge–Kutta",
                    parameters: [
                        .number("rtol", default: 1e-5, in: .positive, "Relative error.")
                    ], traits: [.choosesSteps]),
                EntryDescriptor("sb_ode", "The bridge's ODE"),
                EntryDescriptor("sb_sde", "The bridge's SDE"),
            ],
            .predictor: [
                EntryDescriptor("reverse_diffusion", "Reverse diffusion"),
                EntryDescriptor("euler_maruyama", "Euler–Maruyama"),
                EntryDescriptor("none", "No prediction"),
            ],
            .corrector: [
                EntryDescriptor("ald", "Annealed Langevin"), EntryDescriptor("langevin", "Langevin"),
                EntryDescriptor("none", "No correction"),
            ],
            .metric: ["pesq", "estoi", "si_sdr", "si_sir", "si_sar"].map { EntryDescriptor($0, $0) },
            .anchor: [EntryDescriptor("noisy", "The input"), EntryDescriptor("wiener", "A classical filter")],
            .noiseEncoder: ["default", "light", "clap", "clap_simple"].map { EntryDescriptor($0, $0) },
        ], gates: ["sample-rate", "pairing", "reference-length"])

    private static let network: [Field] = [
        .integer("nf", default: 128, in: .from(1), "Channels."),
        .list("ch_mult", of: .integer(.from(1)), atLeast: 1, default: [1, 1, 2, 2, 2, 2, 2], "Multipliers of nf."),
        .integer("num_res_blocks", default: 2, in: .from(1), "Blocks per level."),
        .list("attn_resolutions", of: .integer(.from(1)), default: [16], "Heights with attention."),
        .bool("centered", default: true, "The input is centred."),
        .bool("recompute", default: false, "Memory for time.", part: IdentityPart.none),
    ]

    package static let loader = SpecLoader(vocabulary: standard, files: .table([:]))

    package static func loader(_ files: [String: String]) -> SpecLoader {
        SpecLoader(vocabulary: standard, files: .table(files))
    }

    /// The design's example, with everything in one file.
    package static let cfg = """
        name: cfg-p0.2-scaled
        title: NC-SGMSE+ with classifier-free guidance, scaled training
        data: { corpus: voicebank-demand }
        backbone: { name: ncsnpp_v2_cond, noise_cond_type: add }
        conditioning: { noise_encoder_type: default, noise_embed_dim: 512, ref_num_frames: 32, cond_drop_prob: 0.2 }
        sde: { name: ouve, theta: 1.5, sigma_min: 0.05, sigma_max: 0.5 }
        objective: { loss: score_matching, weighting: sigma^2 }
        train: { lr: 1.0e-4, ema_decay: 0.999, batch_size: 8, devices: 4, max_steps: 58000, seeds: [0] }
        evaluate:
          sets: [test, { name: ood-esc50-0db, corpus: ood-esc50 }]
          N: [30, 50]
          sampler: { name: pc, predictor: reverse_diffusion, corrector: ald, corrector_steps: 1, snr: 0.5 }
          guidance: [0.0, 1.0, 3.0]
          metrics: [pesq, estoi, si_sdr, si_sir, si_sar]
        profiles:
          smoke:
            train: { max_steps: 3, batch_size: 1, num_eval_files: 1 }
            backbone: { nf: 8 }
            evaluate: { max_files: 2 }
        """
}
