import Foundation
import Kernels
import Layers
import Tensors

/// NCSN++ over complex spectrograms: a U-Net of residual blocks with input and output pyramids.
///
/// Song et al., ICLR 2021, Appendix H, as used by Richter et al., TASLP 2023 (`ncsnpp`), Interspeech 2024
/// (`ncsnpp_48k`) and ICASSP 2025 (`ncsnpp_v2`). Attention stands at the levels where `image_size / 2^level` is
/// listed, and between the two halves.
public struct NCSNpp: Backbone {
    private enum Block: Sendable {
        case biggan(BigGANBlock), ddpm(DDPMBlock)

        func callAsFunction(_ x: Tensor, _ guide: Guide, _ mode: ForwardMode) -> Tensor {
            switch self {
            case .biggan(let block): block(x, guide.time, mode, modulating: guide.noise)
            case .ddpm(let block): block(x, guide.time, mode, modulating: guide.noise)
            }
        }
    }

    /// What every block sees besides its map: the activated time embedding, and a noise embedding that modulates.
    private struct Guide: Sendable {
        var time, noise: Tensor?
    }

    /// Attention to the map itself, and to a sequence of noise embeddings if there is one.
    private struct Attention: Sendable {
        var own: AttentionBlock
        var cross: CrossAttentionBlock?

        func callAsFunction(_ x: Tensor, _ sequence: Tensor?) -> Tensor {
            let h = own(x)
            guard let cross, let sequence else { return h }
            return cross(h, sequence)
        }
    }

    private enum Resampler: Sendable {
        case block(BigGANBlock), down(Downsample), up(Upsample)

        func callAsFunction(_ x: Tensor, _ guide: Guide, _ mode: ForwardMode) -> Tensor {
            switch self {
            case .block(let block): block(x, guide.time, mode, modulating: guide.noise)
            case .down(let layer): layer(x)
            case .up(let layer): layer(x)
            }
        }
    }

    private struct Stage: Sendable {
        var block: Block
        var attention: Attention?
    }

    private struct DownLevel: Sendable {
        var stages: [Stage]
        var resampler: Resampler?
        var combine: Combine?
        var pyramid: Downsample?
    }

    private struct UpLevel: Sendable {
        var blocks: [Block]
        var attention: Attention?
        var head: Head?
        var pyramid: Upsample?
        var resampler: Resampler?
    }

    /// Normalisation, activation, convolution.
    private struct Head: Sendable {
        var norm: GroupNorm
        var convolution: Convolution

        func callAsFunction(_ x: Tensor, _ activation: Activation, residual: Tensor? = nil) -> Tensor {
            convolution(norm(x, activation), residual: residual)
        }
    }

    public let parameters: [Parameter]
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
        let (nf, levels, style, rule) = (options.nf, options.chMult.count, options.style, options.rule)
        let channels = 4
        output = Convolution(
            scope.scope("output_layer"), channels, 2, kernel: 1, initial: .torchDefault(fanIn: channels),
            biasInitial: .torchDefault(fanIn: channels))

        let all = scope.scope("all_modules")
        var index = 0
        func next() -> ParameterScope {
            defer { index += 1 }
            return all.scope(index)
        }
        var crossed = 0
        func crossings() -> Int {
            defer { crossed += 1 }
            return crossed
        }
        func block(_ from: Int, _ to: Int) -> Block {
            options.resblockType == .biggan
                ? .biggan(BigGANBlock(next(), from, to, style: style)) : .ddpm(DDPMBlock(next(), from, to, style: style))
        }

        func attention(_ channels: Int) -> Attention {
            Attention(
                own: AttentionBlock(next(), channels, style: style),
                cross: options.noiseAttention.map {
                    CrossAttentionBlock(scope.scope("noise_attention").scope(crossings()), channels, width: $0)
                })
        }

        let isFourier = options.embeddingType == .fourier
        frequencies = isFourier ? FourierFeatures(next(), count: nf, scale: options.fourierScale) : nil
        dense = options.conditional
            ? (Linear(next(), isFourier ? 2 * nf : nf, 4 * nf), Linear(next(), 4 * nf, 4 * nf)) : nil

        input = Convolution(next(), channels, nf)
        var skips = [nf]
        var width = nf
        var pyramidWidth = channels
        var down: [DownLevel] = []
        for level in 0..<levels {
            var built = DownLevel(stages: [])
            for _ in 0..<options.numResBlocks {
                let made = block(width, nf * options.chMult[level])
                width = nf * options.chMult[level]
                built.stages.append(
                    Stage(block: made, attention: options.attends(level) ? attention(width) : nil))
                skips.append(width)
            }
            if level != levels - 1 {
                built.resampler = options.resblockType == .biggan
                    ? .block(BigGANBlock(next(), width, nil, .down, style: style))
                    : .down(Downsample(next(), width, width, convolved: options.resampWithConv, rule: rule))
                switch options.progressiveInput {
                case .none: break
                case .skip:
                    built.combine = Combine(next(), pyramidWidth, width, options.progressiveCombine)
                    if options.progressiveCombine == .cat { width *= 2 }
                case .residual:
                    built.pyramid = Downsample(next(), pyramidWidth, width, convolved: true, rule: rule)
                    pyramidWidth = width
                }
                skips.append(width)
            }
            down.append(built)
        }
        self.down = down

        let first = block(width, width)
        let between = attention(width)
        middle = (first, between, block(width, width))

