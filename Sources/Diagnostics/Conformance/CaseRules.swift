import Foundation
import WeightFiles

/// The keys and values that a case may have. A case with any other fails, so that no number of it is left uncompared
/// without notice.
struct CaseRules {
    /// The value of a hyper-parameter or of a sampler's setting.
    enum Value {
        case integer(ClosedRange<Double>)
        case number(ClosedRange<Double>)
        case bool
        case name([String])
        case integers(ClosedRange<Double>, count: ClosedRange<Int>)
        /// Text or numbers that describe where the case comes from and decide nothing.
        case remark
    }

    /// The settings of cases of one kind, in place of the common ones, and their further keys and scalars.
    struct KindRules {
        var keys: Set<String> = []
        var hyperparameters: [String: Value]
        var sampler: [String: Value]
        var scalars: Set<String> = []
        /// The shapes of arrays, as in ``CaseShapes``.
        var shapes: [String: [String]]
        /// The keys that an object, or each object of a list, may have.
        var sections: [String: Set<String>] = [:]
        /// The shape of an array whose name is made for the case, such as that of its third file.
        var pattern: @Sendable (String) -> [String]? = { _ in nil }
        /// Whether the noise grows over time in every process of the kind.
        var ascends = true
    }

    /// Kinds from other code bases than the common cases.
    static let kindRules: [String: KindRules] = ["flow_matching": .flowMatching, "edm2": .edm2, "storm": .storm]

    let one: ConformanceCase

    /// - Throws: `ConformanceError` for the first thing that is not understood, with its name.
    func check() throws(ConformanceError) {
        let own = Self.kindRules[one.kind]
        try known(one.json, Self.topKeys.union(own?.keys ?? []), "")
        try values(one.hyperparameters, own?.hyperparameters ?? Self.hyperparameters, "hyperparameters")
        try values(one.json["sampler"] ?? .null, own?.sampler ?? Self.samplerSettings, "sampler")
        for (section, keys) in (own?.sections ?? [:]).sorted(by: { $0.key < $1.key }) {
            let entries = one.json[section].map { $0.elements.isEmpty ? [$0] : $0.elements } ?? []
            for entry in entries { try known(entry, keys, section + ".") }
        }
        try tolerances()
        try network()
        try scalars()
        try CaseShapes(one).check()
    }

    private func fail(_ reason: String) -> ConformanceError {
        ConformanceError(id: one.id, reason: "not understood: " + reason)
    }

    private func known(_ json: JSON, _ keys: Set<String>, _ place: String) throws(ConformanceError) {
        for key in json.members.keys.sorted() where !keys.contains(key) {
            throw fail("'\(place)\(key)' is no key of a case")
        }
    }

    // MARK: Settings

