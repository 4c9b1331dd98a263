import Foundation
package import Kernels

/// Random numbers taken one after the other from an addressed stream.
///
/// For sequential constructions, such as an utterance, in which the number of draws is not known beforehand.
package struct Draws: Sendable {
    package let stream: RandomStream
    private var taken = 0

    package init(_ stream: RandomStream) { self.stream = stream }

    package mutating func uniform(_ range: ClosedRange<Double> = 0...1) -> Double {
        defer { taken += 1 }
        return stream.uniform(taken, in: range)
    }

    /// Uniform in the logarithm, so that octaves are equally likely.
    package mutating func logUniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound * pow(range.upperBound / range.lowerBound, uniform())
    }

    package mutating func normal() -> Double {
        defer { taken += 1 }
        return stream.normal(taken)
    }

    package mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    package mutating func integer(_ range: ClosedRange<Int>) -> Int {
        defer { taken += 1 }
        return range.lowerBound + stream.integer(taken, below: range.count)
    }

    package mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[integer(0...choices.count - 1)] }
}