        var outputPyramid = 0
        var up: [UpLevel] = []
        for level in (0..<levels).reversed() {
            var built = UpLevel(blocks: [])
            for _ in 0...options.numResBlocks {
                built.blocks.append(block(width + skips.removeLast(), nf * options.chMult[level]))
                width = nf * options.chMult[level]
            }
            if options.attends(level) { built.attention = attention(width) }
            switch options.progressive {
            case .none: break
            case .skip:
                built.head = Head(
                    norm: GroupNorm(next(), width),
                    convolution: Convolution(next(), width, channels, initial: .fanAverage(scale: options.initScale)))
                outputPyramid = channels
            case .residual where level == levels - 1:
                built.head = Head(norm: GroupNorm(next(), width), convolution: Convolution(next(), width, width))
                outputPyramid = width
            case .residual:
                built.pyramid = Upsample(next(), outputPyramid, width, convolved: true, rule: rule)
                outputPyramid = width
            }
            if level != 0 {
                built.resampler = options.resblockType == .biggan
                    ? .block(BigGANBlock(next(), width, nil, .up, style: style))
                    : .up(Upsample(next(), width, width, convolved: options.resampWithConv, rule: rule))
            }
            up.append(built)
        }
        self.up = up

        head = options.progressive == .skip
            ? nil
            : Head(
                norm: GroupNorm(next(), width),
                convolution: Convolution(next(), width, channels, initial: .fanAverage(scale: options.initScale)))
        parameters = scope.collector.parameters
    }

    public var divisor: (bins: Int, frames: Int) {
        let factor = 1 << (options.chMult.count - 1)
        return (factor, factor)
    }

    /// The time embedding before the blocks' activation, `[B, 4·nf]`; `nil` without one.
    public func embedding(_ t: [Float]) -> Tensor? {
        guard let dense else { return nil }
        let features = frequencies.map { $0(t.map { log($0) }) } ?? positionalFeatures(t, dimension: options.nf)
        return dense.second(dense.first(features).activated(options.nonlinearity))
    }

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
        precondition(x.shape == y.shape && x.rank == 4 && x.shape[3] == 2, "x \(x.shape), y \(y.shape)")
        precondition(t.count == x.shape[0], "\(t.count) times for \(x.shape[0]) samples")
        precondition(
            x.shape[1] % divisor.bins == 0 && x.shape[2] % divisor.frames == 0,
            "\(x.shape[1]) bins and \(x.shape[2]) frames must be multiples of \(divisor)")
        let activation = options.nonlinearity
        let guide = Guide(time: embedding?.activated(activation), noise: modulation?.activated(activation))
        let sumScale = options.style.sumScale
        var map = Tensor.concatenated([x, y])
        if !options.centered { map = map.scaled(by: 2, plus: -1) }

        var pyramid = map
        var h = input(map)
        var skips = [h]
        for level in down {
            for stage in level.stages {
                h = run(stage.block, h, guide, mode)
                if let attention = stage.attention { h = attention(h, sequence) }
                skips.append(h)
            }
            guard let resampler = level.resampler else { continue }
            h = resampler(h, guide, mode)
            if let combine = level.combine {
                pyramid = pyramid.resampled(options.rule.halving)
                h = combine(pyramid, h)
            } else if let convolved = level.pyramid {
                pyramid = .weighted(sumScale, convolved(pyramid), sumScale, h)
                h = pyramid
            }
            skips.append(h)
        }

        h = run(middle.first, h, guide, mode)
        h = middle.attention(h, sequence)
        h = run(middle.second, h, guide, mode)

        var result: Tensor?
        for level in up {
            for block in level.blocks { h = run(block, beside: skips.removeLast(), h, guide, mode) }
            if let attention = level.attention { h = attention(h, sequence) }
            if let head = level.head {
                result = head(h, activation, residual: result?.resampled(options.rule.doubling))
            } else if let convolved = level.pyramid, let coarse = result {
                h = .weighted(sumScale, convolved(coarse), sumScale, h)
                result = h
            }
            if let resampler = level.resampler { h = resampler(h, guide, mode) }
        }
        if let head { h = head(h, activation) } else if let result { h = result }
        return scaled(h, t)
    }

    private func run(_ block: Block, _ x: Tensor, _ guide: Guide, _ mode: ForwardMode) -> Tensor {
        guard options.recompute else { return block(x, guide, mode) }
        return Self.recomputing([x], guide) { block($0[0], $1, mode) }
    }

    /// A block over `x` and the features `skip` beside it; recomputation keeps the two, not their copy.
    private func run(
        _ block: Block, beside skip: Tensor, _ x: Tensor, _ guide: Guide, _ mode: ForwardMode
    ) -> Tensor {
        guard options.recompute else { return block(.concatenated([x, skip]), guide, mode) }
        return Self.recomputing([x, skip], guide) { block(.concatenated([$0[0], $0[1]]), $1, mode) }
    }

    private static func recomputing(
        _ maps: [Tensor], _ guide: Guide, _ body: @escaping @Sendable ([Tensor], Guide) -> Tensor
    ) -> Tensor {
        let (hasTime, hasNoise) = (guide.time != nil, guide.noise != nil)
        return recomputed(maps + [guide.time, guide.noise].compactMap(\.self)) { [count = maps.count] inputs in
            let time = hasTime ? inputs[count] : nil
            return body(Array(inputs[..<count]), Guide(time: time, noise: hasNoise ? inputs[inputs.count - 1] : nil))
        }
    }

    /// The last 1×1 convolution, with the division by time before or after it.
    private func scaled(_ h: Tensor, _ t: [Float]) -> Tensor {
        guard options.scaleBySigma else { return output(h) }
        let inverse = t.map { 1 / Double($0) }
        return options.scalesAfterOutput ? output(h).scaledSamples(by: inverse) : output(h.scaledSamples(by: inverse))
    }
}