    private func values(_ json: JSON, _ rules: [String: Value], _ section: String) throws(ConformanceError) {
        if json.isNull { return }
        guard case .object(let members) = json else { throw fail("'\(section)' is no object") }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            guard let rule = rules[name] else { throw fail("'\(section).\(name)' is not known") }
            guard !value.isNull else { continue }
            if let expected = Self.expectation(value, rule) {
                throw fail("'\(section).\(name)' is \(Self.shown(value)), not \(expected)")
            }
        }
    }

    /// What a value should be, if it is something else.
    private static func expectation(_ value: JSON, _ rule: Value) -> String? {
        func isNumber(_ value: JSON, in range: ClosedRange<Double>) -> Bool {
            if case .number(let number) = value { number.isFinite && range.contains(number) } else { false }
        }
        func isInteger(_ value: JSON, in range: ClosedRange<Double>) -> Bool {
            isNumber(value, in: range) && value.int != nil
        }
        func text(_ range: ClosedRange<Double>) -> String { "from \(range.lowerBound) to \(range.upperBound)" }
        switch rule {
        case .integer(let range): return isInteger(value, in: range) ? nil : "a whole number \(text(range))"
        case .number(let range): return isNumber(value, in: range) ? nil : "a number \(text(range))"
        case .bool: return value.bool == nil ? "true or false" : nil
        case .name(let names):
            return value.text.map(names.contains) ?? false ? nil : "one of " + names.joined(separator: ", ")
        case .integers(let range, let count):
            guard case .list(let elements) = value, count.contains(elements.count) else {
                return "a list of \(count.lowerBound) to \(count.upperBound) numbers"
            }
            return elements.allSatisfy { isInteger($0, in: range) } ? nil : "a list of whole numbers \(text(range))"
        case .remark: return nil
        }
    }

    private static func shown(_ value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): "'\(value.prefix(40))'"
        case .list(let elements): "a list of \(elements.count)"
        case .object: "an object"
        }
    }

    private func tolerances() throws(ConformanceError) {
        guard let tolerances = one.json["tolerances"] else { return }
        guard case .object(let members) = tolerances else { throw fail("'tolerances' is no object") }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            guard case .number(let number) = value, number.isFinite, number >= 0 else {
                throw fail("the tolerance '\(name)' is \(Self.shown(value)), not a number of at least 0")
            }
        }
    }

    private func scalars() throws(ConformanceError) {
        guard let scalars = one.json["scalars"] else { return }
        guard case .object(let members) = scalars else { throw fail("'scalars' is no object") }
        try known(scalars, Self.scalarNames.union(Self.kindRules[one.kind]?.scalars ?? []), "scalars.")
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            let isText = ["output_dtype", "drift", "param_grad_worst"].contains(name)
            let isSound =
                value.number != nil || value.isNull || isText
                || !value.elements.isEmpty && value.elements.allSatisfy { $0.number != nil }
            guard isSound || value == .list([]) || !value.members.isEmpty else {
                throw fail("the scalar '\(name)' is \(Self.shown(value)), not a number")
            }
        }
    }

    /// Sizes that agree with one another, and with a machine's memory.
    private func network() throws(ConformanceError) {
        let h = one.hyperparameters
        let widest = (h["ch_mult"]?.numbers.max() ?? 2) * (h["nf"]?.number ?? 128)
        if h["backbone"] != nil, widest > 512 {
            throw fail("the network is \(Int(widest)) channels wide, at most 512 are taken")
        }
        if Self.kindRules[one.kind]?.ascends ?? true, let least = h["sigma_min"]?.number,
            let most = h["sigma_max"]?.number, least >= most
        {
            throw fail("'hyperparameters.sigma_min' is \(least), not below sigma_max, \(most)")
        }
        if let size = h["n_fft"]?.number, let hop = h["hop_length"]?.number, hop > size {
            throw fail("'hyperparameters.hop_length' is \(hop), above n_fft")
        }
    }
}

// MARK: Tables

extension CaseRules {
    private static let topKeys: Set<String> = [
        "adam_state", "at_T", "audio", "buffers_after", "call", "checkpoint", "combinations", "complex",
        "complex_gradient_convention",
        "contents", "description", "digital_silence_in_clean_signal", "ema", "enhance", "errors", "extra_state",
        "failures", "files", "format",
        "formulas", "grads", "hyperparameters", "ill_conditioned_parameters", "kind", "loss", "name", "noise_order",
        "notes", "optimizer",
        "option_matrix", "pad_mode", "pairs", "params_without_gradient", "sampler", "scalars", "script_arguments",
        "target_sample_rate",
        "tensors", "tolerance_rule", "tolerances", "too_short", "variants", "weights", "weights_ema", "weights_final",
        "weights_raw", "x_t",
    ]

    private static let scalarNames: Set<String> = [
        "both_silent", "crop_start", "d_asymm", "d_asymm_float64", "d_symm", "d_symm_float64", "difference_ema_vs_raw",
        "difference_to_very_high_quality_relmax", "distance_to_tight_solution", "draws", "drift",
        "effect_of_1_percent_network_change",
        "enhanced_abs_max", "enhanced_float32_vs_float64", "epoch", "frames", "global_step",
        "grad_deg_float32_vs_float64",
        "grad_ref_float32_vs_float64", "gradient_norms", "identical_signals", "input_grad_float32_vs_float64", "logsig",
        "loss",
        "loss_float64", "loss_if_weighted_per_sample", "losses", "losses_float64",
        "max_ema_deviation_float32_vs_float64",
        "max_parameter_deviation_float32_vs_float64", "mos", "mos_float64", "network_calls", "nfe", "nfe_reported",
        "output_abs_max",
        "output_dtype", "output_float32_vs_float64", "output_rms", "output_samples", "pad_left", "pad_right",
        "padded_frames",
        "param_grad_abs_max", "param_grad_float32_vs_float64", "param_grad_worst", "roundtrip",
        "sample_float32_vs_float64", "samples",
        "sigma_T", "sigma_bar_at_T", "sigma_t_at_T", "silent_degraded", "snr_against_very_high_quality_db",
        "spec_fwd_float32_vs_float64",
        "std_float32_vs_float64", "steps", "stepsize", "stft_float32_vs_float64", "target_len", "target_samples",
        "term_l1_as_for_larger_batches",
        "term_l1_used", "term_tf",
    ]

