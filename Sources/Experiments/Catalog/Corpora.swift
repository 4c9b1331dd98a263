import Audio
import Corpora
import Specs

/// A corpus that can be named in a spec: made on the spot, or expected in a folder.
public protocol CorpusRecipe: Sendable {
    /// The `base_dir` with the corpus at a sample rate, below `root`; makes it where that is possible and needed.
    ///
    /// - Returns: The folder, and whether it was made now.
    func prepare(in root: String, sampleRate: Int) throws -> (baseDir: String, isNew: Bool)
}

/// A filter without training that stands in every table.
public protocol AnchorFilter: Sendable {
    func callAsFunction(_ noisy: [Float], sampleRate: Int) throws -> [Float]
}

/// The noisy input itself.
public struct NoisyInput: AnchorFilter {
    public init() {}
    public func callAsFunction(_ noisy: [Float], sampleRate: Int) -> [Float] { noisy }
}

extension Registry<any AnchorFilter> {
    static let anchors = Registry(
        "anchor",
        [
            Entry("noisy", "The noisy input, unprocessed") { _ in NoisyInput() },
        ])
}

extension Registry<any CorpusRecipe> {
    static let corpora = Registry("corpus", [])
}

/// The checks that stand before any training step, by the names under which a spec may waive them.
public enum ProtocolGate {
    static let names: [String] = []
}
