/// Settings as JSON, as a store keeps them: sections are objects, a choice is `{"name": …, "parameters": …}`.
extension SettingValue: Codable {
    public init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .none
        } else if let value = try? single.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? single.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? single.decode(Double.self) {
            self = .number(value)
        } else if let value = try? single.decode(String.self) {
            self = .text(value)
        } else if let value = try? single.decode([SettingValue].self) {
            self = .list(value)
        } else {
            let keyed = try decoder.container(keyedBy: Name.self)
            if keyed.allKeys.count == 2, keyed.contains("name"), keyed.contains("parameters") {
                self = .choice(Choice(
                    try keyed.decode(String.self, forKey: "name"), try keyed.decode(Settings.self, forKey: "parameters")))
            } else {
                self = .section(try Settings(from: decoder))
            }
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        switch self {
        case .none: try single.encodeNil()
        case .bool(let value): try single.encode(value)
        case .integer(let value): try single.encode(value)
        case .number(let value): try single.encode(value)
        case .text(let value): try single.encode(value)
        case .list(let value): try single.encode(value)
        case .section(let value): try single.encode(value)
        case .choice(let value):
            var keyed = encoder.container(keyedBy: Name.self)
            try keyed.encode(value.name, forKey: "name")
            try keyed.encode(value.settings, forKey: "parameters")
        }
    }
}

extension Settings: Codable {
    public init(from decoder: any Decoder) throws {
        let keyed = try decoder.container(keyedBy: Name.self)
        self.init(try keyed.allKeys.map(\.stringValue).sorted().map { ($0, try keyed.decode(SettingValue.self, forKey: Name($0))) })
    }

    public func encode(to encoder: any Encoder) throws {
        var keyed = encoder.container(keyedBy: Name.self)
        for (name, value) in self { try keyed.encode(value, forKey: Name(name)) }
    }
}

extension Settings {
    /// The path of the first setting that is not there as the schema has it.
    fileprivate func firstMismatch(with schema: Schema, prefix: String = "") -> String? {
        for field in schema.fields {
            let path = prefix + field.name
            guard let value = self[field.name] else { return path }
            if case .section(let inner, _) = field.type, case .section(let settings) = value {
                if let found = settings.firstMismatch(with: inner, prefix: path + ".") { return found }
            } else if !field.accepts(value) {
                return path
            }
        }
        return nil
    }
}

extension Field {
    fileprivate func accepts(_ value: SettingValue) -> Bool {
        if case .none = value {
            // Whatever is derived has been, except what does not apply.
            switch standard {
            case .absent: return true
            case .derived: return ["validation_N", "num_frames"].contains(name)
            case .required, .value: return false
            }
        }
        return type.accepts(value)
    }
}

extension FieldType {
    fileprivate func accepts(_ value: SettingValue) -> Bool {
        switch (self, value) {
        case (.bool, .bool), (.integer, .integer), (.number, .number), (.number, .integer), (.text, .text), (.oneOf, .text),
            (.choice, .choice), (.variant, .choice), (.table, .section), (.raw, _):
            true
        case (.list(let element, _, _), .list(let values)): values.allSatisfy { element.accepts($0) }
        case (.section(let schema, _), .section(let settings)): settings.firstMismatch(with: schema) == nil
        default: false
        }
    }
}

extension ExperimentSpec: Codable {
    /// - Throws: `DecodingError` where a setting is missing or has another type, as after a change of the language.
    public convenience init(from decoder: any Decoder) throws {
        let settings = try Settings(from: decoder)
        if let path = settings.firstMismatch(with: ExperimentSchema.root) {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "no usable '\(path)' in the kept spec"))
        }
        self.init(settings)
    }

    public func encode(to encoder: any Encoder) throws { try settings.encode(to: encoder) }
}

private struct Name: CodingKey, ExpressibleByStringLiteral {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init(stringLiteral name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
