/// The input of a metric: the enhanced and the clean signal, and the noisy input where it is known.
///
/// One channel each, full scale ±1, all at `sampleRate`. The signals are the files' samples, unless ``fitting`` names a
/// change that made them fit.
public struct SpeechPair: Sendable, Hashable {
    /// Samples of the reference.
    public var clean: [Float]
    /// Samples of the unprocessed recording, where there is one.
    public var noisy: [Float]?
    /// Samples of the recording that is scored.
    public var enhanced: [Float]
    /// In Hz.
    public var sampleRate: Int
    /// What was done to the files before, such as `aligned`; every signature names it.
    public var fitting: [String] = []

    public init(clean: [Float], noisy: [Float]? = nil, enhanced: [Float], sampleRate: Int) {
        self.clean = clean
        self.noisy = noisy
        self.enhanced = enhanced
        self.sampleRate = sampleRate
    }

    /// The pair with the noisy input in place of the enhanced signal: the anchor with which every system is compared.
    public var anchor: SpeechPair? {
        noisy.map { SpeechPair(clean: clean, noisy: $0, enhanced: $0, sampleRate: sampleRate) }
    }
}

/// Which signal of a pair is meant.
public enum PairSignal: String, Sendable, Hashable, Codable, CaseIterable {
    case clean, noisy, enhanced
    /// The difference `noisy − clean`.
    case noise
}
