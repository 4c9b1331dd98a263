import Kernels

extension Tensor {
    /// The element-wise sum of two tensors of one shape.
    public static func + (a: Tensor, b: Tensor) -> Tensor { weighted(1, a, 1, b) }
    /// The element-wise difference of two tensors of one shape.
    public static func - (a: Tensor, b: Tensor) -> Tensor { weighted(1, a, -1, b) }
    /// `−a`, element by element.
    public static prefix func - (a: Tensor) -> Tensor { a.scaled(by: -1) }
    /// `factor · a`, element by element.
    public static func * (factor: Double, a: Tensor) -> Tensor { a.scaled(by: factor) }
    /// `factor · a`, element by element.
    public static func * (a: Tensor, factor: Double) -> Tensor { a.scaled(by: factor) }
    /// `a + offset`, element by element.
    public static func + (a: Tensor, offset: Double) -> Tensor { a.scaled(by: 1, plus: offset) }

    /// `p·a + q·b`, for tensors of one shape, in one pass.
    public static func weighted(_ p: Double, _ a: Tensor, _ q: Double, _ b: Tensor) -> Tensor {
        precondition(a.shape == b.shape, "a sum of tensors \(a.shape) and \(b.shape)")
        return Tensor(
            buffer: combine(Float(p), a.buffer, Float(q), b.buffer), shape: a.shape, from: [a, b],
            forward: { total([$0[0]?.scaled(by: p), $0[1]?.scaled(by: q)]) }
        ) { dy, sink in
            if sink.wants(0) { sink.add(p == 1 ? dy : dy.scaled(by: p), to: 0) }
            if sink.wants(1) { sink.add(q == 1 ? dy : dy.scaled(by: q), to: 1) }
        }
    }

    /// `factor·self + offset`.
    public func scaled(by factor: Double, plus offset: Double = 0) -> Tensor {
        Tensor(
            buffer: scale(buffer, by: Float(factor), plus: Float(offset)), shape: shape, from: [self],
            forward: Self.linearly { $0.scaled(by: factor) }
        ) { dy, sink in
            sink.add(dy.scaled(by: factor), to: 0)
        }
    }

    /// The product element by element.
    public static func * (a: Tensor, b: Tensor) -> Tensor {
        precondition(a.shape == b.shape, "a product of tensors \(a.shape) and \(b.shape)")
        let (x, y) = (Kept(a), Kept(b))
        return Tensor(
            buffer: multiplyElements(a.buffer, b.buffer), shape: a.shape, from: [a, b],
            forward: { total([$0[0].map { $0 * b.detached }, $0[1].map { $0 * a.detached }]) }
        ) { dy, sink in
            if sink.wants(0) {
                sink.add(Tensor(buffer: multiplyElements(dy.buffer, y.restored()), shape: dy.shape), to: 0)
            }
            if sink.wants(1) {
                sink.add(Tensor(buffer: multiplyElements(dy.buffer, x.restored()), shape: dy.shape), to: 1)
            }
        }
    }

    /// Sample `b` (the first axis) times `factors[b]`.
    public func scaledSamples(by factors: [Double]) -> Tensor {
        scaledSamples(by: Tensor(factors.map(Float.init), shape: [factors.count]))
    }

    /// Sample `b` (the first axis) times `factors[b]`, constants `[B]`.
    public func scaledSamples(by factors: Tensor) -> Tensor {
        precondition([shape.first] == factors.shape, "factors \(factors.shape) for a tensor \(shape)")
        return Tensor(
            buffer: scaleSamples(buffer, by: factors.buffer), shape: shape, from: [self],
            forward: Self.linearly { $0.scaledSamples(by: factors) }
        ) { dy, sink in
            sink.add(dy.scaledSamples(by: factors), to: 0)
        }
    }

    /// The sum of all elements, a scalar.
    public func sum() -> Tensor {
        let shape = shape
        return Tensor(
            buffer: FloatBuffer([Float(Kernels.sum(buffer))]), shape: [], from: [self],
            forward: Self.linearly { $0.sum() }
        ) { dy, sink in
            sink.add(Tensor(repeating: dy.item, shape: shape), to: 0)
        }
    }

    /// `Σ (self ⊙ other)`, a scalar.
    public func dot(_ other: Tensor) -> Tensor {
        precondition(shape == other.shape, "the dot product of tensors \(shape) and \(other.shape)")
        let (x, y) = (Kept(self), Kept(other))
        let shape = shape
        return Tensor(
            buffer: FloatBuffer([Float(Kernels.dot(buffer, other.buffer))]), shape: [], from: [self, other],
            forward: { Self.total([$0[0]?.dot(other.detached), $0[1]?.dot(self.detached)]) }
        ) { dy, sink in
            let g = dy.item
            if sink.wants(0) { sink.add(Tensor(buffer: scale(y.restored(), by: g), shape: shape), to: 0) }
            if sink.wants(1) { sink.add(Tensor(buffer: scale(x.restored(), by: g), shape: shape), to: 1) }
        }
    }

