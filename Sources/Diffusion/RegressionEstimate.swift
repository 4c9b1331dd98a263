public import Tensors

/// No reverse process: its start is the result. With a regression this is the regression's estimate alone.
public struct RegressionEstimate: Sampler, Hashable {
    public init() {}

    /// 1, although no process starts there.
    public var start: Double { 1 }

    /// `y` itself, without a call of the model; behind a regression, `y` is its estimate.
    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample {
        Sample(x: y, nfe: 0)
    }
}
