import Kernels

extension Tensor {
    /// Complex batch normalisation of a map `[B, H, W, 2C]`, `C` real channels and then `C` imaginary ones.
    ///
    ///     y = W V^(−1/2) (z − E z) + b,    V = Cov(Re z, Im z) + eps·I
    ///
    /// with 2×2 matrices `V` and `W = [[wrr, wri], [wri, wii]]` for each channel, over the whole batch. There are no
    /// running statistics. Trabelsi et al., *Deep Complex Networks*, ICLR 2018, §3.5.
    ///
    /// - Parameters:
    ///   - weight: `wrr`, `wri`, `wii`, each `[C]`.
    ///   - bias: `[2C]`.
    public func complexBatchNormalized(
        weight: (rr: Tensor, ri: Tensor, ii: Tensor), bias: Tensor, epsilon: Double
    ) -> Tensor {
        let m = map
        let (pixels, channels) = (m.batch * m.height * m.width, m.channels / 2)
        precondition(
            m.channels % 2 == 0 && bias.shape == [m.channels], "complex normalisation of \(shape), bias \(bias.shape)")
        if let device = Device.current {
            return complexBatchNormalized(
                on: device, [weight.rr, weight.ri, weight.ii], bias, pixels, channels, epsilon)
        }
        let statistics = buffer.withSpan { ComplexStatistics($0, pixels: pixels, channels: channels) }
        let (rr, ri, ii) = (weight.rr.values, weight.ri.values, weight.ii.values)
        let whitening = (0..<channels).map { channel in
            Whitening(
                covariance: statistics.covariance[channel].adding(epsilon),
                weight: Symmetric(rr: Double(rr[channel]), ri: Double(ri[channel]), ii: Double(ii[channel])))
        }
        // y = Z x + (b − Z E x)
        let offsets = bias.values
        var pass = PixelMap(channels: channels)
        for (c, w) in whitening.enumerated() {
            let mean = statistics.mean[c]
            pass.first[c] = w.total
            pass.offset[c] = Double(offsets[c]) - (w.total.rr * mean.re + w.total.ri * mean.im)
            pass.offset[channels + c] = Double(offsets[channels + c]) - (w.total.ir * mean.re + w.total.ii * mean.im)
        }
        let (x, inShape) = (Kept(self), shape)
        return Tensor(
            buffer: pass.applied(to: buffer, nil, pixels: pixels), shape: inShape,
            from: [self, weight.rr, weight.ri, weight.ii, bias]
        ) { dy, sink in
            let x = x.restored()
            let sums = x.withSpan { x in
                dy.buffer.withSpan { dy in ComplexStatistics(x, dy, mean: statistics.mean, pixels: pixels) }
            }
            var back = PixelMap(channels: channels)
            var dw = (rr: [Float](), ri: [Float](), ii: [Float]())
            var db = [Float](repeating: 0, count: 2 * channels)
            let count = Double(pixels)
            for (c, w) in whitening.enumerated() {
                let d = w.gradients(sums.products[c])
                dw.rr.append(Float(d.weight.rr))
                dw.ri.append(Float(d.weight.ri))
                dw.ii.append(Float(d.weight.ii))
                db[c] = Float(sums.dy[c].re)
                db[channels + c] = Float(sums.dy[c].im)
                // dx = Zᵀ (dy − E dy) + (dV + dVᵀ)(x − E x)/n
                let (z, v, mean) = (w.total, d.covariance, statistics.mean[c])
                let inner = General(rr: 2 * v.rr / count, ri: v.ri / count, ir: v.ri / count, ii: 2 * v.ii / count)
                back.first[c] = inner
                back.second[c] = General(rr: z.rr, ri: z.ir, ir: z.ri, ii: z.ii)
                let dyMean = (re: sums.dy[c].re / count, im: sums.dy[c].im / count)
                back.offset[c] = -(z.rr * dyMean.re + z.ir * dyMean.im) - (inner.rr * mean.re + inner.ri * mean.im)
                back.offset[channels + c] =
                    -(z.ri * dyMean.re + z.ii * dyMean.im) - (inner.ir * mean.re + inner.ii * mean.im)
            }
            if sink.wants(0) {
                sink.add(Tensor(buffer: back.applied(to: x, dy.buffer, pixels: pixels), shape: inShape), to: 0)
            }
            sink.add(Tensor(dw.rr, shape: [channels]), to: 1)
            sink.add(Tensor(dw.ri, shape: [channels]), to: 2)
            sink.add(Tensor(dw.ii, shape: [channels]), to: 3)
            sink.add(Tensor(db, shape: [2 * channels]), to: 4)
        }
    }
}

