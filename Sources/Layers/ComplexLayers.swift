public import Kernels
public import Tensors

/// A complex convolution, or a transposed one, of maps whose real channels come before the imaginary ones.
///
///     (A + iB)(x + iy) = (Ax − By) + i(Ay + Bx)
///
/// With biases `a` and `b` of the two parts, the result's are `a − b` and `a + b`, as the reference has it.
public struct ComplexConvolution: Sendable {
    private let re, im: (weight: Parameter, bias: Parameter?)
    private let vertical, horizontal: ConvolutionWindow
    private let inputs, outputs: ComplexChannels
    private let isTransposed: Bool

    /// - Parameters:
    ///   - inputs: The order of the input's channels, where it is a concatenation of several maps.
    ///   - isTransposed: Takes the adjoint of a convolution with these windows, from `inputs` to `filters`.
    public init(
        _ scope: ParameterScope, _ inputs: ComplexChannels, _ filters: Int, vertical: ConvolutionWindow,
        horizontal: ConvolutionWindow, isTransposed: Bool = false, hasBias: Bool = false
    ) {
        self.vertical = vertical
        self.horizontal = horizontal
        self.inputs = inputs
        self.isTransposed = isTransposed
        outputs = ComplexChannels(filters)
        let kernel = [vertical.kernel, horizontal.kernel]
        let shape = (isTransposed ? [inputs.count, filters] : [filters, inputs.count]) + kernel
        let start = Initializer.torchDefault(fanIn: shape.dropFirst().reduce(1, *))
        func part(_ name: String) -> (Parameter, Parameter?) {
            let scope = scope.scope(name)
            return (scope.parameter("weight", shape, start), hasBias ? scope.parameter("bias", [filters], start) : nil)
        }
        re = part("re_module")
        im = part("im_module")
    }

    /// - Parameter shift: `[B, 2F]`, one bias per sample.
    public func callAsFunction(_ x: Tensor, shift: Tensor? = nil) -> Tensor {
        precondition(!isTransposed, "a transposed convolution needs the size of its result")
        let filter = Tensor.complex(re.weight.tensor, im.weight.tensor, rows: outputs, columns: inputs)
        return x.convolved(filter, bias: bias, shift: shift, vertical: vertical, horizontal: horizontal)
    }

    /// The transposed convolution to a map of `height × width`.
    public func callAsFunction(_ x: Tensor, height: Int, width: Int, shift: Tensor? = nil) -> Tensor {
        precondition(isTransposed, "only a transposed convolution takes the size of its result")
        let filter = Tensor.complex(re.weight.tensor, im.weight.tensor, rows: inputs, columns: outputs, adjoint: true)
        let y = x.transposeConvolved(
            filter, bias: bias, height: height, width: width, vertical: vertical, horizontal: horizontal)
        return shift.map { y.addingToPixels($0) } ?? y
    }

    private var bias: Tensor? { re.bias.flatMap { re in im.bias.map { complexBias(re.tensor, $0.tensor) } } }
}

/// A complex linear layer over rows `[B, 2·inputs]`, real parts first.
public struct ComplexLinear: Sendable {
    private let re, im: (weight: Parameter, bias: Parameter)
    private let inputs, outputs: ComplexChannels

    public init(_ scope: ParameterScope, _ inputs: Int, _ outputs: Int) {
        let start = Initializer.torchDefault(fanIn: inputs)
        func part(_ name: String) -> (Parameter, Parameter) {
            let scope = scope.scope(name)
            return (scope.parameter("weight", [outputs, inputs], start), scope.parameter("bias", [outputs], start))
        }
        re = part("re")
        im = part("im")
        self.inputs = ComplexChannels(inputs)
        self.outputs = ComplexChannels(outputs)
    }

    /// `W x + b` with complex `W` and `b`: `[B, 2·inputs]` to `[B, 2·outputs]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        let matrix = Tensor.complex(re.weight.tensor, im.weight.tensor, rows: outputs, columns: inputs)
        return x.matrixProduct(matrix, transposed: true).addingToPixels(complexBias(re.bias.tensor, im.bias.tensor))
    }
}

private func complexBias(_ re: Tensor, _ im: Tensor) -> Tensor { .concatenated([re - im, re + im]) }

