import Audio
import Corpora
import Foundation
import SpecLanguage

/// The law `spoken`: as `synthetic`, with sentences that the program espeak-ng speaks in the place of the program's own
/// speech.
///
/// Thirty voices, accents of English with the variants of espeak-ng, serve as speakers.
struct SpokenLaw: MixingLaw {
    static let form = EntryDescriptor(
        "spoken", "Sentences spoken by espeak-ng, in noise or rooms made on the spot",
        parameters: SyntheticLaw.parameters, facts: ())

    private let base: SyntheticLaw

    init(_ settings: Settings) { base = SyntheticLaw(settings) }

    var layout: Layout { base.layout }
    var needsSpeech: Bool { false }
    var problems: [String] { base.problems }
    var circumstances: String { (try? SpeechProgram()).map { "# \($0.version)\n" } ?? "" }

    func plan(_ recipe: Recipe, _ sources: SourceFolders, skipsBad: Bool) throws -> MixingPlan {
        let program = try SpeechProgram()
        var plan = try base.plan(recipe) { request, longest, corpus in
            var draws = Draws(request.stream)
            let voice = SpokenVoice(number: request.speaker)
            var (samples, text): ([Float], [String]) = ([], [])
            while samples.count < request.count {
                text.append(Sentence.drawn(&draws))
                samples += try program.samples(of: text[text.count - 1], voice, sampleRate: corpus.sampleRate)
            }
            samples = Array(samples.prefix(Int(longest * Double(corpus.sampleRate))))
            samples.fade(corpus.sampleRate / 100)
            return (
                samples,
                ["text": text.joined(separator: " "), "voice": voice.description, "synthesiser": program.version]
            )
        }
        if recipe.rate > SpeechProgram.rate {
            plan.remarks.append(
                "espeak-ng speaks at \(SpeechProgram.rate) Hz: its speech has nothing above half of that")
        }
        return plan
    }
}

/// A speaker: an accent and a variant of espeak-ng's voices, with a pitch and a speed.
struct SpokenVoice: Hashable, Sendable, CustomStringConvertible {
    private static let accents = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-029"]
    private static let variants = ["m1", "f1", "m2", "f2", "m3", "f3", "m4", "f4", "m5", "f5", "m6", "m7"]

    var name: String
    /// 0 to 99.
    var pitch: Int
    /// Words in a minute.
    var speed: Int

    /// No two numbers below 60 have one accent and variant.
    init(number: Int) {
        name = "\(Self.accents[number % Self.accents.count])+\(Self.variants[number % Self.variants.count])"
        (pitch, speed) = (35 + number * 7 % 31, 140 + number * 11 % 41)
    }

    var description: String { "\(name) pitch \(pitch) speed \(speed)" }
}

/// Sentences of plain words, drawn by a small grammar.
enum Sentence {
    private static let openings = [
        "", "Today ", "In the evening ", "After the rain ", "Most days ", "Near the river ", "Before noon ",
    ]
    private static let adjectives = [
        "old", "young", "quiet", "careful", "tall", "busy", "friendly", "tired", "clever", "patient",
    ]
    private static let people = [
        "teacher", "driver", "farmer", "sailor", "doctor", "painter", "baker", "gardener", "student", "pilot",
    ]
    private static let verbs = [
        "carries", "watches", "repairs", "finds", "washes", "sells", "paints", "measures", "borrows", "chooses",
    ]
    private static let things = [
        "the wooden boat", "a heavy box", "the yellow bicycle", "some fresh bread", "a small radio",
        "the broken window",
        "six green apples", "the winter coat", "a paper map", "the long rope",
    ]
    private static let endings = [
        "", " with great care", " for a friend", " behind the house", " every week", " without a word",
        " before the shop closes",
    ]

    static func drawn(_ draws: inout Draws) -> String {
        let (opening, adjective, person) = (draws.pick(openings), draws.pick(adjectives), draws.pick(people))
        let article = opening.isEmpty ? "The" : "the"
        return
            """
            \(opening)\(article) \(adjective) \(person) \(draws.pick(verbs)) \
            \(draws.pick(things))\(draws.pick(endings)).
            """
    }
}
