import SpecLanguage
import Specs
import WeightFiles

extension PickleDictionary {
    /// The entries that a spec can hold: numbers, texts, truth values, and lists of them.
    var settings: [(name: String, value: SettingValue)] {
        pairs.compactMap { pair in
            guard let name = pair.key.stringValue, let value = SettingValue(pair.value) else { return nil }
            return (name, value)
        }
    }
}

extension SettingValue {
    init?(_ value: PickleValue) {
        switch value {
        case .none: self = .none
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .integer(value)
        case .float(let value): self = .number(value)
        case .string(let value): self = .text(value)
        case .list(let elements), .tuple(let elements):
            let values = elements.compactMap { SettingValue($0) }
            guard values.count == elements.count else { return nil }
            self = .list(values)
        default: return nil
        }
    }

    /// The value as Python would hold it.
    var pickled: PickleValue {
        switch self {
        case .none: .none
        case .bool(let value): .bool(value)
        case .integer(let value): .int(value)
        case .number(let value): .float(value)
        case .text(let value): .string(value)
        case .list(let values): .list(values.map(\.pickled))
        case .choice(let choice): .string(choice.name)
        case .section(let settings):
            .dictionary(settings.reduce(into: PickleDictionary()) { $0[$1.name] = $1.value.pickled })
        }
    }
}
