import Diffusion
import Testing

/// Values of the reference implementation; see Fixtures/README.md.
@Suite struct SDEGoldenTests {
    struct Case: Decodable {
        struct Parameters: Decodable {
            var theta, sigma_min, sigma_max, k, c, eps: Double?
        }
        var name: String
        var hyperparameters: Parameters
        var tolerance: Double
        var stepsize: Double?
        var t, diffusion, mean_re, mean_im, std, prior_noise_re, prior_re: [Double]
        var x0_re, x0_im, x_re, x_im, y_re, y_im: [Double]
        var drift_re, score_re, discretize_f_re, discretize_G, reverse_drift_re, reverse_discretize_f_re: [Double]?
        var reverse_pf_drift_re, reverse_pf_discretize_f_re, reverse_discretize_G: [Double]?
        var sigma_t, sigma_bar_t: [Double]?

        var sde: any SDE {
            let p = hyperparameters
            if let k = p.k { return .sbve(k: k, c: p.c ?? 0, epsilon: p.eps ?? 0) }
            return .ouve(theta: p.theta ?? 0, sigmaMin: p.sigma_min ?? 0, sigmaMax: p.sigma_max ?? 0)
        }
    }

    static let names = ["ouve_48k", "ouve_default", "ouve_wide", "sbve_default", "sbve_eps", "sbve_steep"]

    private func expectClose(_ ours: [Double], _ theirs: [Double]?, _ tolerance: Double, _ what: String) {
        guard let theirs else { return }
        let largest = theirs.map { abs($0) }.max() ?? 0
        for (row, pair) in zip(ours, theirs).enumerated() {
            #expect(abs(pair.0 - pair.1) <= tolerance * largest, "\(what), row \(row): \(pair.0) for \(pair.1)")
        }
    }

    @Test(arguments: names)
    func coefficientsMatch(name: String) throws {
        let cases = try golden("sdes.json", as: [Case].self)
        let golden = try #require(cases.first { $0.name == name })
        let (sde, tolerance, t) = (golden.sde, golden.tolerance, golden.t)
        let rows = t.indices
        let p = t.map(sde.marginal)
        expectClose(t.map(sde.diffusion), golden.diffusion, tolerance, "diffusion")
        expectClose(p.map(\.std), golden.std, tolerance, "std")
        expectClose(
            rows.map { p[$0].clean * golden.x0_re[$0] + p[$0].noisy * golden.y_re[$0] }, golden.mean_re, tolerance,
            "mean")
        expectClose(
            rows.map { p[$0].clean * golden.x0_im[$0] + p[$0].noisy * golden.y_im[$0] }, golden.mean_im, tolerance,
            "mean")
        let prior = sde.priorStd(at: sde.endTime)
        expectClose(
            rows.map { golden.y_re[$0] + prior * golden.prior_noise_re[$0] }, golden.prior_re, tolerance, "prior")
        if let bridge = sde as? SBVE {
            expectClose(t.map { bridge.variance(at: $0).squareRoot() }, golden.sigma_t, tolerance, "sigma")
            // At the end the reference subtracts equal float32 numbers; elsewhere the rounding is far smaller.
            expectClose(
                t.map { bridge.remainingVariance(at: $0).squareRoot() }, golden.sigma_bar_t, tolerance, "sigma bar")
        }
    }

    @Test(arguments: names.prefix(3))
    func reverseProcessMatches(name: String) throws {
        let cases = try golden("sdes.json", as: [Case].self)
        let golden = try #require(cases.first { $0.name == name })
        let (sde, tolerance, step) = (golden.sde, golden.tolerance, try #require(golden.stepsize))
        let score = try #require(golden.score_re)
        let rows = golden.t.indices
        func apply(_ weights: (x: Double, y: Double, score: Double), _ row: Int) -> Double {
            weights.x * golden.x_re[row] + weights.y * golden.y_re[row] + weights.score * score[row]
        }
        let f = golden.t.map(sde.drift)
        expectClose(rows.map { apply((f[$0].x, f[$0].y, 0), $0) }, golden.drift_re, tolerance, "drift")
        for (isFlow, drift, discrete) in [
            (false, golden.reverse_drift_re, golden.reverse_discretize_f_re),
            (true, golden.reverse_pf_drift_re, golden.reverse_pf_discretize_f_re),
        ] {
            let weights = golden.t.map { sde.reverseDrift(at: $0, probabilityFlow: isFlow) }
            expectClose(rows.map { apply(weights[$0], $0) }, drift, tolerance, "reverse drift")
            expectClose(rows.map { step * apply(weights[$0], $0) }, discrete, tolerance, "reverse step")
        }
        let d = golden.t.map { sde.discretization(at: $0, step: step) }
        expectClose(rows.map { apply((d[$0].x, d[$0].y, 0), $0) }, golden.discretize_f_re, tolerance, "step")
        expectClose(d.map(\.std), golden.discretize_G, tolerance, "G")
    }
}
