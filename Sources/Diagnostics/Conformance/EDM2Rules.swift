/// What the cases of EDM2 for speech may state.
extension CaseRules.KindRules {
    private static let positive: CaseRules.Value = .number(1e-30...1e9)
    private static let share: CaseRules.Value = .number(0...1)

    static let edm2 = CaseRules.KindRules(
        keys: [
            "beta", "correlation", "default_network", "encoder", "exponent", "learning_rate", "learning_rate_rule",
            "network_times",
            "parameter_order", "posthoc", "response", "safe_reading", "update", "weights_ema_0", "weights_ema_1",
            "weights_ema_2", "weights_ema_3",
        ],
        hyperparameters: [
            "T": .number(1e-3...1), "attn_balance": share, "c_s": .integer(0...1),
            "channel_mult": .integers(1...64, count: 1...9),
            "channel_mult_emb": .integer(1...64), "channel_mult_noise": .integer(1...64),
            "channels_per_head": .integer(1...4096),
            "clip_act": positive, "concat_balance": share, "cond_balance": share, "cond_feat_channels": .integer(2...2),
            "dropout": .number(0...0),
            "encoder": .remark, "final_std": positive, "freq_resolution": .integer(1...65536),
            "logvar_channels": .integer(1...4096),
            "mode": .name(["eval", "train"]), "model_channels": .integer(1...512), "num_blocks": .integer(1...8),
            "raw_std": positive,
            "res_balance": share, "attn_resolutions": .integers(1...8192, count: 0...16), "c": positive,
            "eps": positive, "k": positive,
            "hop_length": .integer(1...65536), "l1_weight": .number(0...1e9), "n_fft": .integer(2...65536),
            "spec_factor": positive,
            "t_eps": .number(1e-9...0.9999999), "sigma_n": .number(0...1e9), "sigma_x": positive,
            "spec_channels": .integer(2...2),
            "spec_exp": .number(1e-3...10), "sr": .integer(16000...16000), "win_length": .integer(2...65536),
        ],
        sampler: [
            "T": .number(1e-3...1), "c": positive, "eps": positive, "k": positive, "num_steps": .integer(1...10_000),
            "sampler": .name(["ode", "sde"]),
        ],
        scalars: [
            "float64_update_float32_network_vs_float64", "gain", "learning_rates", "scale", "t", "total",
            "total_float64",
            "total_if_weighted_per_sample",
        ],
        shapes: edm2Arrays,
        sections: [
            "beta": ["std", "t_next", "t_delta", "beta"], "correlation": ["a_ofs", "a_std", "b_ofs", "b_std", "value"],
            "ema": ["type", "stds", "t_delta"], "encoder": encoder, "exponent": ["std", "exponent", "std_back"],
            "files": ["noisy", "enhanced", "samples"],
            "learning_rate": ["cur_nwav", "batch_size", "ref_lr", "ref_batches", "rampup_mwav", "lr"],
            "optimizer": [
                "type", "betas", "eps", "weight_decay", "ref_lr", "ref_batches", "rampup_mwav", "batch_size",
                "l1_weight", "t_eps", "encoder",
            ],
            "posthoc": ["in_ofs", "in_std", "out_ofs", "out_std", "coefficients"],
            "response": ["std", "offset", "length", "values"],
            "update": ["stds", "batch_size", "traditional", "rule"],
        ],
        pattern: { $0.hasPrefix("enhanced_") ? ["\($0.prefix(10))L"] : nil })

    private static let encoder: Set<String> = [
        "hop_length", "win_length", "n_fft", "spec_exp", "spec_factor", "raw_std", "final_std", "sr",
    ]

    private static let edm2Arrays: [String: [String]] = {
        let groups: [(String, [String])] = [
            ("x y", ["B 2 F T", "K B 2 F T"]), ("z", ["B 2 F T", "K B 2 F T"]),
            ("output w1 grad_x grad_y sample sample_float64", ["B 2 F T"]),
            ("t", ["B", "K B"]), ("noise", ["Z B 2 F T"]), ("std logvar loss_tf loss_time unscaled_loss", ["B"]),
            ("weight", ["B", "1"]),
            ("loss", ["B 1 1 B"]),
            ("sigma sigma_bar w_x w_y c_in c_noise c_out_0 c_out_1 c_skip_0 c_skip_1 weight_0 weight_1", ["B"]),
            ("audio", ["B L"]), ("latent", ["B 2 F T"]), ("decoded_from_0p9_latent", ["B M"]),
            ("a a2 normalize_default normalize_dim1 normalize_tiny mp_silu mp_sum_number mp_sum_tensor", ["B C H W"]),
            ("b", ["B D H W"]),
            ("mp_cat_half mp_cat_t", ["B E H W"]), ("down down_4tap", ["B C I J"]), ("up up_4tap", ["B C P Q"]),
            ("fourier_input", ["N"]),
            ("fourier_freqs fourier_phases", ["S"]), ("fourier_output", ["N S"]),
            ("conv3_weight conv3_weight_after_training_pass", ["G C 3 3"]),
            ("conv1_weight conv1_weight_after_training_pass", ["G C 1 1"]),
            ("conv3_eval conv3_train conv1_eval conv1_train", ["B G H W"]),
            ("linear_weight linear_weight_after_training_pass", ["O R"]), ("linear_input", ["V R"]),
            ("linear_eval linear_train", ["V O"]),
            ("weights_sequence traditional_averages", ["S A C"]), ("averages", ["S U A C"]),
        ]
        return groups.reduce(into: [:]) { table, group in
            for name in group.0.split(separator: " ") { table[String(name)] = group.1 }
        }
    }()
}
