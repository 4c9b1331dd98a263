import Foundation

/// The misfit of the enhanced frame's linear predictor to the clean frame.
///
///     LLR = ln (âᵀ R â / aᵀ R a)
///
/// with `a` and `â` the predictors (order 16, or 10 below 10 kHz) of the clean and the enhanced frame and `R` the
/// clean frame's autocorrelation matrix. Quackenbush, Barnwell and Clements, 1988; Hu and Loizou, IEEE TASLP 2008,
/// whose composite measures take it without an upper limit.
struct LogLikelihoodRatio {
    private let order: Int

    init(sampleRate: Int) { order = sampleRate < 10_000 ? 10 : 16 }

    func callAsFunction(_ clean: [Double], _ enhanced: [Double]) -> Double {
        let autocorrelation = autocorrelation(of: clean)
        let own = residual(of: predictor(for: autocorrelation), autocorrelation)
        let other = residual(of: predictor(for: self.autocorrelation(of: enhanced)), autocorrelation)
        return log(other / own)
    }

    private func autocorrelation(of frame: [Double]) -> [Double] {
        (0...order).map { lag in
            var sum = 0.0
            for n in lag..<frame.count { sum += frame[n] * frame[n - lag] }
            return sum
        }
    }

    /// `1, −α₁, …, −α_p` by Levinson's recursion.
    private func predictor(for r: [Double]) -> [Double] {
        var (coefficients, error) = ([1.0] + [Double](repeating: 0, count: order), r[0])
        for step in 1...order {
            var sum = 0.0
            for index in 0..<step { sum += coefficients[index] * r[step - index] }
            let reflection = -sum / error
            let previous = coefficients
            for index in 1...step { coefficients[index] += reflection * previous[step - index] }
            error *= 1 - reflection * reflection
        }
        return coefficients
    }

    /// `aᵀ R a` with the Toeplitz matrix of `r`.
    private func residual(of a: [Double], _ r: [Double]) -> Double {
        var sum = 0.0
        for i in a.indices {
            for j in a.indices { sum += a[i] * r[abs(i - j)] * a[j] }
        }
        return sum
    }
}
