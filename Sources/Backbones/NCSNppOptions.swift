public import Kernels
public import Layers

/// The options of the NCSN++ family, with the names of the reference.
public struct NCSNppOptions: Hashable, Sendable {
    /// How the input, or the output, is carried beside the levels: not, as maps that are added, or as residual maps.
    public enum Pyramid: String, CaseIterable, Sendable { case none, skip, residual }
    /// The residual block: that of DDPM, or that of BigGAN.
    public enum BlockType: String, CaseIterable, Sendable { case ddpm, biggan }
    /// The features of the time: random Fourier features of `log t`, or sinusoids of `t`.
    public enum Embedding: String, CaseIterable, Sendable { case fourier, positional }

    /// Channels of the first level.
    public var nf = 128
    /// Channels of each level, in units of ``nf``; each level but the last halves bins and frames.
    public var chMult = [1, 1, 2, 2, 2, 2, 2]
    /// Residual blocks of each level on the way down; one more on the way up.
    public var numResBlocks = 2
    /// Bins of the levels that have attention, counted from ``imageSize``.
    public var attnResolutions = [16]
    /// The activation of all blocks.
    public var nonlinearity = Activation.silu
    /// Whether levels of DDPM's blocks are resampled with a convolution; BigGAN's blocks resample by themselves.
    public var resampWithConv = true
    /// Whether maps are halved and doubled with a filter; otherwise by means and by repetition.
    public var fir = true
    /// The taps of that filter, before they are normalised.
    public var firKernel: [Float] = [1, 3, 3, 1]
    /// Whether a sum of two branches is divided by √2.
    public var skipRescale = true
    /// Which residual block the levels consist of.
    public var resblockType = BlockType.biggan
    /// `output_skip` is `.skip`.
    public var progressive = Pyramid.skip
    /// `input_skip` is `.skip`.
    public var progressiveInput = Pyramid.skip
    /// How the input pyramid joins the features of a level.
    public var progressiveCombine = Combine.Method.sum
    /// Scale of the initial weights of each block's last convolution; 0 starts the block as its skip connection.
    public var initScale = 0.0
    /// Standard deviation of the random frequencies of the time's Fourier features.
    public var fourierScale = 16.0
    /// Bins by which the levels with attention are named.
    public var imageSize = 256
    /// Which features of the time the embedding is made of.
    public var embeddingType = Embedding.fourier
    /// Probability of dropping an input of each block's second convolution, in training.
    public var dropout = 0.0
    /// Whether the blocks see the time at all.
    public var conditional = true
    /// Whether the input is centred; otherwise it is taken from [0, 1] to [−1, 1].
    public var centered = true
    /// Divides the output by the time.
    public var scaleBySigma = false
    /// Whether that division comes after the last 1×1 convolution.
    public var scalesAfterOutput = false
    /// Complex spectrograms that the network reads side by side: the state and what it is conditioned on. With one
    /// alone it is a regression of that one: without time, and not divided by it.
    public var inputs = 2
    /// Width of a noise embedding that modulates every block's second normalisation.
    public var noiseModulation: Int?
    /// Width of the noise embeddings that every attention block is followed by an attention to.
    public var noiseAttention: Int?
    /// Recomputes each block in the backward pass instead of keeping its inside.
    public var recompute = false

    public init() {}

    /// `ncsnpp_v2`: the network of the 2024 study of training objectives.
    public static var v2: NCSNppOptions { NCSNppOptions() }

    /// `ncsnpp`: the network of SGMSE+; divides by t before the last convolution.
    public static var journal: NCSNppOptions {
        var options = NCSNppOptions()
        options.scaleBySigma = true
        return options
    }

    /// `ncsnpp_48k`: without pyramids and attention levels; divides by t after the last convolution.
    public static var fullband: NCSNppOptions {
        var options = journal
        options.attnResolutions = []
        options.progressive = .none
        options.progressiveInput = .none
        options.scalesAfterOutput = true
        return options
    }

    /// `ncsnpp` of StoRM: smaller, and its input is taken from [0, 1] to [−1, 1] although it is centred.
    public static var regeneration: NCSNppOptions {
        var options = journal
        (options.chMult, options.numResBlocks, options.attnResolutions) = ([1, 2, 2, 2], 1, [])
        options.centered = false
        return options
    }

