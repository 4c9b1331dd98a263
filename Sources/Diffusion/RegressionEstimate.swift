public import Tensors

/// No reverse process: what it would start from is the result. Behind a regression this is the regression's estimate
/// alone.
public struct RegressionEstimate: Sampler, Hashable {
    public init() {}

    public var start: Double { 1 }

    public func sample(
        given y: Tensor, noise: inout NoiseSource, observe: ((IntermediateState) -> Void)?,
        predict: @escaping Prediction
    ) -> Sample {
        Sample(x: y, nfe: 0)
    }
}
