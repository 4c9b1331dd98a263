import Foundation

/// A causal recursive filter and its adjoint, in double precision, from rest.
///
///     y_n = Σ_i b_i x_{n−i} − Σ_{i>0} a_i y_{n−i},    a₀ = 1
struct RecursiveFilter: Hashable, Sendable {
    /// `b₀, b₁, …`
    let feedforward: [Double]
    /// `1, a₁, …`; as many as ``feedforward``.
    let feedback: [Double]

    /// The filter of these polynomials in `z⁻¹`, of one degree.
    init(_ numerator: [Double], over denominator: [Double]) {
        precondition(numerator.count == denominator.count, "polynomials of one degree")
        feedforward = numerator.map { $0 / denominator[0] }
        feedback = denominator.map { $0 / denominator[0] }
    }

    /// The filtered signal.
    func callAsFunction(_ signal: [Double]) -> [Double] {
        let order = feedback.count - 1
        var state = [Double](repeating: 0, count: order + 1)
        return signal.map { x in
            let y = feedforward[0] * x + state[0]
            for i in 0..<order {
                state[i] = state[i + 1] + feedforward[i + 1] * x - feedback[i + 1] * y
            }
            return y
        }
    }

    /// `Hᵀ g`, which runs the filter backward in time: what a gradient of the output is at the input.
    func adjoint(_ gradient: [Double]) -> [Double] { self(gradient.reversed()).reversed() }
}

extension RecursiveFilter {
    /// A Butterworth band-pass of order `2n` between two edges in Hz.
    ///
    /// The low-pass prototype `1/Π_k (s − p_k)`, with its poles on the unit circle, meets the bilinear band-pass
    /// substitution
    ///
    ///     s = N/D,   N = cot((ω₂ − ω₁)/2) (1 − 2α z⁻¹ + z⁻²),   D = 1 − z⁻²,
    ///     α = cos((ω₁ + ω₂)/2) / cos((ω₂ − ω₁)/2)
    ///
    /// so that `H = Dⁿ / Π (N² + 2 sin((2k−1)π/2n) N D + D²)`, times `N + D` below the line where `n` is odd.
    static func butterworthBandPass(order n: Int, from low: Double, to high: Double, sampleRate: Double)
        -> RecursiveFilter
    {
        let (w1, w2) = (2 * .pi * low / sampleRate, 2 * .pi * high / sampleRate)
        let (sharpness, alpha) = (1 / tan((w2 - w1) / 2), cos((w1 + w2) / 2) / cos((w2 - w1) / 2))
        let (N, D) = (Polynomial([sharpness, -2 * alpha * sharpness, sharpness]), Polynomial([1, 0, -1]))
        var (numerator, denominator) = (Polynomial([1]), Polynomial([1]))
        for _ in 0..<n { numerator = numerator * D }
        for k in 1..<(n / 2 + 1) {
            let damping = 2 * sin(Double(2 * k - 1) * .pi / Double(2 * n))
            denominator = denominator * (N * N + Polynomial([damping]) * N * D + D * D)
        }
        if n % 2 == 1 { denominator = denominator * (N + D) }
        return RecursiveFilter(numerator.coefficients, over: denominator.coefficients)
    }

    /// The same filter with coefficients of single precision.
    var singlePrecision: RecursiveFilter {
        RecursiveFilter(feedforward.map { Double(Float($0)) }, over: feedback.map { Double(Float($0)) })
    }
}

/// A polynomial, lowest power first.
private struct Polynomial {
    var coefficients: [Double]

    init(_ coefficients: [Double]) { self.coefficients = coefficients }

    static func + (a: Polynomial, b: Polynomial) -> Polynomial {
        Polynomial((0..<max(a.coefficients.count, b.coefficients.count)).map { a[$0] + b[$0] })
    }

    static func * (a: Polynomial, b: Polynomial) -> Polynomial {
        var product = [Double](repeating: 0, count: a.coefficients.count + b.coefficients.count - 1)
        for (i, x) in a.coefficients.enumerated() {
            for (j, y) in b.coefficients.enumerated() { product[i + j] += x * y }
        }
        return Polynomial(product)
    }

    private subscript(power: Int) -> Double { power < coefficients.count ? coefficients[power] : 0 }
}
