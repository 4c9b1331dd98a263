import Backbones
import Foundation
public import Models
public import Tensors
public import WeightFiles

/// The state of a training as one safetensors file; a training that resumes from it gives the same result.
///
/// Arrays are named `weights/…`, `ema/…`, `adam/first/…`, `adam/second/…` and `buffers/…`; moments that are still zero
/// are left out. The metadata holds the step and what the file belongs to. Draws are addressed by step, so no random
/// state is kept.
public struct TrainingCheckpoint: Sendable {
    static let format = "sgmse-training-1"

    /// Optimizer steps done.
    public var step: Int
    /// Updates of Adam's moments before this training began, where they were taken over from another one.
    public var warmSteps: Int
    /// The training's identity.
    public var identity: String
    /// The raw weights, in the order of `ScoreModel.weights`.
    public var weights: [Tensor]
    /// Their exponential moving averages, in the same order.
    public var averages: [Tensor]
    /// Adam's first and second moments, in the same order; `nil` for weights that are not trained.
    public var moments: [(first: Tensor, second: Tensor)?]
    /// Running statistics by name.
    public var buffers: [(name: String, value: Tensor)]
    /// Averages of other lengths by their standard deviations, `ema-0.1/…` in the file.
    public var furtherAverages: [(std: Double, weights: [Tensor])]

    public init(
        step: Int, warmSteps: Int, identity: String, weights: [Tensor], averages: [Tensor],
        moments: [(first: Tensor, second: Tensor)?], buffers: [(name: String, value: Tensor)],
        furtherAverages: [(std: Double, weights: [Tensor])] = []
    ) {
        (self.step, self.warmSteps, self.identity) = (step, warmSteps, identity)
        (self.weights, self.averages, self.moments, self.buffers) = (weights, averages, moments, buffers)
        self.furtherAverages = furtherAverages
    }

    /// The part of the file that holds an average of a length.
    package static func part(std: Double) -> String { "ema-\(std)" }

    /// Writes the file under a temporary name, and renames it when it is safe on disk.
    public func write(to path: String, model: ScoreModel) throws(WeightFileError) {
        var arrays: [NamedArray] = []
        func add(_ part: String, _ name: String, _ tensor: Tensor) {
            arrays.append(NamedArray(name: "\(part)/\(name)", shape: tensor.shape, values: tensor.values))
        }
        for (index, name) in model.weights.map(\.name).enumerated() {
            add("weights", name, weights[index])
            add("ema", name, averages[index])
            for further in furtherAverages { add(Self.part(std: further.std), name, further.weights[index]) }
            if let moment = moments[index], !moment.second.values.allSatisfy({ $0 == 0 }) {
                add("adam/first", name, moment.first)
                add("adam/second", name, moment.second)
            }
        }
        for buffer in buffers { add("buffers", buffer.name, buffer.value) }
        var metadata = ["format": Self.format, "step": String(step), "identity": identity]
        if warmSteps != 0 { metadata["warm_steps"] = String(warmSteps) }
        try SafetensorsFile.write(arrays, metadata: metadata, to: path)
    }

    /// Reads the state of a training of a model like `model`.
    public init(path: String, model: ScoreModel) throws {
        let all = model.weights
        let file = try SafetensorsFile(path: path)
        guard file.metadata["format"] == Self.format, let step = file.metadata["step"].flatMap(Int.init) else {
            throw WeightsError(parameter: path, reason: "is not a training checkpoint of this program")
        }
        func tensor(_ part: String, _ name: String, _ parameter: Parameter) throws -> Tensor {
            let array = try file.array("\(part)/\(name)")
            guard array.shape == parameter.shape else {
                throw WeightsError(
                    parameter: name, reason: "is \(array.shape) in \(path) and \(parameter.shape) in the network")
            }
            return Tensor(array.values, shape: array.shape)
        }
        self.step = step
        warmSteps = file.metadata["warm_steps"].flatMap(Int.init) ?? 0
        identity = file.metadata["identity"] ?? ""
        weights = try all.map { try tensor("weights", $0.name, $0.parameter) }
        averages = try all.map { try tensor("ema", $0.name, $0.parameter) }
        let names = Set(file.names)
        let lengths = Set(file.names.compactMap { $0.hasPrefix("ema-") ? $0.prefix { $0 != "/" } : nil })
        furtherAverages = try lengths.sorted().compactMap { part in
            guard let std = Double(part.dropFirst(4)) else { return nil }
            return (std, try all.map { try tensor(String(part), $0.name, $0.parameter) })
        }
        moments = try all.map {
            guard $0.isTrained else { return nil }
            guard names.contains("adam/second/\($0.name)") else {
                return (.zeros($0.parameter.shape), .zeros($0.parameter.shape))
            }
            return (try tensor("adam/first", $0.name, $0.parameter), try tensor("adam/second", $0.name, $0.parameter))
        }
        buffers = try model.buffers.map { ($0.name, try tensor("buffers", $0.name, $0.parameter)) }
    }

    /// The averaged or the raw weights of a training checkpoint, and the running statistics, by the names of
    /// `ScoreModel.weights`.
    public static func weights(at path: String, averaged: Bool, model: ScoreModel) throws -> [NamedArray] {
        let file = try SafetensorsFile(path: path)
        let part = averaged ? "ema" : "weights"
        let wanted = model.weights.map { (part, $0.name) } + model.buffers.map { ("buffers", $0.name) }
        return try wanted.map { part, name in
            var array = try file.array("\(part)/\(name)")
            array.name = name
            return array
        }
    }
}
