import Foundation
import Kernels
public import Layers
public import Tensors

/// `dcunet`: a U-Net of complex convolutions over the state and the noisy speech, each one complex channel.
///
/// The network of SGMSE. Welker et al., Interspeech 2022; after Choi et al., ICLR 2019.
public struct DCUNet: Backbone {
    /// Convolution, time embedding, normalisation, activation.
    private struct Block: Sendable {
        let convolution: ComplexConvolution
        let norm: ComplexNorm
        let time: [ComplexLinear]
        let activation, timeActivation: Activation

        init(
            _ scope: ParameterScope, _ name: String, _ inputs: ComplexChannels, _ filters: Int,
            _ layer: DCUNetOptions.Architecture.Encoder, _ options: DCUNetOptions
        ) {
            let isTransposed = name == "deconv"
            convolution = ComplexConvolution(
                scope.scope(name), inputs, filters, vertical: layer.bins, horizontal: layer.frames,
                isTransposed: isTransposed)
            switch options.norm {
            case .separate: norm = .separate(BatchNorm(scope.scope("norm"), filters))
            case .joint: norm = .joint(ComplexBatchNorm(scope.scope("norm"), filters))
            }
            var time: [ComplexLinear] = []
            if options.timeEmbedding != .none {
                let (layers, width) = (scope.scope("embed_layer"), options.embedDim)
                for _ in 1..<max(1, options.tembLayersLocal) {
                    time.append(ComplexLinear(layers.scope(2 * time.count), width, width))
                }
                time.append(ComplexLinear(layers.scope(2 * time.count).scope("dense"), width, filters))
            }
            self.time = time
            activation = options.activation
            timeActivation = options.tembActivation
        }

        /// One bias per sample from the time embedding.
        func shift(_ embedding: Tensor?) -> Tensor? {
            embedding.map { time.reduce($0) { $1($0).activated(timeActivation) } }
        }
    }

    /// All weights, in the reference's order and with its names.
    public let parameters: [Parameter]
    /// Running statistics of the normalisation, stored with the weights.
    public let buffers: [Parameter]
    /// What the network was built from.
    public let options: DCUNetOptions
    private let frequencies: Parameter?
    private let embedLayers: [ComplexLinear]
    private let encoders, decoders: [Block]
    private let output: ComplexConvolution
    /// Products of all strides.
    private let strides: (bins: Int, frames: Int)

    public init(_ options: DCUNetOptions = DCUNetOptions(), seed: UInt64 = 0) throws(BackboneError) {
        try options.validate()
        self.options = options
        let scope = ParameterScope(seed: seed)
        let (layers, width) = (options.architecture.encoders, options.embedDim)
        strides = layers.reduce((1, 1)) { ($0.0 * $1.bins.stride, $0.1 * $1.frames.stride) }

        let embed = scope.scope("embed")
        frequencies =
            options.timeEmbedding == .gfp
            ? embed.scope(0).parameter(
                "W", [options.timeEmbeddingComplex ? width : width / 2], .normal(standardDeviation: 16),
                isTrained: false)
            : nil
        embedLayers =
            options.timeEmbedding == .none
            ? [] : (0..<options.tembLayersGlobal).map { ComplexLinear(embed.scope(1 + 2 * $0), width, width) }

        var inputs = ComplexChannels(1, 1)
        var encoders: [Block] = []
        for (index, layer) in layers.enumerated() {
            encoders.append(Block(scope.scope("encoders").scope(index), "conv", inputs, layer.filters, layer, options))
            inputs = ComplexChannels(layer.filters)
        }
        self.encoders = encoders

        // Decoder i mirrors encoder n − 1 − i; its result is concatenated with the skip connection of the encoder
        // before that one.
        var decoders: [Block] = []
        for (layer, next) in zip(layers.reversed(), layers.dropLast().reversed()) {
            let block = scope.scope("decoders").scope(decoders.count)
            decoders.append(Block(block, "deconv", inputs, next.filters, layer, options))
            inputs = ComplexChannels(next.filters, next.filters)
        }
        self.decoders = decoders
        output = ComplexConvolution(
            scope.scope("output_layer"), inputs, 1, vertical: layers[0].bins, horizontal: layers[0].frames,
            isTransposed: true, hasBias: true)
        parameters = scope.collector.parameters
        buffers = scope.collector.buffers
    }

