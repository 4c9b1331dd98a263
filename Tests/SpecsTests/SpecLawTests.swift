import SpecLanguage
import SpecSamples
import Specs
import Testing

/// Laws over every setting of the schema, and over drawn changes of a spec.
@Suite struct SpecLawTests {
    /// A setting with its path and the part that counts.
    struct Leaf: Sendable {
        var path: String
        var field: Field
        var part: IdentityPart
    }

    /// Every setting of the schema, whether or not a spec gives it a value.
    static let leaves: [Leaf] = {
        func leaves(_ schema: Schema, _ prefix: String, _ part: IdentityPart) -> [Leaf] {
            schema.fields.flatMap { field -> [Leaf] in
                let (path, part) = (prefix + field.name, field.part ?? part)
                switch field.type {
                case .raw, .table: return []
                // A section that may be absent, such as early stopping, is a setting as a whole.
                case .section(let inner, nil): return leaves(inner, path + ".", part)
                default: return [Leaf(path: path, field: field, part: part)]
                }
            }
        }
        return leaves(ExperimentSchema.root, "", .none)
    }()

    /// Values of a type, as data; the first that differs from a setting's own is a change of it.
    private static func values(_ type: FieldType) -> [SettingValue] {
        switch type {
        case .bool: [.bool(true), .bool(false)]
        case .integer(let bounds), .number(let bounds):
            [0.25, 0.5, 2, 3, 5000].filter(bounds.contains).map { number -> SettingValue in
                if case .integer = type { .integer(Int(number) + 1) } else { .number(number) }
            }
        case .text: [.text("a: text"), .text("b")]
        case .oneOf(let names): names.map(SettingValue.text)
        case .choice(let kind):
            TestVocabulary.standard.entries(kind).map { .choice(Choice($0.name, $0.defaults(TestVocabulary.standard))) }
        case .variant(let forms): forms.map { .choice(Choice($0.name, $0.defaults(TestVocabulary.standard))) }
        case .list(let element, _, _): values(element).map { .list([$0]) }
        case .section(let schema, let shorthand?):
            (schema[shorthand].map { values($0.type) } ?? []).map { value in
                var settings = Settings()
                for field in schema.fields {
                    switch field.standard {
                    case .value(let standard): settings[field.name] = standard
                    case .required, .derived: settings[field.name] = values(field.type).first
                    case .absent: settings[field.name] = SettingValue.none
                    }
                }
                settings[shorthand] = value
                return .section(settings)
            }
        case .section, .table, .raw: []
        }
    }

    private static let text =
        ExampleSpec.text(ExampleSpec.sections) + "regression: { backbone: ncsnpp, training: joint }\n"

    private static func load(_ text: String, _ overrides: [String] = []) throws -> LoadedSpec {
        try TestVocabulary.loader.load(text: text, overrides: overrides)
    }

    /// The outcome of a spec: what it means, or its mistakes without their places.
    private static func outcome(_ text: String, _ overrides: [String]) -> Result<Settings, SpecErrors> {
        Result { () throws(SpecErrors) in try TestVocabulary.loader.load(text: text, overrides: overrides).spec.settings
        }
    }

