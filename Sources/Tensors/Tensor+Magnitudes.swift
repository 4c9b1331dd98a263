import Kernels

/// Operations of magnitude-preserving networks. They have no rule of forward mode: such networks take one time alone.
///
/// Karras et al., *Analyzing and Improving the Training Dynamics of Diffusion Models*, CVPR 2024 (EDM2), Appendix B.
extension Tensor {
    /// `gain · x / (ε + rms(x))` for every row, with `rms` the root mean square of its elements.
    ///
    /// - Parameter columns: The length of a row; the last axis unless given.
    public func normalizedRows(columns: Int? = nil, epsilon: Double = 1e-4, gain: Double = 1) -> Tensor {
        let columns = columns ?? shape[rank - 1]
        let x = Kept(self)
        let shape = shape
        return Tensor(
            buffer: normalizeRows(buffer, columns: columns, epsilon: epsilon, gain: gain), shape: shape, from: [self]
        ) { dy, sink in
            let dx = normalizeRowsGradient(x.restored(), dy: dy.buffer, columns: columns, epsilon: epsilon, gain: gain)
            sink.add(Tensor(buffer: dx, shape: shape), to: 0)
        }
    }

    /// The weights of a layer that keeps magnitudes: every filter `w` becomes `gain · w / ((ε + rms(w)) √fan_in)`.
    ///
    /// Without gradients they are made once and kept until the weights change.
    /// - Parameter order: The filters that the result takes, one after the other; all in their order if `nil`.
    public func magnitudePreserving(gain: Double = 1, order: [Int]? = nil) -> Tensor {
        let columns = shape.dropFirst().reduce(1, *)
        func made() -> Tensor {
            let all = normalizedRows(columns: columns, gain: gain / Double(columns).squareRoot())
            return order.map { all.rows($0) } ?? all
        }
        guard Gradients.keepFilters else { return made() }
        let kept = buffer.derived("magnitude \(gain)" + (order.map { " of \($0)" } ?? "")) { made().buffer }
        return Tensor(buffer: kept, shape: [order?.count ?? shape[0]] + shape.dropFirst())
    }

    /// Rows of the first axis, one after the other.
    public func rows(_ order: [Int]) -> Tensor {
        let columns = shape.dropFirst().reduce(1, *)
        precondition(order.allSatisfy { (0..<shape[0]).contains($0) }, "rows \(order) of a tensor \(shape)")
        let out = FloatBuffer(count: order.count * columns)
        buffer.withSpan { x in
            out.withMutableSpan { y in
                for (to, from) in order.enumerated() {
                    for c in 0..<columns { y[to * columns + c] = x[from * columns + c] }
                }
            }
        }
        let inShape = shape
        return Tensor(buffer: out, shape: [order.count] + inShape.dropFirst(), from: [self]) { dy, sink in
            let dx = FloatBuffer(repeating: 0, count: inShape.reduce(1, *))
            dy.buffer.withSpan { dy in
                dx.withMutableSpan { dx in
                    for (from, to) in order.enumerated() {
                        for c in 0..<columns { dx[to * columns + c] += dy[from * columns + c] }
                    }
                }
            }
            sink.add(Tensor(buffer: dx, shape: inShape), to: 0)
        }
    }

    /// Every element times a scalar tensor.
    public func scaled(by factor: Tensor) -> Tensor {
        precondition(factor.count == 1, "a factor \(factor.shape)")
        let value = Double(factor.buffer[0])
        let (x, shape, factorShape) = (Kept(self), shape, factor.shape)
        return Tensor(buffer: scale(buffer, by: Float(value)), shape: shape, from: [self, factor]) { dy, sink in
            if sink.wants(0) { sink.add(dy.scaled(by: value), to: 0) }
            if sink.wants(1) {
                sink.add(Tensor([Float(Kernels.dot(dy.buffer, x.restored()))], shape: factorShape), to: 1)
            }
        }
    }

