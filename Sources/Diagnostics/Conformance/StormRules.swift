/// What the cases of stochastic regeneration may state.
extension CaseRules.KindRules {
    private static let positive: CaseRules.Value = .number(1e-30...1e9)
    private static let networks: CaseRules.Value = .name(["ncsnpp", "ncsnpplarge", "ncsnpp12M", "ncsnpp6M"])

    static let storm = CaseRules.KindRules(
        keys: ["default_networks"],
        hyperparameters: [
            "N": .integer(1...10_000), "attn_resolutions": .integers(0...8192, count: 0...16), "backbone": networks,
            "backbone_denoiser": networks,
            "backbone_score": networks, "base_dir": .remark, "batch_size": .integer(1...1e6), "beta_max": positive,
            "beta_min": positive,
            "centered": .bool, "ch_mult": .integers(1...64, count: 1...9),
            "condition": .name(["noisy", "post_denoiser", "both"]),
            "data_module_cls": .remark, "discriminative": .bool, "dummy": .bool, "ema_decay": .number(0...0.9999999),
            "format": .remark,
            "hop_length": .integer(1...65536), "image_size": .integer(1...65536), "input_channels": .integer(2...16),
            "loss_type": .name(["mse", "mae"]), "loss_type_denoiser": .name(["none", "mse", "mae"]),
            "loss_type_score": .name(["mse", "mae"]),
            "lr": .number(0...1e9),
            "mode": .name(["regen-joint-training", "regen-freeze-denoiser", "denoiser-only", "score-only"]),
            "n_fft": .integer(2...65536), "nf": .integer(4...512), "num_eval_files": .integer(0...1e6),
            "num_frames": .integer(2...1e6),
            "num_res_blocks": .integer(1...8), "num_workers": .integer(0...1e6), "return_time": .bool,
            "sde": .name(["ouve", "ouvp"]),
            "sde_n": .integer(1...1e6), "sigma_max": positive, "sigma_min": positive,
            "spatial_channels": .integer(1...1),
            "spec_abs_exponent": .number(1e-3...10), "spec_factor": positive, "stiffness": positive,
            "t_eps": .number(1e-9...0.9999999),
            "theta": positive, "weighting_denoiser_to_score": .number(0...1), "window": .name(["hann", "sqrthann"]),
        ],
        sampler: [
            "type": .name(["pc", "ode"]), "predictor": .name(["reverse_diffusion", "euler_maruyama", "none"]),
            "eps": .number(1e-9...0.9999999),
            "corrector": .name(["ald", "langevin", "none"]), "N": .integer(1...10_000), "snr": positive,
            "corrector_steps": .integer(0...100),
        ],
        scalars: [
            "denoised_float32_vs_float64", "loss_denoiser", "loss_denoiser_float64", "loss_score", "loss_score_float64",
        ],
        shapes: stormArrays,
        sections: [
            "failures": ["setting", "message", "exception"], "audio": ["noisy", "sample_rate"],
            "enhance": [
                "sampler_type", "predictor", "corrector", "N", "corrector_steps", "snr", "denoiser_only", "t_eps",
                "pad_mode",
            ],
            "variants": [
                "loss_type_denoiser", "loss_type_score", "weighting_denoiser_to_score", "loss", "loss_score",
                "loss_denoiser",
                "grad_err_abs_sum", "grad_denoised_abs_sum",
            ],
        ])

    private static let stormArrays: [String: [String]] = {
        let maps =
            "x y x0 z x_t err score mean prior_noise prior drift discretize_f reverse_discretize_f y_denoised output "
            + "w1 w2 sample grad_x grad_y grad_y_denoised y_denoised_evaluation_mode score_evaluation_mode"
        let groups: [(String, [String])] = [
            (maps, ["B 1 F T"]), ("t std diffusion discretize_G reverse_discretize_G", ["B"]), ("noise", ["K B 1 F T"]),
            ("enhanced", ["L"]),
        ]
        return groups.reduce(into: [:]) { table, group in
            for name in group.0.split(separator: " ") { table[String(name)] = group.1 }
        }
    }()
}
