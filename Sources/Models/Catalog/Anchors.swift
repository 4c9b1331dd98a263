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
            Entry("noisy", "The noisy input, unprocessed") { NoisyInput() },
            Entry(
                "wiener", "Decision-directed Wiener filter", source: "Ephraim & Malah 1984", of: WienerFilter(),
                [
                    Setting(
                        \.smoothing, "smoothing", in: Bounds(from: 0, to: 1, excludesUpper: true),
                        "Weight of the last frame's estimate."),
                    Setting(\.floor, "floor", in: Bounds(to: 0), unit: "dB", "Least gain."),
                ]
            ) { $0 },
        ])
}