    /// A setting changes the identities of its part, and one of no part changes none: each of them, absent ones too.
    @Test func everySettingChangesTheIdentitiesOfItsPart() throws {
        let spec = try Self.load(Self.text).spec
        #expect(Self.leaves.count > 80 && Set(Self.leaves.map(\.part)) == Set(IdentityPart.allCases))
        for leaf in Self.leaves {
            let value = Self.values(leaf.field.type).first { value in
                let before = spec.settings.value(at: leaf.path)
                return value != before && value != leaf.field.silentValue
            }
            let other = spec.with(leaf.path, try #require(value, "\(leaf.path)"))
            #expect((other.dataIdentity == spec.dataIdentity) == (leaf.part != .data), "\(leaf.path)")
            #expect((other.identity == spec.identity) == (leaf.part == .none), "\(leaf.path)")
            let isTraining = [.data, .training].contains(leaf.part) && leaf.path != "train.seeds"
            let same = other.trainingIdentity(seed: 3) == spec.trainingIdentity(seed: 3)
            #expect(same != isTraining, "\(leaf.path)")
            let changes = other.changes(from: spec, parts: Set(IdentityPart.allCases))
            #expect(!changes.isEmpty && changes.allSatisfy { $0.part == leaf.part }, "\(leaf.path): \(changes)")
        }
    }

    /// Another name of a setting says the same, right or wrong.
    @Test func aliasesMeanTheirSettings() throws {
        var (names, understood) = (0, 0)
        for leaf in Self.leaves {
            for alias in leaf.field.aliases {
                names += 1
                let path = leaf.path.dropLast(leaf.field.name.count) + alias
                for value in Self.values(leaf.field.type).prefix(3) {
                    let own = Self.outcome(Self.text, ["\(leaf.path)=\(value.yaml)"])
                    switch (own, Self.outcome(Self.text, ["\(path)=\(value.yaml)"])) {
                    case (.success(let own), .success(let other)):
                        #expect(own == other, "\(path)")
                        understood += 1
                    case (.failure(let own), .failure(let other)):
                        #expect(own.all.map(\.code) == other.all.map(\.code), "\(path)")
                    default: Issue.record("\(path)=\(value.yaml) is \(own)")
                    }
                }
            }
        }
        #expect(names > 5 && understood >= names)
    }

    /// Lines moved from the file to the command line, in any order, mean the same there.
    @Test(arguments: 0..<10) func optionsMeanWhatLinesMean(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let whole = try Self.load(ExampleSpec.text(ExampleSpec.sections))
        var options: [String] = []
        let rest = ExampleSpec.sections.map { name, lines in
            (
                name,
                lines.filter { line in
                    // The entry of a registry stays, since the parameters beside it are its own.
                    guard !line.hasPrefix("name:"), Bool.random(using: &random) else { return true }
                    options.append("\(name).\(line.replacing(": ", with: "=", maxReplacements: 1))")
                    return false
                }
            )
        }.shuffled(using: &random)
        let text = rest.map { name, lines in
            lines.isEmpty ? "\(name): {}\n" : "\(name):\n" + lines.map { "  \($0)\n" }.joined()
        }.joined()
        let loaded = try Self.load(text, options.shuffled(using: &random))
        #expect(loaded.spec == whole.spec, "\(options)")
        #expect(loaded.runs.map(\.identity) == whole.runs.map(\.identity))
        #expect(loaded.runs[0].evaluations.map(\.identity) == whole.runs[0].evaluations.map(\.identity))
    }

    /// A resolved spec resolves to itself, after any changes that it takes.
    @Test(arguments: 0..<10) func resolvingTwiceIsResolvingOnce(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        var options = ["sde.theta=1.75", "sde.sigma_max=0.7", "backbone.nf=96", "backbone.num_res_blocks=1"]
        var spec = try Self.load(Self.text, options)
        for leaf in Self.leaves.shuffled(using: &random).prefix(12) {
            guard let value = Self.values(leaf.field.type).randomElement(using: &random) else { continue }
            let more = options + ["\(leaf.path)=\(value.yaml)"]
            guard let changed = try? Self.load(Self.text, more) else { continue }
            (options, spec) = (more, changed)
        }
        #expect(options.count > 6)
        let written = ResolvedRendering.yaml(spec.spec)
        let back = try Self.load(written)
        #expect(back.spec == spec.spec, "\(options)")
        #expect(back.runs.map(\.identity) == spec.runs.map(\.identity))
        #expect(back.runs.map { $0.evaluations.map(\.identity) } == spec.runs.map { $0.evaluations.map(\.identity) })
        #expect(ResolvedRendering.yaml(back.spec) == written)
        let explained = try Self.load(ResolvedRendering.yaml(spec.spec, origins: spec.origins))
        #expect(explained.spec == spec.spec)
    }

    /// A grid has the product of its axes' points, a zip the length of its lists; each is what its values say alone.
    @Test(arguments: 0..<6) func sweepsHaveTheirPoints(seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let all = [
            ("train.lr", ["1e-4", "2e-4", "5e-4"]), ("sde.theta", ["1.5", "2", "2.5"]), ("backbone.nf", ["16", "32"]),
            ("data.num_frames", ["64", "128", "256"]), ("conditioning.cond_drop_prob", ["0", "0.1", "0.5"]),
        ]
        let axes = all.shuffled(using: &random).prefix(3).map { path, values in
            (path, Array(values.shuffled(using: &random).prefix(Int.random(in: 1...values.count, using: &random))))
        }
        let seeds = Int.random(in: 1...2, using: &random)
        let base = Self.text.replacing("seeds: [0]", with: "seeds: \(Array(0..<seeds))")
        func sweep(_ mode: String, _ axes: [(String, [String])]) throws -> [SpecRun] {
            let lists = axes.map { "\($0): [\($1.joined(separator: ", "))]" }.joined(separator: ", ")
            return try Self.load(base + "sweep: { \(mode): { \(lists) } }\n").runs
        }
        let grid = try sweep("grid", axes)
        #expect(grid.count == axes.reduce(seeds) { $0 * $1.1.count })
        #expect(Set(grid.map(\.identity)).count == grid.count && Set(grid.map(\.name)).count == grid.count)
        #expect(Set(grid.map(\.identity)) == Set(try sweep("grid", axes.reversed()).map(\.identity)))
        let length = axes.map(\.1.count).min() ?? 0
        let zipped = try sweep("zip", axes.map { ($0, Array($1.prefix(length))) })
        #expect(zipped.count == length * seeds)
        #expect(Set(zipped.map(\.identity)).isSubset(of: Set(grid.map(\.identity))))
        for run in [grid[0], grid[grid.count - 1], zipped[0]] {
            let options = run.point.map { "\($0.path)=\($0.value.yaml)" } + ["train.seeds=\(run.seed)"]
            #expect(try Self.load(base, options).runs.map(\.identity) == [run.identity], "\(options)")
        }
    }

    /// A key with one wrong letter has its place and a known name that is as near as the right one.
    @Test func misspeltKeysHaveAPlaceAndANeighbour() {
        var random = SeededGenerator(state: 5)
        for section in ExperimentSchema.root.fields {
            guard case .section(let schema, _) = section.type else { continue }
            for name in schema.allNames where name.count > 2 {
                var letters = Array(name)
                let place = Int.random(in: 1..<letters.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: letters.remove(at: place)
                case 1: letters.insert("q", at: place)
                default: letters[place] = "q"
                }
                let key = String(letters)
                guard schema[key] == nil, !schema.retired.contains(where: { $0.name == key }) else { continue }
                let text = "# one\n\(section.name):\n   \(key): 1\n"
                guard case .failure(let errors) = Self.outcome(text, []),
                    let error = errors.all.first(where: { $0.code == "unknown-key" })
                else {
                    Issue.record("\(section.name).\(key) is taken")
                    continue
                }
                #expect((error.mark.file, error.mark.line, error.mark.column) == ("spec.yaml", 3, 4), "\(key)")
                #expect(error.summary.contains("'\(key)'"))
                let found = schema.allNames.filter { error.hint == "did you mean '\($0)'?" }
                #expect(found.count == 1, "\(key): \(error.hint ?? "")")
                let distances = (found + [name]).map { editDistance(Array(key), Array($0)) }
                #expect(distances[0] <= 1, "\(key): \(found)")
            }
        }
    }

    /// A key that resembles nothing is told what there is.
    @Test func unknownKeysAreToldTheKnownOnes() {
        for section in ExperimentSchema.root.fields {
            guard case .section(let schema, _) = section.type else { continue }
            guard case .failure(let errors) = Self.outcome("\(section.name): { zzzzzzzz: 1 }\n", []) else {
                Issue.record("\(section.name).zzzzzzzz is taken")
                continue
            }
            let error = errors.all.first { $0.code == "unknown-key" }
            #expect(error?.mark.line == 1 && error?.mark.column == section.name.count + 5)
            for name in schema.allNames { #expect(error?.hint?.contains(name) == true, "\(section.name).\(name)") }
        }
    }
}
