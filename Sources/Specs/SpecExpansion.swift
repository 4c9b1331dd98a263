import SpecLanguage

/// The change of one setting, drafted once for all points that make it.
struct SettingsPatch {
    let path: String
    private let value: SettingValue
    private let origins: [String: Origin]
    private let isFailed: Bool
    private let errors: [SpecError]

    /// - Parameter draft: Drafts one section with the assignment.
    init?(_ assignment: Sweep.Assignment, over whole: SpecAssembly.Draft, draft: (Schema) -> SpecAssembly.Draft) {
        path = assignment.path
        guard let field = ExperimentSchema.root[ExperimentSchema.root.section(of: assignment.path)], field.name != path,
            path.hasPrefix(field.name + "."),
            let usual = whole.settings.value(at: path), case let drafted = draft(Schema([field])),
            let value = drafted.settings.value(at: path)
        else { return nil }
        // After the former value is restored, the draft must equal the original.
        var settings = drafted.settings
        settings.set(usual, at: path)
        guard settings[field.name] == whole.settings[field.name], Self.isPlain(value), Self.isPlain(usual) else {
            return nil
        }
        self.value = value
        let path = path
        origins = drafted.origins.filter { $0.key == path || $0.key.hasPrefix(path + "[") }
        isFailed = drafted.failed.contains(path)
        errors = drafted.errors
    }

    /// Another entry, or another section, changes more than one setting.
    private static func isPlain(_ value: SettingValue) -> Bool {
        switch value {
        case .choice, .section: false
        case .list(let values): values.allSatisfy(isPlain)
        default: true
        }
    }

    func apply(to draft: inout SpecAssembly.Draft, _ tables: inout [[String: Origin]]) {
        draft.settings.set(value, at: path)
        if isFailed { draft.failed.insert(path) } else { draft.failed.remove(path) }
        draft.errors += errors
        tables.append(origins)
    }
}

/// Resolves the points of a sweep one by one; points are independent, so that several threads can work at once.
private struct PointResolver: Sendable {
    let assembly: SpecAssembly
    let whole: SpecAssembly.Draft
    /// The sections that the sweep touches, or the whole language.
    let schema: Schema
    /// Of what it does not touch.
    let origins: [String: Origin]
    let failed: Set<String>
    let touched: Set<String>
    let sweep: Sweep
    /// The result of the last point: what the next one does not change is reused.
    var latest: (draft: Settings, spec: ExperimentSpec)
    var identities: SectionIdentities
    /// Whether a point was checked as a whole; those after it need it only where they may differ.
    private var isChecked = false

    init(
        assembly: SpecAssembly, whole: SpecAssembly.Draft, schema: Schema, origins: [String: Origin],
        failed: Set<String>,
        touched: Set<String>, sweep: Sweep, latest: (draft: Settings, spec: ExperimentSpec),
        identities: SectionIdentities
    ) {
        (self.assembly, self.whole, self.schema, self.origins, self.failed) = (assembly, whole, schema, origins, failed)
        (self.touched, self.sweep, self.latest, self.identities) = (touched, sweep, latest, identities)
    }

    enum Outcome {
        /// With the values that it was given and the identities of its trainings.
        case point(SpecAssembly.Resolution, values: [(path: String, value: SettingValue)], trainings: [Identity])
        /// The numbers of the exclusions that take it out.
        case excluded(by: [Int])
    }

    mutating func resolve(_ point: [Sweep.Assignment], _ patches: [SettingsPatch?]) -> Outcome {
        var draft = SpecAssembly.Draft(settings: whole.settings, origins: [:], failed: failed, errors: [])
        var tables: [[String: Origin]] = []
        var changed: Set<String>?
        if patches.allSatisfy({ $0 != nil }) {
            draft.failed = whole.failed
            for case let patch? in patches { patch.apply(to: &draft, &tables) }
            tables.append(whole.origins)
            changed = isChecked && !touched.contains("waive") ? touched : nil
            isChecked = true
        } else {
            let part = assembly.draft(schema, point: point, overlay: assembly.overlay)
            for (name, value) in part.settings { draft.settings[name] = value }
            draft.failed.formUnion(part.failed)
            draft.errors = part.errors
            tables = [part.origins, origins]
        }
        let resolution = assembly.resolved(draft, over: tables, like: latest, changed: changed)
        let spec = resolution.spec
        latest = (draft.settings, spec)
        let exclusions = sweep.exclusions(of: spec.settings)
        guard exclusions.isEmpty else { return .excluded(by: exclusions) }
        identities.update(for: spec, touched: touched)
        let values = point.map { (path: $0.path, value: spec.settings.value(at: $0.path) ?? .none) }
        return .point(resolution, values: values, trainings: identities.trainings(seeds: spec.train.seeds))
    }
}

/// The runs of a sweep.
extension SpecAssembly {
    /// The limit of reported points: a sweep that is wrong at every point would repeat the message for each.
    private static let mostFailingPoints = 20

