import SpecLanguage
import Specs

/// A lower bound on the parameters of a network, from its options alone.
///
/// A file may state any options. Before a network is built from them, the file must hold at least this many parameters,
/// so that stated options cannot allocate more memory than the file itself takes.
enum NetworkSize {
    /// Counted in `Double`, where nothing overflows.
    static func leastParameters(of spec: ExperimentSpec) -> Double {
        let settings = spec.backbone.settings
        func number(_ name: String) -> Double { settings.optionalNumber(name) ?? 0 }
        var count = 0.0
        if case .list(let multiples)? = settings["ch_mult"] {
            // Each residual block has at least one 3×3 convolution among its channels.
            for case .integer(let multiple) in multiples {
                let channels = number("nf") * Double(multiple)
                count += number("num_res_blocks") * 9 * channels * channels
            }
        }
        if spec.backbone.name == "dcunet", settings["dcunet_time_embedding"] != .text("none") {
            count += number("dcunet_temb_layers_global") * 2 * number("embed_dim") * number("embed_dim")
            count += number("dcunet_temb_layers_local") * number("embed_dim")
        }
        if let conditioning = spec.conditioning {
            let (width, filters) = (Double(conditioning.noiseEmbedDim), Double(conditioning.noiseEncoderNF))
            count += width * width + (conditioning.noiseEncoder.name == "default" ? filters * filters : 0)
        }
        return count
    }

    /// - Throws: `WeightsError` where `spec` describes a larger network than `available` values can fill.
    static func check(_ spec: ExperimentSpec, available: Int, file: String) throws(WeightsError) {
        let least = leastParameters(of: spec)
        guard least <= Double(available) else {
            throw WeightsError(
                parameter: "backbone",
                reason: "of \(file) has at least \(least) parameters by its hyper-parameters, and the file holds "
                    + "\(available) values: it is damaged or hostile")
        }
    }
}
