/// The language as a JSON Schema, so that editors complete and check specs.
public struct SpecJSONSchema {
    private let vocabulary: Vocabulary
    private let title: String
    /// The names that some tables may hold, by the table's name.
    private let names: [String: [String]]

    /// The schema's text (draft 2020-12), stable and indented.
    ///
    /// - Parameter names: The names that some tables may hold, by the table's name; any in the others.
    package static func text(_ vocabulary: Vocabulary, title: String, names: [String: [String]] = [:]) -> String {
        let schema = SpecJSONSchema(vocabulary: vocabulary, title: title, names: names)
        return schema.root.text + "\n"
    }

    private var root: OrderedJSON {
        guard case .object(let body) = object(vocabulary.schema) else { return .object([]) }
        return .object([
            ("$schema", "https://json-schema.org/draft/2020-12/schema"),
            ("title", .text(title)),
        ] + body)
    }

    /// - Parameter spreads: Whether a list of values stands for several objects.
    private func object(
        _ schema: Schema, extra: [(String, OrderedJSON)] = [], required: [String] = [], spreads: Bool = false
    ) -> OrderedJSON {
        var properties = extra
        for field in schema.fields {
            let description = described(field, spreads: spreads && !field.type.isList)
            for name in [field.name] + field.aliases { properties.append((name, description)) }
        }
        // Nothing is required: a file may complete another, and any setting may come from the one it extends.
        var body: [(String, OrderedJSON)] = [("type", "object"), ("properties", .object(properties)), ("additionalProperties", false)]
        if !required.isEmpty { body.append(("required", .array(required.map(OrderedJSON.text)))) }
        return .object(body)
    }

    private func described(_ field: Field, spreads: Bool = false) -> OrderedJSON {
        var doc = field.doc
        if let unit = field.unit { doc += " Unit: \(unit)." }
        var body: [(String, OrderedJSON)] = [("description", .text(doc))]
        switch field.standard {
        case .value(let value):
            if let json = json(value) { body.append(("default", json)) }
        case .derived(let words):
            body[0].1 = .text(doc + " Default: \(words).")
        case .required, .absent: break
        }
        let type = spreads ? FieldType.list(of: field.type, atLeast: 1) : field.type
        var alternatives = self.alternatives(type, name: field.name)
        switch field.standard {
        case .absent, .derived: alternatives.append(.object([("type", "null")])); alternatives.append(.object([("const", "none")]))
        default: break
        }
        if alternatives.count == 1, case .object(let only) = alternatives[0] { body += only } else { body.append(("anyOf", .array(alternatives))) }
        return .object(body)
    }

    private func alternatives(_ type: FieldType, name: String, spreads: Bool = false) -> [OrderedJSON] {
        switch type {
        case .bool: return [.object([("type", "boolean")]), .object([("enum", .array(["yes", "no", "on", "off"]))])]
        case .integer(let bounds): return [.object([("type", "integer")] + limits(bounds))]
        case .number(let bounds): return [.object([("type", "number")] + limits(bounds))]
        case .text: return [.object([("type", .array(["string", "number", "boolean"]))])]
        case .oneOf(let names):
            // `c_in: 1` is a number to an editor.
            let numbers = names.compactMap { Int($0).map { OrderedJSON.number(String($0)) } }
            return [.object([("enum", .array(names.map(OrderedJSON.text) + numbers))])]
        case .choice(let kind): return choice(vocabulary.entries(kind), spreads: spreads)
        case .variant(let entries): return choice(entries, spreads: spreads)
        case .list(let element, let count, let spreads):
            let items = alternatives(element, name: name, spreads: spreads)
            let item: OrderedJSON = items.count == 1 ? items[0] : .object([("anyOf", .array(items))])
            var body: [(String, OrderedJSON)] = [("type", "array"), ("items", item)]
            if count > 0 { body.append(("minItems", .number(String(count)))) }
            return [.object(body)] + items
        case .section(let schema, let shorthand):
            return [object(schema)] + (shorthand == nil ? [] : [.object([("type", "string")])])
        case .table:
            let names: [(String, OrderedJSON)] = names[name].map { [("enum", .array($0.map(OrderedJSON.text)))] } ?? []
            let object: [(String, OrderedJSON)] = names.isEmpty ? [] : [("propertyNames", .object(names))]
            return [
                .object([("type", "object")] + object), .object([("type", "array"), ("items", .object([("type", "string")] + names))]),
                .object([("type", .array(["string", "null"]))]),
            ]
        case .raw:
            switch name {
            case "extends": return [.object([("type", "string")]), .object([("type", "array"), ("items", .object([("type", "string")]))])]
            case "profiles":
                let composed = SpecComposer.compositionKeys.sorted().map { OrderedJSON.object([("required", .array([.text($0)]))]) }
                let profile = OrderedJSON.object([("$ref", "#"), ("not", .object([("anyOf", .array(composed))]))])
                return [.object([("type", "object"), ("additionalProperties", profile)])]
            default: return [sweep]
            }
        }
    }

