public import Kernels

extension Tensor {
    /// `scale · (self ∗ weight + bias + shift + residual)`, the whole of a convolution layer in one pass.
    ///
    /// - Parameters:
    ///   - weight: `[F, C, kH, kW]`.
    ///   - bias: `[F]`.
    ///   - shift: `[B, F]`, one bias per sample, such as a projected time embedding.
    ///   - residual: `[B, outH, outW, F]`.
    public func convolved(
        _ weight: Tensor, bias: Tensor? = nil, shift: Tensor? = nil, residual: Tensor? = nil, scale factor: Double = 1,
        stride: Int = 1, padBefore: Int? = nil, padAfter: Int? = nil, dilation: Int = 1
    ) -> Tensor {
        precondition(weight.rank == 4, "a convolution of \(shape) with a filter \(weight.shape)")
        func window(_ kernel: Int) -> ConvolutionWindow {
            ConvolutionWindow(
                kernel: kernel, stride: stride, padBefore: padBefore, padAfter: padAfter, dilation: dilation)
        }
        return convolved(
            weight, bias: bias, shift: shift, residual: residual, scale: factor, vertical: window(weight.shape[2]),
            horizontal: window(weight.shape[3]))
    }

    /// The same with a window for each axis, whose kernel is the filter's.
    public func convolved(
        _ weight: Tensor, bias: Tensor? = nil, shift: Tensor? = nil, residual: Tensor? = nil, scale factor: Double = 1,
        vertical: ConvolutionWindow, horizontal: ConvolutionWindow
    ) -> Tensor {
        let m = map
        precondition(
            weight.rank == 4 && weight.shape[1...] == [m.channels, vertical.kernel, horizontal.kernel],
            "a convolution of \(shape) with a filter \(weight.shape)")
        let shape = ConvolutionShape(
            batch: m.batch, height: m.height, width: m.width, channels: m.channels, filters: weight.shape[0],
            vertical: vertical, horizontal: horizontal)
        let filters = shape.filters
        var total = bias?.buffer
        if let shift {
            precondition(
                shift.shape == [m.batch, filters], "a shift \(shift.shape) for \(m.batch) samples of \(filters)")
            total =
                bias.map {
                    addToPixels(shift.buffer, $0.buffer, batch: 1, pixels: m.batch, channels: filters)
                } ?? shift.buffer
        }
        let out = convolve(
            source, weight.buffer, bias: total, residual: residual?.buffer, scale: Float(factor), shape: shape,
            keepFilter: Gradients.keepFilters)
        let constant = Tensor.zeros([0])
        let inputs = [self, weight, bias ?? constant, shift ?? constant, residual ?? constant]
        let (x, w) = (Kept(self), Kept(weight))
        let (inShape, weightShape) = (self.shape, weight.shape)
        let outShape = [m.batch, shape.outHeight, shape.outWidth, filters]
        func forward(_ tangents: [Tensor?]) -> Tensor? {
            func convolution(_ x: Tensor, _ weight: Tensor, shift: Tensor? = nil, residual: Tensor? = nil) -> Tensor {
                x.convolved(
                    weight, shift: shift, residual: residual, scale: factor, vertical: vertical, horizontal: horizontal)
            }
            // What is added follows the map, or comes alone beside a map of zeros.
            let addition = tangents[3] != nil || tangents[4] != nil
            let map = tangents[0] ?? (addition ? .zeros(inShape) : nil)
            let main = map.map { convolution($0, weight.detached, shift: tangents[3], residual: tangents[4]) }
            let filter = tangents[1].map { convolution(self.detached, $0) }
            let bias = tangents[2].map { Tensor.zeros(outShape).addingToPixels($0.scaled(by: factor)) }
            return Self.total([main, filter, bias])
        }
        return Tensor(buffer: out, shape: outShape, from: inputs, forward: forward) { dy, sink in
            let dy = factor == 1 ? dy : dy.scaled(by: factor)
            if sink.wants(2) || sink.wants(3) {
                let sums = channelSums(
                    dy.buffer, batch: shape.batch, pixels: shape.outHeight * shape.outWidth, channels: filters)
                if sink.wants(3) { sink.add(Tensor(buffer: sums, shape: [shape.batch, filters]), to: 3) }
                if sink.wants(2) {
                    let bias = channelSums(sums, batch: 1, pixels: shape.batch, channels: filters)
                    sink.add(Tensor(buffer: bias, shape: [filters]), to: 2)
                }
            }
            if sink.wants(4) { sink.add(dy, to: 4) }
            if sink.wants(1) {
                let dw = convolveWeightGradient(x.source(channels: shape.channels), dy.buffer, shape: shape)
                sink.add(Tensor(buffer: dw, shape: weightShape), to: 1)
            }
            if sink.wants(0) {
                let dx = convolveInputGradient(dy.buffer, w.restored(), shape: shape)
                sink.add(Tensor(buffer: dx, shape: inShape), to: 0)
            }
        }
    }

