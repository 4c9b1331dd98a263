/// Puts a spec together: base, sweep, profile, and overrides, in that order, for every point.
struct SpecAssembly {
    /// A sweep that is wrong at every point would say so ten thousand times.
    private static let mostFailingPoints = 20

    let vocabulary: ExperimentVocabulary
    let file: String
    let profile: String?
    private(set) var errors: [SpecError]

    /// The files' tree, with overrides of composition applied, and without its `sweep` and `profiles`.
    private let base: SpecNode
    private let sweep: Sweep?
    private let profiles: [SpecNode.Entry]
    private let overlay: SpecNode?
    private let overrides: [Override]
    private let root: Mark

    init(
        _ tree: SpecNode, vocabulary: ExperimentVocabulary, file: String, overrides: [Override], profile: String?,
        errors: [SpecError]
    ) {
        self.vocabulary = vocabulary
        self.file = file
        self.profile = profile
        var errors = errors
        var tree = tree
        var composer = SpecComposer()
        for override in overrides where override.changesComposition {
            if override.path[0].name == "extends" {
                errors.append(SpecError("override", at: override.path[0].mark, "'extends' cannot be set", hint: "load the other spec instead"))
                continue
            }
            tree = Self.setting(override, in: tree, &composer)
        }
        root = Mark(file: file, line: 1, column: 1, text: tree.mark.file == file && tree.mark.line == 1 ? tree.mark.text : "")
        sweep = tree["sweep"].flatMap { $0.isNull ? nil : Sweep($0) }
        profiles = tree["profiles"]?.entries ?? []
        if let node = tree["profiles"], node.entries == nil, !node.isNull {
            errors.append(SpecError("wrong-type", at: node.mark, "'profiles' wants names with settings, not \(node.noun)"))
        }
        overlay = profile.flatMap { name in
            tree["profiles"]?[name]?.relabelled(.profile(name))
        }
        if let profile, overlay == nil {
            let known = profiles.map(\.key)
            let at = tree["profiles"]?.mark ?? root
            var error = SpecError.unknown("profile", profile, known: known, at: at)
            if known.isEmpty { error.hint = "the spec has no profiles" }
            errors.append(error)
        }
        self.overrides = overrides.filter { !$0.changesComposition }
        base = tree.without(ExperimentSchema.compositionKeys)
        for path in sweep?.paths ?? [] {
            for override in self.overrides where override.dotted == path || path.hasPrefix(override.dotted + ".") {
                errors.append(SpecError(
                    "override", at: override.value.mark, "the sweep varies '\(path)': it cannot be set",
                    hint: "--set sweep.grid.\(path)=[…]"))
            }
        }
        errors += sweep?.errors ?? []
        errors += composer.errors
        self.errors = errors
    }

    /// A key of a grid replaces the whole key; elsewhere the override joins the tree.
    private static func setting(_ override: Override, in tree: SpecNode, _ composer: inout SpecComposer) -> SpecNode {
        guard override.path[0].name == "sweep" else {
            return SpecComposer.merged(tree, composer.canonical(override.tree, ExperimentSchema.root), ExperimentSchema.root)
        }
        func replaced(_ node: SpecNode, _ rest: ArraySlice<(name: String, mark: Mark)>) -> SpecNode {
            guard let step = rest.first else { return override.value }
            var entries = node.entries ?? []
            let place = entries.firstIndex { $0.key == step.name }
            let empty = SpecNode(.map([]), at: step.mark, layer: .override)
            let value = replaced(place.map { entries[$0].value } ?? empty, rest.dropFirst())
            if let place { entries[place].value = value } else { entries.append(.init(step.name, at: step.mark, value)) }
            return SpecNode(.map(entries), at: node.mark, layer: node.layer)
        }
        return replaced(tree, override.path[...])
    }

    // MARK: Resolving

    /// Settings as they were written and defaulted, before anything is derived from them.
    private struct Draft {
        var settings: Settings
        var origins: [String: Origin]
        var failed: Set<String>
        var errors: [SpecError]
    }

    private struct Resolution {
        var spec: ExperimentSpec
        var origins: [String: Origin]
        var errors: [SpecError]
    }

