import Kernels
import Layers
import Tensors

/// The U-Net inside of ``EDM2``: magnitude-preserving blocks around skip connections, without pyramids.
struct EDM2UNet: Sendable {
    private struct Stage: Sendable {
        var block: MagnitudeBlock
        var halves = false
        /// Whether a skip connection is concatenated with the block's input.
        var takesSkip = false
        var doubles = false
    }

    private let options: EDM2Options
    private let outputGain: Parameter
    private let features: MagnitudeFourier
    private let embed: MagnitudeLinear
    private let input, output: MagnitudeConvolution
    private let down, up: [Stage]
    /// Channels of the skip connections, in order.
    private let skips: [Int]

    init(_ options: EDM2Options, _ scope: ParameterScope) {
        self.options = options
        var style = options.block
        style.embedding = options.embeddingWidth
        outputGain = scope.parameter("out_gain", [], .constant(0))
        features = MagnitudeFourier(scope.scope("emb_fourier"), count: options.noiseWidth)
        embed = MagnitudeLinear(scope.scope("emb_noise"), options.noiseWidth, options.embeddingWidth)
        var (width, skips, down) = (options.widths[0], [options.widths[0]], [Stage]())
        let encoder = scope.scope("enc")
        input = MagnitudeConvolution(encoder.scope("\(options.freqResolution)_conv"), 3, width, kernel: 3)
        for (level, channels) in options.widths.enumerated() {
            let bins = options.freqResolution >> level
            if level > 0 {
                down.append(
                    Stage(
                        block: MagnitudeBlock(
                            encoder.scope("\(bins)_down"), width, width, .encoder, .down, style: style), halves: true))
                skips.append(width)
            }
            for index in 0..<options.numBlocks {
                down.append(
                    Stage(
                        block: MagnitudeBlock(
                            encoder.scope("\(bins)_block\(index)"), width, channels, .encoder,
                            attends: options.attends(level), style: style)))
                width = channels
                skips.append(width)
            }
        }
        (self.down, self.skips) = (down, skips)
        up = Self.decoder(options, scope.scope("dec"), style, &width, skips)
        output = MagnitudeConvolution(scope.scope("out_conv"), width, 2, kernel: 3)
    }

    private static func decoder(
        _ options: EDM2Options, _ scope: ParameterScope, _ style: MagnitudeStyle, _ width: inout Int, _ skips: [Int]
    ) -> [Stage] {
        var (skips, stages) = (skips, [Stage]())
        for (level, channels) in options.widths.enumerated().reversed() {
            let bins = options.freqResolution >> level
            if level == options.widths.count - 1 {
                stages.append(
                    Stage(
                        block: MagnitudeBlock(
                            scope.scope("\(bins)_in0"), width, width, .decoder, attends: true, style: style)))
                stages.append(
                    Stage(block: MagnitudeBlock(scope.scope("\(bins)_in1"), width, width, .decoder, style: style)))
            } else {
                stages.append(
                    Stage(
                        block: MagnitudeBlock(scope.scope("\(bins)_up"), width, width, .decoder, .up, style: style),
                        doubles: true))
            }
            for index in 0...options.numBlocks {
                stages.append(
                    Stage(
                        block: MagnitudeBlock(
                            scope.scope("\(bins)_block\(index)"), width + skips.removeLast(), channels, .decoder,
                            attends: options.attends(level), style: style),
                        takesSkip: true))
                width = channels
            }
        }
        return stages
    }

    /// - Parameters:
    ///   - x: The scaled state, `[B, F, N, 2]`.
    ///   - t: The time of each sample, which gives its noise level.
    ///   - condition: The scaled noisy speech, `[B, F, N, 2]`.
    func callAsFunction(_ x: Tensor, _ t: [Float], _ condition: Tensor, _ mode: ForwardMode) -> Tensor {
        let levels = features(of: t) { [options] in Float(options.scalings(at: Double($0)).level) }
        let embedding = embed(levels, mode).activated(.silu).scaled(by: 1 / Magnitude.silu)
        // One channel of ones replaces the biases, which no layer has.
        let ones = Tensor(repeating: 1, shape: Array(x.shape.dropLast()) + [1])
        var h = input(.concatenated([x, ones]), mode)
        var (kept, condition) = ([h], condition)
        for stage in down {
            h = stage.block(h, embedding, condition, mode)
            kept.append(h)
            if stage.halves { condition = condition.resampled(MagnitudeStyle().halving) }
        }
        for stage in up {
            if stage.takesSkip {
                let skip = kept.removeLast()
                let weights = Magnitude.concatenation(options.concatBalance, h.shape[3], skip.shape[3])
                h = .concatenated([h.scaled(by: weights.first), skip.scaled(by: weights.second)])
            }
            h = stage.block(h, embedding, condition, mode)
        }
        return output(h, mode).scaled(by: outputGain.tensor)
    }
}
