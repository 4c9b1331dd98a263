public import Audio
import SpecLanguage
import Specs

/// A filter without training that stands in every table.
public protocol AnchorFilter: Sendable {
    func callAsFunction(_ noisy: [Float], sampleRate: Int) throws -> [Float]
}

/// The noisy input itself.
struct NoisyInput: AnchorFilter {
    func callAsFunction(_ noisy: [Float], sampleRate: Int) -> [Float] { noisy }
}

extension WienerFilter: AnchorFilter {}

extension Registry<any AnchorFilter> {
    /// The rows that every system must beat.
    static let anchors = Registry(
        "anchor",
        [
            Entry("noisy", "The noisy input, unprocessed") { _ in NoisyInput() },
            Entry(
                "wiener", "Decision-directed Wiener filter", source: "Ephraim & Malah 1984",
                parameters: [
                    .number("smoothing", default: 0.95, in: .probability, "Weight of the last frame's estimate."),
                    .number("floor", default: -25.0, in: Bounds(to: 0), unit: "dB", "Least gain."),
                ]
            ) { WienerFilter(smoothing: $0.number("smoothing"), floor: $0.number("floor")) },
        ])
}
