/// The row number of an `Entity` in one store; meaningless in another one.
public struct StoreID<Entity>: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let rawValue: Int64

    public init(_ rawValue: Int64) { self.rawValue = rawValue }

    public var description: String { String(rawValue) }

    /// Whether the row number is smaller: rows that were inserted earlier come first.
    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
