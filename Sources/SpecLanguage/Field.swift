/// One setting as data: its name, type, default, and meaning. From fields come the checker, the resolved
/// spec, the documentation, and the JSON Schema.
public struct Field: Sendable {
    /// The key in a spec.
    public var name: String
    /// What may be written.
    public var type: FieldType
    /// The value where a spec does not write the setting.
    public var standard: Standard
    /// The unit, such as `Hz` or `steps`; `nil` for a plain number, and for everything that is no number.
    public var unit: String?
    /// The meaning in a sentence, which help, documentation and JSON Schema print.
    public var doc: String
    /// Other names under which the setting may be written.
    public var aliases: [String]
    /// What changes when the setting does; `nil` takes the part of the section around it.
    public var part: IdentityPart?
    /// Whether an absent value leaves identities alone: for settings added after runs were stored.
    public var isSilentWhenAbsent = false
    /// A value that means the same as an absent one, to identities too.
    public var silentValue: SettingValue?
    /// Whether it is a path, in which `~/` and `${env:NAME}` are replaced.
    public var isPath = false

    /// The same field, whose absence changes no identity.
    package var silentWhenAbsent: Field {
        var copy = self
        copy.isSilentWhenAbsent = true
        return copy
    }

    /// The value of a setting that is not written.
    public enum Standard: Sendable {
        /// There is none: it must be written.
        case required
        case value(SettingValue)
        /// It may be absent, which has a meaning of its own.
        case absent
        /// It is computed from other settings, in the words given.
        case derived(String)
    }

    public init(
        _ name: String, _ type: FieldType, default standard: Standard, unit: String? = nil, _ doc: String,
        aliases: [String] = [], part: IdentityPart? = nil
    ) {
        self.name = name
        self.type = type
        self.standard = standard
        self.unit = unit
        self.doc = doc
        self.aliases = aliases
        self.part = part
    }
}

/// What a change of a setting changes: the ground on which a plan decides what must run again.
public enum IdentityPart: String, Sendable, Codable, CaseIterable {
    /// The audio that is read, and so everything after it.
    case data
    /// The weights.
    case training
    /// The enhanced files and their scores, not the weights.
    case evaluation
    /// Nothing that is computed: names, notes, how many workers.
    case none
}

/// The type of a setting.
public indirect enum FieldType: Sendable {
    case bool
    case integer(Bounds = .any)
    case number(Bounds = .any)
    case text
    /// One of a few names.
    case oneOf([String])
    /// An entry of a registry, with its own parameters.
    case choice(of: RegistryKind)
    /// One of a few forms, each with its own parameters.
    case variant([EntryDescriptor])
    /// One value also stands for a list of one.
    ///
    /// - Parameter spreads: A list as a parameter of a choice stands for several choices.
    case list(of: FieldType, atLeast: Int = 0, spreads: Bool = false)
    /// - Parameter shorthand: The key that a single value in place of the section stands for.
    case section(Schema, shorthand: String? = nil)
    /// Free names with texts.
    case table
    /// Kept as written: another part of the language reads it.
    case raw
}

/// The numbers that are allowed.
public struct Bounds: Hashable, Sendable {
    /// The lower limit; `nil` for none.
    public var lower: Double?
    /// The upper limit; `nil` for none.
    public var upper: Double?
    /// Whether the lower limit itself is not allowed.
    public var excludesLower: Bool
    /// Whether the upper limit itself is not allowed.
    public var excludesUpper: Bool

    public init(
        from lower: Double? = nil, to upper: Double? = nil, excludesLower: Bool = false, excludesUpper: Bool = false
    ) {
        self.lower = lower
        self.upper = upper
        self.excludesLower = excludesLower
        self.excludesUpper = excludesUpper
    }

    /// No limits.
    public static let any = Bounds()
    /// Above 0.
    public static let positive = Bounds(from: 0, excludesLower: true)
    /// 0 or above.
    public static let nonNegative = Bounds(from: 0)
    /// From 0 to 1, both included.
    public static let probability = Bounds(from: 0, to: 1)
    /// `lower` or above.
    public static func from(_ lower: Double) -> Bounds { Bounds(from: lower) }
    /// From `lower` to `upper`, both included.
    public static func between(_ lower: Double, _ upper: Double) -> Bounds { Bounds(from: lower, to: upper) }

