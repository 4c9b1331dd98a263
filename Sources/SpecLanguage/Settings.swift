/// Resolved settings, in the order of their schema: what an entry of a registry is built from.
///
/// Asking for a parameter that was not declared, or as another type, is the caller's mistake.
public struct Settings: Sendable {
    private var names: [String] = []
    private var values: [String: SettingValue] = [:]

    public init() {}

    public init(_ pairs: [(String, SettingValue)]) {
        for (name, value) in pairs { self[name] = value }
    }

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
    public subscript(position: Int) -> (name: String, value: SettingValue) {
        let name = names[position]
        return (name, values[name] ?? .none)
    }
}

// MARK: Typed reading

extension Settings {
    public func bool(_ name: String) -> Bool {
        guard case .bool(let value)? = values[name] else { wrong(name, "a truth value") }
        return value
    }

    public func integer(_ name: String) -> Int {
        guard let value = optionalInteger(name) else { wrong(name, "an integer") }
        return value
    }

    public func number(_ name: String) -> Double {
        guard let value = optionalNumber(name) else { wrong(name, "a number") }
        return value
    }

    public func text(_ name: String) -> String {
        guard let value = optionalText(name) else { wrong(name, "a text") }
        return value
    }

    public func choice(_ name: String) -> Choice {
        guard let value = optionalChoice(name) else { wrong(name, "a choice") }
        return value
    }

    public func section(_ name: String) -> Settings {
        guard let value = optionalSection(name) else { wrong(name, "a section") }
        return value
    }

    public func list(_ name: String) -> [SettingValue] {
        guard case .list(let values)? = values[name] else { wrong(name, "a list") }
        return values
    }

    public func integers(_ name: String) -> [Int] {
        list(name).map { if case .integer(let value) = $0 { value } else { wrong(name, "integers") } }
    }

    public func numbers(_ name: String) -> [Double] {
        list(name).map {
            switch $0 {
            case .number(let value): value
            case .integer(let value): Double(value)
            default: wrong(name, "numbers")
            }
        }
    }

    public func texts(_ name: String) -> [String] {
        list(name).map { if case .text(let value) = $0 { value } else { wrong(name, "texts") } }
    }

    public func choices(_ name: String) -> [Choice] {
        list(name).map { if case .choice(let value) = $0 { value } else { wrong(name, "choices") } }
    }

    public func optionalInteger(_ name: String) -> Int? {
        if case .integer(let value)? = values[name] { value } else { nil }
    }

    public func optionalNumber(_ name: String) -> Double? {
        switch values[name] {
        case .number(let value)?: value
        case .integer(let value)?: Double(value)
        default: nil
        }
    }

    public func optionalText(_ name: String) -> String? {
        if case .text(let value)? = values[name] { value } else { nil }
    }

    public func optionalChoice(_ name: String) -> Choice? {
        if case .choice(let value)? = values[name] { value } else { nil }
    }

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
