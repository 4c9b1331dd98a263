/// Resolves a tree of nodes into settings by a schema: looks up every name, types every value, fills in every default,
/// and reports every mistake. A wrong value is replaced by its default, so that all mistakes are found.
package struct SettingsResolver {
    package let vocabulary: Vocabulary
    package let recordsOrigins: Bool
    package var errors: [SpecError] = []
    package var origins: [String: Origin] = [:]
    /// Paths whose written value was not usable; checks between settings leave them out.
    package var failed: Set<String> = []
    /// Sections by the names of their settings, to suggest the section of a misplaced key.
    package var homes: [String: [String]] = [:]
    /// Entries to assume where only parameters are written and the schema has no default.
    package var usual: [RegistryKind: String] = [:]

    /// The value of an environment variable, for paths.
    package var environment: @Sendable (String) -> String? = { _ in nil }

    package init(_ vocabulary: Vocabulary, recordsOrigins: Bool = true) {
        self.vocabulary = vocabulary
        self.recordsOrigins = recordsOrigins
    }

    package mutating func report(
        _ code: String, at node: SpecNode, path: String, _ summary: String, hint: String? = nil
    ) {
        errors.append(SpecError(code, at: node.mark, summary, hint: hint))
        failed.insert(path)
    }

    package mutating func add(_ error: SpecError) { errors.append(error) }

    /// Unknown keys of one section that are listed.
    private static let mostListed = 50
    /// The largest number of elements of a list.
    static let mostElements = 4096
    /// The largest number of entries of a table; each is looked up among all settings.
    static let mostEntries = 256

    // MARK: Sections

    /// The settings of a section whose written keys are `entries`.
    ///
    /// - Parameter owners: Other entries that have parameters, by the parameters' names.
    package mutating func settings(
        _ entries: [SpecNode.Entry], _ schema: Schema, path: String, noun: String, owners: [String: String] = [:]
    ) -> Settings {
        var written: [String: SpecNode.Entry] = [:]
        var unknown = 0
        for entry in entries {
            guard let field = schema[entry.key] else {
                if let retired = schema.retired.first(where: { $0.name == entry.key }) {
                    errors.append(
                        SpecError(
                            "retired", .warning, at: entry.mark, "'\(retired.name)' changes nothing any more",
                            hint: "remove it: \(retired.reason)"))
                    continue
                }
                unknown += 1
                if unknown <= Self.mostListed {
                    errors.append(unknownKey(entry, schema, path: path, noun: noun, owners: owners))
                }
                if unknown == Self.mostListed + 1 {
                    let more = entries.count { schema[$0.key] == nil } - Self.mostListed
                    errors.append(
                        SpecError(
                            "unknown-key", at: entry.mark, "\(more) more unknown keys in \(noun)",
                            hint: "the first \(Self.mostListed) are listed"))
                }
                continue
            }
            if let earlier = written[field.name] {
                errors.append(
                    SpecError(
                        "duplicate-key", at: entry.mark, "'\(entry.key)' is given twice",
                        hint: "'\(earlier.key)' in line \(earlier.mark.line) is the same setting"))
                continue
            }
            written[field.name] = entry
        }
        var settings = Settings()
        for field in schema.fields {
            let inner = path.isEmpty ? field.name : path + "." + field.name
            settings[field.name] =
                written[field.name].map { value(of: field, in: $0.value, path: inner) }
                ?? missing(field, path: inner)
        }
        return settings
    }

    package mutating func defaults(of schema: Schema, path: String) -> Settings {
        settings([], schema, path: path, noun: path)
    }

    package func unknownKey(
        _ entry: SpecNode.Entry, _ schema: Schema, path: String, noun: String, owners: [String: String] = [:]
    ) -> SpecError {
        let known = schema.allNames
        if !isAlmost(entry.key, among: known) {
            if let owner = owners[entry.key] {
                return SpecError(
                    "unknown-key", at: entry.mark, "unknown key '\(entry.key)' in \(noun)",
                    hint: "'\(entry.key)' is a parameter of \(owner)")
            }
            if let home = homes[entry.key]?.first(where: { $0 != path }) {
                return SpecError(
                    "unknown-key", at: entry.mark, "unknown key '\(entry.key)' in \(noun)",
                    hint: "'\(entry.key)' belongs to '\(home)'")
            }
            if entry.key.contains("."), homes[String(entry.key.split(separator: ".").last ?? "")] != nil {
                return SpecError(
                    "unknown-key", at: entry.mark, "unknown key '\(entry.key)' in \(noun)",
                    hint: "write sections out: \(entry.key.split(separator: ".").joined(separator: ": { ")): … }")
            }
        }
        var error = SpecError.unknown("key", entry.key, known: known, at: entry.mark, code: "unknown-key")
        error.summary += " in \(noun)"
        if known.isEmpty { error.hint = "it has no parameters" }
        return error
    }

    mutating func missing(_ field: Field, path: String) -> SettingValue {
        switch field.standard {
        case .required:
            missingRequired.append(path)
            return placeholder(field, path: path)
        case .absent:
            note(.standard, path)
            return .none
        case .derived:
            note(.derived, path)
            return .none
        case .value(let value):
            return standard(value, field.type, path: path)
        }
    }

    /// The replacement of an unusable value: the default, or any value of the right type.
    mutating func placeholder(_ field: Field, path: String) -> SettingValue {
        failed.insert(path)
        guard case .required = field.standard else { return missing(field, path: path) }
        switch field.type {
        case .bool: return .bool(false)
        case .integer: return .integer(0)
        case .number: return .number(0)
        case .text, .oneOf: return .text("")
        case .choice, .variant: return .choice(Choice(""))
        case .list: return .list([])
        case .section(let schema, _): return .section(defaults(of: schema, path: path))
        case .table: return .section(Settings())
        case .raw: return .none
        }
    }

    /// Reports required settings that are missing; the caller gives the place where they belong.
    package var missingRequired: [String] = []

    mutating func standard(_ value: SettingValue, _ type: FieldType, path: String) -> SettingValue {
        switch (type, value) {
        case (.section(let schema, let shorthand?), .text(let text)):
            let nowhere = Mark(file: "", line: 1, column: 1, text: "")
            let node = SpecNode(.scalar(text, isQuoted: true), at: nowhere, layer: .standard)
            return .section(settings([.init(shorthand, at: nowhere, node)], schema, path: path, noun: path))
        case (.section(let schema, _), _):
            return .section(defaults(of: schema, path: path))
        case (.choice, .text(let name)), (.variant, .text(let name)):
            note(.standard, path)
            return .choice(
                Choice(name, entry(name, type).map { defaults(of: $0.parameters, path: path) } ?? Settings()))
        case (.list(let element, _, _), .list(let values)):
            note(.standard, path)
            return .list(values.enumerated().map { standard($1, element, path: "\(path)[\($0)]") })
        case (.number, .integer(let whole)):
            note(.standard, path)
            return .number(Double(whole))
        default:
            note(.standard, path)
            return value
        }
    }

    mutating func note(_ origin: Origin, _ path: String) {
        if recordsOrigins { origins[path] = origin }
    }
}