    /// Whether the value lies within the limits; NaN does, and must be refused elsewhere.
    public func contains(_ value: Double) -> Bool {
        if let lower, excludesLower ? value <= lower : value < lower { return false }
        if let upper, excludesUpper ? value >= upper : value > upper { return false }
        return true
    }
}

extension Bounds: CustomStringConvertible {
    public var description: String {
        func text(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? value.description }
        let low = lower.map { excludesLower ? "above \(text($0))" : "at least \(text($0))" }
        let high = upper.map { excludesUpper ? "below \(text($0))" : "at most \(text($0))" }
        if let lower, let upper, !excludesLower, !excludesUpper { return "from \(text(lower)) to \(text(upper))" }
        return [low, high].compactMap(\.self).joined(separator: " and ")
    }
}

// MARK: Literals, so that a default reads as the value it is

extension Field.Standard: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
    public init(floatLiteral value: Double) { self = .value(.number(value)) }
    public init(integerLiteral value: Int) { self = .value(.integer(value)) }
    public init(stringLiteral value: String) { self = .value(.text(value)) }
    public init(booleanLiteral value: Bool) { self = .value(.bool(value)) }
    public init(arrayLiteral elements: SettingValue...) { self = .value(.list(elements)) }
}

extension SettingValue: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
    ExpressibleByBooleanLiteral
{
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(stringLiteral value: String) { self = .text(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}

// MARK: Short forms

extension Field {
    /// A real number; integers and exponents are accepted.
    public static func number(
        _ name: String, default standard: Standard, in bounds: Bounds = .any, unit: String? = nil, _ doc: String,
        aliases: [String] = [], part: IdentityPart? = nil
    ) -> Field {
        Field(name, .number(bounds), default: standard, unit: unit, doc, aliases: aliases, part: part)
    }

    /// A whole number.
    public static func integer(
        _ name: String, default standard: Standard, in bounds: Bounds = .any, unit: String? = nil, _ doc: String,
        aliases: [String] = [], part: IdentityPart? = nil
    ) -> Field {
        Field(name, .integer(bounds), default: standard, unit: unit, doc, aliases: aliases, part: part)
    }

    /// `true` or `false`.
    public static func bool(
        _ name: String, default standard: Standard, _ doc: String, part: IdentityPart? = nil
    ) -> Field {
        Field(name, .bool, default: standard, doc, part: part)
    }

    /// Any text.
    public static func text(
        _ name: String, default standard: Standard, _ doc: String, aliases: [String] = [], part: IdentityPart? = nil
    ) -> Field {
        Field(name, .text, default: standard, doc, aliases: aliases, part: part)
    }

    /// A text that is the path of a file or a folder.
    public static func path(
        _ name: String, default standard: Standard, _ doc: String, aliases: [String] = [], part: IdentityPart? = nil
    ) -> Field {
        var field = Field(name, .text, default: standard, doc, aliases: aliases, part: part)
        field.isPath = true
        return field
    }

    /// One of some names.
    public static func oneOf(
        _ name: String, _ names: [String], default standard: Standard, _ doc: String, aliases: [String] = [],
        part: IdentityPart? = nil
    ) -> Field {
        Field(name, .oneOf(names), default: standard, doc, aliases: aliases, part: part)
    }

    /// An entry of a registry, by name or as a map with the entry's parameters.
    public static func choice(
        _ name: String, of kind: RegistryKind, default standard: Standard, _ doc: String, aliases: [String] = [],
        part: IdentityPart? = nil
    ) -> Field {
        Field(name, .choice(of: kind), default: standard, doc, aliases: aliases, part: part)
    }

    /// A list of values of one type; a value by itself is a list of one.
    public static func list(
        _ name: String, of type: FieldType, atLeast count: Int = 0, default standard: Standard, _ doc: String,
        aliases: [String] = [], part: IdentityPart? = nil
    ) -> Field {
        Field(name, .list(of: type, atLeast: count), default: standard, doc, aliases: aliases, part: part)
    }

    /// A section with settings of its own.
    ///
    /// - Parameters:
    ///   - shorthand: The setting that a value in place of the section gives; `nil` accepts no such value.
    ///   - isOptional: Whether the section may be absent; otherwise its defaults apply.
    public static func section(
        _ name: String, _ schema: Schema, shorthand: String? = nil, isOptional: Bool = false, _ doc: String,
        part: IdentityPart? = nil
    ) -> Field {
        let standard: Standard = isOptional ? .absent : .value(.section(Settings()))
        return Field(name, .section(schema, shorthand: shorthand), default: standard, doc, part: part)
    }
}
