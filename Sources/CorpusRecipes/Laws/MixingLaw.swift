import Audio
import Corpora
import Foundation
import SpecLanguage

/// How a clean recording becomes the two files of a pair.
protocol MixingLaw: Sendable {
    /// The name and settings of the law in a recipe.
    static var form: EntryDescriptor { get }
    init(_ settings: Settings)
    var layout: Layout { get }
    /// Sources that the law takes noise or responses from, as `source/folder`.
    var places: [String] { get }
    /// Whether each set has a folder of its own in them.
    var isBySet: Bool { get }
    var needsSpeech: Bool { get }
    var needsNoisy: Bool { get }
    /// What is wrong between its settings.
    var problems: [String] { get }
    /// What decides the audio besides the recipe and its sources, such as the version of another program; nothing if
    /// empty.
    var circumstances: String { get }
    /// Finds what the law needs besides the speech, and gives the function that makes the pairs of an item.
    ///
    /// The function depends on the recipe and the item alone, so that the order of the work changes nothing.
    func plan(_ recipe: Recipe, _ sources: SourceFolders, skipsBad: Bool) throws -> MixingPlan
}

extension MixingLaw {
    var layout: Layout { .denoising }
    var places: [String] { [] }
    var isBySet: Bool { false }
    var needsSpeech: Bool { true }
    var needsNoisy: Bool { false }
    var problems: [String] { [] }
    var circumstances: String { "" }
}

/// A law applied to one recipe: the items, and how each becomes pairs.
struct MixingPlan: Sendable {
    var list: ItemList
    /// Remarks on the sources, to be shown to the user.
    var remarks: [String] = []
    /// The level of a signal in dB, of which the SNR is a difference; `nil` where a pair has no SNR.
    var level: (@Sendable ([Float]) -> Double)?
    var pairs: @Sendable (Item) throws -> [MadePair]

    /// The level by the mean square.
    static let meanSquareLevel: @Sendable ([Float]) -> Double = { 10 * log10(max($0.meanSquare, 1e-20)) }
}

/// A pair in memory.
struct MadePair: Sendable {
    var set: String
    var entry: Manifest.Entry
    var clean: [Float]
    var noisy: [Float]
}

extension Item {
    /// The clean recording at the recipe's rate, one channel; it fades in and out where the recipe says so.
    func speech(of recipe: Recipe) throws -> [Float] {
        guard let recording else { preconditionFailure("the item \(name) has no recording") }
        let header = try recording.header()
        var range: Range<Int>?
        if let piece {
            let rate = Double(header.sampleRate)
            range =
                Int((piece.lowerBound * rate).rounded())..<min(header.frames, Int((piece.upperBound * rate).rounded()))
        }
        var samples = try recording.mono(frames: range)
        if header.sampleRate != recipe.rate {
            samples = try Resampler(from: header.sampleRate, to: recipe.rate).resample(samples)
        }
        samples.fade(Int(ramp * Double(recipe.rate)))
        return samples
    }

    /// The manifest's row, with the columns that the item decides.
    func entry(seed: UInt64) -> Manifest.Entry {
        var entry = Manifest.Entry(file: name, speaker: speaker, seed: seed, other: ["clean_file": label])
        if let piece { entry.other["clean_start_s"] = Decimals.text(piece.lowerBound, 3) }
        return entry
    }
}

extension [Float] {
    /// Rises from 0 over the first samples and falls to 0 over the last.
    mutating func fade(_ length: Int) {
        let length = Swift.min(length, count / 2)
        for index in 0..<length {
            let gain = Float(index) / Float(length)
            self[index] *= gain
            self[count - 1 - index] *= gain
        }
    }
}

/// Numbers in tables.
enum Decimals {
    /// With so many digits behind the point.
    static func text(_ value: Double, _ digits: Int) -> String {
        var factor = 1.0
        for _ in 0..<digits { factor *= 10 }
        let rounded = (value * factor).rounded() / factor
        return rounded == 0 ? "0.0" : "\(rounded)"
    }
}

/// The laws that a recipe can name.
enum RecipeLaws {
    private static let all: [any MixingLaw.Type] = [
        PairsLaw.self, MixLaw.self, RoomLaw.self, ResponseLaw.self, SyntheticLaw.self, SpokenLaw.self,
    ]

    static let forms = all.map { $0.form }

    static func make(_ choice: Choice) -> any MixingLaw {
        guard let type = all.first(where: { $0.form.name == choice.name }) else {
            preconditionFailure("no law '\(choice.name)'")
        }
        return type.init(choice.settings)
    }
}
