import Backbones
import Foundation
import Tensors
import WeightFiles

extension ConformanceChecker {
    /// Networks: output, loss, and the gradients of inputs and of all parameters.
    static let backbone = ConformanceChecker("backbone") { one, catalog, report in
        let name = one.hyperparameters["backbone"]?.text ?? ""
        guard let entry = catalog.backbones[name] else {
            throw ConformanceError(id: one.id, reason: "unknown backbone '\(name)'")
        }
        let network = try entry.build(one.settings(of: entry.descriptor))
        try network.load(one)
        let (x, y) = (try one.spectrogram("x").tracked(), try one.spectrogram("y").tracked())
        let output = network(x, y, try one.array("t").values)
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
        try one.compareGradients(network.parameters, gradients, &report)
    }
}

extension ConformanceCase {
    /// Two real arrays as real and imaginary part.
    func pair(_ re: String, _ im: String) throws -> Tensor {
        let (re, im) = (try array(re), try array(im))
        var shape = re.shape
        if shape.count >= 4, shape[shape.count - 3] == 1 { shape.remove(at: shape.count - 3) }
        return Tensor(zip(re.values, im.values).flatMap { [$0, $1] }, shape: shape + [2])
    }

    /// Compares the gradient of every parameter with the stored ones, whole or sampled.
    func compareGradients(
        _ parameters: [Parameter], _ gradients: GradientTable, _ report: inout ConformanceReport, prefix: String = ""
    ) throws {
        guard let path = path("grads") else { throw ConformanceError(id: id, reason: "stores no gradients") }
        let file = try SafetensorsFile(path: path)
        let tolerance = try tolerance("param_grad_relmax")
        let floor = 1e-3 * (try scalar("param_grad_abs_max"))
        let strides = json["grads"]?["parameters"]
        let without = Set(json["params_without_gradient"]?.elements.compactMap(\.text) ?? [])
        let byName = Dictionary(parameters.map { (prefix + $0.name, $0) }, uniquingKeysWith: { first, _ in first })
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
            $0.isTrained && !without.contains(prefix + $0.name) && !file.names.contains(prefix + $0.name)
        }
        report.require("parameters", missing.isEmpty, "no stored gradient for \(missing.map(\.name).joined(separator: ", "))")
    }
}

extension Backbone {
    /// Loads the weights of a case: a file, or a recipe over a pool of numbers.
    func load(_ one: ConformanceCase, _ key: String = "weights") throws {
        guard let path = one.path(key) else { throw ConformanceError(id: one.id, reason: "names no weights") }
        try load(try SafetensorsFile(path: path).arrays())
    }

    /// Assigns arrays by name; every parameter must be there in its shape.
    public func load(_ arrays: [NamedArray]) throws {
        let byName = Dictionary(arrays.compactMap { array in array.name.map { ($0, array) } }, uniquingKeysWith: { $1 })
        for parameter in parameters {
            guard let array = byName[parameter.name] else {
                throw WeightsError(parameter: parameter.name, reason: "is missing from the weights")
            }
            guard array.shape == parameter.shape else {
                throw WeightsError(
                    parameter: parameter.name, reason: "is \(array.shape) in the weights and \(parameter.shape) in the network")
            }
            parameter.assign(Tensor(array.values, shape: array.shape))
        }
    }
}

/// Weights that do not fit the network.
public struct WeightsError: Error, Hashable, Sendable, CustomStringConvertible {
    public var parameter: String
    public var reason: String

    public init(parameter: String, reason: String) {
        self.parameter = parameter
        self.reason = reason
    }

    public var description: String { "\(parameter) \(reason)" }
}
