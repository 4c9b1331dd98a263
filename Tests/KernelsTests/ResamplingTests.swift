import Kernels
import Testing

extension EngineTests {
    @Suite struct ResamplingTests {
        static let cases: [Resampling] = [
            Resampling(taps: [1, 1], up: 2, down: 1, padBefore: 1, padAfter: 0),
            Resampling(taps: [0.5, 0.5], up: 1, down: 2, padBefore: 0, padAfter: 0),
            Resampling(taps: [0.25, 0.75, 0.75, 0.25], up: 2, down: 1, padBefore: 2, padAfter: 1),
            Resampling(taps: [0.125, 0.375, 0.375, 0.125], up: 1, down: 2, padBefore: 1, padAfter: 1),
            Resampling(taps: [1, 2, 3], up: 1, down: 1, padBefore: 2, padAfter: 2),
            Resampling(taps: [1], up: 2, down: 1, padBefore: 0, padAfter: -1),
            Resampling(taps: [1, -2, 3, 4, 5], up: 3, down: 2, padBefore: 3, padAfter: 4),
        ]

        /// Spreads with zeros, pads, convolves and keeps every `down`-th value, along one axis.
        private func line(_ x: [Double], _ r: Resampling) -> [Double] {
            let spread = (0..<x.count * r.up).map { $0 % r.up == 0 ? x[$0 / r.up] : 0 }
            let at = { (i: Int) in spread.indices.contains(i) ? spread[i] : 0 }
            return (0..<r.outputSize(x.count)).map { o in
                r.taps.indices.reduce(0) {
                    $0 + Double(r.taps[$1]) * at(o * r.down + r.taps.count - 1 - $1 - r.padBefore)
                }
            }
        }

        private func plain(_ x: [Float], _ r: Resampling, _ b: Int, _ h: Int, _ w: Int, _ c: Int) -> [Double] {
            let (oh, ow) = (r.outputSize(h), r.outputSize(w))
            var out = [Double](repeating: 0, count: b * oh * ow * c)
            for b in 0..<b {
                for c0 in 0..<c {
                    let rows = (0..<h).map { y in line((0..<w).map { Double(x[((b * h + y) * w + $0) * c + c0]) }, r) }
                    for ox in 0..<ow {
                        for (oy, value) in line(rows.map { $0[ox] }, r).enumerated() {
                            out[((b * oh + oy) * ow + ox) * c + c0] = value
                        }
                    }
                }
            }
            return out
        }

        @Test(arguments: cases)
        func equalsItsDefinition(r: Resampling) {
            for (b, h, w, c) in [(1, 4, 6, 1), (2, 7, 5, 3), (1, 8, 9, 17)] {
                let x = noise(b * h * w * c)
                let expected = plain(x, r, b, h, w, c)
                everyEngine { engine in
                    let out = resample(FloatBuffer(x), r, batch: b, height: h, width: w, channels: c)
                    #expect(deviation(out.values, expected) < 1e-6, "\(engine)")
                }
            }
        }

        /// `⟨R x, y⟩ = ⟨x, Rᵀ y⟩`.
        @Test(arguments: cases)
        func theGradientIsTheAdjoint(r: Resampling) {
            for (b, h, w, c) in [(1, 4, 6, 1), (2, 7, 5, 3), (1, 8, 9, 17)] {
                let x = FloatBuffer(noise(b * h * w * c))
                everyEngine { engine in
                    let out = resample(x, r, batch: b, height: h, width: w, channels: c)
                    let y = FloatBuffer(noise(out.count, "y"))
                    let back = resampleGradient(y, r, batch: b, height: h, width: w, channels: c)
                    let (left, right) = (dot(out, y), dot(x, back))
                    #expect(abs(left - right) < 1e-5 * (dot(out, out) * dot(y, y)).squareRoot(), "\(engine)")
                }
            }
        }
    }
}
