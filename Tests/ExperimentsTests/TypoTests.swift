import Experiments
import Kernels
import Models
import SpecLanguage
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
    static func keys(_ schema: Schema = ExperimentSchema.root, _ around: @escaping (String) -> String = { $0 })
        -> [Name]
    {
        schema.fields.flatMap { field -> [Name] in
            var found = [Name(text: field.name, known: schema.allNames) { around("\($0): 1") }]
            switch field.type {
            case .section(let inner, _): found += keys(inner) { around("\(field.name): { \($0) }") }
            case .list(of: .section(let inner, _), _, _): found += keys(inner) { around("\(field.name): [{ \($0) }]") }
            case .oneOf(let names):
                found += names.map { Name(text: $0, known: names) { around("\(field.name): \($0)") } }
            case .list(of: .oneOf(let names), _, _):
                found += names.map { Name(text: $0, known: names) { around("\(field.name): [\($0)]") } }
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
        let names = Self.keys()
        var right = [1: 0, 2: 0]
        var tried = [1: 0, 2: 0]
        var missed: [String] = []
        for edits in [1, 2] {
            for (number, name) in names.enumerated() {
                let typo = misspelt(name.text, edits: edits, RandomStream(seed: 7, purpose: "typo \(edits)", number))
                guard !name.known.contains(typo), typo != name.text else { continue }
                tried[edits, default: 0] += 1
                if isUnderstood(name, typo) {
                    right[edits, default: 0] += 1
                } else {
                    missed.append("\(name.text) → \(typo)")
                }
            }
        }
        let share = { (edits: [Int]) in
            Double(edits.reduce(0) { $0 + (right[$1] ?? 0) }) / Double(edits.reduce(0) { $0 + (tried[$1] ?? 0) })
        }
        print(
            """
            typos understood: \(share([1])) of \(tried[1] ?? 0) with one edit, \(share([2])) of \(tried[2] ?? 0) with \
            two, \(share([1, 2])) in all
            """
        )
        #expect(names.count > 300)
        #expect(share([1]) >= 0.95 && share([1, 2]) >= 0.9, "missed: \(missed)")
    }

    /// Letters removed, added, replaced, or exchanged with the next.
    private func misspelt(_ name: String, edits: Int, _ stream: RandomStream) -> String {
        var letters = Array(name)
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz_")
        for edit in 0..<edits {
            let draw = stream.child(edit)
            let place = draw.integer(0, below: letters.count)
            let letter = alphabet[draw.integer(1, below: alphabet.count)]
            switch draw.integer(2, below: 4) {
            case 0 where letters.count > 2: letters.remove(at: place)
            case 1: letters.insert(letter, at: place)
            case 2 where place + 1 < letters.count: letters.swapAt(place, place + 1)
            default: letters[place] = letter
            }
        }
        return String(letters)
    }
}
