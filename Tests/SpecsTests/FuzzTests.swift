import Foundation
import Specs
import Testing

@Suite struct FuzzTests {
    /// Texts with every construct of the language.
    static let texts = [
        TestVocabulary.cfg,
        TestVocabulary.cfg + "\nsweep: { grid: { train.lr: [1e-4, 2e-4], sde.theta: [1, 2] }, exclude: [{ train.lr: \"> 1e-4\", sde.theta: 2 }] }\n",
        IdentityTests.text(IdentityTests.sections) + "sweep:\n  random: { count: 3, space: { train.lr: { from: 1e-5, to: 1e-3, log: true } } }\nwaive: [rate]\n",
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
                    let isPlaced = mistake.mark.file == "spec.yaml" && (1...lines.count + 1).contains(mistake.mark.line) && mistake.mark.column >= 1
                    #expect(isPlaced, "\(mistake)\n\(source)")
                }
            }
        }
    }

    /// One or two wrong letters: removed, added, replaced, or exchanged with the next.
    static func misspelt(_ name: String, edits: Int, _ random: inout SeededGenerator) -> String {
        var letters = Array(name)
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz_")
        for _ in 0..<edits {
            let place = Int.random(in: 0..<letters.count, using: &random)
            let letter = alphabet.randomElement(using: &random) ?? "x"
            switch Int.random(in: 0..<4, using: &random) {
            case 0 where letters.count > 2: letters.remove(at: place)
            case 1: letters.insert(letter, at: place)
            case 2 where place + 1 < letters.count: letters.swapAt(place, place + 1)
            default: letters[place] = letter
            }
        }
        return String(letters)
    }

    @Test func typosAreUnderstood() {
        var random = SeededGenerator(state: 7)
        var right = 0
        var total = 0
        var missed: [String] = []
        func tryOut(_ name: String, among known: [String], edits: Int, _ text: (String) -> String) {
            let typo = Self.misspelt(name, edits: edits, &random)
            guard !known.contains(typo), typo != name else { return }
            total += 1
            do {
                _ = try TestVocabulary.loader.load(text: text(typo))
                missed.append("\(name) → \(typo) loads")
            } catch {
                let hints = error.all.compactMap(\.hint)
                if hints.contains("did you mean '\(name)'?") { right += 1 } else { missed.append("\(name) → \(typo): \(hints)") }
            }
        }
        for edits in [1, 2] {
            for _ in 0..<3 {
                for field in ExperimentSchema.root.fields {
                    guard case .section(let schema, _) = field.type else { continue }
                    tryOut(field.name, among: ExperimentSchema.root.allNames, edits: edits) { "\($0): { }" }
                    for inner in schema.fields {
                        tryOut(inner.name, among: schema.allNames, edits: edits) { "\(field.name): { \($0): 1 }" }
                    }
                }
                for (kind, key) in [(RegistryKind.sde, "sde"), (.backbone, "backbone")] {
                    for entry in TestVocabulary.standard.entries(kind) {
                        tryOut(entry.name, among: TestVocabulary.standard.entries(kind).map(\.name), edits: edits) { "\(key): \($0)" }
                        for parameter in entry.parameters.fields {
                            tryOut(parameter.name, among: entry.parameters.allNames, edits: edits) { "\(key): { name: \(entry.name), \($0): 1 }" }
                        }
                    }
                }
            }
        }
        let share = Double(right) / Double(total)
        #expect(share >= 0.9 && total > 400, "\(right) of \(total); missed for instance \(missed.prefix(20))")
    }
}
