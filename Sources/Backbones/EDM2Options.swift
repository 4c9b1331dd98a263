public import Layers

/// The options of EDM2 for speech, with the names and defaults of EDM2SE.
public struct EDM2Options: Hashable, Sendable {
    /// What the network inside predicts.
    public enum Prediction: Int, CaseIterable, Sendable {
        /// Clean speech, without a skip connection around the network: `c_s` 0.
        case clean = 0
        /// The environment's noise, beside a skip connection: `c_s` 1.
        case noise = 1
    }

    /// Channels of the first level.
    public var modelChannels = 128
    /// Channels of each level, in units of `modelChannels`.
    public var channelMult = [1, 1, 2, 2, 2, 2, 2]
    /// Widths of the noise level's features and embedding in units of `modelChannels`; those of the first and of the
    /// widest level if `nil`.
    public var channelMultNoise, channelMultEmb: Int?
    /// Blocks of each level on the way down; one more on the way up.
    public var numBlocks = 2
    /// Bins of the levels that have attention, counted from ``freqResolution``.
    public var attnResolutions = [16, 8]
    /// Bins by which the levels are named, and for which `attnResolutions` are counted.
    public var freqResolution = 256
    /// Balance of map (0) and skip connection (1) where they are set side by side.
    public var concatBalance = 0.5
    /// How the blocks weigh their branches.
    public var block = MagnitudeStyle()
    /// Features of the noise level from which the uncertainty is made.
    public var logvarChannels = 128
    /// Standard deviations of clean speech and of the environment's noise, per real number.
    public var (sigmaX, sigmaN) = (0.402, 0.342)
    /// What the network inside predicts.
    public var prediction = Prediction.noise
    /// The constants of the bridge that the scalings follow.
    public var (k, c, epsilon, endTime) = (2.6, 0.4, 1e-8, 1.0)

    public init() {}

    var widths: [Int] { channelMult.map { $0 * modelChannels } }
    var noiseWidth: Int { channelMultNoise.map { $0 * modelChannels } ?? widths[0] }
    var embeddingWidth: Int { channelMultEmb.map { $0 * modelChannels } ?? widths.max() ?? modelChannels }

    /// - Throws: The first option that contradicts another, with the reason.
    package func validate() throws(BackboneError) {
        func require(_ condition: Bool, _ option: String, _ reason: String) throws(BackboneError) {
            if !condition { throw BackboneError(option: option, reason: reason) }
        }
        try require(
            (1...4096).contains(modelChannels), "model_channels", "takes 1 to 4096 channels, not \(modelChannels)")
        try require(
            !channelMult.isEmpty && channelMult.allSatisfy { (1...64).contains($0) }, "channel_mult",
            "needs one factor of 1 to 64 for each level")
        try require((1...256).contains(numBlocks), "num_blocks", "takes 1 to 256 blocks a level, not \(numBlocks)")
        try require(
            freqResolution >> (channelMult.count - 1) > 0, "channel_mult",
            "halves \(freqResolution) bins \(channelMult.count - 1) times; raise freq_resolution or leave levels out")
        for multiple in [channelMultNoise, channelMultEmb].compactMap(\.self) {
            try require((1...64).contains(multiple), "channel_mult_noise, channel_mult_emb", "take factors of 1 to 64")
        }
        try require(logvarChannels > 0, "logvar_channels", "needs at least 1 feature")
        try require(block.channelsPerHead > 0, "channels_per_head", "needs at least 1 channel")
        for (level, width) in widths.enumerated() where attends(level) || level == channelMult.count - 1 {
            let heads = width / block.channelsPerHead
            try require(
                heads > 0 && width % heads == 0, "channels_per_head",
                """
                \(block.channelsPerHead) channels a head do not divide the \(width) channels of level \(level), which \
                attends
                """
            )
        }
        try require(sigmaX > 0 && sigmaN >= 0, "sigma_x", "needs a positive standard deviation")
        try require(k > 0 && c > 0 && epsilon > 0 && endTime > 0, "k", "the constants of the bridge are positive")
    }

    /// Numbers in the largest map of attention weights of one head for a spectrogram of `bins × frames`.
    package func attentionWeights(bins: Int, frames: Int) -> Double {
        let levels = channelMult.indices.filter(attends) + [channelMult.count - 1]
        let pixels = levels.map { Double(bins >> $0) * Double(frames >> $0) }.max() ?? 0
        return pixels * pixels
    }

    func attends(_ level: Int) -> Bool { attnResolutions.contains(freqResolution >> level) }
}
