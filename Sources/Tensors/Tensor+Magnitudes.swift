public import Kernels

/// Operations of magnitude-preserving networks.
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
        // The Jacobian of a row is symmetric, so that one function is both ways.
        @Sendable func derivative(_ x: FloatBuffer, _ dy: Tensor) -> Tensor {
            Tensor(
                buffer: normalizeRowsGradient(x, dy: dy.buffer, columns: columns, epsilon: epsilon, gain: gain),
                shape: shape)
        }
        return Tensor(
            buffer: normalizeRows(buffer, columns: columns, epsilon: epsilon, gain: gain), shape: shape, from: [self],
            forward: Self.linearly { derivative(self.buffer, $0) }
        ) { dy, sink in
            sink.add(derivative(x.restored(), dy), to: 0)
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
        guard Gradients.keepFilters, tangent == nil else { return made() }
        let kept = buffer.derived("magnitude \(gain)" + (order.map { " of \($0)" } ?? "")) { made().buffer }
        return Tensor(buffer: kept, shape: [order?.count ?? shape[0]] + shape.dropFirst())
    }

    /// Rows of the first axis, one after the other.
    public func rows(_ order: [Int]) -> Tensor {
        let columns = shape.dropFirst().reduce(1, *)
        precondition(order.allSatisfy { (0..<shape[0]).contains($0) }, "rows \(order) of a tensor \(shape)")
        let inShape = shape
        return Tensor(
            buffer: selectEntries(buffer, rows: 1, entries: shape[0], width: columns, at: order),
            shape: [order.count] + inShape.dropFirst(), from: [self], forward: Self.linearly { $0.rows(order) }
        ) { dy, sink in
            // A row that was taken several times adds up what comes back from each.
            var rest = Array(order.enumerated())
            repeat {
                var (places, later) = ([Int](repeating: -1, count: inShape[0]), [(offset: Int, element: Int)]())
                for (place, row) in rest {
                    if places[row] < 0 { places[row] = place } else { later.append((place, row)) }
                }
                rest = later
                let part = selectEntries(dy.buffer, rows: 1, entries: order.count, width: columns, at: places)
                sink.add(Tensor(buffer: part, shape: inShape), to: 0)
            } while !rest.isEmpty
        }
    }

    /// Every element times a scalar tensor.
    public func scaled(by factor: Tensor) -> Tensor {
        precondition(factor.count == 1, "a factor \(factor.shape)")
        let (x, value, shape, factorShape) = (Kept(self), factor.detached, shape, factor.shape)
        return Tensor(
            buffer: scale(buffer, by: factor.buffer), shape: shape, from: [self, factor],
            forward: { Self.total([$0[0]?.scaled(by: value), $0[1].map { self.detached.scaled(by: $0) }]) }
        ) { dy, sink in
            if sink.wants(0) { sink.add(dy.scaled(by: value), to: 0) }
            if sink.wants(1) { sink.add(Tensor(buffer: inner(dy.buffer, x.restored()), shape: factorShape), to: 1) }
        }
    }

    /// `1/√x` of every element.
    func inverseRoot() -> Tensor {
        let root = Tensor(buffer: inverseRoots(buffer, plus: 0), shape: shape)
        let slope = (root * root * root).scaled(by: -0.5)
        return Tensor(buffer: root.buffer, shape: shape, from: [self], forward: Self.linearly { $0 * slope }) {
            $1.add($0 * slope, to: 0)
        }
    }

    /// `((1 − t) a + t b) / √((1 − t)² + t²)`, whose magnitude is that of `a` and `b` where these are unlike.
    ///
    /// - Parameter balance: `t`, a scalar tensor.
    public func blended(with other: Tensor, by balance: Tensor) -> Tensor {
        precondition(
            shape == other.shape && balance.count == 1, "a blend of \(shape) and \(other.shape) by \(balance.shape)")
        if Device.current != nil {  // where the balance stays
            let t = balance.reshaped([1])
            let rest = t.scaled(by: -1, plus: 1)
            let factor = (rest * rest + t * t).inverseRoot()
            return scaled(by: rest * factor) + other.scaled(by: t * factor)
        }
        let t = Double(balance.buffer[0])
        let n = ((1 - t) * (1 - t) + t * t).squareRoot()
        let (p, q) = ((1 - t) / n, t / n)
        let slope = (2 * t - 1) / (n * n)  // of n, over n
        let (dp, dq) = (-1 / n - p * slope, 1 / n - q * slope)
        let (a, b, shape, balanceShape) = (Kept(self), Kept(other), shape, balance.shape)
        let out = combine(Float(p), buffer, Float(q), other.buffer)
        return Tensor(
            buffer: out, shape: shape, from: [self, other, balance],
            forward: { tangents in
                let moved = tangents[2].map { rate in
                    Tensor.weighted(dp, self.detached, dq, other.detached).scaled(by: Double(rate.item))
                }
                return Self.total([tangents[0]?.scaled(by: p), tangents[1]?.scaled(by: q), moved])
            }
        ) { dy, sink in
            if sink.wants(0) { sink.add(dy.scaled(by: p), to: 0) }
            if sink.wants(1) { sink.add(dy.scaled(by: q), to: 1) }
            if sink.wants(2) {
                let sum = dp * Kernels.dot(dy.buffer, a.restored()) + dq * Kernels.dot(dy.buffer, b.restored())
                sink.add(Tensor([Float(sum)], shape: balanceShape), to: 2)
            }
        }
    }

    /// Every element held within `−limit … limit`; the gradient of one outside is 0.
    public func clipped(to limit: Double) -> Tensor {
        let limit = Float(limit)
        guard let clipped = clip(buffer, to: limit) else { return self }
        let (x, shape) = (Kept(self), shape)
        @Sendable func inside(_ dy: Tensor, _ x: FloatBuffer) -> Tensor {
            Tensor(buffer: clipGradient(x, to: limit, dy: dy.buffer), shape: shape)
        }
        return Tensor(
            buffer: clipped, shape: shape, from: [self], forward: Self.linearly { inside($0, self.buffer) }
        ) { dy, sink in
            sink.add(inside(dy, x.restored()), to: 0)
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
        func rates(_ factors: Tensor?) -> FloatBuffer {
            scalingStatistics(factors?.buffer, count: m.batch * m.channels)
        }
        let statistics = rates(factors)
        @Sendable func scaledChannels(_ x: FloatBuffer, by statistics: FloatBuffer) -> FloatBuffer {
            MapSource(x, channels: m.channels)
                .normalized(statistics: statistics, gamma: nil, beta: nil, activation: .identity, shape: groups)
                .read(batch: m.batch, pixels: groups.pixels)
        }
        let read = source.isUnchanged ? self : Tensor(buffer: buffer, shape: shape)
        let made = read.source.normalized(
            statistics: statistics, gamma: nil, beta: nil, activation: activation, shape: groups)
        let x = Kept(read)
        let (inShape, hasFactors) = (shape, factors != nil)
        return Tensor(
            .pending(PendingMap(made, batch: m.batch, pixels: groups.pixels)), shape: inShape,
            from: [self, factors ?? .zeros([0])],
            forward: { tangents in
                // Of z = act(x ⊙ f): ż = act′(x ⊙ f) ⊙ (ẋ ⊙ f + x ⊙ ḟ).
                let map = tangents[0].map { Tensor(buffer: scaledChannels($0.buffer, by: statistics), shape: inShape) }
                let channels = tangents[1].map {
                    Tensor(buffer: scaledChannels(read.buffer, by: rates($0)), shape: inShape)
                }
                return Self.total([map, channels]).map { moved in
                    let argument = scaledChannels(read.buffer, by: statistics)
                    return Tensor(buffer: activateGradient(argument, activation, dy: moved.buffer), shape: inShape)
                }
            }
        ) { dy, sink in
            let x = x.restored()
            let dz = activateGradient(hasFactors ? scaledChannels(x, by: statistics) : x, activation, dy: dy.buffer)
            if sink.wants(0) {
                sink.add(Tensor(buffer: hasFactors ? scaledChannels(dz, by: statistics) : dz, shape: inShape), to: 0)
            }
            if sink.wants(1) {
                let sums = channelSums(
                    multiplyElements(dz, x), batch: m.batch, pixels: groups.pixels, channels: m.channels)
                sink.add(Tensor(buffer: sums, shape: [m.batch, m.channels]), to: 1)
            }
        }
    }
}
