public import Failures
public import Layers
public import Tensors

/// A network over complex spectrograms, conditioned on a time.
///
/// Spectrograms are `[B, F, N, 2]`. `x` is the state of the diffusion, `y` the noisy speech.
public protocol Backbone: Sendable {
    /// All parameters in the reference's order, with its names.
    var parameters: [Parameter] { get }

    /// Running statistics: stored with the weights, updated by forward passes in training.
    var buffers: [Parameter] { get }

    /// The numbers of bins and of frames must be multiples of these.
    var divisor: (bins: Int, frames: Int) { get }

    /// The number of frames is padded to a multiple of this before a recording is enhanced.
    var frameMultiple: Int { get }

    /// Whether the padded frames at the end take part in the synthesis of the enhanced recording.
    var usesFilledFrames: Bool { get }

    /// Checks that the network accepts spectrograms of this size.
    func check(bins: Int, frames: Int) throws(BackboneError)

    /// - Parameter t: One time per sample.
    func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], _ mode: ForwardMode) -> Tensor
}

extension Backbone {
    /// Empty: most networks keep no running statistics.
    public var buffers: [Parameter] { [] }

    /// 64, or ``divisor`` if that is larger.
    public var frameMultiple: Int { max(64, divisor.frames) }

    /// `true`: the padded frames take part in the synthesis.
    public var usesFilledFrames: Bool { true }

    /// The network in evaluation.
    public func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float]) -> Tensor {
        callAsFunction(x, y, t, .evaluation)
    }

    /// The number of trained values and fixed frequencies.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

    /// Throws where bins or frames are not a positive multiple of ``divisor``.
    public func check(bins: Int, frames: Int) throws(BackboneError) {
        for (size, divisor, name) in [(bins, divisor.bins, "bins"), (frames, divisor.frames, "frames")]
        where size <= 0 || size % divisor != 0 {
            throw BackboneError(option: name, reason: "\(size) \(name) are not a multiple of \(divisor)")
        }
    }
}

/// A combination of options that no network can be built from.
public struct BackboneError: Diagnostic, Hashable, Sendable {
    /// The name of the option, as specs and the reference spell it.
    public var option: String
    /// Why the value cannot be used, and what can.
    public var reason: String

    public init(option: String, reason: String) {
        self.option = option
        self.reason = reason
    }

    public var place: String? { option }
    public var summary: String { reason }
    public var category: FailureCategory { .request }
    public var description: String { line }
}
