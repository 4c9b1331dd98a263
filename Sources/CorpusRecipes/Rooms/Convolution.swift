import Kernels

/// Linear convolution by one Fourier transform.
package enum Convolution {
    /// `x * h`, from sample `start` on, as long as `x`.
    package static func convolve(_ signal: [Float], _ response: [Float], from start: Int = 0) -> [Float] {
        var length = 1
        while length < signal.count + response.count { length *= 2 }
        let transform = RealFFT<Float>(length: length)
        func spectrum(_ samples: [Float]) -> [Float] {
            transform.forward(samples + [Float](repeating: 0, count: length - samples.count))
        }
        var (x, h) = (spectrum(signal), spectrum(response))
        for bin in 0..<transform.bins {
            let (a, b, c, d) = (x[2 * bin], x[2 * bin + 1], h[2 * bin], h[2 * bin + 1])
            x[2 * bin] = a * c - b * d
            x[2 * bin + 1] = a * d + b * c
        }
        h = transform.inverse(x)
        return Array(h[start..<min(h.count, start + signal.count)])
            + [Float](repeating: 0, count: max(0, start + signal.count - h.count))
    }
}