    /// `((1 − t) a + t b) / √((1 − t)² + t²)`, whose magnitude is that of `a` and `b` where these are unlike.
    ///
    /// - Parameter balance: `t`, a scalar tensor.
    public func blended(with other: Tensor, by balance: Tensor) -> Tensor {
        precondition(
            shape == other.shape && balance.count == 1, "a blend of \(shape) and \(other.shape) by \(balance.shape)")
        let t = Double(balance.buffer[0])
        let n = ((1 - t) * (1 - t) + t * t).squareRoot()
        let (p, q) = ((1 - t) / n, t / n)
        let (a, b, shape, balanceShape) = (Kept(self), Kept(other), shape, balance.shape)
        let out = combine(Float(p), buffer, Float(q), other.buffer)
        return Tensor(buffer: out, shape: shape, from: [self, other, balance]) { dy, sink in
            if sink.wants(0) { sink.add(dy.scaled(by: p), to: 0) }
            if sink.wants(1) { sink.add(dy.scaled(by: q), to: 1) }
            if sink.wants(2) {
                let slope = (2 * t - 1) / (n * n)  // of n, over n
                let (dp, dq) = (-1 / n - p * slope, 1 / n - q * slope)
                let sum = dp * Kernels.dot(dy.buffer, a.restored()) + dq * Kernels.dot(dy.buffer, b.restored())
                sink.add(Tensor([Float(sum)], shape: balanceShape), to: 2)
            }
        }
    }

    /// Every element held within `−limit … limit`; the gradient of one outside is 0.
    public func clipped(to limit: Double) -> Tensor {
        let limit = Float(limit)
        guard !(largestMagnitude(buffer) <= limit) else { return self }
        let (x, shape) = (Kept(self), shape)
        return Tensor(buffer.values.map { min(max($0, -limit), limit) }, shape: shape, from: [self]) { dy in
            let values = x.restored().values
            return [Tensor(zip(dy.values, values).map { abs($1) <= limit ? $0 : 0 }, shape: shape)]
        }
    }

    /// `act(x ⊙ factors)` of a map `[B, H, W, C]`, with one factor `[B, C]` for each channel of each sample.
    ///
    /// A convolution that follows computes this of what it reads; the map is made only if something else wants it.
    public func activated(_ activation: Activation, scaling factors: Tensor? = nil) -> Tensor {
        let m = map
        precondition(
            factors.map { $0.shape == [m.batch, m.channels] } ?? true,
            "factors \(factors?.shape ?? []) of a map \(shape)")
        let groups = GroupShape(batch: m.batch, pixels: m.height * m.width, channels: m.channels, groups: m.channels)
        let statistics = FloatBuffer(
            (factors?.values ?? [Float](repeating: 1, count: m.batch * m.channels)).flatMap { [0, $0] })
        let read = source.isUnchanged ? self : Tensor(buffer: buffer, shape: shape)
        let made = read.source.normalized(
            statistics: statistics, gamma: nil, beta: nil, activation: activation, shape: groups)
        let x = Kept(read)
        let (inShape, hasFactors) = (shape, factors != nil)
        return Tensor(
            .pending(PendingMap(made, batch: m.batch, pixels: groups.pixels)), shape: inShape,
            from: [self, factors ?? .zeros([0])]
        ) { dy, sink in
            func scaledChannels(_ x: FloatBuffer) -> FloatBuffer {
                MapSource(x, channels: m.channels)
                    .normalized(statistics: statistics, gamma: nil, beta: nil, activation: .identity, shape: groups)
                    .read(batch: m.batch, pixels: groups.pixels)
            }
            let x = x.restored()
            let dz = activateGradient(hasFactors ? scaledChannels(x) : x, activation, dy: dy.buffer)
            if sink.wants(0) { sink.add(Tensor(buffer: hasFactors ? scaledChannels(dz) : dz, shape: inShape), to: 0) }
            if sink.wants(1) {
                let sums = channelSums(
                    multiplyElements(dz, x), batch: m.batch, pixels: groups.pixels, channels: m.channels)
                sink.add(Tensor(buffer: sums, shape: [m.batch, m.channels]), to: 1)
            }
        }
    }
}
