public import Kernels

extension Tensor {
    /// `act(gamma · (x − mean)/√(var + eps) + beta)` with the mean and variance of each channel over the whole batch.
    ///
    /// Ioffe & Szegedy, *Batch Normalization*, ICML 2015.
    ///
    /// - Returns: The map, and the statistics: mean and unbiased variance of each channel.
    public func batchNormalized(
        gamma: Tensor, beta: Tensor, epsilon: Double, activation: Activation
    ) -> (Tensor, mean: Tensor, variance: Tensor) {
        let m = map
        let flat = reshaped([1, m.batch * m.height, m.width, m.channels])
        let result = flat.groupNormalized(
            groups: m.channels, gamma: gamma, beta: beta, epsilon: epsilon, activation: activation)
        let pixels = m.batch * m.height * m.width
        let extents = GroupShape(batch: 1, pixels: pixels, channels: m.channels, groups: m.channels)
        let statistics = groupStatistics(
            MapSource(buffer, channels: m.channels), shape: extents, epsilon: Float(epsilon))
        let unbiased = Double(pixels) / Double(max(1, pixels - 1))
        let (means, rates) = (
            sliceChannels(statistics, pixels: m.channels, channels: 2, range: 0..<1),
            sliceChannels(statistics, pixels: m.channels, channels: 2, range: 1..<2)
        )
        let variances = inverseSquares(rates, less: epsilon, times: unbiased)
        return (
            result.reshaped(shape), Tensor(buffer: means, shape: [m.channels]),
            Tensor(buffer: variances, shape: [m.channels])
        )
    }

    /// The same with given statistics, through which no gradient flows.
    public func batchNormalized(
        mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor, epsilon: Double, activation: Activation
    ) -> Tensor {
        let m = map
        let (batch, pixels, channels) = (m.batch, m.height * m.width, m.channels)
        let extents = GroupShape(batch: 1, pixels: batch * pixels, channels: channels, groups: channels)
        let rates = inverseRoots(variance.buffer, plus: Float(epsilon))
        let statistics = concatenateChannels([(mean.buffer, 1), (rates, 1)], pixels: channels)
        let scales = concatenateChannels(
            [(FloatBuffer(repeating: 0, count: channels), 1), (rates, 1)], pixels: channels)
        let (x, g, b) = (Kept(self), gamma.buffer, beta.buffer)
        let make: @Sendable (FloatBuffer, Activation) -> FloatBuffer = {
            normalize($0, statistics: statistics, gamma: g, beta: b, activation: $1, shape: extents)
        }
        let inShape = shape
        return Tensor(
            buffer: make(buffer, activation), shape: inShape, from: [self, gamma, beta],
            recipe: { make(x.restored(), activation) },
            forward: { tangents in
                let input = self.buffer
                func made(_ x: FloatBuffer, _ statistics: FloatBuffer, _ gamma: FloatBuffer?) -> Tensor {
                    let buffer = normalize(
                        x, statistics: statistics, gamma: gamma, beta: nil, activation: .identity, shape: extents)
                    return Tensor(buffer: buffer, shape: inShape)
                }
                let sum = Self.total([
                    tangents[0].map { made($0.buffer, scales, g) },
                    tangents[1].map { made(input, statistics, $0.buffer) },
                    tangents[2].map { Tensor.zeros(inShape).addingToPixels($0) },
                ])
                return sum.map { z in
                    guard activation != .identity else { return z }
                    return Tensor(
                        buffer: activateGradient(make(input, .identity), activation, dy: z.buffer), shape: inShape)
                }
            }
        ) { dy, sink in
            let x = x.restored()
            let dz =
                activation == .identity
                ? dy.buffer : activateGradient(make(x, .identity), activation, dy: dy.buffer)
            let sums = { (z: FloatBuffer) in
                Tensor(buffer: channelSums(z, batch: 1, pixels: batch * pixels, channels: channels), shape: [channels])
            }
            if sink.wants(0) {
                let dx = normalize(dz, statistics: scales, gamma: g, beta: nil, activation: .identity, shape: extents)
                sink.add(Tensor(buffer: dx, shape: inShape), to: 0)
            }
            if sink.wants(1) {
                let hat = normalize(
                    x, statistics: statistics, gamma: nil, beta: nil, activation: .identity, shape: extents)
                sink.add(sums(multiplyElements(dz, hat)), to: 1)
            }
            if sink.wants(2) { sink.add(sums(dz), to: 2) }
        }
    }
}