    /// Drafts the sections of `schema`, which is the whole language or a part of it.
    private func draft(_ schema: Schema, point: [Sweep.Assignment], overlay: SpecNode?) -> Draft {
        var composer = SpecComposer()
        func part(_ node: SpecNode) -> SpecNode {
            guard schema.fields.count < ExperimentSchema.root.fields.count, let entries = node.entries else { return node }
            return SpecNode(.map(entries.filter { schema[$0.key] != nil }), at: node.mark, layer: node.layer)
        }
        var tree = part(base)
        for assignment in point {
            tree = SpecComposer.merged(tree, composer.canonical(assignment.tree, ExperimentSchema.root), ExperimentSchema.root)
        }
        if let overlay { tree = SpecComposer.merged(tree, part(overlay), ExperimentSchema.root) }
        for override in overrides {
            let node = part(composer.canonical(override.tree, ExperimentSchema.root))
            tree = SpecComposer.merged(tree, node, ExperimentSchema.root)
        }
        var resolver = SettingsResolver(vocabulary)
        resolver.homes = ExperimentSchema.homes
        resolver.usual[.sampler] = usualSampler(point, overlay)
        let settings = resolver.settings(tree.entries ?? [], schema, path: "", noun: "the spec")
        for path in resolver.missingRequired {
            let parent = path.split(separator: ".").dropLast().joined(separator: ".")
            let mark = resolver.origins[parent]?.mark ?? root
            resolver.add(SpecError("missing-value", at: mark, "'\(path)' must be given"))
        }
        return Draft(
            settings: settings, origins: resolver.origins, failed: resolver.failed, errors: composer.errors + resolver.errors)
    }

    /// The SDE's own sampler, for one whose parameters are written without its name.
    private func usualSampler(_ point: [Sweep.Assignment], _ overlay: SpecNode?) -> String? {
        var composer = SpecComposer()
        var layers = [base] + point.map { composer.canonical($0.tree, ExperimentSchema.root) }
        if let overlay { layers.append(overlay) }
        layers += overrides.map { composer.canonical($0.tree, ExperimentSchema.root) }
        var sde = layers.reversed().first { $0["sde"]?["name"]?.text }
        if sde == nil, case .value(.text(let name))? = ExperimentSchema.root["sde"]?.standard { sde = name }
        return vocabulary[.sde, sde ?? ""]?.traits.first { if case .samplers(let names) = $0 { names.first } else { nil } }
    }

    /// - Parameter origins: Of settings the draft did not look at.
    private func resolved(_ draft: Draft, over origins: [String: Origin] = [:], checks: Bool = true) -> Resolution {
        var settings = draft.settings
        if settings.optionalText("name") == nil { settings["name"] = .text(FilePath.stem(of: file)) }
        DerivedSettings(vocabulary: vocabulary).fill(&settings)
        let spec = ExperimentSpec(settings)
        var errors = draft.errors
        if checks {
            errors += Contradictions(
                spec, vocabulary, origins: [draft.origins, origins], failed: draft.failed, root: root).found
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
            runs = self.runs(of: whole.spec, label: "", point: [], SectionIdentities(whole.spec), agenda(of: whole.spec))
        }
        guard !errors.contains(where: { $0.severity == .error }) else { return nil }
        return LoadedSpec(
            spec: whole.spec, origins: whole.origins, runs: runs, warnings: SpecErrors(errors).all, files: files,
            profile: profile, profiles: profiles.map(\.key), sweptPaths: sweep?.paths ?? [])
    }

    /// Profiles that are not chosen are checked too, as far as what stands in them.
    private mutating func checkProfiles() {
        for entry in profiles where entry.key != profile {
            guard entry.value.entries != nil else {
                if !entry.value.isNull {
                    errors.append(SpecError("wrong-type", at: entry.value.mark, "a profile wants settings, not \(entry.value.noun)"))
                }
                continue
            }
            let inside = entry.value.allMarks
            let resolution = draft(ExperimentSchema.root, point: [], overlay: entry.value)
            errors += resolution.errors.filter { inside.contains($0.mark) }
        }
    }

    // MARK: Expanding

