/// A resolved value of a setting: typed, complete, and without a place in a text.
public indirect enum SettingValue: Sendable {
    /// Not set, where a setting may be absent.
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([SettingValue])
    /// One of a registry's entries with its parameters.
    case choice(Choice)
    case section(Settings)
}

/// A registry's entry chosen by name, with its parameters resolved.
public struct Choice: Hashable, Sendable {
    /// The entry's name in its registry.
    public var name: String
    /// All parameters of the entry, defaults included.
    public var settings: Settings

    public init(_ name: String, _ settings: Settings = Settings()) {
        self.name = name
        self.settings = settings
    }
}

extension SettingValue: Hashable {
    /// Whole numbers are equal whether they were declared as integers or as numbers.
    public static func == (a: SettingValue, b: SettingValue) -> Bool {
        switch (a, b) {
        case (.none, .none): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)): Double(a) == b
        case (.text(let a), .text(let b)): a == b
        case (.list(let a), .list(let b)): a == b
        case (.choice(let a), .choice(let b)): a == b
        case (.section(let a), .section(let b)): a == b
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .none: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .integer(let value): hasher.combine(Double(value))
        case .number(let value): hasher.combine(value)
        case .text(let value): hasher.combine(value)
        case .list(let value): hasher.combine(value)
        case .choice(let value): hasher.combine(value)
        case .section(let value): hasher.combine(value)
        }
    }
}

extension SettingValue: CustomStringConvertible {
    /// The value as messages show it; `yaml` is what a file holds.
    public var description: String {
        switch self {
        case .none: "none"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): Self.digits(value)
        case .text(let value): Self.legible(value)
        case .list(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        case .choice(let choice):
            choice.settings.isEmpty
                ? Self.legible(choice.name)
                : "{ name: \(Self.legible(choice.name)), \(choice.settings.inner) }"
        case .section(let settings): settings.isEmpty ? "{}" : "{ \(settings.inner) }"
        }
    }

    /// The text, quoted where it is not a word of letters, digits, and the usual signs.
    private static func legible(_ text: String) -> String {
        YAMLText.isWord(text) && !["null", "none", "~"].contains(text.lowercased()) ? text : YAMLText.quoted(text)
    }

    /// The shortest decimal that reads back as the same number; whole numbers keep a `.0`.
    package static func digits(_ value: Double) -> String {
        value.description
    }
}

extension Settings {
    fileprivate var inner: String {
        map { "\($0.name): \($0.value)" }.joined(separator: ", ")
    }
}

extension SettingValue {
    /// The value as a number, where it is one.
    package var number: Double? {
        switch self {
        case .number(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }
}
