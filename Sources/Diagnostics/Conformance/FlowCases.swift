import Audio
import Checkpoints
import Diffusion
import Foundation
import Models
import Objectives
import SpecLanguage
import Tensors
import Training
import WeightFiles

extension ConformanceChecker {
    /// Flow matching: the path, training steps, solvers, checkpoints, and enhanced audio.
    static let flowMatching = ConformanceChecker("flow_matching") { one, catalog, report in
        let flow = try one.flow(catalog)
        if one.has("x0") { return try path(one, flow, &report) }
        let model = ScoreModel(backbone: try one.backbone(catalog), sde: flow, preconditioning: nil, output: .velocity)
        if one.path("checkpoint") == nil { try model.loadModel(one) }
        if one.has("vector_field") {
            try step(one, flow, model, &report)
        } else if one.has("enhanced") {
            try enhanced(one, flow, model, &report)
        } else if one.path("checkpoint") != nil {
            try one.compareCheckpoint(of: model, &report)
        } else if one.has("sample") {
            try sampled(one, flow, model, &report)
        } else {
            try solved(one, flow, model, &report)
        }
    }

    /// Marginals, velocities, the prior, and the diffusion of the same marginals, which is singular at t = 1.
    private static func path(_ one: ConformanceCase, _ flow: FlowMatching, _ report: inout ConformanceReport) throws {
        let t = try one.array("t").values.map(Double.init)
        let tolerance = try one.tolerance("relmax")
        let (marginals, velocities) = (t.map { flow.marginal(at: $0) }, t.map { flow.velocity(at: $0) })
        /// Compares the rows of a sum of arrays, each under one weight a row.
        func compare(_ name: String, rows: [Int]? = nil, _ terms: [(String, (Int) -> Double)]) throws {
            guard one.has(name) else { return }
            let (expected, rows) = (try one.spectrogram(name), rows ?? Array(t.indices))
            guard expected.shape[0] == rows.count else {
                throw ConformanceError(
                    id: one.id, reason: "the array '\(name)' has \(expected.shape[0]) rows, not \(rows.count)")
            }
            let parts = try terms.map { operand, weight in
                let whole = try one.spectrogram(operand)
                return Tensor.stacked(rows.map { whole.samples($0..<$0 + 1) }).scaledSamples(by: rows.map(weight))
            }
            report.compare(name, parts.dropFirst().reduce(parts[0], +).values, expected.values, relmax: tolerance)
        }
        let mean: [(String, (Int) -> Double)] = [("x0", { marginals[$0].clean }), ("y", { marginals[$0].noisy })]
        let velocity: [(String, (Int) -> Double)] = [("x0", { velocities[$0].clean }), ("y", { velocities[$0].noisy })]
        try compare("mean", mean)
        try compare("x_t", mean + [("z", { marginals[$0].std })])
        try compare("der_mean", velocity)
        try compare("target", velocity + [("z", { velocities[$0].std })])
        try compare("prior", [("y", { _ in flow.priorMean }), ("z", { _ in flow.priorStd(at: 1) })])
        if one.has("std") {
            report.compare("std", marginals.map { Float($0.std) }, try one.array("std").values, relmax: tolerance)
        }
        if let slope = one.json["scalars"]?["der_std"]?.number {
            report.compare(
                "der_std", velocities.map { Float($0.std) }, velocities.map { _ in Float(slope) }, relmax: tolerance)
        }
        let inner = t.indices.filter { t[$0] < 1 }
        guard !inner.isEmpty else { return }
        try compare(
            "equivalent_drift", rows: inner, [("x", { flow.drift(at: t[$0]).x }), ("y", { flow.drift(at: t[$0]).y })])
        if one.has("equivalent_diffusion") {
            report.compare(
                "equivalent_diffusion", inner.map { Float(flow.diffusion(at: t[$0])) },
                try one.array("equivalent_diffusion").values, relmax: tolerance)
        }
    }

