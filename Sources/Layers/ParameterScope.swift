import Foundation
import Kernels
public import Tensors

/// Where a network under construction takes its parameters from: names by nesting, values by seed and name.
///
/// A parameter's initial value depends on the seed and its name alone, so that two networks that share a part
/// start equal in it.
public struct ParameterScope {
    /// Collects parameters in the order of construction, which is the order of the reference's.
    public final class Collector {
        public fileprivate(set) var parameters: [Parameter] = []
        /// Running statistics, which are stored with the weights but are not adjusted by gradients.
        public fileprivate(set) var buffers: [Parameter] = []
        fileprivate var layers = 0
    }

    /// What all scopes of one network collect their parameters in.
    public let collector: Collector
    private let path: String
    private let seed: UInt64

    public init(seed: UInt64) {
        self.init(collector: Collector(), path: "", seed: seed)
    }

    private init(collector: Collector, path: String, seed: UInt64) {
        self.collector = collector
        self.path = path
        self.seed = seed
    }

    /// The scope of a part, `path.name`.
    public func scope(_ name: String) -> ParameterScope {
        ParameterScope(collector: collector, path: path.isEmpty ? name : "\(path).\(name)", seed: seed)
    }

    /// The scope of a numbered part, `path.index`.
    public func scope(_ index: Int) -> ParameterScope { scope(String(index)) }

    /// Makes and collects a parameter.
    public func parameter(_ name: String, _ shape: [Int], _ initial: Initializer, isTrained: Bool = true) -> Parameter {
        let full = fullName(name)
        let stream = RandomStream(seed: seed, purpose: "parameter/" + full)
        let parameter = Parameter(
            name: full, Tensor(initial.values(shape, stream), shape: shape), isTrained: isTrained)
        collector.parameters.append(parameter)
        return parameter
    }

    /// Makes and collects a buffer of running statistics.
    public func buffer(_ name: String, _ shape: [Int], repeating value: Float) -> Parameter {
        let buffer = Parameter(name: fullName(name), Tensor(repeating: value, shape: shape), isTrained: false)
        collector.buffers.append(buffer)
        return buffer
    }

    /// Makes and collects a buffer that is drawn once and then stays, such as fixed frequencies.
    public func buffer(_ name: String, _ shape: [Int], _ initial: Initializer) -> Parameter {
        let full = fullName(name)
        let stream = RandomStream(seed: seed, purpose: "parameter/" + full)
        let buffer = Parameter(name: full, Tensor(initial.values(shape, stream), shape: shape), isTrained: false)
        collector.buffers.append(buffer)
        return buffer
    }

    /// A number of its own for a layer that draws random numbers.
    func nextLayerNumber() -> Int {
        defer { collector.layers += 1 }
        return collector.layers
    }

    private func fullName(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}

/// How the values of a new parameter are drawn.
public enum Initializer: Sendable {
    case constant(Float)
    case normal(standardDeviation: Double)
    case uniform(bound: Double)
    /// Uniform with variance `scale / mean(fan in, fan out)`; a scale of 0 means 1e-10. The DDPM initialisation.
    case fanAverage(scale: Double)

    func values(_ shape: [Int], _ stream: RandomStream) -> [Float] {
        let count = shape.reduce(1, *)
        switch self {
        case .constant(let value):
            return [Float](repeating: value, count: count)
        case .normal(let deviation):
            return stream.normals(count, standardDeviation: deviation)
        case .uniform(let bound):
            return stream.uniforms(count, bound: bound)
        case .fanAverage(let scale):
            let field = shape.dropFirst(2).reduce(1, *)
            let average = Double((shape[0] + shape[1]) * field) / 2
            return stream.uniforms(count, bound: (3 * (scale == 0 ? 1e-10 : scale) / average).squareRoot())
        }
    }

    /// PyTorch's default for a layer with `fanIn` inputs: uniform within `1/√fanIn`.
    public static func torchDefault(fanIn: Int) -> Initializer {
        .uniform(bound: 1 / Double(fanIn).squareRoot())
    }
}
