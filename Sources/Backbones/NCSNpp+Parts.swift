import Kernels
import Layers
import Tensors

/// The parts of the U-Net's levels.
extension NCSNpp {
    enum Block: Sendable {
        case biggan(BigGANBlock)
        case ddpm(DDPMBlock)

        func callAsFunction(_ x: consuming Tensor, _ embeddings: BlockEmbeddings, _ mode: ForwardMode) -> Tensor {
            switch self {
            case .biggan(let block): block(x, embeddings.time, mode, modulating: embeddings.noise)
            case .ddpm(let block): block(x, embeddings.time, mode, modulating: embeddings.noise)
            }
        }
    }

    /// The inputs of every block besides its map, already activated: the time embedding, and a noise embedding for
    /// modulation.
    struct BlockEmbeddings: Sendable {
        var time, noise: Tensor?
    }

    /// Attention to the map itself, and to a sequence of noise embeddings if there is one.
    struct Attention: Sendable {
        var own: AttentionBlock
        var cross: CrossAttentionBlock?

        func callAsFunction(_ x: Tensor, _ sequence: Tensor?) -> Tensor {
            let h = own(x)
            guard let cross, let sequence else { return h }
            return cross(h, sequence)
        }
    }

    enum Resampler: Sendable {
        case block(BigGANBlock)
        case down(Downsample)
        case up(Upsample)

        func callAsFunction(_ x: consuming Tensor, _ embeddings: BlockEmbeddings, _ mode: ForwardMode) -> Tensor {
            switch self {
            case .block(let block): block(x, embeddings.time, mode, modulating: embeddings.noise)
            case .down(let layer): layer(x)
            case .up(let layer): layer(x)
            }
        }
    }

    struct Stage: Sendable {
        var block: Block
        var attention: Attention?
    }

    struct DownLevel: Sendable {
        var stages: [Stage]
        var resampler: Resampler?
        var combine: Combine?
        var pyramid: Downsample?
    }

    struct UpLevel: Sendable {
        var blocks: [Block]
        var attention: Attention?
        var head: Head?
        var pyramid: Upsample?
        var resampler: Resampler?
    }

    /// Normalisation, activation, convolution.
    struct Head: Sendable {
        var norm: GroupNorm
        var convolution: Convolution

        func callAsFunction(_ x: Tensor, _ activation: Activation, residual: Tensor? = nil) -> Tensor {
            convolution(norm(x, activation), residual: residual)
        }
    }
}
