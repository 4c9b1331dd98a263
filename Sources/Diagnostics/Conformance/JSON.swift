import Foundation

/// A JSON value as a case file holds it; `"nan"`, `"inf"` and `"-inf"` are numbers there.
public enum JSON: Decodable, Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    public init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? single.decode(Double.self) {
            self = .number(value)
        } else if let value = try? single.decode(String.self) {
            self = .text(value)
        } else if let value = try? single.decode([JSON].self) {
            self = .list(value)
        } else {
            self = .object(try single.decode([String: JSON].self))
        }
    }

    public static func read(_ path: String) throws -> JSON {
        try JSONDecoder().decode(JSON.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }

    public subscript(key: String) -> JSON? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    public var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
    public var elements: [JSON] { if case .list(let elements) = self { elements } else { [] } }
    public var text: String? { if case .text(let text) = self { text } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var int: Int? { number.flatMap { Int(exactly: $0) } }
    public var isNull: Bool { self == .null }

    public var number: Double? {
        switch self {
        case .number(let value): value
        case .text("nan"): .nan
        case .text("inf"): .infinity
        case .text("-inf"): -.infinity
        default: nil
        }
    }

    public var numbers: [Double] { elements.compactMap(\.number) }
}
