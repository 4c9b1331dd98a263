import Foundation

/// A number as its source prints it: `2.93`, or `1.97 ± 0.75` with its spread over files.
public struct ReportedValue: Hashable, Sendable {
    /// As printed, in the unit of its metric.
    public var value: Double
    /// The standard deviation over files; nil where the source gives none.
    public var std: Double?
    /// The decimals that the source prints.
    public var digits: Int

    public init(_ value: Double, std: Double? = nil, digits: Int) {
        (self.value, self.std, self.digits) = (value, std, digits)
    }

    /// The number that `text` writes; nil where it writes none.
    public init?(_ text: String) {
        let parts = text.split(separator: "±", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard parts.count <= 2, let value = Self.number(parts[0]) else { return nil }
        self.init(value, digits: parts[0].split(separator: ".").dropFirst().first?.count ?? 0)
        guard parts.count == 2 else { return }
        guard let std = Self.number(parts[1]), std >= 0 else { return nil }
        self.std = std
    }

    /// Half a unit of the last decimal: what rounding may have changed.
    public var rounding: Double { 0.5 * (0..<digits).reduce(1) { unit, _ in unit / 10 } }

    /// Whether two sources may print the same number: they agree up to the coarser rounding of the two.
    public func agrees(with other: Self) -> Bool {
        abs(value - other.value) <= max(rounding, other.rounding) + 1e-9
    }

    /// Decimal digits with a point and a sign: nothing that only a programmer would write.
    private static func number(_ text: String) -> Double? {
        guard text.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == "." || $0 == "-") }), text.first != "." else {
            return nil
        }
        return Double(text).flatMap { $0.isFinite ? $0 : nil }
    }
}