    /// One training step: state, target, velocity, loss, and the gradient of every weight.
    private static func step(
        _ one: ConformanceCase, _ flow: FlowMatching, _ model: ScoreModel, _ report: inout ConformanceReport
    ) throws {
        let batch = TrainingBatchInput(
            clean: try one.spectrogram("x"), noisy: try one.spectrogram("y"),
            times: try one.array("t").values.map(Double.init), noise: try one.spectrogram("z"))
        func path(_ weights: [(clean: Double, noisy: Double, std: Double)]) -> Tensor {
            batch.clean.scaledSamples(by: weights.map(\.clean)) + batch.noisy.scaledSamples(by: weights.map(\.noisy))
                + batch.noise.scaledSamples(by: weights.map(\.std))
        }
        let state = path(batch.times.map { flow.marginal(at: $0) })
        let velocity = Gradients.off { model(state, batch.noisy, batch.times) }
        let target = path(batch.times.map { flow.velocity(at: $0) })
        for (name, value) in [("x_t", state), ("target", target), ("vector_field", velocity)] where one.has(name) {
            report.compare(
                name, value.values, try one.spectrogram(name).values, relmax: try one.tolerance("output_relmax"))
        }
        let norm = VelocityMatchingLoss.Norm(rawValue: one.hyperparameters["loss_type"]?.text ?? "mse") ?? .mse
        let training = TrainingState(model: model, loss: VelocityMatchingLoss(norm: norm), rate: 0, averageDecay: 0)
        let (value, expected) = (training.evaluate(batch), try one.scalar("loss"))
        report.add(
            "loss", error: abs(Double(value.total.item) - expected) / abs(expected),
            tolerance: try one.tolerance("loss_rel"))
        try one.compareGradients(
            zip(model.weights, model.referenceNames).map { ($1, $0.parameter) }, value.total.gradients(), &report)
    }

    /// Sampling with given noise, with the state after every step.
    private static func sampled(
        _ one: ConformanceCase, _ flow: FlowMatching, _ model: ScoreModel, _ report: inout ConformanceReport
    ) throws {
        var sampler = try one.flowSampler(flow)
        if one.has("y_prior") { sampler.priorCentre = try one.spectrogram("y_prior") }
        let y = try one.spectrogram("y")
        var noise = NoiseSource.given(try one.noiseDraws())
        var (states, times) = ([IntermediateState](), [Double]())
        let sample = Gradients.off {
            sampler.sample(given: y, noise: &noise, observe: { states.append($0) }) { x, y, t in
                times.append(t)
                return model(x, y, [Double](repeating: t, count: x.shape[0]))
            }
        }
        try one.checkDraws(noise)
        let tolerance = try one.tolerance("sample_relmax")
        report.compare("sample", sample.x.values, try one.spectrogram("sample").values, relmax: tolerance)
        if one.has("trace") {
            report.compare(
                "trace", states.flatMap(\.state.values), try one.spectrogram("trace").values, relmax: tolerance)
        }
        if one.has("times") {
            report.compare("times", times.map(Float.init), try one.array("times").values, relmax: 1e-6)
        }
        if one.has("sample_tight_tolerance") {
            report.compare(
                "sample_tight_tolerance", sample.x.values, try one.spectrogram("sample_tight_tolerance").values,
                relmax: try one.tolerance("tight_solution_relmax"))
        }
        if let nfe = one.json["scalars"]?["nfe"]?.int {
            let allowed = one.json["tolerances"]?["nfe_abs"]?.number ?? 0
            report.add("nfe", error: Double(abs(sample.nfe - nfe)), tolerance: allowed)
        }
    }

    /// Steps over a given grid of times by every method that the case has a sample of.
    private static func solved(
        _ one: ConformanceCase, _ flow: FlowMatching, _ model: ScoreModel, _ report: inout ConformanceReport
    ) throws {
        let methods: [(String, RungeKutta)] = [
            ("euler", .euler), ("midpoint", .midpoint), ("heun2", .heun), ("rk4", .threeEighths),
        ]
        let y = try one.spectrogram("y")
        let times = try one.array("times").values.map(Double.init)
        guard let noise = try one.noiseDraws().first, noise.shape == y.shape else {
            throw ConformanceError(id: one.id, reason: "the array 'noise' holds no draw like 'y'")
        }
        for (name, method) in methods where one.has("sample_" + name) {
            let sample = Gradients.off {
                var x = Tensor.weighted(flow.priorMean, y, flow.priorStd(at: 1), noise)
                for (t, s) in zip(times, times.dropFirst()) {
                    x = method.step(x, from: t, to: s) { model($0, y, [Double](repeating: $1, count: y.shape[0])) }
                }
                return x
            }
            report.compare(
                "sample_" + name, sample.values, try one.spectrogram("sample_" + name).values,
                relmax: try one.tolerance("sample_relmax"))
        }
    }