    /// `½ Σ_b w_b Σ |self_b|²`: half the weighted sum of squares, a scalar.
    public func halfSquares(sampleWeights: [Double]) -> Tensor {
        precondition(shape.first == sampleWeights.count, "\(sampleWeights.count) weights for a tensor \(shape)")
        let weighted = scaleSamples(buffer, by: FloatBuffer(sampleWeights.map(Float.init)))
        let value = 0.5 * Kernels.dot(weighted, buffer)
        let shape = shape
        return Tensor(
            buffer: FloatBuffer([Float(value)]), shape: [], from: [self],
            forward: Self.linearly { $0.dot(Tensor(buffer: weighted, shape: shape)) }
        ) { dy, sink in
            sink.add(Tensor(buffer: scale(weighted, by: dy.item), shape: shape), to: 0)
        }
    }

    /// `Σ x²` in double precision.
    public var squaredNorm: Double { Kernels.dot(buffer, buffer) }

    /// `Σ |x|`, a scalar; the gradient at 0 is 0.
    public func absoluteSum() -> Tensor {
        let (x, shape) = (Kept(self), shape)
        return Tensor(buffer: FloatBuffer([Float(Kernels.absoluteSum(buffer))]), shape: [], from: [self]) { dy, sink in
            sink.add(Tensor(buffer: signs(of: x.restored(), times: dy.item), shape: shape), to: 0)
        }
    }

    /// The mean square of every sample of the first axis, `[B]`.
    public func sampleMeanSquares() -> Tensor {
        sampleMeans(squares([buffer], parts: shape[0])) { Tensor(buffer: scale($0, by: 2), shape: $1) }
    }

    /// The mean absolute value of every sample of the first axis, `[B]`; the gradient at 0 is 0.
    public func sampleMeanMagnitudes() -> Tensor {
        sampleMeans(absoluteSums(buffer, parts: shape[0])) { Tensor(buffer: signs(of: $0, times: 1), shape: $1) }
    }

    /// - Parameter slope: The derivative of the summed terms.
    private func sampleMeans(
        _ sums: [Double], slope: @escaping @Sendable (FloatBuffer, [Int]) -> Tensor
    ) -> Tensor {
        let (x, shape) = (Kept(self), shape)
        let each = Double(count / shape[0])
        return Tensor(
            buffer: FloatBuffer(sums.map { Float($0 / each) }), shape: [shape[0]], from: [self]
        ) { dy, sink in
            sink.add(slope(x.restored(), shape).scaledSamples(by: dy.scaled(by: 1 / each)), to: 0)
        }
    }

    /// The elements as numbers of the host, read as sums of one element each.
    public var scalars: [Double] { count == 0 ? [] : sums(buffer, parts: count) }

    /// The Euclidean norm of every sample of the first axis.
    public var sampleNorms: [Double] {
        guard let samples = shape.first, samples > 0 else { return [] }
        return squares([buffer], parts: samples).map { $0.squareRoot() }
    }

    /// Entries of axis 2 of a map `[B, H, N, C]` in another order, as a constant; zeros where the place is `nil`.
    public func frames(at places: [Int?]) -> Tensor {
        let m = map
        precondition(places.allSatisfy { $0.map { (0..<m.width).contains($0) } ?? true }, "frames of a map \(shape)")
        let chosen = selectEntries(
            buffer, rows: m.batch * m.height, entries: m.width, width: m.channels, at: places.map { $0 ?? -1 })
        return Tensor(buffer: chosen, shape: [m.batch, m.height, places.count, m.channels])
    }

    /// Samples `range` of the first axis, as a constant.
    public func samples(_ range: Range<Int>) -> Tensor {
        precondition(!shape.isEmpty && range.upperBound <= shape[0], "samples \(range) of a tensor \(shape)")
        let each = shape[0] == 0 ? 0 : count / shape[0]
        let part = sliceChannels(
            buffer, pixels: 1, channels: count, range: range.lowerBound * each..<range.upperBound * each)
        return Tensor(buffer: part, shape: [range.count] + shape.dropFirst())
    }

    /// Tensors one after the other along the first axis, as a constant.
    public static func stacked(_ parts: [Tensor]) -> Tensor {
        precondition(
            !parts.isEmpty && parts.allSatisfy { $0.shape.dropFirst() == parts[0].shape.dropFirst() }, "stacked")
        let whole = concatenateChannels(parts.map { ($0.buffer, $0.count) }, pixels: 1)
        return Tensor(buffer: whole, shape: [parts.reduce(0) { $0 + $1.shape[0] }] + parts[0].shape.dropFirst())
    }
}
