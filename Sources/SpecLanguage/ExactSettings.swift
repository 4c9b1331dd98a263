/// Settings as JSON that keeps what ``Settings`` in JSON does not: the order of keys, and whether a number is a whole
/// one.
///
/// Every value is an array that begins with its kind: `["i", 3]`, `["d", 0.95]`, `["c", "wiener", [["smoothing", ["d",
/// 0.95]]]]`.
public struct ExactSettings: Hashable, Sendable, Codable {
    /// The settings that are encoded; decoding gives back equal ones in the same order.
    public var settings: Settings

    public init(_ settings: Settings) { self.settings = settings }

    public init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        var pairs: [(String, SettingValue)] = []
        while !list.isAtEnd {
            var pair = try list.nestedUnkeyedContainer()
            pairs.append((try pair.decode(String.self), try pair.decode(ExactValue.self).value))
        }
        settings = Settings(pairs)
    }

    public func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        for (name, value) in settings {
            var pair = list.nestedUnkeyedContainer()
            try pair.encode(name)
            try pair.encode(ExactValue(value: value))
        }
    }
}

private struct ExactValue: Codable {
    var value: SettingValue

    init(value: SettingValue) { self.value = value }

    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        switch try list.decode(String.self) {
        case "n": value = .none
        case "b": value = .bool(try list.decode(Bool.self))
        case "i": value = .integer(try list.decode(Int.self))
        case "d": value = .number(try list.decode(Double.self))
        case "t": value = .text(try list.decode(String.self))
        case "l": value = .list(try list.decode([ExactValue].self).map(\.value))
        case "c": value = .choice(Choice(try list.decode(String.self), try list.decode(ExactSettings.self).settings))
        case "s": value = .section(try list.decode(ExactSettings.self).settings)
        case let kind:
            throw DecodingError.dataCorruptedError(in: list, debugDescription: "unknown kind of value '\(kind)'")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        func put(_ kind: String, _ parts: any Encodable...) throws {
            try list.encode(kind)
            for part in parts { try list.encode(part) }
        }
        switch value {
        case .none: try put("n")
        case .bool(let value): try put("b", value)
        case .integer(let value): try put("i", value)
        case .number(let value): try put("d", value)
        case .text(let value): try put("t", value)
        case .list(let values): try put("l", values.map { ExactValue(value: $0) })
        case .choice(let choice): try put("c", choice.name, ExactSettings(choice.settings))
        case .section(let settings): try put("s", ExactSettings(settings))
        }
    }
}
