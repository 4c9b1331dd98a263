/// A spec of every kind of section.
package enum ExampleSpec {
    /// The example as lines that can be reordered within their sections.
    package static let sections: [(String, [String])] = [
        ("data", ["corpus: voicebank-demand", "num_frames: 256", "normalize: noisy"]),
        ("backbone", ["name: ncsnpp_v2_cond", "nf: 128", "noise_cond_type: add", "ch_mult: [1, 1, 2, 2, 2, 2, 2]"]),
        ("conditioning", ["noise_embed_dim: 512", "ref_num_frames: 32", "cond_drop_prob: 0.2"]),
        ("sde", ["name: ouve", "theta: 1.5", "sigma_min: 0.05", "sigma_max: 0.5"]),
        ("objective", ["loss_type: score_matching", "loss_weighting: sigma^2"]),
        ("train", ["lr: 1.0e-4", "batch_size: 8", "devices: 4", "max_steps: 58000", "seeds: [0]"]),
        ("evaluate", ["sets: [test]", "N: [30, 50]", "guidance: [0.0, 1.0, 3.0]", "metrics: [pesq, estoi]"]),
    ]

    package static func text(_ sections: [(String, [String])]) -> String {
        sections.map { name, lines in "\(name):\n" + lines.map { "  \($0)\n" }.joined() }.joined()
    }
}