    private static let count: Value = .integer(1...1e6)
    private static let positive: Value = .number(1e-30...1e9)
    private static let nonNegative: Value = .number(0...1e9)
    private static let below1: Value = .number(1e-9...0.9999999)

    static let hyperparameters: [String: Value] = [
        "N": .integer(1...10_000), "T": .number(1e-3...1), "T_sampling": .number(1e-3...1),
        "attn_resolutions": .integers(1...8192, count: 0...16),
        "backbone": .remark, "base_dir": .remark, "batch_size": count, "c": positive, "c_in": .name(["1", "edm"]),
        "c_out": .name(["1", "sigma", "1/sigma", "edm"]), "c_skip": .name(["0", "edm"]), "center": .bool,
        "centered": .bool,
        "cfg_scale": .number(-1e3...1e3), "ch_mult": .integers(1...64, count: 1...9), "cond_drop_prob": .number(0...1),
        "conditional": .bool,
        "corrector": .name(["ald", "langevin", "none"]), "corrector_steps": .integer(0...100),
        "data_module_cls": .remark,
        "dcunet_activation": .remark, "dcunet_architecture": .remark, "dcunet_fix_length": .remark,
        "dcunet_norm_type": .remark,
        "dcunet_temb_activation": .remark, "dcunet_temb_layers_global": .integer(1...8),
        "dcunet_temb_layers_local": .integer(1...8),
        "dcunet_time_embedding": .remark, "dcunet_time_embedding_complex": .bool, "dcunet_mask_bound": .remark,
        "degradation": .remark, "dummy": .bool,
        "ema_decay": .number(0...0.9999999), "embed_dim": .integer(1...4096), "eps": positive, "factor": positive,
        "fir": .bool, "format": .remark,
        "gpus": .remark, "hop_length": .integer(1...65536), "image_size": .integer(1...65536),
        "in_channels": .integer(1...2), "input_format": .remark,
        "istft_length": .integer(1...1e8), "k": positive, "l1_weight": nonNegative,
        "loss_type": .name(["score_matching", "denoiser", "data_prediction"]),
        "loss_weighting": .name(["1", "sigma^2", "edm"]), "lr": nonNegative,
        "mode": .name(["eval", "train", "reflection", "replication", "zero_pad"]), "multiple": .integer(1...4096),
        "n_fft": .integer(2...65536),
        "n_freq": .integer(1...8192), "network_scaling": .name(["1/sigma", "1/t"]), "nf": .integer(1...512),
        "no_wandb": .bool,
        "noise_cond_type": .remark, "noise_embed_dim": .integer(1...4096), "noise_encoder_nf": .integer(1...256),
        "noise_encoder_type": .remark,
        "nonlinearity": .remark, "normalize": .name(["noisy", "clean", "not"]), "num_eval_files": .integer(0...1e6),
        "num_frames": .integer(2...1e6),
        "num_layers": .integer(1...8), "num_res_blocks": .integer(1...8), "num_workers": .integer(0...1e6),
        "orig_sr": .integer(1000...1e6),
        "pad_mode": .name(["reflection", "replication", "zero_pad"]), "pesq_weight": nonNegative, "predictor": .remark,
        "progressive": .remark,
        "progressive_combine": .remark, "progressive_input": .remark, "random_crop": .bool, "resamp_with_conv": .bool,
        "resblock_type": .remark,
        "return_time": .bool, "sample_rate": .integer(1000...1e6), "sampler_N": .integer(1...10_000),
        "sampler_type": .name(["pc", "ode", "sde"]),
        "scale_by_sigma": .bool, "sde": .remark, "sigma_data": positive, "sigma_max": positive, "sigma_min": positive,
        "signal": .remark,
        "skip_rescale": .bool, "snr": positive, "spec_abs_exponent": .number(1e-3...10), "spec_factor": positive,
        "sr": .integer(1000...1e6),
        "t_eps": below1, "target_sr": .integer(1000...1e6), "theta": positive,
        "transform_type": .name(["exponent", "log", "none"]),
        "wandb_name": .remark, "window": .name(["hann", "sqrthann"]), "z_r": .remark,
    ]

    private static let samplerSettings: [String: Value] = [
        "type": .name(["pc", "ode", "sb"]), "method": .name(["RK45"]), "eps": below1, "t_eps": below1, "denoise": .bool,
        "rtol": below1,
        "atol": below1, "predictor": .remark, "corrector": .name(["ald", "langevin", "none"]),
        "N": .integer(1...10_000), "snr": positive,
        "corrector_steps": .integer(0...100), "sampler_type": .name(["ode", "sde"]),
    ]
}