    /// The options of a network over `inputs` spectrograms; a regression sees no time.
    package func reading(_ inputs: Int) -> NCSNppOptions {
        var options = self
        options.inputs = inputs
        if inputs == 1 { (options.conditional, options.scaleBySigma) = (false, false) }
        return options
    }

    /// - Throws: The first option that contradicts another, with the reason.
    package func validate() throws(BackboneError) {
        func require(_ condition: Bool, _ option: String, _ reason: String) throws(BackboneError) {
            if !condition { throw BackboneError(option: option, reason: reason) }
        }
        try require(nf >= 4, "nf", "\(nf) channels are too few to normalise in groups of 4; use 4 or more")
        try require((1...8).contains(inputs), "inputs", "reads 1 to 8 spectrograms, not \(inputs)")
        try require(imageSize > 0, "image_size", "needs a positive number of bins, not \(imageSize)")
        try require(!chMult.isEmpty && chMult.allSatisfy { $0 > 0 }, "ch_mult", "needs one positive factor per level")
        try require(numResBlocks > 0, "num_res_blocks", "needs at least one block per level")
        for factor in chMult {
            let (channels, overflow) = nf.multipliedReportingOverflow(by: factor)
            try require(
                !overflow && channels <= Self.mostChannels, "ch_mult", "gives more than \(Self.mostChannels) channels")
        }
        for channels in normalizedWidths { try requireGroups(channels) }
        if progressiveCombine == .cat {
            try require(
                progressiveInput != .residual, "progressive_combine",
                "'cat' has no meaning for the residual input pyramid")
        }
        try require(dropout >= 0 && dropout < 1, "dropout", "is a probability below 1, not \(dropout)")
        try require(!firKernel.isEmpty && firKernel.count <= 8, "fir_kernel", "needs one to eight taps")
        try require(firKernel.reduce(0, +) != 0, "fir_kernel", "has taps whose sum is 0, by which they are divided")
    }

    /// Far beyond any network that fits a machine, and far below what overflows.
    private static let mostChannels = 65536

    /// The channels of every map that the network normalises: the results of its blocks, and what the blocks of the way
    /// up read, a map beside a skip connection.
    private var normalizedWidths: [Int] {
        var (widths, skips, width) = ([nf], [nf], nf)
        for (level, factor) in chMult.enumerated() {
            width = nf * factor
            widths.append(width)
            skips += [Int](repeating: width, count: numResBlocks)
            guard level != chMult.count - 1 else { continue }
            if progressiveInput == .skip, progressiveCombine == .cat { width *= 2 }
            widths.append(width)
            skips.append(width)
        }
        for factor in chMult.reversed() {
            for _ in 0...numResBlocks {
                widths.append(width + skips.removeLast())
                width = nf * factor
            }
        }
        return widths
    }

    private func requireGroups(_ channels: Int) throws(BackboneError) {
        let groups = GroupNorm.groups(of: channels)
        if channels % groups != 0 {
            throw BackboneError(
                option: "nf", reason: "\(channels) channels do not divide into \(groups) groups of normalisation")
        }
    }

    var style: ResidualStyle {
        var style = ResidualStyle()
        style.activation = nonlinearity
        // The reference's blocks have these layers also where no time reaches them.
        style.embedding = 4 * nf
        style.rescaled = skipRescale
        style.initialScale = initScale
        style.rule = rule
        style.dropout = dropout
        style.modulation = noiseModulation
        return style
    }

    var rule: ResamplingRule { ResamplingRule(fir: fir, taps: firKernel) }

    /// Numbers in the largest map of attention weights for a spectrogram of `bins × frames`.
    package func attentionWeights(bins: Int, frames: Int) -> Double {
        let levels = chMult.indices.filter(attends) + [chMult.count - 1]
        let pixels = levels.map { Double(bins >> $0) * Double(frames >> $0) }.max() ?? 0
        return pixels * pixels
    }

    /// Whether level `level` has attention blocks.
    func attends(_ level: Int) -> Bool { attnResolutions.contains(imageSize >> level) }
}
