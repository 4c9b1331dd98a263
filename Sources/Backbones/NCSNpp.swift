import Foundation
import Kernels
public import Layers
public import Tensors

/// NCSN++ over complex spectrograms: a U-Net of residual blocks with input and output pyramids.
///
/// Song et al., ICLR 2021, Appendix H, as used by Richter et al., TASLP 2023 (`ncsnpp`), Interspeech 2024
/// (`ncsnpp_48k`) and ICASSP 2025 (`ncsnpp_v2`). Attention stands at the levels where `image_size / 2^level` is
/// listed, and between the two halves. What it is conditioned on may be several spectrograms side by side, or none; see
/// ``NCSNppOptions/inputs``.
public struct NCSNpp: Backbone {
    /// All weights, in the reference's order and with its names.
    public let parameters: [Parameter]
    /// What the network was built from.
    public let options: NCSNppOptions
    private let output: Convolution
    private let frequencies: FourierFeatures?
    private let dense: (first: Linear, second: Linear)?
    private let input: Convolution
    private let down: [DownLevel]
    private let middle: (first: Block, attention: Attention, second: Block)
    private let up: [UpLevel]
    private let head: Head?

    public init(_ options: NCSNppOptions, seed: UInt64 = 0) throws(BackboneError) {
        try self.init(options, scope: ParameterScope(seed: seed))
    }

    public init(_ options: NCSNppOptions, scope: ParameterScope) throws(BackboneError) {
        try options.validate()
        self.options = options
        let channels = 2 * options.inputs
        output = Convolution(
            scope.scope("output_layer"), channels, 2, kernel: 1, initial: .torchDefault(fanIn: channels),
            biasInitial: .torchDefault(fanIn: channels))
        // The reference numbers its modules in the order in which they are made here.
        var assembly = Assembly(options, scope)
        frequencies = assembly.frequencies()
        dense = assembly.dense()
        input = assembly.input()
        let levels = options.chMult.indices
        down = levels.map { assembly.downLevel($0) }
        middle = assembly.middle()
        up = levels.reversed().map { assembly.upLevel($0) }
        head = options.progressive == .skip ? nil : assembly.outputHead()
        parameters = scope.collector.parameters
    }

    /// 2 to the number of halvings, for bins and frames alike.
    public var divisor: (bins: Int, frames: Int) {
        let factor = 1 << (options.chMult.count - 1)
        return (factor, factor)
    }

    /// The time embedding before the blocks' activation, `[B, 4·nf]`; `nil` without one.
    public func embedding(_ t: [Float]) -> Tensor? {
        guard let dense else { return nil }
        let features = frequencies.map { $0(of: t) { log($0) } } ?? positionalFeatures(t, dimension: options.nf)
        return dense.second(dense.first(features).activated(options.nonlinearity))
    }

    /// The time embedding of a network with Fourier features, carrying its derivative for times that move at given
    /// rates.
    func embedding(_ t: [Float], rates: [Float]) -> Tensor? {
        guard let dense, let frequencies else { return nil }
        let features = frequencies(t.map { log($0) }, rates: zip(rates, t).map { $0 / $1 })
        return dense.second(dense.first(features).activated(options.nonlinearity))
    }

