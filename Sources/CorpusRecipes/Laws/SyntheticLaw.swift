import Corpora
import Foundation
import SpecLanguage

/// The law `synthetic`: speech and noise, or rooms, that `SyntheticCorpus` makes; no recordings are needed.
///
/// Equal settings give the audio that a spec's `corpus: synthetic` has, byte for byte.
struct SyntheticLaw: MixingLaw {
    static let form = EntryDescriptor(
        "synthetic", "Speech-like signals in noise or rooms, made on the spot", parameters: parameters, facts: ())

    static let parameters: [Field] = [
        .oneOf("task", Layout.allCases.map(\.rawValue), default: "denoising", "Noise added, or reverberation."),
        .integer("train", default: 200, in: .between(0, 1e6), unit: "files", "Training pairs."),
        .integer("valid", default: 8, in: .between(0, 1e6), unit: "files", "Validation pairs."),
        .integer("test", default: 8, in: .between(0, 1e6), unit: "files", "Test pairs."),
        .integer("test_ood", default: 8, in: .between(0, 1e6), unit: "files", "Test pairs out of distribution."),
        .list(
            "seconds", of: .number(.between(0.25, 60)), atLeast: 2, default: [1.5, 3.0],
            "Shortest and longest file, in s."),
        .list(
            "snr", of: .number(.between(-200, 200)), atLeast: 2, default: [0.0, 10.0],
            "Least and most level of the speech over the noise, in dB."),
        .list(
            "ood_snr", of: .number(.between(-200, 200)), default: [],
            "Fixed levels of the sets out of distribution, in dB."),
    ]

    private let corpus: SyntheticCorpus
    private let ranges: [String: [Double]]

    init(_ settings: Settings) {
        let (seconds, snr) = (settings.numbers("seconds"), settings.numbers("snr"))
        ranges = ["seconds": seconds, "snr": snr]
        corpus = SyntheticCorpus { corpus in
            corpus.layout = Layout(rawValue: settings.text("task")) ?? .denoising
            (corpus.train, corpus.valid) = (settings.integer("train"), settings.integer("valid"))
            (corpus.test, corpus.testOOD) = (settings.integer("test"), settings.integer("test_ood"))
            corpus.oodSNRs = settings.numbers("ood_snr")
            if let range = Self.range(seconds) { corpus.seconds = range }
            if let range = Self.range(snr) { corpus.snr = range }
        }
    }

    /// The range of two numbers in order.
    static func range(_ ends: [Double]) -> ClosedRange<Double>? {
        ends.count == 2 && ends[0] <= ends[1] ? ends[0]...ends[1] : nil
    }

    var layout: Layout { corpus.layout }
    var needsSpeech: Bool { false }
    var problems: [String] {
        ranges.sorted { $0.key < $1.key }.filter { Self.range($0.value) == nil }.map {
            "'\($0.key)' wants two numbers, the least and the most"
        }
    }

    func plan(_ recipe: Recipe, _ sources: SourceFolders, skipsBad: Bool) throws -> MixingPlan {
        try plan(recipe, speech: nil)
    }

    /// Speech for a request, at most `longest` s, and further columns of the manifest for it.
    typealias Speech =
        @Sendable (_ request: SyntheticCorpus.SpeechRequest, _ longest: Double, SyntheticCorpus) throws -> (
            [Float], [String: String]
        )

    /// - Parameter speech: Makes the speech; `SyntheticCorpus` makes it if `nil`.
    func plan(_ recipe: Recipe, speech: Speech?) throws -> MixingPlan {
        var corpus = corpus
        (corpus.seed, corpus.sampleRate) = (recipe.seed, recipe.rate)
        try corpus.validate(recipe.name)
        let sets = Dictionary(uniqueKeysWithValues: corpus.sets.map { ($0.name, $0) })
        let items = corpus.sets.flatMap { set in
            (0..<set.count).map { Item(set: set.name, name: String(format: "%06d", $0), number: $0) }
        }
        let level = corpus.layout == .denoising ? MixingPlan.meanSquareLevel : nil
        return MixingPlan(list: ItemList(items: items), level: level) { [corpus] item in
            guard let set = sets[item.set] else { return [] }
            var columns: [String: String] = [:]
            var (mixture, entry) =
                try speech.map { speech in
                    try corpus.pair(item.number, of: set) { request in
                        let (samples, more) = try speech(request, corpus.seconds.upperBound, corpus)
                        columns = more
                        return samples
                    }
                } ?? corpus.pair(item.number, of: set)
            entry.other.merge(columns) { $1 }
            return [MadePair(set: item.set, entry: entry, clean: mixture.clean, noisy: mixture.noisy)]
        }
    }
}
