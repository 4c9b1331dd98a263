import Kernels
import Layers
public import Tensors

/// A network that embeds a spectrogram of noise with any number of bins and frames.
public protocol NoiseEncoder: Sendable {
    /// All parameters in the reference's order, with its names.
    var parameters: [Parameter] { get }
    /// Width of the embedding.
    var width: Int { get }
    /// From `[B, F, N, 2]` to `[B, width]`, or a sequence over time `[B, L, width]`.
    func callAsFunction(_ noise: Tensor) -> Tensor
}

extension NoiseEncoder {
    /// The number of all weights.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }
}

/// `default`: convolutions of stride 2 with group normalisation, means over four bands of all frames, two linear
/// layers.
///
/// `sequence` keeps the frames that the strides leave, and embeds each; it has no counterpart in the reference.
public struct ConvolutionalNoiseEncoder: NoiseEncoder {
    private static let bands = 4

    /// All weights, in the reference's order and with its names.
    public let parameters: [Parameter]
    /// Width of the embedding.
    public let width: Int
    private let isSequence: Bool
    private let stages: [(convolution: Convolution, norm: GroupNorm)]
    private let first, second: Linear

    /// - Parameters:
    ///   - filters: Of the first convolution; each further one has twice as many, up to 512.
    ///   - isSequence: Whether frames are embedded one by one instead of by their mean.
    public init(
        filters: Int = 64, width: Int = 512, layers: Int = 4, isSequence: Bool = false, seed: UInt64 = 0
    ) throws(BackboneError) {
        guard layers > 0, width > 0 else {
            throw BackboneError(option: "noise_embed_dim", reason: "needs at least one layer and a positive width")
        }
        let scope = ParameterScope(seed: seed)
        let convolutions = scope.scope("conv_layers")
        var (inputs, outputs) = (2, filters)
        var stages: [(Convolution, GroupNorm)] = []
        for layer in 0..<layers {
            let groups = GroupNorm.groups(of: outputs)
            guard outputs >= 4, outputs % groups == 0 else {
                throw BackboneError(
                    option: "noise_encoder_nf",
                    reason: "\(outputs) channels do not divide into \(groups) groups of normalisation")
            }
            let deviation = (2 / Double(9 * outputs)).squareRoot()
            stages.append(
                (
                    Convolution(
                        convolutions.scope(3 * layer), inputs, outputs, stride: 2, padding: (1, 1),
                        initial: .normal(standardDeviation: deviation)),
                    GroupNorm(convolutions.scope(3 * layer + 1), outputs, epsilon: 1e-5)
                ))
            (inputs, outputs) = (outputs, min(2 * outputs, 512))
        }
        self.stages = stages
        self.width = width
        self.isSequence = isSequence
        first = Linear(scope.scope("fc").scope(0), inputs * Self.bands, width)
        second = Linear(scope.scope("fc").scope(2), width, width)
        parameters = scope.collector.parameters
    }

    /// From a compressed spectrogram `[B, F, R, 2]` to `[B, width]`, or to `[B, L, width]` for a sequence.
    public func callAsFunction(_ noise: Tensor) -> Tensor {
        let maps = stages.reduce(noise) { $1.norm($1.convolution($0), .silu) }
        let (batch, channels) = (maps.shape[0], maps.shape[3])
        guard !isSequence else { return sequence(maps) }
        // Channels outside, bands inside.
        let means = maps.averagePooled(height: Self.bands, width: 1).reshaped([batch, Self.bands, channels])
        return second(first(means.swappingLastAxes().reshaped([batch, channels * Self.bands])).activated(.silu))
    }

    /// Every frame's four bands side by side, embedded: `[B, L, width]`.
    private func sequence(_ maps: Tensor) -> Tensor {
        let (batch, frames, channels) = (maps.shape[0], maps.shape[2], maps.shape[3])
        let bands = maps.averagePooled(height: Self.bands, width: frames)
        // Frames outside, channels and bands inside.
        let rows = bands.reshaped([batch, Self.bands, frames * channels]).swappingLastAxes()
        return second(first(rows.reshaped([batch * frames, channels * Self.bands])).activated(.silu))
            .reshaped([batch, frames, width])
    }
}

/// `light`: the mean over time, three convolutions along the bins, the mean over the remaining bins, two linear layers.
public struct LightNoiseEncoder: NoiseEncoder {
    /// A convolution of stride 2 along one axis, with a filter `[F, C, k]`.
    private struct Stage: Sendable {
        let weight, bias: Parameter

        init(_ scope: ParameterScope, _ channels: Int, _ filters: Int, kernel: Int) {
            let start = Initializer.torchDefault(fanIn: channels * kernel)
            weight = scope.parameter("weight", [filters, channels, kernel], start)
            bias = scope.parameter("bias", [filters], start)
        }

        /// Over `[B, F, 1, C]`.
        func callAsFunction(_ x: Tensor) -> Tensor {
            let kernel = weight.shape[2]
            return x.convolved(
                weight.tensor.reshaped(weight.shape + [1]), bias: bias.tensor,
                vertical: ConvolutionWindow(kernel: kernel, stride: 2), horizontal: ConvolutionWindow(kernel: 1))
        }
    }

    /// All weights, in the reference's order and with its names.
    public let parameters: [Parameter]
    /// Width of the embedding.
    public let width: Int
    private let stages: [Stage]
    private let first, second: Linear

    public init(width: Int = 512, seed: UInt64 = 0) throws(BackboneError) {
        guard width > 0 else {
            throw BackboneError(option: "noise_embed_dim", reason: "needs a positive width, not \(width)")
        }
        let scope = ParameterScope(seed: seed)
        let encoder = scope.scope("freq_encoder")
        stages = [
            Stage(encoder.scope(0), 2, 64, kernel: 7),
            Stage(encoder.scope(2), 64, 128, kernel: 5),
            Stage(encoder.scope(4), 128, 256, kernel: 3),
        ]
        self.width = width
        func linear(_ index: Int, _ inputs: Int) -> Linear {
            let start = Initializer.torchDefault(fanIn: inputs)
            return Linear(scope.scope("fc").scope(index), inputs, width, initial: start, biasInitial: start)
        }
        first = linear(0, 256)
        second = linear(2, width)
        parameters = scope.collector.parameters
    }

    /// From a compressed spectrogram `[B, F, R, 2]`, averaged over frames, to `[B, width]`.
    public func callAsFunction(_ noise: Tensor) -> Tensor {
        let spectrum = noise.averagePooled(height: noise.shape[1], width: 1)
        let features = stages.reduce(spectrum) { $1($0).activated(.silu) }
        let mean = features.averagePooled(height: 1, width: 1).reshaped([noise.shape[0], 256])
        return second(first(mean).activated(.silu))
    }
}
