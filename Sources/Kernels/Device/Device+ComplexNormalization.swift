import CDevice

extension Device {
    /// Complex batch normalisation of `[pixels, 2C]` with weights `rr`, `ri`, `ii` of `[C]` and a bias `[2C]`.
    public func complexNormalize(
        _ x: FloatBuffer, weights: [FloatBuffer], bias: FloatBuffer, pixels: Int, channels: Int, epsilon: Double
    ) -> FloatBuffer {
        precondition(
            weights.count == 3 && x.count == pixels * 2 * channels, "complex normalisation of \(x.count) elements")
        let handles = unsafe weights.map { unsafe Optional($0.on(self)) }
        return made("complexNormalize", x.count) {
            unsafe $0.complex_norm(x.on(self), handles, bias.on(self), Int64(pixels), Int64(channels), epsilon)
        }
    }

    /// The gradients of `x`, the three weights and the bias.
    public func complexNormalizeGradients(
        _ x: FloatBuffer, weights: [FloatBuffer], dy: FloatBuffer, pixels: Int, channels: Int, epsilon: Double
    ) -> [FloatBuffer] {
        precondition(weights.count == 3 && dy.count == x.count, "complex normalisation of \(x.count) elements")
        let handles = unsafe weights.map { unsafe Optional($0.on(self)) }
        return made("complexNormalize gradients", [x.count, channels, channels, channels, 2 * channels]) {
            unsafe $0.complex_norm_backward(
                x.on(self), handles, dy.on(self), Int64(pixels), Int64(channels), epsilon, $1)
        }
    }
}