    /// Minus the score or the velocity, `[B, F, N, 2]`; `x` and `y` are read as four real channels.
    public func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode) -> Tensor {
        callAsFunction(x, y, t, embedding: embedding(t), mode)
    }

    /// The network under a time embedding that something else, such as a noise reference, may have changed.
    ///
    /// - Parameters:
    ///   - modulation: What modulates the blocks, `[B, noiseModulation]`; `nil` leaves them alone.
    ///   - sequence: What the attention blocks attend to, `[B, L, noiseAttention]`; `nil` leaves it out.
    public func callAsFunction(
        _ x: Tensor, _ y: Tensor, _ t: [Float], embedding: Tensor?, modulation: Tensor? = nil, sequence: Tensor? = nil,
        _ mode: ForwardMode
    ) -> Tensor {
        let condition = 2 * (options.inputs - 1)
        precondition(x.rank == 4 && x.shape[3] == 2, "x \(x.shape)")
        precondition(
            condition == 0 || y.shape == x.shape.dropLast() + [condition],
            "y \(y.shape) beside x \(x.shape), \(options.inputs) inputs")
        precondition(t.count == x.shape[0], "\(t.count) times for \(x.shape[0]) samples")
        precondition(
            x.shape[1] % divisor.bins == 0 && x.shape[2] % divisor.frames == 0,
            "\(x.shape[1]) bins and \(x.shape[2]) frames must be multiples of \(divisor)")
        let activation = options.nonlinearity
        let embeddings = BlockEmbeddings(
            time: embedding?.activated(activation), noise: modulation?.activated(activation))
        let sumScale = options.style.sumScale
        var map = condition == 0 ? x : Tensor.concatenated([x, y])
        if !options.centered { map = map.scaled(by: 2, plus: -1) }

        var pyramid = map
        var h = input(map)
        var skips = [h]
        for level in down {
            for stage in level.stages {
                h = run(stage.block, consume h, embeddings, mode)
                if let attention = stage.attention { h = attention(h, sequence) }
                skips.append(h)
            }
            guard let resampler = level.resampler else { continue }
            h = resampler(consume h, embeddings, mode)
            if let combine = level.combine {
                pyramid = pyramid.resampled(options.rule.halving)
                h = combine(pyramid, h)
            } else if let convolved = level.pyramid {
                pyramid = .weighted(sumScale, convolved(pyramid), sumScale, h)
                h = pyramid
            }
            skips.append(h)
        }

        h = run(middle.first, h, embeddings, mode)
        h = middle.attention(h, sequence)
        h = run(middle.second, consume h, embeddings, mode)

        var result: Tensor?
        for level in up {
            for block in level.blocks { h = run(block, beside: skips.removeLast(), consume h, embeddings, mode) }
            if let attention = level.attention { h = attention(h, sequence) }
            if let head = level.head {
                result = head(h, activation, residual: result?.resampled(options.rule.doubling))
            } else if let convolved = level.pyramid, let coarse = result {
                h = .weighted(sumScale, convolved(coarse), sumScale, h)
                result = h
            }
            if let resampler = level.resampler { h = resampler(consume h, embeddings, mode) }
        }
        if let head { h = head(h, activation) } else if let result { h = result }
        return scaled(h, t)
    }

    private func run(
        _ block: Block, _ x: consuming Tensor, _ embeddings: BlockEmbeddings, _ mode: ForwardMode
    ) -> Tensor {
        guard options.recompute else { return block(consume x, embeddings, mode) }
        return Self.recomputing([x], embeddings) { block($0[0], $1, mode) }
    }

    /// A block over `x` and the features `skip` beside it; recomputation keeps the two, not their copy.
    private func run(
        _ block: Block, beside skip: consuming Tensor, _ x: consuming Tensor, _ embeddings: BlockEmbeddings,
        _ mode: ForwardMode
    ) -> Tensor {
        guard options.recompute else { return block(.concatenated([consume x, consume skip]), embeddings, mode) }
        return Self.recomputing([x, skip], embeddings) { block(.concatenated([$0[0], $0[1]]), $1, mode) }
    }

    private static func recomputing(
        _ maps: [Tensor], _ embeddings: BlockEmbeddings,
        _ body: @escaping @Sendable ([Tensor], BlockEmbeddings) -> Tensor
    ) -> Tensor {
        let (hasTime, hasNoise) = (embeddings.time != nil, embeddings.noise != nil)
        return recomputed(maps + [embeddings.time, embeddings.noise].compactMap(\.self)) {
            [count = maps.count] inputs in
            let time = hasTime ? inputs[count] : nil
            let noise = hasNoise ? inputs[inputs.count - 1] : nil
            return body(Array(inputs[..<count]), BlockEmbeddings(time: time, noise: noise))
        }
    }

    /// The last 1×1 convolution, with the division by time before or after it.
    private func scaled(_ h: Tensor, _ t: [Float]) -> Tensor {
        guard options.scaleBySigma else { return output(h) }
        let inverse = Tensor.computed(from: t, shape: [t.count]) { $0.map { Float(1 / Double($0)) } }
        return options.scalesAfterOutput ? output(h).scaledSamples(by: inverse) : output(h.scaledSamples(by: inverse))
    }
}
