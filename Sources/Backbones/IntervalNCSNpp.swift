import Foundation
import Kernels
public import Layers
public import Tensors

/// A network over two times, whose prediction is a mean over the part of the path from `t` down to `r`.
public protocol IntervalBackbone: Backbone {
    /// - Parameters:
    ///   - r: The end of the interval for every sample, at most `t`; `t` itself for a prediction at one time.
    ///   - rates: The tangent of each `t` for forward-mode differentiation; `x` carries its own, and that of `r` is
    ///     0; the result then carries its derivative. Empty for none.
    func callAsFunction(
        _ x: Tensor, _ y: Tensor, _ t: [Float], until r: [Float], rates: [Float], _ mode: ForwardMode
    ) -> Tensor
}

extension IntervalBackbone {
    /// The velocity at one time, `r = t`.
    public func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode) -> Tensor {
        callAsFunction(x, y, t, until: t, rates: [], mode)
    }
}

/// `ncsnpp_interval`: NCSN++ whose time embedding also depends on the length `t − r` of the interval.
///
///     e(t) + p(features(log(1 + t − r)))
///
/// with Fourier features of their own and a projection `p` of two layers, whose last starts at zero: the network starts
/// as one of a single time. After MeanFlowSE (arXiv 2509.14858); its output is not divided by time.
public struct IntervalNCSNpp: IntervalBackbone {
    /// All weights, in the reference's order and with its names.
    public let parameters: [Parameter]
    /// The network whose time embedding is changed.
    public let network: NCSNpp
    private let frequencies: FourierFeatures
    private let first, second: Linear

    public init(_ options: NCSNppOptions = .v2, seed: UInt64 = 0) throws(BackboneError) {
        try Self.check(options)
        let scope = ParameterScope(seed: seed)
        network = try NCSNpp(options, scope: scope)
        frequencies = FourierFeatures(scope.scope("interval_features"), count: options.nf, scale: options.fourierScale)
        let (inputs, width) = (2 * options.nf, 4 * options.nf)
        first = Linear(scope.scope("interval_0"), inputs, width)
        second = Linear(scope.scope("interval_1"), width, width, initial: .constant(0))
        parameters = scope.collector.parameters
    }

    /// - Throws: `BackboneError` for options under which the network does not take its times as input, or is not
    ///   differentiable in them.
    public static func check(_ options: NCSNppOptions) throws(BackboneError) {
        guard options.conditional, options.embeddingType == .fourier else {
            throw BackboneError(
                option: "embedding_type", reason: "a network over two times needs 'fourier' features of the time")
        }
    }

    /// That of NCSN++: 2 to the number of halvings.
    public var divisor: (bins: Int, frames: Int) { network.divisor }

    /// Minus the average velocity over `r … t`, `[B, F, N, 2]`.
    public func callAsFunction(
        _ x: Tensor, _ y: Tensor, _ t: [Float], until r: [Float], rates: [Float], _ mode: ForwardMode
    ) -> Tensor {
        precondition(r.count == t.count, "\(r.count) ends of \(t.count) stretches")
        let lengths = zip(t, r).map { $0 - $1 }
        let length: Tensor
        let time: Tensor?
        if rates.isEmpty {
            (length, time) = (frequencies(lengths.map { log1p($0) }), network.embedding(t))
        } else {
            (length, time) = (
                frequencies(lengths.map { log1p($0) }, rates: zip(rates, lengths).map { $0 / (1 + $1) }),
                network.embedding(t, rates: rates)
            )
        }
        let reach = second(first(length).activated(network.options.nonlinearity))
        return network(x, y, t, embedding: time.map { $0 + reach } ?? reach, mode)
    }
}
