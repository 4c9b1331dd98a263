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
                self = .choice(
                    Choice(
                        try keyed.decode(String.self, forKey: "name"),
                        try keyed.decode(Settings.self, forKey: "parameters")))
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
        self.init(
            try keyed.allKeys.map(\.stringValue).sorted().map {
                ($0, try keyed.decode(SettingValue.self, forKey: Name($0)))
            })
    }

    public func encode(to encoder: any Encoder) throws {
        var keyed = encoder.container(keyedBy: Name.self)
        for (name, value) in self { try keyed.encode(value, forKey: Name(name)) }
    }
}

private struct Name: CodingKey, ExpressibleByStringLiteral {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init(stringLiteral name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