    /// A noisy file through a checkpoint's averaged weights.
    private static func enhanced(
        _ one: ConformanceCase, _ flow: FlowMatching, _ model: ScoreModel, _ report: inout ConformanceReport
    ) throws {
        guard let path = one.path("checkpoint"), let noisy = one.json["audio"]?["noisy"]?.text else {
            throw ConformanceError(id: one.id, reason: "names no checkpoint, or no noisy audio")
        }
        try model.loadModel(
            try LightningCheckpoint(path: path).weights(.averagedIfPresent, parameters: model.referenceNames).arrays)
        let enhancer = Enhancer(
            model: model, sampler: try one.flowSampler(flow), frontEnd: one.frontEnd,
            padding: FramePadding(rawValue: one.json["sampler"]?["pad_mode"]?.text ?? "zero_pad") ?? .zero)
        var noise = NoiseSource.given(try one.noiseDraws())
        let output = try enhancer.enhance(try SoundFile.readMono(one.folder + "/" + noisy), noise: &noise)
        try one.checkDraws(noise)
        report.compare(
            "enhanced", output.audio, try one.array("enhanced").values, relmax: try one.tolerance("enhanced_relmax"))
    }
}

extension ConformanceCase {
    /// The path of the hyper-parameters.
    fileprivate func flow(_ catalog: Catalog) throws -> FlowMatching {
        guard let entry = catalog.sdes["flow"],
            let flow = try entry.build(try settings(of: entry.descriptor)) as? FlowMatching
        else {
            throw ConformanceError(id: id, reason: "there is no process 'flow'")
        }
        return flow
    }

    /// The sampler of the case. The reference takes the prior at t = 1 wherever sampling starts, and its adaptive
    /// solver ends at t_eps.
    fileprivate func flowSampler(_ flow: FlowMatching) throws -> VelocityFlow {
        let settings = json["sampler"] ?? .null
        func number(_ name: String, _ standard: Double) -> Double {
            (settings[name] ?? hyperparameters[name])?.number ?? standard
        }
        let (start, end) = (number("T_rev", 1), number("t_eps", 0.03))
        guard end < start else {
            throw ConformanceError(id: id, reason: "'t_eps' \(end) is not below 'T_rev' \(start)")
        }
        let isAdaptive = settings["type"]?.text == "black_box"
        let solver: ODESolver =
            isAdaptive
            ? .rk45(relativeTolerance: number("rtol", 1e-5), absoluteTolerance: number("atol", 1e-5))
            : .euler(steps: settings["N"]?.int ?? 5)
        return VelocityFlow(
            process: flow, solver: solver, finalTime: end, reachesZero: !isAdaptive, startTime: start, priorTime: 1)
    }
}

extension CaseRules.KindRules {
    /// What cases of flow matching may state.
    static let flowMatching = CaseRules.KindRules(
        keys: ["source"],
        hyperparameters: CaseRules.hyperparameters.filter { common.contains($0.key) }.merging([
            "ode": .name(["flowmatching"]), "loss_type": .name(["mse", "mae"]), "T_rev": .number(1e-3...1),
            "sigma_min": .number(0...1e9), "loss_abs_exponent": .number(0...10),
        ]) { $1 },
        sampler: [
            "type": .name(["euler", "black_box"]), "method": .name(["RK45"]), "T_rev": .number(1e-3...1),
            "t_eps": .number(1e-9...0.9999999), "N": .integer(1...10_000), "rtol": .number(1e-9...0.9999999),
            "atol": .number(1e-9...0.9999999), "pad_mode": .name(["reflection", "replication", "zero_pad"]),
        ],
        scalars: ["der_std"],
        shapes: CaseShapes.joined(
            CaseShapes.table(
                "x0 x y z mean x_t der_mean target prior vector_field sample sample_tight_tolerance y_prior "
                    + "sample_euler sample_midpoint sample_heun2 sample_rk4 output_evaluation_mode output_raw_weights",
                "B 1 F T"),
            CaseShapes.table("t std", "B"), CaseShapes.table("equivalent_drift", "E 1 F T"),
            CaseShapes.table("equivalent_diffusion", "E"), CaseShapes.table("trace", "S B 1 F T"),
            CaseShapes.table("times", "S"),
            CaseShapes.table("noise", "K B 1 F T"), CaseShapes.table("enhanced", "L")),
        ascends: false)

    /// Hyper-parameters that the reference's flow matching shares with its diffusions.
    private static let common: Set<String> = [
        "backbone", "lr", "ema_decay", "t_eps", "num_eval_files", "data_module_cls", "sigma_max", "base_dir", "format",
        "batch_size",
        "n_fft", "hop_length", "num_frames", "window", "num_workers", "dummy", "spec_factor", "spec_abs_exponent",
        "normalize",
        "transform_type", "nf", "ch_mult", "num_res_blocks", "attn_resolutions", "image_size", "nonlinearity",
        "resamp_with_conv",
        "fir", "skip_rescale", "resblock_type", "progressive", "progressive_input", "progressive_combine", "centered",
        "conditional",
        "scale_by_sigma", "gpus", "no_wandb", "wandb_name", "random_crop", "sample_rate",
    ]
}
