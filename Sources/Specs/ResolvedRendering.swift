public import SpecLanguage

/// Writes a resolved spec as YAML that reads back to the same meaning.
public struct ResolvedRendering {
    private let origins: [String: Origin]?
    private var lines: [(text: String, origin: Origin?)] = []

    /// - Parameter origins: Adds to each line where its value comes from.
    public static func yaml(_ spec: ExperimentSpec, origins: [String: Origin]? = nil) -> String {
        var rendering = ResolvedRendering(origins: origins)
        rendering.add(spec.settings, ExperimentSchema.root, prefix: "", indent: "")
        return rendering.text
    }

    private init(origins: [String: Origin]?) { self.origins = origins }

    private var text: String {
        let width = min(60, lines.map(\.text.count).max() ?? 0)
        return lines.map { line, origin in
            guard let origin else { return line + "\n" }
            let comment = origin.description.replacing(/[\r\n\u{85}\u{2028}\u{2029}]/, with: " ")
            return line + String(repeating: " ", count: max(0, width - line.count)) + "  # \(comment)\n"
        }.joined()
    }

    private mutating func add(_ settings: Settings, _ schema: Schema, prefix: String, indent: String) {
        for field in schema.fields {
            guard var value = settings[field.name], shows(value, field) else { continue }
            if case .section = field.type {} else { value = value.escapingPaths(field.type, isPath: field.isPath) }
            let path = prefix + field.name
            switch value {
            case .section(let inner):
                line(indent + field.name + ":", path)
                if case .section(let section, _) = field.type {
                    add(inner, section, prefix: path + ".", indent: indent + "  ")
                } else {
                    for (name, value) in inner { line("\(indent)  \(YAMLText.scalar(name)): \(value.yaml)", nil) }
                }
            case .choice(let choice) where !choice.settings.isEmpty:
                line(indent + field.name + ":", nil)
                line("\(indent)  name: \(YAMLText.scalar(choice.name))", path)
                for (name, value) in choice.settings { line("\(indent)  \(name): \(value.yaml)", "\(path).\(name)") }
            default:
                line("\(indent)\(field.name): \(shown(value, field))", path)
            }
        }
    }

    private mutating func line(_ text: String, _ path: String?) {
        lines.append((text, path.flatMap { origins?[$0] }))
    }

    /// Labels that are not set, and what only composition reads, are left out.
    private func shows(_ value: SettingValue, _ field: Field) -> Bool {
        switch (value, field.type) {
        case (_, .raw): false
        case (.section(let table), .table): !table.isEmpty
        case (.none, .text): field.part != IdentityPart.none
        default: true
        }
    }

    /// An empty list where one value is needed stands for "does not apply".
    private func shown(_ value: SettingValue, _ field: Field) -> String {
        if case .list(let values) = value, values.isEmpty, case .list(_, let count, _) = field.type, count > 0 {
            return "null"
        }
        return value.yaml
    }
}
