/// Turns a tree of nodes into settings by a schema: looks every name up, types every value, fills every default,
/// and notes every mistake. It never stops at one: where a value is wrong, its default stands in.
struct SettingsResolver {
    let vocabulary: ExperimentVocabulary
    let recordsOrigins: Bool
    private(set) var errors: [SpecError] = []
    private(set) var origins: [String: Origin] = [:]
    /// Paths whose written value was not usable; checks between settings leave them out.
    private(set) var failed: Set<String> = []
    /// Sections by the names in them, to send a misplaced key home.
    var homes: [String: [String]] = [:]
    /// Entries meant where only parameters are written and the schema names none.
    var usual: [RegistryKind: String] = [:]

    init(_ vocabulary: ExperimentVocabulary, recordsOrigins: Bool = true) {
        self.vocabulary = vocabulary
        self.recordsOrigins = recordsOrigins
    }

    private mutating func report(
        _ code: String, at node: SpecNode, path: String, _ summary: String, hint: String? = nil
    ) {
        errors.append(SpecError(code, at: node.mark, summary, hint: hint))
        failed.insert(path)
    }

    mutating func add(_ error: SpecError) { errors.append(error) }

    // MARK: Sections

    /// The settings of a section whose written keys are `entries`.
    mutating func settings(
        _ entries: [SpecNode.Entry], _ schema: Schema, path: String, noun: String
    ) -> Settings {
        var written: [String: SpecNode.Entry] = [:]
        for entry in entries {
            guard let field = schema[entry.key] else {
                errors.append(unknownKey(entry, schema, path: path, noun: noun))
                continue
            }
            if let earlier = written[field.name] {
                errors.append(SpecError(
                    "duplicate-key", at: entry.mark, "'\(entry.key)' is given twice",
                    hint: "'\(earlier.key)' in line \(earlier.mark.line) is the same setting"))
                continue
            }
            written[field.name] = entry
        }
        var settings = Settings()
        for field in schema.fields {
            let inner = path.isEmpty ? field.name : path + "." + field.name
            settings[field.name] = written[field.name].map { value(of: field, in: $0.value, path: inner) }
                ?? missing(field, path: inner)
        }
        return settings
    }

    mutating func defaults(of schema: Schema, path: String) -> Settings {
        settings([], schema, path: path, noun: path)
    }