extension Tensor {
    private func complexBatchNormalized(
        on device: Device, _ weights: [Tensor], _ bias: Tensor, _ pixels: Int, _ channels: Int, _ epsilon: Double
    ) -> Tensor {
        let (x, w, shape) = (Kept(self), weights.map { Kept($0) }, shape)
        let y = device.complexNormalize(
            buffer, weights: weights.map(\.buffer), bias: bias.buffer, pixels: pixels, channels: channels,
            epsilon: epsilon)
        return Tensor(buffer: y, shape: shape, from: [self] + weights + [bias]) { dy, sink in
            let d = device.complexNormalizeGradients(
                x.restored(), weights: w.map { $0.restored() }, dy: dy.buffer, pixels: pixels, channels: channels,
                epsilon: epsilon)
            let shapes = [shape, [channels], [channels], [channels], [2 * channels]]
            for (index, gradient) in d.enumerated() {
                sink.add(Tensor(buffer: gradient, shape: shapes[index]), to: index)
            }
        }
    }
}

/// A 2×2 matrix.
struct General { var rr = 0.0, ri = 0.0, ir = 0.0, ii = 0.0 }

/// A symmetric one; as a gradient, `ri` is that of the entry which stands twice.
struct Symmetric {
    var rr = 0.0, ri = 0.0, ii = 0.0

    func adding(_ epsilon: Double) -> Symmetric { Symmetric(rr: rr + epsilon, ri: ri, ii: ii + epsilon) }
}

/// `Z = W V^(−1/2)` of one channel, with the way back.
private struct Whitening: Sendable {
    var covariance, weight: Symmetric
    /// `√det V` and `√(tr V + 2√det V)`, from which `V^(−1/2) = [[s + vii, −vri], [−vri, s + vrr]]/(s t)`.
    var s, t: Double
    var root: Symmetric
    var total: General

    init(covariance v: Symmetric, weight w: Symmetric) {
        covariance = v
        weight = w
        s = (v.rr * v.ii - v.ri * v.ri).squareRoot()
        t = (v.rr + v.ii + 2 * s).squareRoot()
        let u = Symmetric(rr: (s + v.ii) / (s * t), ri: -v.ri / (s * t), ii: (s + v.rr) / (s * t))
        root = u
        total = General(
            rr: w.rr * u.rr + w.ri * u.ri, ri: w.rr * u.ri + w.ri * u.ii, ir: w.ri * u.rr + w.ii * u.ri,
            ii: w.ri * u.ri + w.ii * u.ii)
    }

    /// From the gradient of `Z` to those of `W` and `V`.
    func gradients(_ g: General) -> (weight: Symmetric, covariance: Symmetric) {
        let (u, w, v) = (root, weight, covariance)
        let dw = Symmetric(
            rr: g.rr * u.rr + g.ri * u.ri, ri: g.rr * u.ri + g.ri * u.ii + g.ir * u.rr + g.ii * u.ri,
            ii: g.ir * u.ri + g.ii * u.ii)
        let du = Symmetric(
            rr: w.rr * g.rr + w.ri * g.ir, ri: w.rr * g.ri + w.ri * g.ii + w.ri * g.rr + w.ii * g.ir,
            ii: w.ri * g.ri + w.ii * g.ii)
        let r = 1 / (s * t)
        let dr = du.rr * (s + v.ii) + du.ii * (s + v.rr) - du.ri * v.ri
        let dt = -dr * r / t
        let ds = (du.rr + du.ii) * r - dr * r / s + dt / t
        let (trace, determinant) = (dt / (2 * t), ds / (2 * s))
        return (
            dw,
            Symmetric(
                rr: du.ii * r + trace + determinant * v.ii, ri: -du.ri * r - 2 * determinant * v.ri,
                ii: du.rr * r + trace + determinant * v.rr)
        )
    }
}