/// Normalisation over the batch of complex maps, and the activation of both parts that follows it.
public enum ComplexNorm: Sendable {
    /// Real and imaginary parts on their own, with running statistics.
    case separate(BatchNorm)
    /// Both together, over the statistics of the batch at hand also in evaluation.
    case joint(ComplexBatchNorm)

    /// Normalises `[B, H, W, 2C]`; the mode matters for separate statistics only.
    public func callAsFunction(_ x: Tensor, _ activation: Activation, _ mode: ForwardMode) -> Tensor {
        switch self {
        case .separate(let norm): norm(x, activation, mode)
        case .joint(let norm): norm(x).activated(activation)
        }
    }
}

/// Batch normalisation of real and imaginary channels. In training the running statistics
/// become `0.9 · running + 0.1 · batch`.
public struct BatchNorm: Sendable {
    private struct Part: Sendable {
        let weight, bias, mean, variance, count: Parameter

        init(_ scope: ParameterScope, _ channels: Int) {
            weight = scope.parameter("weight", [channels], .constant(1))
            bias = scope.parameter("bias", [channels], .constant(0))
            mean = scope.buffer("running_mean", [channels], repeating: 0)
            variance = scope.buffer("running_var", [channels], repeating: 1)
            count = scope.buffer("num_batches_tracked", [], repeating: 0)
        }

        func updateStatistics(mean newMean: Tensor, variance newVariance: Tensor) {
            guard let deferred = DeferredStatistics.current else { return apply(newMean, newVariance) }
            deferred.add(newMean, newVariance, update: apply)
        }

        private func apply(_ newMean: Tensor, _ newVariance: Tensor) {
            let momentum = 0.1
            for (running, new) in [(mean, newMean), (variance, newVariance)] {
                running.assign(.weighted(1 - momentum, running.tensor, momentum, new))
            }
            count.assign(count.tensor + 1)
        }
    }

    private let re, im: Part
    private let channels: Int
    private let epsilon = 1e-5

    public init(_ scope: ParameterScope, _ channels: Int) {
        re = Part(scope.scope("re_module"), channels)
        im = Part(scope.scope("im_module"), channels)
        self.channels = channels
    }

    /// Batch statistics in training, which also updates the running ones; running statistics in evaluation.
    public func callAsFunction(_ x: Tensor, _ activation: Activation, _ mode: ForwardMode) -> Tensor {
        let gamma = Tensor.concatenated([re.weight.tensor, im.weight.tensor])
        let beta = Tensor.concatenated([re.bias.tensor, im.bias.tensor])
        guard case .training = mode else {
            return x.batchNormalized(
                mean: .concatenated([re.mean.tensor, im.mean.tensor]),
                variance: .concatenated([re.variance.tensor, im.variance.tensor]), gamma: gamma, beta: beta,
                epsilon: epsilon, activation: activation)
        }
        let (y, mean, variance) = x.batchNormalized(gamma: gamma, beta: beta, epsilon: epsilon, activation: activation)
        re.updateStatistics(mean: mean.samples(0..<channels), variance: variance.samples(0..<channels))
        im.updateStatistics(
            mean: mean.samples(channels..<2 * channels), variance: variance.samples(channels..<2 * channels))
        return y
    }
}

/// Complex batch normalisation. Trabelsi et al., *Deep Complex Networks*, ICLR 2018, §3.5.
public struct ComplexBatchNorm: Sendable {
    private let rr, ri, ii, biasRe, biasIm: Parameter

    public init(_ scope: ParameterScope, _ channels: Int) {
        rr = scope.parameter("Wrr", [channels], .constant(1))
        ri = scope.parameter("Wri", [channels], .uniform(bound: 0.9))
        ii = scope.parameter("Wii", [channels], .constant(1))
        biasRe = scope.parameter("Br", [channels], .constant(0))
        biasIm = scope.parameter("Bi", [channels], .constant(0))
    }

    /// Whitens each complex channel by its 2×2 covariance over the batch, then applies `Γ` and the bias.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        x.complexBatchNormalized(
            weight: (rr.tensor, ri.tensor, ii.tensor), bias: .concatenated([biasRe.tensor, biasIm.tensor]),
            epsilon: 1e-5)
    }
}
