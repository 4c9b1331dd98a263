public import Kernels
public import Tensors

/// How a network runs.
public enum ForwardMode: Sendable {
    /// Nothing is dropped, and normalisation over the batch uses its running statistics.
    case evaluation
    /// Dropout and the statistics of the batch, with a random stream for each sample.
    ///
    /// Streams belong to samples, so that what is dropped does not depend on how a batch is divided among workers.
    case training([RandomStream])

    package var isTraining: Bool { if case .training = self { true } else { false } }
}

/// Sets elements to zero with probability `rate` and divides the others by `1 − rate`; in training only.
///
/// Srivastava et al., *Dropout*, JMLR 2014.
public struct Dropout: Sendable {
    private let rate: Double
    private let number: Int

    public init(_ scope: ParameterScope, rate: Double) {
        self.rate = rate
        number = scope.nextLayerNumber()
    }

    /// - Precondition: In training, one stream for each sample of `x`.
    public func callAsFunction(_ x: Tensor, _ mode: ForwardMode) -> Tensor {
        guard rate > 0, case .training(let streams) = mode else { return x }
        precondition(streams.count == x.shape[0], "\(streams.count) random streams for \(x.shape[0]) samples")
        return x.dropped(rate: rate, streams: streams.map { $0.child(number) })
    }
}
