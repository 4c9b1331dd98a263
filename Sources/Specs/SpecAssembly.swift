import SpecLanguage

/// Assembles a spec for every point: base, sweep, profile, and overrides, in that order.
struct SpecAssembly {
    let vocabulary: Vocabulary
    let environment: @Sendable (String) -> String?
    let file: String
    let profile: String?
    var errors: [SpecError]

    /// The files' tree, with overrides of composition applied, and without its `sweep` and `profiles`.
    private let base: SpecNode
    let sweep: Sweep?
    private let profiles: [SpecNode.Entry]
    let overlay: SpecNode?
    private let overrides: [Override]
    /// The section `launcher`, as it was written.
    private let launcher: SpecNode?
    let root: Mark
    let derived: DerivedSettings

    init(
        _ tree: SpecNode, vocabulary: Vocabulary, file: String, overrides: [Override], profile: String?,
        errors: [SpecError], environment: @escaping @Sendable (String) -> String?
    ) {
        self.vocabulary = vocabulary
        self.environment = environment
        derived = DerivedSettings(vocabulary: vocabulary)
        (self.file, self.profile) = (file, profile)
        var composer = SpecComposer(vocabulary.schema)
        let (tree, refused) = Self.composed(tree, overrides, &composer)
        root = Mark(
            file: file, line: 1, column: 1, text: tree.mark.file == file && tree.mark.line == 1 ? tree.mark.text : "")
        sweep = tree["sweep"].flatMap { $0.isNull ? nil : Sweep($0, vocabulary) }
        launcher = tree["launcher"]
        profiles = tree["profiles"]?.entries ?? []
        overlay = profile.flatMap { tree["profiles"]?[$0]?.relabelled(.profile($0)) }
        self.overrides = overrides.filter { !$0.changesComposition }
        base = tree.without(SpecComposer.separateKeys)
        self.errors = errors + refused
        self.errors += mistakesOfProfiles(in: tree) + fixedThoughVaried(by: &composer)
        self.errors += (sweep?.errors ?? []) + composer.errors
    }

    // MARK: Composition

    /// The tree with those overrides that change what it is composed of, and the mistakes of the others of that kind.
    private static func composed(
        _ tree: SpecNode, _ overrides: [Override], _ composer: inout SpecComposer
    ) -> (SpecNode, [SpecError]) {
        var (tree, refused) = (tree, [SpecError]())
        for override in overrides where override.changesComposition {
            if override.path[0].name == "extends" {
                refused.append(
                    SpecError(
                        "override", at: override.path[0].mark, "'extends' cannot be set",
                        hint: "load the other spec instead"))
            } else {
                tree = setting(override, in: tree, &composer)
            }
        }
        return (tree, refused)
    }

    /// Reports profiles that are no sections, hold keys of composition, or are requested and missing.
    private func mistakesOfProfiles(in tree: SpecNode) -> [SpecError] {
        var found: [SpecError] = []
        if let node = tree["profiles"], node.entries == nil, !node.isNull {
            found.append(
                SpecError("wrong-type", at: node.mark, "'profiles' wants names with settings, not \(node.noun)"))
        }
        for entry in profiles {
            for inner in entry.value.entries ?? [] where SpecComposer.separateKeys.contains(inner.key) {
                found.append(
                    SpecError(
                        "profile", at: inner.mark, "'\(inner.key)' cannot stand in a profile",
                        hint: "write it in the spec, or in one that extends it"))
            }
        }
        if let profile, overlay == nil {
            let known = profiles.map(\.key)
            var error = SpecError.unknown("profile", profile, known: known, at: tree["profiles"]?.mark ?? root)
            if known.isEmpty { error.hint = "the spec has no profiles" }
            found.append(error)
        }
        return found
    }

