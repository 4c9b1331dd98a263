/// A type of Swift that a setting can have: how the language declares it, and how its values are read and written.
public protocol SettingType: Sendable {
    /// The type in the language; `bounds` restrict its numbers.
    static func type(in bounds: Bounds) -> FieldType
    /// The value of resolved settings; `nil` where that is of another type.
    init?(_ setting: SettingValue)
    /// The value as a spec writes it, which is how a default is declared.
    var written: SettingValue { get }
}

/// One of a few names, which a spec writes as their texts.
public protocol SettingName: SettingType, RawRepresentable<String>, CaseIterable, Hashable, CustomStringConvertible {}

extension SettingName {
    public static func type(in bounds: Bounds) -> FieldType { .oneOf(allCases.map(\.rawValue)) }

    public init?(_ setting: SettingValue) {
        guard case .text(let name) = setting else { return nil }
        self.init(rawValue: name)
    }

    public var written: SettingValue { .text(rawValue) }
    public var description: String { rawValue }
}

extension Bool: SettingType {
    public static func type(in bounds: Bounds) -> FieldType { .bool }

    public init?(_ setting: SettingValue) {
        guard case .bool(let value) = setting else { return nil }
        self = value
    }

    public var written: SettingValue { .bool(self) }
}

extension Int: SettingType {
    public static func type(in bounds: Bounds) -> FieldType { .integer(bounds) }

    public init?(_ setting: SettingValue) {
        guard case .integer(let value) = setting else { return nil }
        self = value
    }

    public var written: SettingValue { .integer(self) }
}

extension Double: SettingType {
    public static func type(in bounds: Bounds) -> FieldType { .number(bounds) }

    public init?(_ setting: SettingValue) {
        guard let value = setting.number else { return nil }
        self = value
    }

    public var written: SettingValue { .number(self) }
}

/// A number of less precision, such as a weight.
extension Float: SettingType {
    public static func type(in bounds: Bounds) -> FieldType { .number(bounds) }

    public init?(_ setting: SettingValue) {
        guard let value = setting.number else { return nil }
        self = Float(value)
    }

    public var written: SettingValue { .number(Double(self)) }
}

/// An integer that is not negative, such as a seed.
extension UInt64: SettingType {
    public static func type(in bounds: Bounds) -> FieldType {
        .integer(Bounds(from: Swift.max(0, bounds.lower ?? 0), to: bounds.upper))
    }

    public init?(_ setting: SettingValue) {
        guard case .integer(let value) = setting else { return nil }
        self.init(exactly: value)
    }

    public var written: SettingValue { .integer(Int(clamping: self)) }
}

extension String: SettingType {
    public static func type(in bounds: Bounds) -> FieldType { .text }

    public init?(_ setting: SettingValue) {
        guard case .text(let value) = setting else { return nil }
        self = value
    }

    public var written: SettingValue { .text(self) }
}

/// The declaration names the registry that it chooses from.
extension Choice: SettingType {
    public static func type(in bounds: Bounds) -> FieldType { .raw }

    public init?(_ setting: SettingValue) {
        guard case .choice(let value) = setting else { return nil }
        self = value
    }

    public var written: SettingValue { settings.isEmpty ? .text(name) : .choice(self) }
}

/// A setting that may be absent.
extension Optional: SettingType where Wrapped: SettingType {
    public static func type(in bounds: Bounds) -> FieldType { Wrapped.type(in: bounds) }

    public init?(_ setting: SettingValue) {
        if case .none = setting {
            self = Optional.none
        } else {
            guard let value = Wrapped(setting) else { return nil }
            self = value
        }
    }

    public var written: SettingValue { self?.written ?? .none }
}

extension Array: SettingType where Element: SettingType {
    public static func type(in bounds: Bounds) -> FieldType { .list(of: Element.type(in: bounds)) }

    public init?(_ setting: SettingValue) {
        guard case .list(let values) = setting else { return nil }
        self = []
        reserveCapacity(values.count)
        for value in values {
            guard let element = Element(value) else { return nil }
            append(element)
        }
    }

    public var written: SettingValue { .list(map(\.written)) }
}