/// Sums over all pixels, for each complex channel.
private struct ComplexStatistics: Sendable {
    var mean: [(re: Double, im: Double)] = []
    var covariance: [Symmetric] = []
    /// `Σ dy (x − E x)ᵀ` and `Σ dy`.
    var products: [General] = []
    var dy: [(re: Double, im: Double)] = []

    init(_ x: Span<Float>, pixels: Int, channels: Int) {
        let n = Double(pixels)
        var sums = [Double](repeating: 0, count: 2 * channels)
        for p in 0..<pixels {
            for c in 0..<2 * channels { sums[c] += Double(x[2 * p * channels + c]) }
        }
        mean = (0..<channels).map { (sums[$0] / n, sums[channels + $0] / n) }
        covariance = [Symmetric](repeating: Symmetric(), count: channels)
        for p in 0..<pixels {
            let at = 2 * p * channels
            for c in 0..<channels {
                let (re, im) = (Double(x[at + c]) - mean[c].re, Double(x[at + channels + c]) - mean[c].im)
                covariance[c].rr += re * re
                covariance[c].ri += re * im
                covariance[c].ii += im * im
            }
        }
        covariance = covariance.map { Symmetric(rr: $0.rr / n, ri: $0.ri / n, ii: $0.ii / n) }
    }

    init(_ x: Span<Float>, _ slope: Span<Float>, mean: [(re: Double, im: Double)], pixels: Int) {
        let channels = mean.count
        products = [General](repeating: General(), count: channels)
        dy = [(re: Double, im: Double)](repeating: (0, 0), count: channels)
        for p in 0..<pixels {
            let at = 2 * p * channels
            for c in 0..<channels {
                let (re, im) = (Double(x[at + c]) - mean[c].re, Double(x[at + channels + c]) - mean[c].im)
                let (dre, dim) = (Double(slope[at + c]), Double(slope[at + channels + c]))
                products[c].rr += dre * re
                products[c].ri += dre * im
                products[c].ir += dim * re
                products[c].ii += dim * im
                dy[c].re += dre
                dy[c].im += dim
            }
        }
    }
}

/// `first · x + second · y + offset` at every pixel, with 2×2 matrices for each complex channel.
private struct PixelMap {
    var first, second: [General]
    var offset: [Double]

    init(channels: Int) {
        first = [General](repeating: General(), count: channels)
        second = first
        offset = [Double](repeating: 0, count: 2 * channels)
    }

    func applied(to x: FloatBuffer, _ y: FloatBuffer?, pixels: Int) -> FloatBuffer {
        let channels = first.count
        let out = FloatBuffer(count: x.count)
        x.withSpan { x in
            out.withMutableSpan { out in
                for p in 0..<pixels {
                    let at = 2 * p * channels
                    for c in 0..<channels {
                        let (re, im) = (Double(x[at + c]), Double(x[at + channels + c]))
                        out[at + c] = Float(first[c].rr * re + first[c].ri * im + offset[c])
                        out[at + channels + c] = Float(first[c].ir * re + first[c].ii * im + offset[channels + c])
                    }
                }
            }
        }
        guard let y else { return out }
        y.withSpan { y in
            out.withMutableSpan { out in
                for p in 0..<pixels {
                    let at = 2 * p * channels
                    for c in 0..<channels {
                        let (re, im) = (Double(y[at + c]), Double(y[at + channels + c]))
                        out[at + c] += Float(second[c].rr * re + second[c].ri * im)
                        out[at + channels + c] += Float(second[c].ir * re + second[c].ii * im)
                    }
                }
            }
        }
        return out
    }
}