    /// Settings that the sweep varies and an override or the profile sets.
    private func fixedThoughVaried(by composer: inout SpecComposer) -> [SpecError] {
        var found: [SpecError] = []
        let paths = sweep?.paths ?? []
        for path in paths {
            for override in overrides where override.dotted == path || path.hasPrefix(override.dotted + ".") {
                found.append(
                    SpecError(
                        "override", at: override.value.mark, "the sweep varies '\(path)': it cannot be set",
                        hint: "--set sweep.grid.\(path)=[…]"))
            }
        }
        guard let overlay else { return found }
        let inside = composer.canonical(overlay)
        for path in paths {
            // Parameters of the entry that a point chooses stay the profile's.
            guard let node = inside.node(at: ExperimentSchema.root.canonical(path)),
                node.entries == nil || node["name"] != nil
            else { continue }
            found.append(
                SpecError(
                    "profile", at: node.mark, "the sweep varies '\(path)': a profile cannot set it",
                    hint: "leave it out here"))
        }
        return found
    }

    /// A key of a grid replaces the whole key; elsewhere the override joins the tree.
    private static func setting(_ override: Override, in tree: SpecNode, _ composer: inout SpecComposer) -> SpecNode {
        guard override.path[0].name == "sweep" else {
            let changes = composer.canonical(override.tree)
            return composer.merged(tree, changes)
        }
        func replaced(_ node: SpecNode, _ rest: ArraySlice<(name: String, mark: Mark)>) -> SpecNode {
            guard let step = rest.first else { return override.value }
            var entries = node.entries ?? []
            let place = entries.firstIndex { $0.key == step.name }
            let empty = SpecNode(.map([]), at: step.mark, layer: .override)
            let value = replaced(place.map { entries[$0].value } ?? empty, rest.dropFirst())
            if let place {
                entries[place].value = value
            } else {
                entries.append(.init(step.name, at: step.mark, value))
            }
            return SpecNode(.map(entries), at: node.mark, layer: node.layer)
        }
        return replaced(tree, override.path[...])
    }

    // MARK: Resolving

    /// Settings as they were written and defaulted, before anything is derived from them.
    struct Draft {
        var settings: Settings
        var origins: [String: Origin]
        var failed: Set<String>
        var errors: [SpecError]
    }

    struct Resolution {
        var spec: ExperimentSpec
        var origins: [String: Origin]
        var errors: [SpecError]
    }

    /// Drafts the sections of `schema`, which is the whole language or a part of it.
    func draft(_ schema: Schema, point: [Sweep.Assignment], overlay: SpecNode?) -> Draft {
        var composer = SpecComposer(vocabulary.schema)
        func part(_ node: SpecNode) -> SpecNode {
            guard schema.fields.count < ExperimentSchema.root.fields.count, let entries = node.entries else {
                return node
            }
            return SpecNode(.map(entries.filter { schema[$0.key] != nil }), at: node.mark, layer: node.layer)
        }
        var tree = part(base)
        for assignment in Sweep.wholesFirst(point) {
            let node = part(composer.canonical(assignment.tree))
            tree = composer.merged(tree, node)
        }
        if let overlay { tree = composer.merged(tree, part(overlay)) }
        for override in overrides {
            let node = part(composer.canonical(override.tree))
            tree = composer.merged(tree, node)
        }
        var resolver = SettingsResolver(vocabulary)
        resolver.homes = ExperimentSchema.homes
        resolver.environment = environment
        resolver.usual[.sampler] = usualSampler(point, overlay)
        let settings = resolver.settings(tree.entries ?? [], schema, path: "", noun: "the spec")
        for path in resolver.missingRequired {
            let parent = path.split(separator: ".").dropLast().joined(separator: ".")
            let mark = resolver.origins[parent]?.mark ?? root
            resolver.add(SpecError("missing-value", at: mark, "'\(path)' must be given"))
        }
        return Draft(
            settings: settings, origins: resolver.origins, failed: resolver.failed,
            errors: composer.errors + resolver.errors)
    }