    /// The runs of a sweep. Only the sections it touches are resolved at each point; the others are those of `whole`.
    private mutating func expand(_ sweep: Sweep, over whole: Draft) -> [SpecRun] {
        let touched = Set(sweep.paths.map { ExperimentSchema.root[String($0.prefix { $0 != "." })]?.name ?? $0 })
        let known = ExperimentSchema.root.fields.filter { touched.contains($0.name) }
        // A path that leads nowhere is judged by the whole language.
        let schema = known.count == touched.count ? Schema(known) : ExperimentSchema.root
        func isUntouched(_ path: String) -> Bool { !touched.contains(String(path.prefix { $0 != "." && $0 != "[" })) }
        let origins = whole.origins.filter { isUntouched($0.key) }
        let failed = whole.failed.filter(isUntouched)
        let identities = SectionIdentities(resolved(whole, checks: false).spec)
        var agenda: EvaluationAgenda?
        let labels = Self.shortNames(sweep.paths)
        var runs: [SpecRun] = []
        var names: Set<String> = []
        var failing = 0
        for point in sweep.points {
            var draft = draft(schema, point: point, overlay: overlay)
            var settings = whole.settings
            for (name, value) in draft.settings { settings[name] = value }
            draft.settings = settings
            draft.failed.formUnion(failed)
            let resolution = resolved(draft, over: origins)
            if sweep.excludes(resolution.spec.settings) { continue }
            if resolution.errors.contains(where: { $0.severity == .error }) {
                failing += 1
                errors += resolution.errors
                if failing >= Self.mostFailingPoints { break }
                continue
            }
            errors += resolution.errors
            let values = point.map { ($0.path, resolution.spec.settings.value(at: $0.path) ?? .none) }
            // A point that names its runs needs no other label.
            let own = point.contains { $0.path == "name" } ? resolution.spec.name : nil
            var label = own ?? values.map { "\(labels[$0.0] ?? $0.0)=\(Self.shown($0.1))" }.joined(separator: ",")
            if !names.insert(label).inserted {
                // Values that differ only in what names cannot show are told apart by their number.
                label += ",point=\(runs.count + 1)"
                names.insert(label)
            }
            let spec = resolution.spec
            if agenda?.evaluate != spec.settings["evaluate"] { agenda = self.agenda(of: spec) }
            let sections = identities.updated(for: spec, touched: touched)
            runs += self.runs(
                of: spec, label: label, isNamed: label == own, point: values, sections, agenda ?? self.agenda(of: spec))
            if errors.count > 1000 { errors = SpecErrors(errors).all }
        }
        if runs.isEmpty, failing == 0 {
            errors.append(SpecError("sweep", at: root, "the sweep has no points left", hint: "'exclude' takes all of them out"))
        }
        return runs
    }

    private static func shown(_ value: SettingValue) -> String {
        if case .choice(let choice) = value { return choice.name }
        return value.compact
    }

    private func agenda(of spec: ExperimentSpec) -> EvaluationAgenda {
        EvaluationAgenda(spec, takesSteps: DerivedSettings(vocabulary: vocabulary).takesSteps)
    }

    /// One run for each seed.
    private func runs(
        of spec: ExperimentSpec, label: String, isNamed: Bool = false, point: [(String, SettingValue)],
        _ identities: SectionIdentities, _ agenda: EvaluationAgenda
    ) -> [SpecRun] {
        var stem = spec.name + (profile.map { "@\($0)" } ?? "")
        if !label.isEmpty, !isNamed { stem += "," + label }
        let seeds = spec.train.seeds
        return zip(seeds, identities.trainings(seeds: seeds)).map { seed, identity in
            SpecRun(
                name: seeds.count > 1 ? stem + ",seed=\(seed)" : stem, label: label, seed: seed,
                point: point.map { (path: $0.0, value: $0.1) }, spec: spec, identity: identity, agenda: agenda)
        }
    }

    /// The last part of each path, and as much before it as keeps them apart.
    private static func shortNames(_ paths: [String]) -> [String: String] {
        var names: [String: String] = [:]
        for path in paths {
            let parts = path.split(separator: ".")
            for count in 1...max(1, parts.count) {
                let name = parts.suffix(count).joined(separator: ".")
                names[path] = name
                if !paths.contains(where: { $0 != path && ("." + $0).hasSuffix("." + name) }) { break }
            }
        }
        return names
    }
}

extension SpecNode {
    /// The places of all values and keys in the tree.
    var allMarks: Set<Mark> {
        var marks: Set<Mark> = [mark]
        for element in elements ?? [] { marks.formUnion(element.allMarks) }
        for entry in entries ?? [] {
            marks.insert(entry.mark)
            marks.formUnion(entry.value.allMarks)
        }
        return marks
    }
}
