import Backbones
import Models
import Tensors
import WeightFiles

extension ScoreModel {
    /// Assigns arrays by the names of ``weights``; every parameter must be there in its shape.
    public func load(_ arrays: [NamedArray]) throws {
        let isEncoders = { (array: NamedArray) in array.name?.hasPrefix(Self.encoderPrefix) ?? false }
        try backbone.load(arrays.filter { !isEncoders($0) })
        try encoder?.load(
            arrays.filter(isEncoders).map { array in
                var array = array
                array.name = array.name.map { String($0.dropFirst(Self.encoderPrefix.count)) }
                return array
            })
    }

    /// Loads weights whose names may begin with `dnn.`, as in a whole model's state dictionary.
    package func loadModel(_ arrays: [NamedArray]) throws {
        try load(
            arrays.map { array in
                var array = array
                if let name = array.name, name.hasPrefix("dnn.") { array.name = String(name.dropFirst(4)) }
                return array
            })
    }

    /// The names of the weights in the reference's state dictionary.
    package var referenceNames: [String] {
        weights.map { $0.name.hasPrefix(Self.encoderPrefix) ? $0.name : "dnn." + $0.name }
    }
}

extension Backbone {
    /// Assigns arrays by name; every parameter must be there in its shape. Running statistics may be missing.
    public func load(_ arrays: [NamedArray]) throws {
        try parameters.assign(arrays)
        let names = Set(arrays.compactMap(\.name))
        try buffers.filter { names.contains($0.name) }.assign(arrays)
    }
}

extension NoiseEncoder {
    /// Assigns arrays by name; every parameter must be there in its shape.
    public func load(_ arrays: [NamedArray]) throws { try parameters.assign(arrays) }
}

extension [Parameter] {
    fileprivate func assign(_ arrays: [NamedArray]) throws {
        let byName = Dictionary(arrays.compactMap { array in array.name.map { ($0, array) } }, uniquingKeysWith: { $1 })
        for parameter in self {
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
