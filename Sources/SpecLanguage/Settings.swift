/// Resolved settings, in the order of their schema: what an entry of a registry is built from.
///
/// Reading a parameter that was not declared, or as another type, is a programming error.
public struct Settings: Sendable {
    private var names: [String] = []
    private var values: [String: SettingValue] = [:]

    public init() {}

    public init(_ pairs: [(String, SettingValue)]) {
        for (name, value) in pairs { self[name] = value }
    }

    /// The value of a setting; `nil` where there is none. A new setting comes last, and assigning `nil` removes one.
    public subscript(name: String) -> SettingValue? {
        get { values[name] }
        set {
            if values[name] == nil, newValue != nil { names.append(name) }
            if newValue == nil { names.removeAll { $0 == name } }
            values[name] = newValue
        }
    }
}

extension Settings: Hashable {
    /// Order does not count.
    public static func == (a: Settings, b: Settings) -> Bool { a.values == b.values }
    public func hash(into hasher: inout Hasher) { hasher.combine(values) }
}

extension Settings: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { names.count }
    /// The setting at a position in the order of insertion.
    public subscript(position: Int) -> (name: String, value: SettingValue) {
        let name = names[position]
        return (name, values[name] ?? .none)
    }
}

// MARK: Typed reading

extension Settings {
    /// The Boolean of a setting.
    ///
    /// - Precondition: The setting has that type, as the checker ensures; so for every function here without
    ///   `optional`.
    public func bool(_ name: String) -> Bool {
        guard case .bool(let value)? = values[name] else { wrong(name, "a truth value") }
        return value
    }

    /// The integer of a setting.
    public func integer(_ name: String) -> Int {
        guard let value = optionalInteger(name) else { wrong(name, "an integer") }
        return value
    }

    /// The number of a setting; an integer is converted.
    public func number(_ name: String) -> Double {
        guard let value = optionalNumber(name) else { wrong(name, "a number") }
        return value
    }

    /// The text of a setting.
    public func text(_ name: String) -> String {
        guard let value = optionalText(name) else { wrong(name, "a text") }
        return value
    }

    /// The chosen entry of a setting.
    public func choice(_ name: String) -> Choice {
        guard let value = optionalChoice(name) else { wrong(name, "a choice") }
        return value
    }

    /// The settings of a section.
    public func section(_ name: String) -> Settings {
        guard let value = optionalSection(name) else { wrong(name, "a section") }
        return value
    }

    /// The elements of a list.
    public func list(_ name: String) -> [SettingValue] {
        guard case .list(let values)? = values[name] else { wrong(name, "a list") }
        return values
    }

    /// A list whose elements are all integers.
    public func integers(_ name: String) -> [Int] {
        list(name).map { if case .integer(let value) = $0 { value } else { wrong(name, "integers") } }
    }

    /// A list whose elements are all numbers; integers are converted.
    public func numbers(_ name: String) -> [Double] {
        list(name).map {
            switch $0 {
            case .number(let value): value
            case .integer(let value): Double(value)
            default: wrong(name, "numbers")
            }
        }
    }

    /// A list whose elements are all texts.
    public func texts(_ name: String) -> [String] {
        list(name).map { if case .text(let value) = $0 { value } else { wrong(name, "texts") } }
    }

    /// A list whose elements are all chosen entries.
    public func choices(_ name: String) -> [Choice] {
        list(name).map { if case .choice(let value) = $0 { value } else { wrong(name, "choices") } }
    }

    /// The integer; `nil` where the setting is absent or has another type.
    public func optionalInteger(_ name: String) -> Int? {
        if case .integer(let value)? = values[name] { value } else { nil }
    }

    /// The number, an integer converted; `nil` where the setting is absent or has another type.
    public func optionalNumber(_ name: String) -> Double? {
        switch values[name] {
        case .number(let value)?: value
        case .integer(let value)?: Double(value)
        default: nil
        }
    }

    /// The text; `nil` where the setting is absent or has another type.
    public func optionalText(_ name: String) -> String? {
        if case .text(let value)? = values[name] { value } else { nil }
    }

    /// The chosen entry; `nil` where the setting is absent or has another type.
    public func optionalChoice(_ name: String) -> Choice? {
        if case .choice(let value)? = values[name] { value } else { nil }
    }

    /// The section; `nil` where the setting is absent or has another type.
    public func optionalSection(_ name: String) -> Settings? {
        if case .section(let value)? = values[name] { value } else { nil }
    }

    private func wrong(_ name: String, _ expected: String) -> Never {
        preconditionFailure(
            "setting '\(name)' is \(values[name].map(\.description) ?? "not declared"), wanted \(expected)")
    }
}

// MARK: Paths

extension Settings {
    /// The value at a dotted path: `sde.theta`, or `sde.name` for the entry's name; a list of one entry stands for it.
    public func value(at path: some StringProtocol) -> SettingValue? {
        guard let dot = path.firstIndex(of: ".") else { return values[String(path)] }
        let rest = path[path.index(after: dot)...]
        var found = values[String(path[..<dot])]
        if case .list(let alone)? = found, alone.count == 1 { found = alone[0] }
        switch found {
        case .section(let inner)?: return inner.value(at: rest)
        case .choice(let choice)?: return rest == "name" ? .text(choice.name) : choice.settings.value(at: rest)
        default: return nil
        }
    }

    /// Replaces the value at a dotted path; a path that does not exist is left alone.
    public mutating func set(_ value: SettingValue, at path: some StringProtocol) {
        guard let dot = path.firstIndex(of: ".") else {
            self[String(path)] = value
            return
        }
        let head = String(path[..<dot])
        let rest = path[path.index(after: dot)...]
        switch values[head] {
        case .section(var inner)?:
            inner.set(value, at: rest)
            values[head] = .section(inner)
        case .choice(var choice)?:
            if rest == "name", case .text(let name) = value {
                choice.name = name
            } else {
                choice.settings.set(value, at: rest)
            }
            values[head] = .choice(choice)
        default: break
        }
    }
}
