import Backbones
import Checkpoints
import Foundation
import Kernels
import Layers
import Models
import SpecLanguage
import Tensors
import WeightFiles

extension ConformanceChecker {
    /// Networks: output, loss, and the gradients of inputs and of all parameters; what fails in the reference.
    static let backbone = ConformanceChecker("backbone") { one, catalog, report in
        if one.json["failures"] != nil { return try one.checkFailures(catalog, &report) }
        let network = try one.network(one.hyperparameters, catalog)
        try network.load(one)
        let (x, y) = (try one.spectrogram("x").tracked(), try one.spectrogram("y").tracked())
        try network.check(bins: x.shape[1], frames: x.shape[2])
        guard ["eval", "train", nil].contains(one.hyperparameters["mode"]?.text) else {
            throw ConformanceError(
                id: one.id, reason: "not understood: 'hyperparameters.mode' is neither eval nor train")
        }
        if one.has("z_r"), let width = one.hyperparameters["noise_embed_dim"]?.int,
            try one.tensor("z_r").shape.last != width
        {
            throw ConformanceError(
                id: one.id, reason: "the array 'z_r' does not have noise_embed_dim, \(width), columns")
        }
        let t = try one.array("t").values
        let noise = one.has("z_r") ? try one.tensor("z_r").tracked() : nil
        let mode: ForwardMode =
            one.hyperparameters["mode"]?.text == "train"
            ? .training(t.indices.map { RandomStream(seed: 0, purpose: "dropout", $0) }) : .evaluation
        let output =
            (network as? any ConditionedBackbone).map { $0(x, y, t, noise: noise, mode) } ?? network(x, y, t, mode)
        report.compare(
            "output", output.values, try one.spectrogram("output").values, relmax: try one.tolerance("output_relmax"))
        let weights = try one.pair("w1", "w2")
        let loss = output.dot(weights)
        report.add(
            "loss", error: abs(Double(loss.item) - (try one.scalar("loss"))), tolerance: try one.tolerance("loss_abs"))
        let gradients = loss.gradients()
        for (name, input) in [("grad_x", x), ("grad_y", y)] {
            report.compare(
                name, gradients[input]?.values ?? [], try one.spectrogram(name).values,
                relmax: try one.tolerance("input_grad_relmax"))
        }
        if let noise {
            report.compare(
                "grad_z_r", gradients[noise]?.values ?? [], try one.array("grad_z_r").values,
                relmax: try one.tolerance("input_grad_relmax"))
        }
        try one.compareGradients(network.parameters.map { ($0.name, $0) }, gradients, &report)
        if let path = one.path("buffers_after") {
            let after = try SafetensorsFile(path: path)
            for buffer in network.buffers {
                report.compare(
                    buffer.name, buffer.tensor.values, try after.array(buffer.name).values,
                    relmax: try one.tolerance("output_relmax"))
            }
        }
    }
}

extension ConformanceCase {
    /// The network that an object of hyper-parameters names.
    func network(_ hyperparameters: JSON, _ catalog: Catalog, named name: String? = nil) throws -> any Backbone {
        let name = name ?? hyperparameters["backbone"]?.text ?? ""
        guard let entry = catalog.backbones[name] else {
            throw ConformanceError(id: id, reason: "unknown backbone '\(name)'")
        }
        let settings: Settings
        do { settings = try entry.descriptor.settings(from: hyperparameters) } catch {
            throw ConformanceError(id: id, reason: "not understood: \(error.summary)")
        }
        var context = BackboneContext()
        if let width = hyperparameters["noise_embed_dim"]?.int { context.embeddingWidth = width }
        return try entry.build(settings).make(context)
    }

