public import Tensors

/// What a model predicts from the state `x`, the noisy speech `y` and the time: the score `∇log p_t(x | y)`, or
/// for a bridge the clean speech. All are `[B, F, N, 2]`.
public typealias Prediction = (_ x: Tensor, _ y: Tensor, _ t: Double) -> Tensor

/// A model that counts its calls, so that a reported number of function evaluations is counted, never computed.
///
/// It cannot be copied, so no call is counted elsewhere.
public struct CountedScore: ~Copyable {
    private let predict: Prediction
    /// The number of calls so far.
    public private(set) var nfe = 0

    public init(_ predict: @escaping Prediction) { self.predict = predict }

    /// Calls the model once and adds 1 to ``nfe``, whatever the batch size.
    public mutating func callAsFunction(_ x: Tensor, given y: Tensor, at t: Double) -> Tensor {
        nfe += 1
        return predict(x, y, t)
    }
}
