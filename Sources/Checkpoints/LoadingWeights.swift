public import Backbones
public import Failures
public import Models
import Specs
import Tensors
public import WeightFiles

extension ScoreModel {
    /// Assigns arrays by the names of ``weights``; every parameter must be there in its shape, except those of a
    /// diffusion whose regression was trained alone.
    public func load(_ arrays: [NamedArray]) throws {
        func part(_ prefix: String) -> [NamedArray] {
            arrays.compactMap { array in
                guard let name = array.name, name.hasPrefix(prefix) else { return nil }
                var array = array
                array.name = String(name.dropFirst(prefix.count))
                return array
            }
        }
        try regression?.backbone.load(part(Self.regressionPrefix))
        let own = arrays.filter { array in
            ![Self.encoderPrefix, Self.regressionPrefix].contains { array.name?.hasPrefix($0) ?? false }
        }
        // After the training of a regression alone the file may have no diffusion.
        if regression?.training != .alone || !own.isEmpty { try backbone.load(own) }
        try encoder?.load(part(Self.encoderPrefix))
    }

    /// Loads weights under the names of a whole model's state dictionary, or our own.
    package func loadModel(_ arrays: [NamedArray]) throws {
        let layout = ModelLayout(of: self)
        let own = Dictionary((layout.parameters + layout.buffers).map { ($0.name, $0.ownName) }) { first, _ in first }
        try load(
            arrays.map { array in
                var array = array
                array.name = array.name.map { own[$0] ?? $0 }
                return array
            })
    }

    /// The names of the weights in the reference's state dictionary.
    package var referenceNames: [String] { ModelLayout(of: self).names }
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
                    parameter: parameter.name,
                    reason: "is \(array.shape) in the weights and \(parameter.shape) in the network")
            }
            parameter.assign(Tensor(array.values, shape: array.shape))
        }
    }
}

/// An error: weights that do not fit the network.
public struct WeightsError: Diagnostic, Hashable, Sendable {
    /// The parameter's name, or the file where the whole file does not fit.
    public var parameter: String
    /// What is wrong with it, as the end of a sentence that begins with its name.
    public var reason: String

    public init(parameter: String, reason: String) {
        self.parameter = parameter
        self.reason = reason
    }

    public var summary: String { "\(parameter) \(reason)" }
    public var category: FailureCategory { .data }
    public var description: String { line }
}
