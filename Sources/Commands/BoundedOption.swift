import ArgumentParser

/// A number that an option can take: every one is declared with the range that makes sense.
protocol BoundedNumber: Comparable, LosslessStringConvertible, Sendable {
    static var noun: String { get }
}

extension Int: BoundedNumber { static var noun: String { "a whole number" } }
extension Double: BoundedNumber { static var noun: String { "a number" } }

extension Option {
    /// An option whose value lies in a range; anything else is a usage error before any work.
    init(
        wrappedValue: Value, name: NameSpecification = .long, help: ArgumentHelp, in bounds: ClosedRange<Value>
    ) where Value: BoundedNumber {
        self.init(wrappedValue: wrappedValue, name: name, help: help.stating(bounds)) { try bounds.number($0) }
    }

    /// An option that must be given, and whose value lies in a range.
    init(name: NameSpecification = .long, help: ArgumentHelp, in bounds: ClosedRange<Value>)
    where Value: BoundedNumber {
        self.init(name: name, help: help.stating(bounds)) { try bounds.number($0) }
    }

    /// An option whose value, where it is given, lies in a range.
    init<Number: BoundedNumber>(
        name: NameSpecification = .long, help: ArgumentHelp, in bounds: ClosedRange<Number>
    ) where Value == Number? {
        self.init(name: name, help: help.stating(bounds)) { try bounds.number($0) }
    }
}

extension ClosedRange where Bound: BoundedNumber {
    /// The number that a text states; 'nan' lies in no range.
    ///
    /// - Throws: A usage error where there is none, or it lies outside.
    func number(_ text: String) throws -> Bound {
        guard let number = Bound(text), contains(number) else {
            throw ValidationError("it must be \(Bound.noun) from \(lowerBound) to \(upperBound)")
        }
        return number
    }
}

extension ArgumentHelp {
    /// The same help with the numbers that are allowed.
    fileprivate func stating<Number: BoundedNumber>(_ bounds: ClosedRange<Number>) -> ArgumentHelp {
        var help = self
        if visibility == .default { help.abstract += " (\(bounds.lowerBound) to \(bounds.upperBound))" }
        return help
    }
}
