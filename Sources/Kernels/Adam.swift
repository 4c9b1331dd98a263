import CKernels

/// The running moments of Adam and its settings for one update.
public struct AdamUpdate: Sendable {
    /// The step size, the decays of the first and second moment, and what keeps the divisor from 0.
    public var rate, beta1, beta2, epsilon: Double
    /// Updates made, this one included.
    public var count: Int
    /// The moving average's decay at this update.
    public var decay: Double

    public init(
        rate: Double, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, count: Int, decay: Double
    ) {
        self.rate = rate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.count = count
        self.decay = decay
    }
}

/// A weight with all that a step of Adam needs or changes.
public struct AdamBuffers: Sendable {
    /// The weight, its gradient, and the running first and second moments: as many elements each.
    public var weight, gradient, first, second: FloatBuffer
    /// The moving average of the weight; `nil` where none is kept.
    public var average: FloatBuffer?

    public init(
        weight: FloatBuffer, gradient: FloatBuffer, first: FloatBuffer, second: FloatBuffer, average: FloatBuffer?
    ) {
        (self.weight, self.gradient, self.first, self.second, self.average) = (weight, gradient, first, second, average)
    }
}

/// One step of Adam on a list of weights, whose gradients are multiplied by `scale` first.
public func updateAdam(_ list: [AdamBuffers], gradientScale: Double, _ update: AdamUpdate) {
    if let device = Device.current { return device.adam(list, update, scale: gradientScale) }
    for one in list {
        let gradient = gradientScale == 1 ? one.gradient : scale(one.gradient, by: Float(gradientScale))
        updateAdam(one.weight, gradient: gradient, first: one.first, second: one.second, average: one.average, update)
    }
}

/// One step of Adam on `weight`, then `average ← average + (1 − decay)(weight − average)`.
///
/// Kingma & Ba, *Adam*, ICLR 2015, Algorithm 1; no weight decay.
public func updateAdam(
    _ weight: FloatBuffer, gradient: FloatBuffer, first: FloatBuffer, second: FloatBuffer, average: FloatBuffer?,
    _ u: AdamUpdate
) {
    let count = weight.count
    precondition(
        gradient.count == count && first.count == count && second.count == count && average?.count ?? count == count,
        "updateAdam: buffers of different lengths")
    if let device = Device.current {
        return device.adam(
            [AdamBuffers(weight: weight, gradient: gradient, first: first, second: second, average: average)], u)
    }
    unsafe sg_adam(
        weight.base, gradient.base, first.base, second.base, average?.base, Int64(count), u.rate, u.beta1, u.beta2,
        u.epsilon,
        1 - power(u.beta1, u.count), 1 - power(u.beta2, u.count), u.decay)
    weight.packed.forget()
    average?.packed.forget()
}

func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, factor, rest) = (1.0, base, exponent)
    while rest > 0 {
        if rest & 1 == 1 { result *= factor }
        factor *= factor
        rest >>= 1
    }
    return result
}
