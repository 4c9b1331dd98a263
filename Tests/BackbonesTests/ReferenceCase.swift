import Backbones
import Foundation
import Kernels
import Layers
import Tensors
import Testing
import WeightFiles

/// A folder of values recorded from the reference: `case.json` with arrays and weights beside it.
struct ReferenceCase: CustomTestStringConvertible, Sendable {
    let folder: URL
    let name: String

    /// The cases of a kind among the committed ones, or under the folder that `SGMSE_FIXTURES` names.
    static func all(_ kind: String) -> [ReferenceCase] {
        let root =
            ProcessInfo.processInfo.environment["SGMSE_FIXTURES"].map { URL(fileURLWithPath: $0) }
            ?? Bundle.module.bundleURL.appendingPathComponent("Fixtures")
        let folder = root.appendingPathComponent(kind)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { ReferenceCase(folder: folder.appendingPathComponent($0), name: $0) }
            .filter { FileManager.default.fileExists(atPath: $0.folder.appendingPathComponent("case.json").path) }
    }

    var testDescription: String { name }

    func description() throws -> [String: Any] {
        let data = try Data(contentsOf: folder.appendingPathComponent("case.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    func array(_ name: String) throws -> NamedArray {
        try NumPyFile.read(path: folder.appendingPathComponent(name + ".npy").path)
    }

    func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appendingPathComponent(name + ".npy").path)
    }

    func tensor(_ name: String) throws -> Tensor {
        let array = try array(name)
        return Tensor(array.values, shape: array.shape)
    }

    /// Complex `[B, 1, F, N]` as `[B, F, N, 2]`; a real array gets an imaginary part of zeros.
    func spectrogram(_ re: String, _ im: String?) throws -> Tensor {
        let re = try array(re)
        let im = try im.map(array)?.values ?? [Float](repeating: 0, count: re.values.count)
        let shape = [re.shape[0]] + re.shape.suffix(2) + [2]
        return Tensor(zip(re.values, im).flatMap { [$0, $1] }, shape: shape)
    }

    func weights(_ key: String = "weights") throws -> [String: NamedArray] {
        let entry = try #require(try description()[key] as? [String: Any])
        if let file = entry["file"] as? String {
            let arrays = try SafetensorsFile(path: folder.appendingPathComponent(file).path).arrays()
            return Dictionary(arrays.map { ($0.name ?? "", $0) }, uniquingKeysWith: { $1 })
        }
        let (recipe, pool) = (try #require(entry["recipe"] as? String), try #require(entry["pool"] as? String))
        let numbers = try NumPyFile.read(path: folder.appendingPathComponent(pool).path).values
        let data = try Data(contentsOf: folder.appendingPathComponent(recipe))
        let entries = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
        return try entries.mapValues { entry in
            let shape = try #require(entry["shape"] as? [Int])
            let count = shape.reduce(1, *)
            if let constant = entry["constant"] as? Double {
                return NamedArray(shape: shape, values: [Float](repeating: Float(constant), count: count))
            }
            let offset = try #require(entry["offset"] as? Int)
            let scale = Float((entry["scale"] as? Double) ?? 1)
            let shift = Float((entry["shift"] as? Double) ?? 0)
            return NamedArray(
                shape: shape, values: (0..<count).map { shift + scale * numbers[(offset + $0) % numbers.count] })
        }
    }

    /// Puts the weights into a network; every parameter must be there.
    func load(_ parameters: [Parameter]) throws {
        let arrays = try weights()
        for parameter in parameters {
            let array = try #require(arrays[parameter.name], "\(parameter.name) is missing")
            try #require(array.shape == parameter.shape, "\(parameter.name)")
            parameter.assign(Tensor(array.values, shape: parameter.shape))
        }
        #expect(Set(arrays.keys).subtracting(parameters.map(\.name)).isEmpty)
    }

    func tolerance(_ name: String) throws -> Double {
        try #require((try description()["tolerances"] as? [String: Double])?[name])
    }

    /// `max |a − b| / max |b|`.
    func compare(_ a: [Float]?, _ b: [Float], _ tolerance: String, floor: Double = 0, _ what: String) throws {
        let a = try #require(a, "\(what) is missing")
        try #require(a.count == b.count, "\(what)")
        let scale = b.reduce(floor) { max($0, Double(abs($1))) }
        let worst = zip(a, b).reduce(0.0) { $1.0.isNaN ? .infinity : max($0, abs(Double($1.0) - Double($1.1))) }
        let limit = try self.tolerance(tolerance)
        #expect(worst <= limit * scale, "\(what): \(worst / scale), allowed \(limit)")
    }

    /// Compares all parameters' gradients with the stored ones, whole or sampled.
    func compare(_ gradients: GradientTable, of parameters: [Parameter]) throws {
        let description = try description()
        let stored = try weights("grads")
        let entry = try #require(description["grads"] as? [String: Any])
        let strides = entry["parameters"] as? [String: [Double]] ?? [:]
        let largest = try #require((description["scalars"] as? [String: Any])?["param_grad_abs_max"] as? Double)
        let without = Set(description["params_without_gradient"] as? [String] ?? [])
        for parameter in parameters where !without.contains(parameter.name) {
            let expected = try #require(stored[parameter.name], "\(parameter.name) has no stored gradient")
            let stride = Int(strides[parameter.name]?.first ?? 1)
            let found = gradients[parameter]?.values ?? [Float](repeating: 0, count: parameter.count)
            try compare(
                Swift.stride(from: 0, to: found.count, by: stride).map { found[$0] }, expected.values,
                "param_grad_relmax",
                floor: 1e-3 * largest, parameter.name)
        }
    }
}
