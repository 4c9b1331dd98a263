import Kernels
import Objectives
import Tensors
import WeightFiles

extension ConformanceChecker {
    /// The differentiable PESQ: values, distances, scores, and the gradients of both waveforms.
    static let perceptual = ConformanceChecker("pesq_loss") { one, _, report in
        one.has("ref") ? try recordedPairs(one, &report) : try edgesOfThePerceptualLoss(one, &report)
    }

    private static func recordedPairs(_ one: ConformanceCase, _ report: inout ConformanceReport) throws {
        let loss = PerceptualLoss(
            sampleRate: one.hyperparameters["sample_rate"]?.int ?? 16000,
            factor: one.hyperparameters["factor"]?.number ?? 1)
        let (cleans, estimates) = (try one.rows("ref"), try one.rows("deg"))
        let shape = [cleans.count, cleans[0].count]
        guard cleans[0].count >= loss.shortestSignal else {
            throw ConformanceError(
                id: one.id,
                reason: "the array 'ref' has \(cleans[0].count) samples, the loss needs \(loss.shortestSignal)")
        }
        let clean = Tensor(cleans.flatMap(\.self), shape: shape).tracked()
        let estimate = Tensor(estimates.flatMap(\.self), shape: shape).tracked()
        let losses = loss(clean, estimate)
        let (relative, absolute) = (try one.tolerance("loss_rel"), try one.tolerance("mos_abs"))
        for (row, value) in losses.values.enumerated() {
            let distance = try loss.distance(clean: cleans[row], estimate: estimates[row])
            let parts = (loss.factor * 0.1 * distance.symmetric, loss.factor * 0.0309 * distance.asymmetric)
            /// The deviation from the nearer of the recorded value and its companion in double precision.
            func deviation(_ name: String, _ value: Double, times weight: Double = 1) -> Double {
                ["", "_float64"].compactMap { one.json["scalars"]?[name + $0]?.numbers }
                    .filter { $0.count > row }.map { abs(value - weight * $0[row]) }.min() ?? .infinity
            }
            report.add("loss \(row)", error: deviation("loss", Double(value)) / Double(value), tolerance: relative)
            // No tolerance is stated for the distances: each may move the loss by the loss's.
            report.add(
                "d_symm \(row), share of the loss",
                error: deviation("d_symm", parts.0, times: loss.factor * 0.1) / Double(value),
                tolerance: relative)
            report.add(
                "d_asymm \(row), share of the loss",
                error: deviation("d_asymm", parts.1, times: loss.factor * 0.0309) / Double(value), tolerance: relative)
            report.add("mos \(row)", error: deviation("mos", distance.meanOpinionScore), tolerance: absolute)
        }
        let gradients = losses.gradients(seed: Tensor(repeating: 1, shape: losses.shape))
        for (name, leaf) in [("grad_deg", estimate), ("grad_ref", clean)] {
            report.compare(
                name, gradients[leaf]?.values ?? [], try one.array(name).values,
                relmax: try one.tolerance(name + "_relmax"))
        }
    }

    /// What has no tensors: equal, silent and short waveforms, and digital silence. Where the reference gives NaN or
    /// raises, a typed error is due; where its gradient is NaN, a finite one.
    private static func edgesOfThePerceptualLoss(_ one: ConformanceCase, _ report: inout ConformanceReport) throws {
        let loss = PerceptualLoss(sampleRate: 16000)
        let clean = voice(12000)
        let silence = [Float](repeating: 0, count: clean.count)
        func failure(_ clean: [Float], _ estimate: [Float]) -> PerceptualLossError? {
            do throws(PerceptualLossError) {
                _ = try loss.distance(clean: clean, estimate: estimate)
                return nil
            } catch { return error }
        }
        if let recorded = one.json["scalars"]?["identical_signals"]?.number {
            // It depends on the waveform a little: both distances are 1e-20 over a weight near one.
            let value = try loss.distance(clean: clean, estimate: clean).penalty
            report.require(
                "identical signals", value > recorded / 2 && value < recorded * 2,
                "gave \(value), not about \(recorded)")
        }
        report.require("silent degraded", failure(clean, silence) == .silentEstimate, "is not refused as silent")
        report.require("both silent", failure(silence, silence) == .silentClean, "is not refused as silent")
        if let samples = one.json["too_short"]?["samples"]?.int {
            let short = voice(samples)
            report.require(
                "too short", failure(short, short) == .tooShort(samples: samples, least: loss.shortestSignal),
                "\(samples) samples are not refused as too few")
        }
        let paused = Array(clean[..<4000]) + silence[..<4000] + clean[..<4000]
        for (name, gain) in [("degraded", Float(2)), ("clean", 0.5)] {
            let noise = RandomStream(seed: 1, purpose: "noise").normals(paused.count, standardDeviation: 0.01)
            let leaves = [paused, zip(paused, noise).map { gain * ($0 + $1) }].map {
                Tensor($0, shape: [1, $0.count]).tracked()
            }
            let gradients = loss(leaves[0], leaves[1]).gradients()
            let values = leaves.flatMap { gradients[$0]?.values ?? [.nan] }
            report.require(
                "digital silence, largest peak in the \(name)", values.allSatisfy(\.isFinite),
                "the gradient is not finite")
        }
    }

    /// Noise that is modulated like syllables, in place of speech.
    private static func voice(_ count: Int) -> [Float] {
        let noise = RandomStream(seed: 0, purpose: "voice").normals(count, standardDeviation: 0.1)
        return noise.indices.map { noise[$0] * Float(($0 / 800) % 5) / 4 }
    }
}
