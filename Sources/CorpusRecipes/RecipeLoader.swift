import Audio
public import SpecLanguage

/// Reads recipes from files, or from those inside the program.
public struct RecipeLoader: Sendable {
    /// The value of an environment variable, for `${env:NAME}` in paths; `nil` where it is not set.
    public let environment: @Sendable (String) -> String?

    public init(environment: @escaping @Sendable (String) -> String? = { _ in nil }) { self.environment = environment }

    /// Reads a recipe.
    ///
    /// - Parameters:
    ///   - name: The path of a YAML file, or the name of a recipe inside the program.
    ///   - overrides: `path=value`, such as `rate=48000` or `law.snr=[0, 5]`.
    /// - Throws: `SpecErrors` with every mistake in its place.
    public func load(_ name: String, overrides: [String] = []) throws(SpecErrors) -> Recipe {
        let path =
            RecipeLibrary.texts["\(RecipeLibrary.folder)/\(name).yaml"] == nil
            ? name : "\(RecipeLibrary.folder)/\(name).yaml"
        guard path != name || name.hasSuffix(".yaml") || name.hasSuffix(".yml") else {
            let mark = Mark(file: name, line: 1, column: 1, text: "")
            throw SpecErrors([.unknown("recipe", name, known: RecipeLibrary.names, at: mark, code: "unknown-recipe")])
        }
        var chain = SpecChain(RecipeLibrary.files, RecipeSchema.vocabulary)
        let tree = chain.compose(path)
        return try resolve(tree, chain, overrides, file: path)
    }

    /// Reads a text as if it lay in `file`.
    public func load(text: String, file: String = "recipe.yaml", overrides: [String] = []) throws(SpecErrors) -> Recipe
    {
        var chain = SpecChain(RecipeLibrary.files, RecipeSchema.vocabulary)
        let tree = chain.compose(text: text, file: file)
        return try resolve(tree, chain, overrides, file: file)
    }

    private func resolve(
        _ tree: SpecNode?, _ chain: SpecChain, _ options: [String], file: String
    ) throws(SpecErrors) -> Recipe {
        let (overrides, mistakes) = Override.parse(options)
        guard var tree, chain.errors.isEmpty, mistakes.isEmpty else { throw SpecErrors(chain.errors + mistakes) }
        var composer = SpecComposer(RecipeSchema.root)
        for override in overrides { tree = composer.merged(tree, composer.canonical(override.tree)) }
        var resolver = SettingsResolver(RecipeSchema.vocabulary, recordsOrigins: false)
        resolver.environment = environment
        let settings = resolver.settings(tree.entries ?? [], RecipeSchema.root, path: "", noun: "the recipe")
        let start = Mark(file: file, line: 1, column: 1, text: "")
        let missing = resolver.missingRequired.map { SpecError("missing-value", at: start, "the recipe lacks '\($0)'") }
        var errors = composer.errors + resolver.errors + missing
        guard errors.isEmpty else { throw SpecErrors(errors) }
        var recipe: Recipe?
        do throws(SpecErrors) { recipe = try Recipe(settings, tree: tree, at: start) } catch { errors = error.all }
        guard let recipe else { throw SpecErrors(errors) }
        return recipe
    }
}

