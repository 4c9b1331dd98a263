public import Backbones
package import Diffusion

/// What a network's construction takes from the rest of a spec.
public struct BackboneContext: Sendable {
    /// Of the initial weights.
    public var seed: UInt64
    /// How many spectrograms the network reads side by side.
    package var inputs = 2
    /// Length of the embedding of a noise reference.
    package var embeddingWidth = NoiseConditioning().width
    /// The diffusion, whose constants a network that scales itself follows.
    package var sde: (any SDE)?

    public init(seed: UInt64 = 0) { self.seed = seed }
}

/// A network whose options are chosen: it is checked before it is built.
public struct BackboneFactory: Sendable {
    /// Refuses options that no network can have, or that do not take spectrograms of `bins × frames`.
    package let check: @Sendable (_ bins: Int, _ frames: Int) throws(BackboneError) -> Void
    /// Builds the network with initial weights.
    public let make: @Sendable (BackboneContext) throws -> any Backbone

    package init<Options: BackboneOptions>(
        _ options: Options, build: @escaping @Sendable (Options, BackboneContext) throws -> any Backbone
    ) {
        check = { (bins, frames) throws(BackboneError) in try options.check(bins: bins, frames: frames) }
        make = { try build(options, $0) }
    }
}

/// The options of a network, which tell mistakes before anything is built.
package protocol BackboneOptions: Sendable {
    /// - Throws: Where the options have no meaning together, or do not take padded spectrograms of `bins × frames`.
    func check(bins: Int, frames: Int) throws(BackboneError)
}

/// The options of a network that attends between all pixels of its coarse levels.
package protocol AttendingOptions: BackboneOptions {
    /// The option with the channels of each level, which a message about memory names.
    static var levels: String { get }
    /// - Throws: Where the options have no meaning together.
    func validate() throws(BackboneError)
    /// Numbers in the largest map of attention weights for a spectrogram of `bins × frames`.
    func attentionWeights(bins: Int, frames: Int) -> Double
}

extension AttendingOptions {
    package func check(bins: Int, frames: Int) throws(BackboneError) {
        try validate()
        let gigabytes = attentionWeights(bins: bins, frames: frames) * 4 / 1e9
        guard gigabytes <= mostGigabytes else {
            throw BackboneError(
                option: Self.levels,
                reason: """
                    attention between all pixels of \(frames) frames would need \(Int(gigabytes)) GB at once; halve \
                    more often (more entries of \(Self.levels)), or attend at coarser levels (attn_resolutions)
                    """)
        }
    }
}

/// What one map of attention weights may take.
private let mostGigabytes = 8.0

extension NCSNppOptions: AttendingOptions { package static var levels: String { "ch_mult" } }
extension EDM2Options: AttendingOptions { package static var levels: String { "channel_mult" } }
