import JSONValues

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
        return schema.root.text
    }

    private var root: JSON {
        guard case .object(let body) = object(vocabulary.schema) else { return .object([]) }
        return .object(
            [
                .init("$schema", "https://json-schema.org/draft/2020-12/schema"),
                .init("title", .string(title)),
            ] + body)
    }

    /// - Parameter spreads: Whether a list of values stands for several objects.
    private func object(
        _ schema: Schema, extra: [JSON.Member] = [], required: [String] = [], spreads: Bool = false
    ) -> JSON {
        var properties = extra
        for field in schema.fields {
            let description = described(field, spreads: spreads && !field.type.isList)
            for name in [field.name] + field.aliases { properties.append(.init(name, description)) }
        }
        // Nothing is required: a file may complete another, and any setting may come from the one it extends.
        var body: [JSON.Member] = [
            .init("type", "object"), .init("properties", .object(properties)), .init("additionalProperties", false),
        ]
        if !required.isEmpty { body.append(.init("required", .array(required.map(JSON.string)))) }
        return .object(body)
    }

    private func described(_ field: Field, spreads: Bool = false) -> JSON {
        var doc = field.doc
        if let unit = field.unit { doc += " Unit: \(unit)." }
        var body: [JSON.Member] = [.init("description", .string(doc))]
        switch field.standard {
        case .value(let value):
            if let json = json(value) { body.append(.init("default", json)) }
        case .derived(let words):
            body[0].value = .string(doc + " Default: \(words).")
        case .required, .absent: break
        }
        let type = spreads ? FieldType.list(of: field.type, atLeast: 1) : field.type
        var alternatives = self.alternatives(type, name: field.name)
        switch field.standard {
        case .absent, .derived:
            alternatives.append(.object([.init("type", "null")]))
            alternatives.append(.object([.init("const", "none")]))
        default: break
        }
        if alternatives.count == 1, case .object(let only) = alternatives[0] {
            body += only
        } else {
            body.append(.init("anyOf", .array(alternatives)))
        }
        return .object(body)
    }

    private func alternatives(_ type: FieldType, name: String, spreads: Bool = false) -> [JSON] {
        switch type {
        case .bool:
            return [.object([.init("type", "boolean")]), .object([.init("enum", .array(["yes", "no", "on", "off"]))])]
        case .integer(let bounds): return [.object([.init("type", "integer")] + limits(bounds))]
        case .number(let bounds): return [.object([.init("type", "number")] + limits(bounds))]
        case .text: return [.object([.init("type", .array(["string", "number", "boolean"]))])]
        case .oneOf(let names):
            // `c_in: 1` is a number to an editor.
            let numbers = names.compactMap { Int($0).map { JSON.integer($0) } }
            return [.object([.init("enum", .array(names.map(JSON.string) + numbers))])]
        case .choice(let kind): return choice(vocabulary.entries(kind), spreads: spreads)
        case .variant(let entries): return choice(entries, spreads: spreads)
        case .list(let element, let count, let spreads):
            let items = alternatives(element, name: name, spreads: spreads)
            let item: JSON = items.count == 1 ? items[0] : .object([.init("anyOf", .array(items))])
            var body: [JSON.Member] = [.init("type", "array"), .init("items", item)]
            if count > 0 { body.append(.init("minItems", .integer(count))) }
            return [.object(body)] + items
        case .section(let schema, let shorthand):
            return [object(schema)] + (shorthand == nil ? [] : [.object([.init("type", "string")])])
        case .table:
            let names: [JSON.Member] = names[name].map { [.init("enum", .array($0.map(JSON.string)))] } ?? []
            let object: [JSON.Member] = names.isEmpty ? [] : [.init("propertyNames", .object(names))]
            return [
                .object([.init("type", "object")] + object),
                .object([.init("type", "array"), .init("items", .object([.init("type", "string")] + names))]),
                .object([.init("type", .array(["string", "null"]))]),
            ]
        case .raw:
            switch name {
            case "extends":
                return [
                    .object([.init("type", "string")]),
                    .object([.init("type", "array"), .init("items", .object([.init("type", "string")]))]),
                ]
            case "profiles":
                let composed = SpecComposer.compositionKeys.sorted().map {
                    JSON.object([.init("required", .array([.string($0)]))])
                }
                let profile = JSON.object([
                    .init("$ref", "#"), .init("not", .object([.init("anyOf", .array(composed))])),
                ])
                return [.object([.init("type", "object"), .init("additionalProperties", profile)])]
            default: return [sweep]
            }
        }
    }

    // MARK: Sweeps

    /// Paths with values; a nested map is paths, too.
    private func paths(_ value: [JSON.Member]) -> JSON {
        let known = JSON.array(vocabulary.paths.map(JSON.string))
        return .object([
            .init("type", "object"), .init("propertyNames", .object([.init("enum", known)])),
            .init("additionalProperties", .object(value)),
        ])
    }

    private var sweep: JSON {
        func whole(_ least: Int) -> JSON { .object([.init("type", "integer"), .init("minimum", .integer(least))]) }
        let lists = paths([.init("type", .array(["array", "object"]))])
        let values = paths([])
        let random = JSON.object([
            .init("type", "object"),
            .init("properties", .object([.init("count", whole(1)), .init("seed", whole(0)), .init("space", lists)])),
            .init("required", ["count", "space"]), .init("additionalProperties", false),
        ])
        let points = JSON.object([.init("type", "array"), .init("items", values), .init("minItems", .integer(1))])
        let modes: [JSON.Member] = [
            .init("grid", lists), .init("zip", lists), .init("random", random), .init("points", points),
            .init(
                "exclude",
                .object([.init("anyOf", .array([values, .object([.init("type", "array"), .init("items", values)])]))])),
        ]
        return .object([
            .init("type", "object"), .init("properties", .object(modes)), .init("additionalProperties", false),
        ])
    }

    private func choice(_ entries: [EntryDescriptor], spreads: Bool = false) -> [JSON] {
        guard !entries.isEmpty else { return [.object([.init("type", .array(["string", "object"]))])] }
        // An entry with a parameter that must be written is more than its name.
        let named = entries.filter {
            !$0.parameters.fields.contains { if case .required = $0.standard { true } else { false } }
        }
        let names = JSON.object([.init("enum", .array(named.map { .string($0.name) }))])
        let forms = entries.map { entry -> JSON in
            let name = JSON.object([.init("const", .string(entry.name)), .init("description", .string(entry.summary))])
            return object(entry.parameters, extra: [.init("name", name)], spreads: spreads)
        }
        return [names] + forms
    }

    private func limits(_ bounds: Bounds) -> [JSON.Member] {
        func number(_ value: Double) -> JSON { Int(exactly: value).map(JSON.integer) ?? .number(value) }
        var limits: [JSON.Member] = []
        if let lower = bounds.lower {
            limits.append(.init(bounds.excludesLower ? "exclusiveMinimum" : "minimum", number(lower)))
        }
        if let upper = bounds.upper {
            limits.append(.init(bounds.excludesUpper ? "exclusiveMaximum" : "maximum", number(upper)))
        }
        return limits
    }

    private func json(_ value: SettingValue) -> JSON? {
        switch value {
        case .none: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .text(let value): .string(value)
        case .list(let values): .array(values.compactMap(json))
        case .choice(let choice): .string(choice.name)
        case .section: nil
        }
    }
}