extension Recipe {
    /// - Throws: `SpecErrors` for settings that contradict each other.
    fileprivate init(_ settings: Settings, tree: SpecNode, at start: Mark) throws(SpecErrors) {
        var errors: [SpecError] = []
        func fail(_ path: String, _ summary: String, hint: String? = nil) {
            errors.append(SpecError("recipe", at: tree.node(at: path)?.mark ?? start, summary, hint: hint))
        }
        name = settings.text("name")
        (title, reference) = (settings.text("title"), settings.text("reference"))
        rate = settings.integer("rate")
        encoding = SoundFile.Encoding(rawValue: settings.text("encoding")) ?? .pcm16
        seed = UInt64(settings.integer("seed"))
        isFlat = settings.bool("flat")
        sources = settings.sections("sources").map(Source.init)
        sets = settings.sections("sets").map(SetDeclaration.init)
        for index in sets.indices {
            guard let table = sets[index].table, !table.hasPrefix("/") else { continue }
            sets[index].table = FilePath.joined(FilePath.folder(of: start.file), table)
        }
        segmentLengths = settings.optionalSection("pieces").map(SegmentLengths.init)
        self.settings = settings
        let choice = settings.choice("law")
        let law = RecipeLaws.make(choice)
        self.law = law
        let pattern = settings.optionalText("speaker")
        speakerPattern = pattern.flatMap(Pattern.init)
        if pattern != nil, speakerPattern == nil {
            fail("speaker", "'speaker' is no regular expression with one group", hint: "for instance ^([a-z]+[0-9]+)_")
        }
        if name.isEmpty || name.contains("/") || name.hasPrefix(".") {
            fail("name", "'\(name)' cannot be the name of a folder")
        }
        let known = Set(sources.map(\.name))
        if known.count < sources.count { fail("sources", "two sources have one name") }
        if Set(sets.map(\.name)).count < sets.count { fail("sets", "two sets have one name") }
        for set in sets where set.name.isEmpty || set.name.contains("/") || set.name.hasPrefix(".") {
            fail("sets", "'\(set.name)' cannot be the name of a set's folder")
        }
        if sets.isEmpty, law.needsSpeech {
            fail("sets", "the recipe declares no sets", hint: "sets: [{ name: train, speech: SOURCE }]")
        }
        for place in sets.flatMap({ [$0.speech, $0.noisy, $0.log, $0.cuts] }).compactMap(\.self) + law.places {
            let source = String(place.prefix { $0 != "/" })
            if !known.contains(source) {
                errors.append(
                    SpecError.unknown("source", source, known: known.sorted(), at: start, code: "unknown-source"))
            }
        }
        for set in sets {
            if set.speech == nil, law.needsSpeech { fail("sets", "the set '\(set.name)' names no 'speech'") }
            if set.noisy == nil, law.needsNoisy {
                fail("sets", "the set '\(set.name)' names no 'noisy' recordings, as its law needs")
            }
        }
        if let lengths = segmentLengths, lengths.shortest > lengths.length {
            fail("pieces", "the shortest piece is longer than a piece")
        }
        for set in sets where set.table != nil && !law.needsNoisy {
            fail("sets", "the set '\(set.name)' names a table of pairs, which the law 'pairs' takes")
        }
        for problem in law.problems { fail("law", problem) }
        if !errors.isEmpty { throw SpecErrors(errors) }
    }
}

extension Settings {
    /// The elements of a list of sections.
    fileprivate func sections(_ name: String) -> [Settings] {
        list(name).compactMap { if case .section(let settings) = $0 { settings } else { nil } }
    }
}

extension Recipe.Source {
    fileprivate init(_ settings: Settings) {
        self.init(
            name: settings.text("name"), path: settings.optionalText("path"), title: settings.text("title"),
            published: settings.text("published"), size: settings.text("size"), holds: settings.texts("holds"))
    }
}

extension Recipe.SetDeclaration {
    fileprivate init(_ settings: Settings) {
        self.init(
            name: settings.text("name"), speech: settings.optionalText("speech"), noisy: settings.optionalText("noisy"),
            table: settings.optionalText("table"), log: settings.optionalText("log"), match: settings.texts("match"),
            speakers: Set(settings.texts("speakers")),
            excludedSpeakers: Set(settings.texts("not_speakers")), excludedWords: settings.texts("leave_out"),
            count: settings.optionalInteger("count"), expected: settings.optionalInteger("files"),
            shortest: settings.number("shortest"), cuts: settings.optionalText("cuts"),
            longest: settings.optionalNumber("longest"),
            ramp: settings.optionalNumber("ramp"), kinds: settings.texts("kinds"),
            snrParts: settings.optionalInteger("snr_parts"))
    }
}

extension Recipe.SegmentLengths {
    fileprivate init(_ settings: Settings) {
        self.init(
            length: settings.number("length"), shortest: settings.number("shortest"), ramp: settings.number("ramp"))
    }
}