    /// `act(gamma · (x − mean)/√(var + eps) + beta)` with mean and variance over each group of channels of a sample.
    ///
    /// A convolution that follows normalises what it reads; the normalised map is made only if something else wants it.
    ///
    /// Wu & He, *Group Normalization*, ECCV 2018.
    public func groupNormalized(
        groups: Int, gamma: Tensor?, beta: Tensor?, epsilon: Double, activation: Activation = .identity
    ) -> Tensor {
        let m = map
        let shape = GroupShape(batch: m.batch, pixels: m.height * m.width, channels: m.channels, groups: groups)
        let read = source.isUnchanged ? self : Tensor(buffer: buffer, shape: self.shape)
        let statistics = groupStatistics(read.source, shape: shape, epsilon: Float(epsilon))
        let (x, g, b) = (Kept(read), gamma?.buffer, beta?.buffer)
        let normalized = read.source.normalized(
            statistics: statistics, gamma: g, beta: b, activation: activation, shape: shape)
        let constant = Tensor.zeros([0])
        let (inShape, channels) = (self.shape, m.channels)
        return Tensor(
            .pending(PendingMap(normalized, batch: m.batch, pixels: shape.pixels)), shape: inShape,
            from: [self, gamma ?? constant, beta ?? constant],
            forward: { tangents in
                // With x̂ normalised and z = γ x̂ + β: ż = γ S ẋ + γ̇ x̂ + β̇, where S, the derivative of x̂, is
                // symmetric.
                func made(
                    _ x: FloatBuffer, _ statistics: FloatBuffer, _ gamma: FloatBuffer?, _ beta: FloatBuffer? = nil
                ) -> FloatBuffer {
                    normalize(x, statistics: statistics, gamma: gamma, beta: beta, activation: .identity, shape: shape)
                }
                // A mean of 0 and a rate of 1 for each group, under which γ alone acts.
                let unit = FloatBuffer((0..<statistics.count / 2).flatMap { _ in [0, 1] as [Float] })
                let map = tangents[0].map { tangent in
                    let moved = normalizeGradient(
                        read.source, statistics: statistics, gamma: nil, beta: nil, activation: .identity, shape: shape,
                        dy: tangent.buffer
                    ).x
                    return Tensor(buffer: g.map { made(moved, unit, $0) } ?? moved, shape: inShape)
                }
                let scaled = tangents[1].map {
                    Tensor(buffer: made(read.buffer, statistics, $0.buffer), shape: inShape)
                }
                let shifted = tangents[2].map { Tensor.zeros(inShape).addingToPixels($0) }
                return Self.total([map, scaled, shifted]).map { z in
                    guard activation != .identity else { return z }
                    return Tensor(
                        buffer: activateGradient(made(read.buffer, statistics, g, b), activation, dy: z.buffer),
                        shape: inShape)
                }
            }
        ) { dy, sink in
            let d = normalizeGradient(
                x.source(channels: channels), statistics: statistics, gamma: g, beta: b, activation: activation,
                shape: shape,
                dy: dy.buffer)
            sink.add(Tensor(buffer: d.x, shape: inShape), to: 0)
            sink.add(Tensor(buffer: d.gamma, shape: [channels]), to: 1)
            sink.add(Tensor(buffer: d.beta, shape: [channels]), to: 2)
        }
    }

    /// The activation of every element.
    public func activated(_ activation: Activation) -> Tensor {
        if activation == .identity { return self }
        let x = Kept(self)
        let shape = shape
        return Tensor(
            buffer: activate(buffer, activation), shape: shape, from: [self],
            recipe: { activate(x.restored(), activation) },
            forward: Self.linearly {
                Tensor(buffer: activateGradient(self.buffer, activation, dy: $0.buffer), shape: shape)
            }
        ) { dy, sink in
            sink.add(Tensor(buffer: activateGradient(x.restored(), activation, dy: dy.buffer), shape: shape), to: 0)
        }
    }

