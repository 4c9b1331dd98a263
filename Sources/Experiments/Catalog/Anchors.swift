import Audio
import Specs

/// A filter without training that stands in every table.
public protocol AnchorFilter: Sendable {
    func callAsFunction(_ noisy: [Float], sampleRate: Int) throws -> [Float]
}

/// The noisy input itself.
struct NoisyInput: AnchorFilter {
    func callAsFunction(_ noisy: [Float], sampleRate: Int) -> [Float] { noisy }
}

extension Registry<any AnchorFilter> {
    /// The rows that every system must beat.
    static let anchors = Registry(
        "anchor",
        [
            Entry("noisy", "The noisy input, unprocessed") { _ in NoisyInput() }
        ])
}