    /// Resolves at each point only what the sweep touches: single settings where they are independent, else whole
    /// sections; all other settings are those of `whole`.
    mutating func expand(_ sweep: Sweep, over whole: Draft) -> [SpecRun] {
        let touched = Set(sweep.paths.map { ExperimentSchema.root[String($0.prefix { $0 != "." })]?.name ?? $0 })
        let known = ExperimentSchema.root.fields.filter { touched.contains($0.name) }
        // A path that does not exist is checked against the whole language.
        let schema = known.count == touched.count ? Schema(known) : ExperimentSchema.root
        func isUntouched(_ path: String) -> Bool { !touched.contains(String(path.prefix { $0 != "." && $0 != "[" })) }
        let usual = resolved(whole, checks: false).spec
        let resolver = PointResolver(
            assembly: self, whole: whole, schema: schema, origins: whole.origins.filter { isUntouched($0.key) },
            failed: whole.failed.filter(isUntouched), touched: touched, sweep: sweep, latest: (whole.settings, usual),
            identities: SectionIdentities(usual))
        var patches: [Int: SettingsPatch?] = [:]
        let points = sweep.points.map { ($0, $0.map { patch($0, over: whole, &patches) }) }
        let outcomes = points.parallelChunks { chunk in
            var own = resolver
            return chunk.map { point, patches in own.resolve(point, patches) }
        }
        checkExclusions(sweep, over: outcomes)
        var agenda: EvaluationAgenda?
        let labels = Self.shortNames(sweep.paths)
        var runs: [SpecRun] = []
        var names: Set<String> = []
        var failing = 0
        for ((point, _), found) in zip(points, outcomes) {
            guard case .point(let resolution, let values, let trainings) = found else { continue }
            if resolution.errors.contains(where: { $0.severity == .error }) {
                failing += 1
                errors += resolution.errors
                if failing >= Self.mostFailingPoints { break }
                continue
            }
            errors += resolution.errors
            let spec = resolution.spec
            // A point that names its runs needs no other label.
            let own = point.contains { $0.path == "name" } ? spec.name : nil
            var label =
                own ?? values.map { "\(labels[$0.path] ?? $0.path)=\(Self.shown($0.value))" }.joined(separator: ",")
            if !names.insert(label).inserted {
                // Values that differ only in what names cannot show are distinguished by their number.
                label += ",point=\(runs.count + 1)"
                names.insert(label)
            }
            if agenda?.evaluate != spec.settings["evaluate"] { agenda = self.agenda(of: spec) }
            runs += self.runs(
                of: spec, label: label, isNamed: label == own, point: values, trainings, agenda ?? self.agenda(of: spec)
            )
            if errors.count > 1000 { errors = SpecErrors(errors).all }
        }
        if runs.isEmpty, failing == 0 {
            errors.append(
                SpecError("sweep", at: root, "the sweep has no points left", hint: "'exclude' takes all of them out"))
        }
        return runs
    }

    /// Reports a condition that holds at no point: it excludes nothing, which is probably a mistake.
    private mutating func checkExclusions(_ sweep: Sweep, over outcomes: [PointResolver.Outcome]) {
        guard !sweep.exclusions.isEmpty else { return }
        var used: Set<Int> = []
        var points: [Settings] = []
        for outcome in outcomes {
            switch outcome {
            case .point(let resolution, _, _): points.append(resolution.spec.settings)
            case .excluded(let numbers): used.formUnion(numbers)
            }
        }
        guard !points.isEmpty else { return }
        for (number, exclusion) in sweep.exclusions.enumerated() where !used.contains(number) {
            let unknown = exclusion.filter { condition in points.allSatisfy { $0.value(at: condition.path) == nil } }
            for (path, mark, _) in unknown {
                errors.append(
                    SpecError.unknown(
                        "setting", path, known: (sweep.paths + ExperimentSchema.paths).filter { $0 != path }, at: mark,
                        code: "unknown-key"))
            }
            let isSound = !sweep.errors.contains { $0.severity == .error }
            if unknown.isEmpty, isSound, let first = exclusion.first {
                errors.append(
                    SpecError("sweep", .warning, at: first.mark, "this takes no point out", hint: "no point is so"))
            }
        }
    }

    /// What an assignment alone changes; `nil` unless that is one setting, so that assignments cannot meet.
    private func patch(
        _ assignment: Sweep.Assignment, over whole: Draft, _ known: inout [Int: SettingsPatch?]
    ) -> SettingsPatch? {
        if let found = known[assignment.number] { return found }
        let found = SettingsPatch(assignment, over: whole) { draft($0, point: [assignment], overlay: overlay) }
        known[assignment.number] = .some(found)
        return found
    }

    private static func shown(_ value: SettingValue) -> String {
        if case .choice(let choice) = value { return choice.name }
        return value.compact
    }

    func agenda(of spec: ExperimentSpec) -> EvaluationAgenda { EvaluationAgenda(spec, takesSteps: derived.takesSteps) }

    /// One run for each seed.
    func runs(
        of spec: ExperimentSpec, label: String, isNamed: Bool = false, point: [(path: String, value: SettingValue)],
        _ trainings: [Identity], _ agenda: EvaluationAgenda
    ) -> [SpecRun] {
        var stem = spec.name + (profile.map { "@\($0)" } ?? "")
        if !label.isEmpty, !isNamed { stem += "," + label }
        let seeds = spec.train.seeds
        return zip(seeds, trainings).map { seed, identity in
            SpecRun(
                name: seeds.count > 1 ? stem + ",seed=\(seed)" : stem, label: label, seed: seed,
                point: point, spec: spec, identity: identity, agenda: agenda)
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
