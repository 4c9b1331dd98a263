import Experiments
import Specs
import Testing

/// Misspelt keys and names over the whole language and every registry: is the right one suggested?
@Suite struct TypoTests {
    /// A name that a spec can hold, those that it competes with, and the shortest spec around it.
    struct Name {
        var text: String
        var known: [String]
        var spec: (String) -> String
    }

    private static let vocabulary = Catalog.standard.vocabulary

    /// Keys of the language, sections in sections included.
    static func keys(_ schema: Schema = ExperimentSchema.root, _ around: @escaping (String) -> String = { $0 }) -> [Name] {
        schema.fields.flatMap { field -> [Name] in
            var found = [Name(text: field.name, known: schema.allNames) { around("\($0): 1") }]
            switch field.type {
            case .section(let inner, _): found += keys(inner) { around("\(field.name): { \($0) }") }
            case .list(of: .section(let inner, _), _, _): found += keys(inner) { around("\(field.name): [{ \($0) }]") }
            case .oneOf(let names): found += names.map { Name(text: $0, known: names) { around("\(field.name): \($0)") } }
            case .list(of: .oneOf(let names), _, _): found += names.map { Name(text: $0, known: names) { around("\(field.name): [\($0)]") } }
            case .choice(let kind), .list(of: .choice(let kind), _, _):
                found += entries(vocabulary.entries(kind)) { around("\(field.name): \($0)") }
            case .list(of: .variant(let forms), _, _): found += entries(forms) { around("\(field.name): \($0)") }
            default: break
            }
            return found
        }
    }

    /// Names of entries, their parameters, and the entries that these name.
    static func entries(_ all: [EntryDescriptor], _ around: @escaping (String) -> String) -> [Name] {
        all.flatMap { entry in
            [Name(text: entry.name, known: all.map(\.name), spec: around)]
                + keys(entry.parameters) { around("{ name: \(entry.name), \($0) }") }
        }
    }

    /// Whether the mistake at the misspelt word suggests the right one.
    private func isUnderstood(_ name: Name, _ typo: String) -> Bool {
        do {
            _ = try SpecLoader(vocabulary: Self.vocabulary).load(text: name.spec(typo))
            return false
        } catch {
            return error.all.contains { $0.hint == "did you mean '\(name.text)'?" && $0.mark.line == 1 }
        }
    }

    @Test func nineOfTenTyposAreUnderstood() {
        var random = SplitMix(state: 7)
        let names = Self.keys()
        var right = [1: 0, 2: 0], tried = [1: 0, 2: 0]
        var missed: [String] = []
        for edits in [1, 2] {
            for name in names {
                let typo = misspelt(name.text, edits: edits, &random)
                guard !name.known.contains(typo), typo != name.text else { continue }
                tried[edits, default: 0] += 1
                if isUnderstood(name, typo) { right[edits, default: 0] += 1 } else { missed.append("\(name.text) → \(typo)") }
            }
        }
        let share = { (edits: [Int]) in
            Double(edits.reduce(0) { $0 + (right[$1] ?? 0) }) / Double(edits.reduce(0) { $0 + (tried[$1] ?? 0) })
        }
        print("typos understood: \(share([1])) of \(tried[1] ?? 0) with one edit, \(share([2])) of \(tried[2] ?? 0) with two, \(share([1, 2])) in all")
        #expect(names.count > 300)
        #expect(share([1]) >= 0.95 && share([1, 2]) >= 0.9, "missed: \(missed)")
    }

    /// Letters removed, added, replaced, or exchanged with the next.
    private func misspelt(_ name: String, edits: Int, _ random: inout SplitMix) -> String {
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
}

/// A generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
