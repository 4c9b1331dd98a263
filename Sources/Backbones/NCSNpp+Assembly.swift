import Layers
import Tensors

extension NCSNpp {
    /// Builds the network: parts are made one after the other, each under the next number of `all_modules`.
    struct Assembly {
        /// Channels of the input: real and imaginary part of `x` and of the conditioning spectrograms.
        private let channels: Int

        private let options: NCSNppOptions
        private let scope: ParameterScope
        private let modules: ParameterScope
        /// The number of the next module, and of the next cross-attention.
        private var (index, crossing) = (0, 0)
        /// Channels of the map, and of the pyramids beside it.
        private var width: Int
        private var (inputPyramid, outputPyramid): (Int, Int)
        /// Channels of the skip connections from the down path to the up path.
        private var skips: [Int]

        init(_ options: NCSNppOptions, _ scope: ParameterScope) {
            (self.options, self.scope, modules) = (options, scope, scope.scope("all_modules"))
            channels = 2 * options.inputs
            (inputPyramid, outputPyramid) = (channels, 0)
            width = options.nf
            skips = [options.nf]
        }

        private mutating func next() -> ParameterScope {
            defer { index += 1 }
            return modules.scope(index)
        }

        private mutating func block(_ from: Int, _ to: Int) -> Block {
            options.resblockType == .biggan
                ? .biggan(BigGANBlock(next(), from, to, style: options.style))
                : .ddpm(DDPMBlock(next(), from, to, style: options.style))
        }

        private mutating func attention() -> Attention {
            let own = AttentionBlock(next(), width, style: options.style)
            guard let condition = options.noiseAttention else { return Attention(own: own) }
            defer { crossing += 1 }
            let place = scope.scope("noise_attention").scope(crossing)
            return Attention(own: own, cross: CrossAttentionBlock(place, width, width: condition))
        }

        // MARK: The time, and the input

        mutating func frequencies() -> FourierFeatures? {
            options.embeddingType == .fourier
                ? FourierFeatures(next(), count: options.nf, scale: options.fourierScale) : nil
        }

        mutating func dense() -> (first: Linear, second: Linear)? {
            guard options.conditional else { return nil }
            let nf = options.nf
            let first = Linear(next(), options.embeddingType == .fourier ? 2 * nf : nf, 4 * nf)
            return (first, Linear(next(), 4 * nf, 4 * nf))
        }

        mutating func input() -> Convolution { Convolution(next(), channels, options.nf) }

        // MARK: The way down

        /// Residual blocks at one resolution, and the layer that halves it unless it is the last.
        mutating func downLevel(_ level: Int) -> DownLevel {
            var built = DownLevel(stages: [])
            for _ in 0..<options.numResBlocks {
                let made = block(width, options.nf * options.chMult[level])
                width = options.nf * options.chMult[level]
                built.stages.append(Stage(block: made, attention: options.attends(level) ? attention() : nil))
                skips.append(width)
            }
            if level != options.chMult.count - 1 { addHalving(to: &built) }
            return built
        }

        private mutating func addHalving(to built: inout DownLevel) {
            built.resampler =
                options.resblockType == .biggan
                ? .block(BigGANBlock(next(), width, nil, .down, style: options.style))
                : .down(Downsample(next(), width, width, convolved: options.resampWithConv, rule: options.rule))
            switch options.progressiveInput {
            case .none: break
            case .skip:
                built.combine = Combine(next(), inputPyramid, width, options.progressiveCombine)
                if options.progressiveCombine == .cat { width *= 2 }
            case .residual:
                built.pyramid = Downsample(next(), inputPyramid, width, convolved: true, rule: options.rule)
                inputPyramid = width
            }
            skips.append(width)
        }

        mutating func middle() -> (first: Block, attention: Attention, second: Block) {
            let first = block(width, width)
            let between = attention()
            return (first, between, block(width, width))
        }

        // MARK: The way up

        /// Residual blocks over the map and the skip connections, and the layer that doubles the resolution unless it
        /// is the finest.
        mutating func upLevel(_ level: Int) -> UpLevel {
            var built = UpLevel(blocks: [])
            for _ in 0...options.numResBlocks {
                built.blocks.append(block(width + skips.removeLast(), options.nf * options.chMult[level]))
                width = options.nf * options.chMult[level]
            }
            if options.attends(level) { built.attention = attention() }
            addPyramid(to: &built, isCoarsest: level == options.chMult.count - 1)
            if level != 0 {
                built.resampler =
                    options.resblockType == .biggan
                    ? .block(BigGANBlock(next(), width, nil, .up, style: options.style))
                    : .up(Upsample(next(), width, width, convolved: options.resampWithConv, rule: options.rule))
            }
            return built
        }

        private mutating func addPyramid(to built: inout UpLevel, isCoarsest: Bool) {
            switch options.progressive {
            case .none: break
            case .skip:
                built.head = outputHead()
                outputPyramid = channels
            case .residual where isCoarsest:
                built.head = Head(norm: GroupNorm(next(), width), convolution: Convolution(next(), width, width))
                outputPyramid = width
            case .residual:
                built.pyramid = Upsample(next(), outputPyramid, width, convolved: true, rule: options.rule)
                outputPyramid = width
            }
        }

        /// From the map to the channels of the input.
        mutating func outputHead() -> Head {
            let norm = GroupNorm(next(), width)
            let initial = Initializer.fanAverage(scale: options.initScale)
            return Head(norm: norm, convolution: Convolution(next(), width, channels, initial: initial))
        }
    }
}