    private func unknownKey(_ entry: SpecNode.Entry, _ schema: Schema, path: String, noun: String) -> SpecError {
        let known = schema.allNames
        if nearest(to: entry.key, among: known) == nil {
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

    private mutating func missing(_ field: Field, path: String) -> SettingValue {
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

    /// What stands for a value that is not usable: the default, or something of the right type.
    private mutating func placeholder(_ field: Field, path: String) -> SettingValue {
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

    /// Required settings that nobody wrote; the caller knows where they should stand.
    private(set) var missingRequired: [String] = []

    private mutating func standard(_ value: SettingValue, _ type: FieldType, path: String) -> SettingValue {
        switch (type, value) {
        case (.section(let schema, let shorthand?), .text(let text)):
            let nowhere = Mark(file: "", line: 1, column: 1, text: "")
            let node = SpecNode(.scalar(text, isQuoted: true), at: nowhere, layer: .standard)
            return .section(settings([.init(shorthand, at: nowhere, node)], schema, path: path, noun: path))
        case (.section(let schema, _), _):
            return .section(defaults(of: schema, path: path))
        case (.choice, .text(let name)), (.variant, .text(let name)):
            note(.standard, path)
            return .choice(Choice(name, entry(name, type).map { defaults(of: $0.parameters, path: path) } ?? Settings()))
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

    private mutating func note(_ origin: Origin, _ path: String) {
        if recordsOrigins { origins[path] = origin }
    }

    // MARK: Values

    private mutating func value(of field: Field, in node: SpecNode, path: String) -> SettingValue {
        if node.isNull {
            switch field.standard {
            case .absent, .derived:
                note(Origin(node), path)
                return .none
            case .required, .value:
                if case .section(let schema, _) = field.type { return .section(defaults(of: schema, path: path)) }
                if case .oneOf(let names) = field.type, node.text.map(names.contains) ?? false { break }
                if case .choice = field.type, entry(node.text ?? "", field.type) != nil { break }
                if case .list = field.type, node.text == "none" || node.text == "~" || node.text == "null" {
                    note(Origin(node), path)
                    return .list([])
                }
                if case .text = field.type, let text = node.text, !text.isEmpty { break }
                report("missing-value", at: node, path: path, "'\(field.name)' has no value", hint: expectation(field))
                return placeholder(field, path: path)
            }
        }
        if let value = typed(node, field.type, field: field, path: path) { return value }
        return placeholder(field, path: path)
    }

    private func expectation(_ field: Field) -> String? {
        switch field.standard {
        case .value(let value): "leave the line out for the default, \(value)"
        default: nil
        }
    }

    /// The value, or `nil` after a report.
    private mutating func typed(_ node: SpecNode, _ type: FieldType, field: Field, path: String) -> SettingValue? {
        switch type {
        case .bool, .integer, .number, .text, .oneOf:
            guard let value = scalar(node, type, field: field, path: path) else { return nil }
            note(Origin(node), path)
            return value
        case .choice, .variant:
            return choice(node, type, field: field, path: path).map(SettingValue.choice)
        case .list(let element, let count, let spreads):
            return list(node, of: element, atLeast: count, spreads: spreads, field: field, path: path)
        case .section(let schema, let shorthand):
            var written = node.entries
            if let shorthand, node.text != nil { written = [.init(shorthand, at: node.mark, node)] }
            guard let entries = written else {
                report("wrong-type", at: node, path: path, "'\(field.name)' wants a section, not \(node.noun)",
                    hint: "its keys are: " + schema.fields.map(\.name).joined(separator: ", "))
                return nil
            }
            note(Origin(node), path)
            return .section(settings(entries, schema, path: path, noun: "'\(field.name)'"))
        case .table:
            return table(node, field: field, path: path)
        case .raw:
            return SettingValue.none
        }
    }

    private mutating func scalar(_ node: SpecNode, _ type: FieldType, field: Field, path: String) -> SettingValue? {
        guard let text = node.text else {
            let hint = node.elements != nil && !path.contains("[") && field.part != IdentityPart.none
                ? "to try several values: sweep: { grid: { \(path): [...] } }" : nil
            report("wrong-type", at: node, path: path, "'\(field.name)' wants \(noun(type)), not \(node.noun)", hint: hint)
            return nil
        }
        let unit = field.unit.map { " (\($0))" } ?? ""
        switch type {
        case .bool:
            if let value = ScalarReading.bool(text) { return .bool(value) }
        case .integer(let bounds):
            if let value = ScalarReading.integer(text) {
                return inside(Double(value), bounds, node, field, path) ? .integer(value) : nil
            }
        case .number(let bounds):
            if let value = ScalarReading.number(text) {
                return inside(value, bounds, node, field, path) ? .number(value) : nil
            }
        case .oneOf(let names):
            if names.contains(text) { return .text(text) }
            var error = SpecError.unknown(field.name, text, known: names, at: node.mark)
            error.summary = "'\(field.name)' cannot be '\(text)'"
            if error.hint?.hasPrefix("known: ") ?? false { error.hint = "one of: " + names.joined(separator: ", ") }
            errors.append(error)
            failed.insert(path)
            return nil
        default:
            return .text(text)
        }
        report("wrong-type", at: node, path: path, "'\(field.name)' wants \(noun(type))\(unit), not \(node.noun)",
            hint: numberHint(text, type))
        return nil
    }

    private mutating func inside(
        _ value: Double, _ bounds: Bounds, _ node: SpecNode, _ field: Field, _ path: String
    ) -> Bool {
        guard !bounds.contains(value) else { return true }
        let unit = field.unit.map { " \($0)" } ?? ""
        report("out-of-range", at: node, path: path, "'\(field.name)' cannot be \(node.text ?? "")\(unit)",
            hint: "allowed: \(bounds)\(unit)")
        return false
    }

    private func numberHint(_ text: String, _ type: FieldType) -> String? {
        if case .bool = type { return "true or false" }
        if text.contains(","), ScalarReading.number(text.replacing(",", with: ".")) != nil { return "write '.' for the decimal point" }
        if case .integer = type, ScalarReading.number(text) != nil { return "a whole number" }
        return nil
    }

    private func noun(_ type: FieldType) -> String {
        switch type {
        case .bool: "true or false"
        case .integer: "an integer"
        case .number: "a number"
        case .text: "a text"
        case .oneOf(let names): "one of " + names.joined(separator: ", ")
        case .choice(let kind): "the name of a \(kind.noun)"
        case .variant(let entries): "one of " + entries.map(\.name).joined(separator: ", ")
        case .list: "a list"
        case .section, .table: "a section"
        case .raw: "anything"
        }
    }

    // MARK: Choices

    private func entry(_ name: String, _ type: FieldType) -> EntryDescriptor? {
        switch type {
        case .choice(let kind): vocabulary[kind, name]
        case .variant(let entries): entries.first { $0.name == name }
        default: nil
        }
    }

    private func known(_ type: FieldType) -> [EntryDescriptor] {
        switch type {
        case .choice(let kind): vocabulary.entries(kind)
        case .variant(let entries): entries
        default: []
        }
    }

    private mutating func choice(_ node: SpecNode, _ type: FieldType, field: Field, path: String) -> Choice? {
        var kind = field.name
        if case .choice(let registry) = type { kind = registry.noun }
        let entries = known(type)
        let nameNode: SpecNode
        var parameters: [SpecNode.Entry] = []
        switch node.content {
        case .scalar: nameNode = node
        case .map(let pairs):
            parameters = pairs.filter { $0.key != "name" }
            if let written = node["name"] {
                nameNode = written
            } else if case .value(.text(let usual)) = field.standard {
                nameNode = SpecNode(.scalar(usual, isQuoted: true), at: node.mark, layer: .standard)
            } else if case .choice(let registry) = type, let usual = usual[registry] {
                nameNode = SpecNode(.scalar(usual, isQuoted: true), at: node.mark, layer: .standard)
            } else {
                report("missing-value", at: node, path: path, "'\(field.name)' does not name a \(kind)",
                    hint: "known: " + entries.map(\.name).joined(separator: ", "))
                return nil
            }
        case .list:
            report("wrong-type", at: node, path: path, "'\(field.name)' wants one \(kind), not a list",
                hint: "to try several: sweep: { grid: { \(path): [...] } }")
            return nil
        }
        guard let name = nameNode.text else {
            report("wrong-type", at: nameNode, path: path, "the name of a \(kind) is a text, not \(nameNode.noun)")
            return nil
        }
        guard let entry = entry(name, type) else {
            if entries.isEmpty, case .choice = type {
                note(Origin(nameNode), path)
                return Choice(name)
            }
            errors.append(.unknown(kind, name, known: entries.map(\.name), at: nameNode.mark))
            failed.insert(path)
            return nil
        }
        note(Origin(nameNode), path)
        let noun = "\(kind) '\(name)'"
        return Choice(name, settings(parameters, entry.parameters, path: path, noun: noun))
    }

    // MARK: Lists and tables

    private mutating func list(
        _ node: SpecNode, of element: FieldType, atLeast count: Int, spreads: Bool, field: Field, path: String
    ) -> SettingValue? {
        var elements = node.elements ?? [node]
        if spreads { elements = elements.flatMap { spread($0, element) } }
        var values: [SettingValue] = []
        var one = field
        one.standard = .required
        var isGood = true
        for (index, node) in elements.enumerated() {
            if let value = typed(node, element, field: one, path: "\(path)[\(index)]") { values.append(value) } else { isGood = false }
        }
        guard isGood else {
            failed.insert(path)
            return nil
        }
        guard values.count >= count else {
            report("out-of-range", at: node, path: path, "'\(field.name)' wants at least \(count == 1 ? "one value" : "\(count) values")")
            return nil
        }
        note(Origin(node), path)
        return .list(values)
    }

    /// The choices that a choice stands for, one for each combination of the lists among its parameters.
    private func spread(_ node: SpecNode, _ type: FieldType) -> [SpecNode] {
        guard let entries = node.entries, let name = node["name"]?.text, let entry = entry(name, type) else { return [node] }
        var variants: [[SpecNode.Entry]] = [[]]
        for pair in entries {
            var options = [pair]
            if let elements = pair.value.elements, !elements.isEmpty, let field = entry.parameters[pair.key], !field.type.isList {
                options = elements.map { .init(pair.key, at: pair.mark, $0) }
            }
            variants = variants.flatMap { prefix in options.map { prefix + [$0] } }
            // A product beyond any evaluation is left to be reported as the wrong type.
            if variants.count > 10_000 { return [node] }
        }
        return variants.map { SpecNode(.map($0), at: node.mark, layer: node.layer) }
    }

    private mutating func table(_ node: SpecNode, field: Field, path: String) -> SettingValue? {
        var settings = Settings()
        if let elements = node.elements {
            for element in elements {
                guard let name = element.text else {
                    report("wrong-type", at: element, path: path, "'\(field.name)' wants names, not \(element.noun)")
                    continue
                }
                settings[name] = .text("")
            }
        } else if let entries = node.entries {
            for entry in entries {
                guard let text = entry.value.text else {
                    report("wrong-type", at: entry.value, path: path, "'\(entry.key)' wants a text, not \(entry.value.noun)")
                    continue
                }
                settings[entry.key] = .text(text)
            }
        } else if let text = node.text {
            settings[text] = .text("")
        }
        note(Origin(node), path)
        return .section(settings)
    }
}

extension FieldType {
    var isList: Bool {
        if case .list = self { true } else { false }
    }
}