    /// The SDE's own sampler, for one whose parameters are written without its name.
    private func usualSampler(_ point: [Sweep.Assignment], _ overlay: SpecNode?) -> String? {
        var composer = SpecComposer(vocabulary.schema)
        var layers = [base] + Sweep.wholesFirst(point).map { composer.canonical($0.tree) }
        if let overlay { layers.append(overlay) }
        layers += overrides.map { composer.canonical($0.tree) }
        var sde = layers.reversed().first { $0["sde"]?["name"]?.text }
        if sde == nil, case .value(.text(let name))? = ExperimentSchema.root["sde"]?.standard { sde = name }
        return vocabulary[.sde, sde ?? ""]?.traits.samplers.first
    }

    /// - Parameters:
    ///   - origins: Of settings the draft did not look at.
    ///   - known: A spec that differs in little, with its draft.
    ///   - changed: The sections in which it differs from one that was checked; all of them if `nil`.
    func resolved(
        _ draft: Draft, over origins: [[String: Origin]] = [],
        like known: (draft: Settings, spec: ExperimentSpec)? = nil,
        checks: Bool = true, changed: Set<String>? = nil
    ) -> Resolution {
        var settings = draft.settings
        if settings.optionalText("name") == nil { settings["name"] = .text(FilePath.stem(of: file)) }
        derived.fill(&settings, like: known)
        let spec = ExperimentSpec(settings, like: known?.spec)
        var errors = draft.errors
        if checks {
            errors +=
                Contradictions(
                    spec, vocabulary, origins: [draft.origins] + origins, failed: draft.failed, root: root,
                    changed: changed
                ).found
        }
        return Resolution(spec: spec, origins: draft.origins, errors: errors)
    }

    mutating func loaded(from files: [String]) -> LoadedSpec? {
        let isSwept = !(sweep?.axes.isEmpty ?? true)
        let draft = draft(ExperimentSchema.root, point: [], overlay: overlay)
        let whole = resolved(draft, checks: !isSwept)
        errors += whole.errors
        checkProfiles()
        var runs: [SpecRun] = []
        if let sweep, isSwept {
            runs = expand(sweep, over: draft)
        } else {
            let trainings = SectionIdentities(whole.spec).trainings(seeds: whole.spec.train.seeds)
            runs = self.runs(of: whole.spec, label: "", point: [], trainings, agenda(of: whole.spec))
        }
        guard !errors.contains(where: { $0.severity == .error }) else { return nil }
        return LoadedSpec(
            spec: whole.spec, origins: whole.origins, runs: runs, warnings: SpecErrors(errors).all, files: files,
            profile: profile, profiles: profiles.map(\.key), sweptPaths: sweep?.paths ?? [],
            unknown: unknown(whole, files), launcher: launcher)
    }

    /// The incomplete settings, without those that an override, every point of the sweep, or an extending file gives.
    private func unknown(_ whole: Resolution, _ files: [String]) -> [String: String] {
        guard profile == nil, !whole.spec.incomplete.isEmpty else { return [:] }
        let swept = sweep.map { sweep in
            sweep.paths.filter { path in sweep.axes.contains { $0.allSatisfy { $0.contains { $0.path == path } } } }.map
            { ExperimentSchema.root.canonical($0) }
        }
        let given = overrides.filter { !$0.value.isNull }.map(\.dotted) + (swept ?? [])
        func depth(_ path: String) -> Int? { whole.origins[path]?.mark.flatMap { files.firstIndex(of: $0.file) } }
        let marked = depth("incomplete") ?? 0
        return whole.spec.incomplete.filter { path, _ in
            let isGiven = given.contains { $0 == path || path.hasPrefix($0 + ".") }
            return !isGiven && depth(path).map { $0 >= marked } ?? true
        }
    }

    /// Profiles that are not chosen are checked too, but only their own content.
    private mutating func checkProfiles() {
        for entry in profiles where entry.key != profile {
            guard entry.value.entries != nil else {
                if !entry.value.isNull {
                    errors.append(
                        SpecError(
                            "wrong-type", at: entry.value.mark, "a profile wants settings, not \(entry.value.noun)"))
                }
                continue
            }
            let inside = entry.value.allMarks
            let resolution = draft(ExperimentSchema.root, point: [], overlay: entry.value)
            errors += resolution.errors.filter { inside.contains($0.mark) }
        }
    }
}
