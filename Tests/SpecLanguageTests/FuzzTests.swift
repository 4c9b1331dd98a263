import Foundation
import SpecLanguage
import SpecSamples
import Specs
import Testing

@Suite struct FuzzTests {
    /// Texts with every construct of the language.
    static let texts = [
        TestVocabulary.cfg,
        TestVocabulary.cfg
            + """
            \nsweep: { grid: { train.lr: [1e-4, 2e-4], sde.theta: [1, 2] }, exclude: [{ train.lr: "> 1e-4", \
            sde.theta: 2 }] }\n
            """,
        ExampleSpec.text(ExampleSpec.sections)
            + """
            sweep:\n  random: { count: 3, space: { train.lr: { from: 1e-5, to: 1e-3, log: true } } }\nwaive: \
            [rate]\n
            """,
    ]

    @Test(arguments: 0..<8) func noTextCrashesAndEveryErrorHasAPlace(seed: Int) {
        var random = SeededGenerator(state: UInt64(seed))
        let alphabet = Array("abe01 :-#[]{}\"'&*!|>%@`,.\n\t~?\\/é\u{2028}\u{0}<=")
        for round in 0..<150 {
            var text = Array(Self.texts[round % Self.texts.count])
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: text.remove(at: place)
                case 1: text.insert(alphabet.randomElement(using: &random) ?? "x", at: place)
                case 2: text[place] = alphabet.randomElement(using: &random) ?? "x"
                case 3: text.swapAt(place, Int.random(in: 0..<text.count, using: &random))
                default:
                    let end = min(text.count, place + Int.random(in: 1...40, using: &random))
                    text.insert(contentsOf: text[place..<end], at: Int.random(in: 0..<text.count, using: &random))
                }
            }
            let source = String(text)
            let lines = source.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            do {
                _ = try TestVocabulary.loader.load(text: source)
            } catch {
                #expect(!error.all.isEmpty)
                for mistake in error.all {
                    let isPlaced =
                        mistake.mark.file == "spec.yaml" && (1...lines.count + 1).contains(mistake.mark.line)
                        && mistake.mark.column >= 1
                    #expect(isPlaced, "\(mistake)\n\(source)")
                }
            }
        }
    }
}