    /// Up-sampling, FIR filter and down-sampling of a map along height and width.
    public func resampled(_ resampling: Resampling) -> Tensor {
        let m = map
        let out = resample(buffer, resampling, batch: m.batch, height: m.height, width: m.width, channels: m.channels)
        let outShape = [m.batch, resampling.outputSize(m.height), resampling.outputSize(m.width), m.channels]
        let shape = shape
        return Tensor(buffer: out, shape: outShape, from: [self], forward: Self.linearly { $0.resampled(resampling) }) {
            dy, sink in
            let dx = resampleGradient(
                dy.buffer, resampling, batch: m.batch, height: m.height, width: m.width, channels: m.channels)
            sink.add(Tensor(buffer: dx, shape: shape), to: 0)
        }
    }

    /// Adds `bias` (`[C]` or `[B, C]`) to every pixel of `[B, …, C]`.
    public func addingToPixels(_ bias: Tensor) -> Tensor {
        let (batch, channels) = (shape[0], shape[rank - 1])
        let pixels = count / max(1, batch * channels)
        let perSample = bias.count != channels
        let out = addToPixels(buffer, bias.buffer, batch: batch, pixels: pixels, channels: channels)
        let biasShape = bias.shape
        return Tensor(
            buffer: out, shape: shape, from: [self, bias],
            forward: { tangents in
                guard let added = tangents[1] else { return tangents[0] }
                return (tangents[0] ?? .zeros(self.shape)).addingToPixels(added)
            }
        ) { dy, sink in
            sink.add(dy, to: 0)
            if sink.wants(1) {
                let sums =
                    perSample
                    ? channelSums(dy.buffer, batch: batch, pixels: pixels, channels: channels)
                    : channelSums(dy.buffer, batch: 1, pixels: batch * pixels, channels: channels)
                sink.add(Tensor(buffer: sums, shape: biasShape), to: 1)
            }
        }
    }

    /// Maps side by side along the last axis; two are set beside each other only if something other than a convolution
    /// or a normalisation reads them.
    public static func concatenated(_ parts: [Tensor]) -> Tensor {
        let leading = Array(parts[0].shape.dropLast())
        precondition(parts.allSatisfy { Array($0.shape.dropLast()) == leading }, "concatenated \(parts.map(\.shape))")
        let pixels = leading.reduce(1, *)
        let widths = parts.map { $0.shape[$0.rank - 1] }
        let total = widths.reduce(0, +)
        return Tensor(
            contents(of: parts, widths, pixels: pixels), shape: leading + [total], from: parts,
            forward: { .concatenated(zip($0, parts).map { $0 ?? .zeros($1.shape) }) }
        ) { dy, sink in
            var offset = 0
            for (index, width) in widths.enumerated() {
                if sink.wants(index) {
                    let part = Kernels.sliceChannels(
                        dy.buffer, pixels: pixels, channels: total, range: offset..<offset + width)
                    sink.add(Tensor(buffer: part, shape: leading + [width]), to: index)
                }
                offset += width
            }
        }
    }

    private static func contents(of parts: [Tensor], _ widths: [Int], pixels: Int) -> TensorContents {
        if parts.count == 2, parts[0].rank == 4, pixels > 0, !widths.contains(0),
            let both = MapSource(parts[0].buffer, channels: widths[0]).beside(
                MapSource(parts[1].buffer, channels: widths[1]))
        {
            return .pending(PendingMap(both, batch: 1, pixels: pixels))
        }
        return .made(concatenateChannels(zip(parts, widths).map { ($0.buffer, $1) }, pixels: pixels), recipe: nil)
    }

    /// Entries `range` of the last axis.
    public func channels(_ range: Range<Int>) -> Tensor {
        let leading = Array(shape.dropLast())
        let (pixels, total) = (leading.reduce(1, *), shape[rank - 1])
        let out = Kernels.sliceChannels(buffer, pixels: pixels, channels: total, range: range)
        return Tensor(
            buffer: out, shape: leading + [range.count], from: [self], forward: Self.linearly { $0.channels(range) }
        ) { dy, sink in
            let before = FloatBuffer(repeating: 0, count: pixels * range.lowerBound)
            let after = FloatBuffer(repeating: 0, count: pixels * (total - range.upperBound))
            let dx = concatenateChannels(
                [(before, range.lowerBound), (dy.buffer, range.count), (after, total - range.upperBound)],
                pixels: pixels)
            sink.add(Tensor(buffer: dx, shape: leading + [total]), to: 0)
        }
    }
}