    /// What the reference cannot run is refused with a reason, or gives finite outputs and gradients.
    fileprivate func checkFailures(_ catalog: Catalog, _ report: inout ConformanceReport) throws {
        let failures = json["failures"]?.elements ?? []
        let matrix = (json["option_matrix"]?.elements ?? []).map { options in
            // The small network of the other entries, in one combination of options.
            JSON.object((failures.first?["hyperparameters"]?.members ?? [:]).merging(options.members) { $1 })
        }
        for failure in failures {
            let input = failure["input"]?.text ?? ""
            let count = input.split(separator: " ").first.flatMap { Int($0) }
            let isComplex = failure["backbone"]?.text == "dcunet"
            let bins = input.contains("bins") ? count ?? 0 : isComplex ? 257 : 32
            let frames = input.contains("frames") ? count ?? 0 : isComplex ? 17 : 32
            let name = "\(failure["exception"]?.text ?? "failure"): \(failure["message"]?.text?.prefix(50) ?? "")"
            try checkRuns(
                failure["hyperparameters"] ?? .object([:]), failure["backbone"]?.text, bins, frames, name, catalog,
                &report)
        }
        for options in matrix {
            let name = options.members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text ?? "\($0.value)")" }
            try checkRuns(options, "ncsnpp_v2", 32, 32, name.joined(separator: " "), catalog, &report)
        }
    }

    private func checkRuns(
        _ hyperparameters: JSON, _ backbone: String?, _ bins: Int, _ frames: Int, _ name: String, _ catalog: Catalog,
        _ report: inout ConformanceReport
    ) throws {
        do {
            let network = try network(hyperparameters, catalog, named: backbone)
            try network.check(bins: bins, frames: frames)
            let stream = RandomStream(seed: 0, purpose: "failures")
            let x = Tensor(stream.normals(2 * bins * frames), shape: [1, bins, frames, 2]).tracked()
            let gradient = network(x, x, [0.5]).sum().gradients()[x]
            let isFinite = gradient?.values.allSatisfy { $0.isFinite } ?? false
            report.require(name, isFinite, "its gradient is not finite")
        } catch let error as BackboneError {
            report.require(name, !error.reason.isEmpty, "refused without a reason")
        }
    }

    /// Two real arrays as real and imaginary part.
    func pair(_ re: String, _ im: String) throws -> Tensor {
        let (re, im) = (try array(re), try array(im))
        var shape = re.shape
        if shape.count >= 4, shape[shape.count - 3] == 1 { shape.remove(at: shape.count - 3) }
        return Tensor(zip(re.values, im.values).flatMap { [$0, $1] }, shape: shape + [2])
    }

    /// Compares the gradient of every parameter with the stored ones, whole or sampled.
    func compareGradients(
        _ parameters: [(name: String, parameter: Parameter)], _ gradients: GradientTable,
        _ report: inout ConformanceReport
    ) throws {
        guard let path = path("grads") else { throw ConformanceError(id: id, reason: "stores no gradients") }
        let file = try SafetensorsFile(path: path)
        let tolerance = try tolerance("param_grad_relmax")
        let floor = 1e-3 * (try scalar("param_grad_abs_max"))
        let strides = json["grads"]?["parameters"]
        let without = Set(json["params_without_gradient"]?.elements.compactMap(\.text) ?? [])
        let byName = Dictionary(parameters.map { ($0.name, $0.parameter) }, uniquingKeysWith: { first, _ in first })
        var worst = (error: -1.0, name: "none")
        for name in file.names {
            let expected = try file.array(name).values
            guard let parameter = byName[name] else {
                throw ConformanceError(id: id, reason: "the network has no parameter '\(name)'")
            }
            var actual = gradients[parameter]?.values ?? [Float](repeating: 0, count: parameter.count)
            if let stride = strides?[name]?.elements.first?.int, stride > 1 {
                actual = Swift.stride(from: 0, to: actual.count, by: stride).map { actual[$0] }
            }
            let error = ConformanceReport.relmax(actual, expected, floor: floor)
            if error > worst.error { worst = (error, name) }
        }
        report.add("grad of parameters (worst \(worst.name))", error: worst.error, tolerance: tolerance)
        let missing = parameters.filter {
            $0.parameter.isTrained && !without.contains($0.name) && !file.names.contains($0.name)
        }
        report.require(
            "parameters", missing.isEmpty, "no stored gradient for \(missing.map(\.name).joined(separator: ", "))")
    }
}

extension ConformanceCase {
    /// The arrays of a weights file, or of a recipe over a pool of numbers.
    func arrays(_ key: String = "weights") throws -> [NamedArray] {
        if let path = path(key) { return try SafetensorsFile(path: path).arrays() }
        guard let recipe = json[key]?["recipe"]?.text, let pool = json[key]?["pool"]?.text else {
            throw ConformanceError(id: id, reason: "names no \(key)")
        }
        let numbers = try NumPyFile.read(path: folder + "/" + pool).values
        return try JSON.read(folder + "/" + recipe).members.map { name, entry in
            let shape = entry["shape"]?.elements.compactMap(\.int) ?? []
            let count = shape.reduce(1, *)
            if let constant = entry["constant"]?.number {
                return NamedArray(name: name, shape: shape, values: [Float](repeating: Float(constant), count: count))
            }
            guard let offset = entry["offset"]?.int, !numbers.isEmpty else {
                throw ConformanceError(id: id, reason: "the recipe of '\(name)' names no numbers")
            }
            let (scale, shift) = (Float(entry["scale"]?.number ?? 1), Float(entry["shift"]?.number ?? 0))
            let values = (0..<count).map { shift + scale * numbers[(offset + $0) % numbers.count] }
            return NamedArray(name: name, shape: shape, values: values)
        }
    }
}

extension Backbone {
    /// Loads the weights of a case.
    func load(_ one: ConformanceCase, _ key: String = "weights") throws { try load(one.arrays(key)) }
}