    /// 1: strides ask for multiples plus one, which ``check(bins:frames:)`` tests.
    public var divisor: (bins: Int, frames: Int) { (1, 1) }

    /// Bins less one, and frames less one unless they are padded or trimmed, must be multiples of the product of the
    /// strides.
    public func check(bins: Int, frames: Int) throws(BackboneError) {
        guard bins > 0, (bins - 1) % strides.bins == 0 else {
            throw BackboneError(
                option: "bins",
                reason: "\(bins) bins less one are not a multiple of \(strides.bins); use an n_fft that is")
        }
        guard frames > 0 else { throw BackboneError(option: "frames", reason: "there are none") }
        guard let fixed = fixedFrames(frames) else {
            throw BackboneError(
                option: "dcunet_fix_length",
                reason: "\(frames) frames less one are not a multiple of \(strides.frames); use 'pad' or 'trim'")
        }
        var size = (bins: bins, frames: fixed)
        for layer in options.architecture.encoders {
            size = (layer.bins.outputSize(size.bins), layer.frames.outputSize(size.frames))
            if size.bins <= 0 || size.frames <= 0 {
                throw BackboneError(
                    option: size.bins <= 0 ? "bins" : "frames",
                    reason: "nothing is left of \(bins) bins and \(frames) frames before the last encoder")
            }
        }
    }

    /// The frames that the network computes with; `nil` where they do not fit and must not be changed.
    private func fixedFrames(_ frames: Int) -> Int? {
        let excess = (frames - 1) % strides.frames
        switch options.fixLength {
        case _ where excess == 0: return frames
        case .pad: return frames + strides.frames - excess
        case .trim: return frames - excess
        case .none: return nil
        }
    }

    /// The map of the output layer at the size of `x`, `[B, F, N, 2]`; no mask is applied to `x`.
    public func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode) -> Tensor {
        precondition(x.shape == y.shape && x.rank == 4 && x.shape[3] == 2, "x \(x.shape), y \(y.shape)")
        precondition(t.count == x.shape[0], "\(t.count) times for \(x.shape[0]) samples")
        let (bins, frames) = (x.shape[1], x.shape[2])
        guard (bins - 1) % strides.bins == 0, let width = fixedFrames(frames) else {
            preconditionFailure("\(bins) bins and \(frames) frames less one must be multiples of \(strides)")
        }
        var map = Tensor.concatenated([x, y]).withFrames(width)

        let embedding = embedding(t)
        var skips: [Tensor] = []
        for block in encoders {
            map = block.norm(block.convolution(map, shift: block.shift(embedding)), block.activation, mode)
            skips.append(map)
        }
        skips.removeLast()
        for block in decoders {
            let skip = skips.removeLast()
            map = block.convolution(map, height: skip.shape[1], width: skip.shape[2], shift: block.shift(embedding))
            map = .concatenated([block.norm(map, block.activation, mode), skip])
        }
        return output(map, height: bins, width: width).withFrames(frames)
    }

    /// The time embedding, `[B, 2·embed_dim]`: real parts, then imaginary ones.
    private func embedding(_ t: [Float]) -> Tensor? {
        guard options.timeEmbedding != .none else { return nil }
        let features = Tensor.computed(from: t, shape: [t.count, 2 * options.embedDim]) { t in
            t.flatMap { time in
                let phases = self.phases(time)
                let (sines, cosines) = (phases.map { sin($0) }, phases.map { cos($0) })
                return options.timeEmbeddingComplex
                    ? cosines + sines : sines + cosines + [Float](repeating: 0, count: options.embedDim)
            }
        }
        return embedLayers.reduce(features) { $1($0).activated(options.tembActivation) }
    }

    /// `2πWt`, or for diffusion steps `t·10^(4i/(n−1))`, in single precision in the reference's order.
    private func phases(_ t: Float) -> [Float] {
        if let frequencies { return frequencies.tensor.values.map { t * $0 * 2 * Float.pi } }
        let count = options.timeEmbeddingComplex ? options.embedDim : options.embedDim / 2
        return (0..<count).map { t * Float(pow(10, Double(4 * Float($0) / Float(count - 1)))) }
    }
}
