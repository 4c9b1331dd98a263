import SpecLanguage
import SpecSamples
import Specs
import Testing

/// Identity over random changes of single settings: it changes exactly when the meaning does.
@Suite struct MutationTests {
    struct Leaf {
        var path: String
        var value: SettingValue
        var part: IdentityPart
        /// The names it can have, where they are few.
        var names: [String] = []
    }

    private static func names(_ type: FieldType) -> [String] {
        switch type {
        case .oneOf(let names), .list(of: .oneOf(let names), _, _): names
        case .variant(let forms), .list(of: .variant(let forms), _, _): forms.map(\.name)
        default: []
        }
    }

    /// The settings of a spec, parameters of entries included.
    static func leaves(
        _ settings: Settings, _ schema: Schema = ExperimentSchema.root, prefix: String = "", part: IdentityPart = .none
    ) -> [Leaf] {
        schema.fields.flatMap { field -> [Leaf] in
            let (path, part) = (prefix + field.name, field.part ?? part)
            switch (field.type, settings[field.name]) {
            case (.section(let inner, _), .section(let values)?):
                return leaves(values, inner, prefix: path + ".", part: part)
            case (.raw, _), (.table, _), (_, nil), (_, .some(.none)): return []
            case (_, .choice(let choice)?):
                var declared: Schema?
                if case .choice(let kind) = field.type {
                    declared = TestVocabulary.standard[kind, choice.name]?.parameters
                }
                return choice.settings.map {
                    Leaf(path: "\(path).\($0.name)", value: $0.value, part: declared?[$0.name]?.part ?? part)
                }
                    + [Leaf(path: path + ".name", value: .text(choice.name), part: part)]
            case (_, let value?): return [Leaf(path: path, value: value, part: part, names: names(field.type))]
            }
        }
    }

    /// Another value of the same type; `nil` where there is none to make.
    ///
    /// - Parameter names: Those it must be one of; any if empty.
    static func changed(_ value: SettingValue, _ names: [String] = [], _ random: inout SeededGenerator) -> SettingValue?
    {
        switch value {
        case .none: return nil
        case .bool(let value): return .bool(!value)
        case .integer(let value): return .integer(value + Int.random(in: 1...1000, using: &random))
        case .number(let value): return .number(value * Double.random(in: 1.0001...2, using: &random) + 1e-9)
        case .text(let value) where !names.isEmpty:
            return names.filter { $0 != value }.randomElement(using: &random).map(SettingValue.text)
        case .text(let value): return .text(value + String(Int.random(in: 0...9, using: &random)))
        case .choice(var choice):
            if let parameter = choice.settings.first(where: { changed($0.value, [], &random) != nil }),
                Bool.random(using: &random)
            {
                choice.settings[parameter.name] = changed(parameter.value, [], &random)
            } else if names.isEmpty {
                choice.name += "x"
            } else {
                choice.name = names.filter { $0 != choice.name }.randomElement(using: &random) ?? choice.name
            }
            return .choice(choice)
        case .section(var settings):
            guard let (name, value) = settings.first(where: { changed($0.value, [], &random) != nil }) else {
                return nil
            }
            settings[name] = changed(value, [], &random)
            return .section(settings)
        case .list(var values):
            guard let last = values.last, let other = changed(last, names, &random), !values.contains(other) else {
                return nil
            }
            switch Int.random(in: 0..<3, using: &random) {
            case 0: values.append(other)
            case 1 where values.count > 1: values.removeLast()
            default: values[values.count - 1] = other
            }
            return .list(values)
        }
    }

    @Test(arguments: 0..<5) func identityChangesExactlyWithMeaning(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed))
        let spec = try TestVocabulary.loader.load(text: ExampleSpec.text(ExampleSpec.sections)).spec
        let leaves = Self.leaves(spec.settings)
        #expect(leaves.count > 70 && leaves.contains { $0.path == "backbone.recompute" && $0.part == .none })
        for leaf in leaves {
            for _ in 0..<4 {
                guard let value = Self.changed(leaf.value, leaf.names, &random) else { continue }
                let other = spec.with(leaf.path, value)
                #expect(
                    (other.identity != spec.identity) == (leaf.part != .none), "\(leaf.path): \(leaf.value) → \(value)")
                let isTraining = leaf.part == .data || leaf.part == .training
                // The seeds of a spec are several trainings; each has its own identity.
                let expected = isTraining && leaf.path != "train.seeds"
                #expect((other.trainingIdentity(seed: 0) != spec.trainingIdentity(seed: 0)) == expected, "\(leaf.path)")
                let changes = other.changes(from: spec)
                #expect(changes.isEmpty == (leaf.part == .none), "\(leaf.path)")
                // Another entry is one change, whatever its parameters; all else is named by its path.
                let head = leaf.path.hasSuffix(".name") ? String(leaf.path.dropLast(5)) : leaf.path
                #expect(
                    changes.allSatisfy { $0.path.hasPrefix(head) && $0.part == leaf.part }, "\(leaf.path): \(changes)")
            }
        }
    }

    /// Two changes never cancel, and the same change is the same meaning wherever it was written.
    @Test func changesOfDifferentSettingsAreDifferentMeanings() throws {
        var random = SeededGenerator(state: 11)
        let text = ExampleSpec.text(ExampleSpec.sections)
        let spec = try TestVocabulary.loader.load(text: text).spec
        var seen: Set<Identity> = [spec.identity]
        for leaf in Self.leaves(spec.settings) where leaf.part != .none {
            guard let value = Self.changed(leaf.value, leaf.names, &random) else { continue }
            #expect(seen.insert(spec.with(leaf.path, value).identity).inserted, "\(leaf.path)")
        }
        let overridden = try TestVocabulary.loader.load(text: text, overrides: ["train.lr=2e-4"]).spec
        let rewritten = try TestVocabulary.loader.load(text: text.replacing("lr: 1.0e-4", with: "lr: 0.0002")).spec
        #expect(overridden.identity == rewritten.identity)
    }
}
