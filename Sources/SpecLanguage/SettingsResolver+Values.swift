/// Typed values: one node and one field.
extension SettingsResolver {
    mutating func value(of field: Field, in node: SpecNode, path: String) -> SettingValue {
        if node.isNull, !Self.isForm(node, of: field.type) {
            switch field.standard {
            case .absent, .derived:
                note(Origin(node), path)
                return .none
            case .required, .value:
                if case .section(let schema, _) = field.type { return .section(defaults(of: schema, path: path)) }
                if case .table = field.type {
                    note(Origin(node), path)
                    return .section(Settings())
                }
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

    /// Whether the text `none` names a form of a list's elements.
    private static func isForm(_ node: SpecNode, of type: FieldType) -> Bool {
        guard case .list(.variant(let forms), _, _) = type else { return false }
        return forms.contains { $0.name == node.text }
    }

    func expectation(_ field: Field) -> String? {
        switch field.standard {
        case .value(let value): "leave the line out for the default, \(value)"
        default: nil
        }
    }

    /// The value, or `nil` after a report.
    mutating func typed(_ node: SpecNode, _ type: FieldType, field: Field, path: String) -> SettingValue? {
        switch type {
        case .bool, .integer, .number, .text, .oneOf:
            guard let value = scalar(node, type, field: field, path: path) else { return nil }
            var origin = Origin(node)
            if field.isPath, let text = node.text, value != .text(text) { origin.written = text }
            note(origin, path)
            return value
        case .choice, .variant:
            return choice(node, type, field: field, path: path).map(SettingValue.choice)
        case .list(let element, let count, let spreads):
            return list(node, of: element, atLeast: count, spreads: spreads, field: field, path: path)
        case .section(let schema, let shorthand):
            var written = node.entries
            if let shorthand, node.text != nil { written = [.init(shorthand, at: node.mark, node)] }
            guard let entries = written else {
                report(
                    "wrong-type", at: node, path: path, "'\(field.name)' wants a section, not \(node.noun)",
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

    mutating func scalar(_ node: SpecNode, _ type: FieldType, field: Field, path: String) -> SettingValue? {
        guard let text = node.text else {
            let hint =
                node.elements != nil && !path.contains("[") && field.part != IdentityPart.none
                ? "to try several values: sweep: { grid: { \(path): [...] } }" : nil
            report(
                "wrong-type", at: node, path: path, "'\(field.name)' wants \(noun(type)), not \(node.noun)", hint: hint)
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
        case .text where field.isPath:
            do throws(PathText.Problem) {
                return .text(try PathText.expanded(text, environment))
            } catch {
                report("path", at: node, path: path, error.summary, hint: error.hint)
                return nil
            }
        default:
            return .text(text)
        }
        report(
            "wrong-type", at: node, path: path, "'\(field.name)' wants \(noun(type))\(unit), not \(node.noun)",
            hint: numberHint(text, type, unit: field.unit))
        return nil
    }

    mutating func inside(
        _ value: Double, _ bounds: Bounds, _ node: SpecNode, _ field: Field, _ path: String
    ) -> Bool {
        guard !bounds.contains(value) else { return true }
        let unit = field.unit.map { " \($0)" } ?? ""
        report(
            "out-of-range", at: node, path: path, "'\(field.name)' cannot be \(node.text ?? "")\(unit)",
            hint: "allowed: \(bounds)\(unit)")
        return false
    }

    func numberHint(_ text: String, _ type: FieldType, unit: String? = nil) -> String? {
        if case .bool = type { return "true or false" }
        if let (plain, strange) = LookAlikes.number(in: text) {
            return "write \(plain): there is a \(strange.inWords) in the number"
        }
        if let number = Self.sexagesimal(text) {
            let parts = ["min", "h"].contains(unit) ? number / 60 : number
            return "numbers of base 60 are not read: write \(Int(exactly: parts).map(String.init) ?? "\(parts)")"
        }
        if text.contains(","), ScalarReading.number(text.replacing(",", with: ".")) != nil {
            return "write '.' for the decimal point"
        }
        if case .integer = type, ScalarReading.number(text) != nil { return "a whole number" }
        return nil
    }

    /// `1:30` as YAML 1.1 has it: ninety.
    private static func sexagesimal(_ text: String) -> Double? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map {
            ScalarReading.number(String($0))
        }
        guard parts.count > 1 else { return nil }
        return parts.reduce(0.0 as Double?) { total, part in total.flatMap { total in part.map { 60 * total + $0 } } }
    }

    func noun(_ type: FieldType) -> String {
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
}
