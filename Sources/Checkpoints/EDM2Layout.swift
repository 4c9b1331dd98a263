import ReferenceCommands
package import SpecLanguage
import Specs
package import WeightFiles

/// The network of a file of EDM2 for speech: a state dictionary has no hyper-parameters, but its names and shapes give
/// the sizes; a snapshot has the module's attributes too.
///
/// Everything else is taken from the reference's script: attention at 16 and 8 bins and 64 channels a head.
package struct EDM2Layout {
    /// Settings of the backbone, and of the diffusion.
    package private(set) var backbone: [(name: String, value: SettingValue)] = []
    package private(set) var diffusion: [(name: String, value: SettingValue)] = []
    package private(set) var remarks: [String] = []
    /// Bins of the first level, from which the levels get their names.
    package private(set) var bins = 256

    /// - Returns: `nil` for a file of another network.
    package init?(_ checkpoint: LightningCheckpoint) throws(WeightFileError) {
        let shapes = Dictionary(
            checkpoint.parameters.map { parameter in
                (
                    parameter.name.hasPrefix(ModelLayout.network)
                        ? String(parameter.name.dropFirst(4)) : parameter.name, parameter.tensor.shape
                )
            }
        ) { first, _ in first }
        func number(_ name: String, _ axis: Int = 0) -> Int? {
            shapes[name].flatMap { axis < $0.count ? $0[axis] : nil }
        }
        let suffix = "_conv.weight"
        let first = shapes.keys.first {
            $0.hasPrefix("unet.enc.") && $0.hasSuffix(suffix) && Int($0.dropFirst(9).dropLast(suffix.count)) != nil
        }
        guard let first, let bins = Int(first.dropFirst(9).dropLast(suffix.count)), bins > 0,
            let channels = number(first), channels > 0
        else { return nil }
        self.bins = bins
        let widths = (0..<16).map { number("unet.enc.\(bins >> $0)_block0.conv_res1.weight") }.prefix { $0 != nil }
            .compactMap(\.self)
        guard !widths.isEmpty, widths.allSatisfy({ $0 > 0 && $0 % channels == 0 }) else { return nil }
        let blocks = (0..<256).prefix { shapes["unet.enc.\(bins)_block\($0).conv_res1.weight"] != nil }.count
        backbone = [
            ("model_channels", .integer(channels)), ("channel_mult", .list(widths.map { .integer($0 / channels) })),
            ("num_blocks", .integer(blocks)), ("freq_resolution", .integer(bins)),
            ("logvar_channels", .integer(number("logvar_linear.weight", 1) ?? 128)),
        ]
        for (name, axis, usual) in [("channel_mult_noise", 1, widths[0]), ("channel_mult_emb", 0, widths.max() ?? 0)] {
            if let width = number("unet.emb_noise.weight", axis), width != usual {
                backbone.append((name, .integer(width / channels)))
            }
        }
        if let module = checkpoint.module {
            try read(module, checkpoint, bins, widths)
        } else {
            let attending = zip(widths.indices, widths).filter {
                shapes["unet.enc.\(bins >> $0.0)_block0.attn_qkv.weight"] != nil
            }.map(\.1)
            let isUsual = widths.allSatisfy { ($0 >= 64) == attending.contains($0) }
            if !isUsual, let least = attending.min() { backbone.append(("channels_per_head", .integer(least))) }
            remarks.append(
                "the file has no hyper-parameters: sizes are those of its tensors; attention at 16 and 8 bins, c_s 1, "
                    + "sigma_x 0.402 and sigma_n 0.342 are those that the reference's script builds")
        }
    }

    /// The attributes of a snapshot's module other than sizes.
    private mutating func read(
        _ module: PickledModule, _ checkpoint: LightningCheckpoint, _ bins: Int, _ widths: [Int]
    ) throws(WeightFileError) {
        func number(_ name: String) throws(WeightFileError) -> SettingValue? {
            guard let value = module.attribute(name) else { return nil }
            if let tensor = value.tensorValue {
                return try checkpoint.file.array(tensor).values.first.map { .number(Double("\($0)") ?? Double($0)) }
            }
            return value.intValue.map { .integer($0) } ?? value.doubleValue.map { .number($0) }
        }
        for name in ["c_s", "sigma_x", "sigma_n"] { if let value = try number(name) { backbone.append((name, value)) } }
        for name in ["k", "c", "eps"] { if let value = try number(name) { diffusion.append((name, value)) } }
        let encoder = module.part("unet.enc")
        let levels = widths.indices.filter { level in
            encoder?.part("\(bins >> level)_block0")?.attribute("self_attention")?.boolValue ?? false
        }
        backbone.append(("attn_resolutions", .list(levels.map { .integer(bins >> $0) })))
        let lowest = bins >> (widths.count - 1)
        if let heads = module.part("unet.dec.\(lowest)_in0")?.attribute("num_heads")?.intValue, heads > 0,
            let width = widths.last
        {
            backbone.append(("channels_per_head", .integer(width / heads)))
        }
        for (name, attribute) in [
            ("res_balance", "res_balance"), ("attn_balance", "attn_balance"), ("clip_act", "clip_act"),
            ("dropout", "dropout"),
        ] {
            let value = encoder?.part("\(bins)_block0")?.attribute(attribute)
            if let number = value?.doubleValue { backbone.append((name, .number(number))) }
        }
    }

    /// A spec of the network that evaluates the weights in a file.
    func imported(name: String, weights: String, notes: String?) -> HyperParameterImport {
        var settings: [(path: String, value: SettingValue)] = [
            ("backbone.name", .text("edm2")), ("sde.name", .text("sbve_edm2")),
        ]
        settings += backbone.map { ("backbone.\($0.name)", $0.value) } + diffusion.map { ("sde.\($0.name)", $0.value) }
        settings += [
            ("transform.n_fft", .integer(2 * (bins - 1))),
            ("transform.hop_length", .integer(bins == 256 ? 128 : max(1, bins / 2))),
            // Times 0.5/0.08, by which the reference's encoder multiplies spectrograms.
            ("transform.spec_factor", .number(0.9375)), ("transform.spec_abs_exponent", .number(0.5)),
            ("objective.loss_type", .text("uncertainty")), ("evaluate.sampler.name", .text("edm2_ode")),
            ("evaluate.N", .integer(50)),
        ]
        return HyperParameterImport(settings, name: name, weights: weights, notes: notes, remarks: remarks)
    }
}
