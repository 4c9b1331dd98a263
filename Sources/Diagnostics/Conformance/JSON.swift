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

    /// Reads a file.
    ///
    /// - Throws: What reading the file or decoding it throws.
    public static func read(_ path: String) throws -> JSON {
        try JSONDecoder().decode(JSON.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// The member of an object; nil for any other value, and where there is no such member.
    public subscript(key: String) -> JSON? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    /// The members of an object; none for any other value.
    public var members: [String: JSON] { if case .object(let members) = self { members } else { [:] } }
    /// The elements of a list; none for any other value.
    public var elements: [JSON] { if case .list(let elements) = self { elements } else { [] } }
    /// The text; nil for any other value.
    public var text: String? { if case .text(let text) = self { text } else { nil } }
    /// The truth value; nil for any other value.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    /// The number where it is a whole one; nil for any other value.
    public var int: Int? { number.flatMap { Int(exactly: $0) } }
    /// Whether the value is given as `null`.
    public var isNull: Bool { self == .null }

    /// The number, also where it is given as `"nan"`, `"inf"` or `"-inf"`; nil for any other value.
    public var number: Double? {
        switch self {
        case .number(let value): value
        case .text("nan"): .nan
        case .text("inf"): .infinity
        case .text("-inf"): -.infinity
        default: nil
        }
    }

    /// The numbers of a list; elements that are none are left out.
    public var numbers: [Double] { elements.compactMap(\.number) }
}