    // MARK: Sweeps

    /// Paths with values; a nested map is paths, too.
    private func paths(_ value: [(String, OrderedJSON)]) -> OrderedJSON {
        let known = OrderedJSON.array(vocabulary.paths.map(OrderedJSON.text))
        return .object([
            ("type", "object"), ("propertyNames", .object([("enum", known)])), ("additionalProperties", .object(value)),
        ])
    }

    private var sweep: OrderedJSON {
        func whole(_ least: Int) -> OrderedJSON { .object([("type", "integer"), ("minimum", .number(String(least)))]) }
        let lists = paths([("type", .array(["array", "object"]))])
        let values = paths([])
        let random = OrderedJSON.object([
            ("type", "object"),
            ("properties", .object([("count", whole(1)), ("seed", whole(0)), ("space", lists)])),
            ("required", ["count", "space"]), ("additionalProperties", false),
        ])
        let points = OrderedJSON.object([("type", "array"), ("items", values), ("minItems", .number("1"))])
        let modes: [(String, OrderedJSON)] = [
            ("grid", lists), ("zip", lists), ("random", random), ("points", points),
            ("exclude", .object([("anyOf", .array([values, .object([("type", "array"), ("items", values)])]))])),
        ]
        return .object([("type", "object"), ("properties", .object(modes)), ("additionalProperties", false)])
    }

    private func choice(_ entries: [EntryDescriptor], spreads: Bool = false) -> [OrderedJSON] {
        guard !entries.isEmpty else { return [.object([("type", .array(["string", "object"]))])] }
        // An entry with a parameter that must be written is more than its name.
        let named = entries.filter { !$0.parameters.fields.contains { if case .required = $0.standard { true } else { false } } }
        let names = OrderedJSON.object([("enum", .array(named.map { .text($0.name) }))])
        let forms = entries.map { entry -> OrderedJSON in
            let name = OrderedJSON.object([("const", .text(entry.name)), ("description", .text(entry.summary))])
            return object(entry.parameters, extra: [("name", name)], spreads: spreads)
        }
        return [names] + forms
    }

    private func limits(_ bounds: Bounds) -> [(String, OrderedJSON)] {
        func number(_ value: Double) -> OrderedJSON { .number(Int(exactly: value).map(String.init) ?? value.description) }
        var limits: [(String, OrderedJSON)] = []
        if let lower = bounds.lower { limits.append((bounds.excludesLower ? "exclusiveMinimum" : "minimum", number(lower))) }
        if let upper = bounds.upper { limits.append((bounds.excludesUpper ? "exclusiveMaximum" : "maximum", number(upper))) }
        return limits
    }

    private func json(_ value: SettingValue) -> OrderedJSON? {
        switch value {
        case .none: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .number(String(value))
        case .number(let value): .number(value.description)
        case .text(let value): .text(value)
        case .list(let values): .array(values.compactMap(json))
        case .choice(let choice): .text(choice.name)
        case .section: nil
        }
    }
}

/// JSON that keeps the order of its keys.
indirect enum OrderedJSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral {
    case null, bool(Bool), number(String), text(String), array([OrderedJSON]), object([(String, OrderedJSON)])

    init(stringLiteral value: String) { self = .text(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(arrayLiteral elements: OrderedJSON...) { self = .array(elements) }

    var text: String { written(indent: "") }

    private func written(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let digits): return digits
        case .text(let text): return Self.quoted(text)
        case .array(let elements):
            if elements.isEmpty { return "[]" }
            return "[\n" + elements.map { inner + $0.written(indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        case .object(let pairs):
            if pairs.isEmpty { return "{}" }
            let lines = pairs.map { "\(inner)\(Self.quoted($0)): \($1.written(indent: inner))" }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20: result += "\\u00" + (scalar.value < 16 ? "0" : "1") + String(scalar.value & 15, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
