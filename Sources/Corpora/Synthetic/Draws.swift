import Foundation
import Kernels

/// Random numbers taken one after the other from an addressed stream.
///
/// For sequential constructions, such as an utterance, in which the number of draws is not known beforehand.
struct Draws: Sendable {
    let stream: RandomStream
    private var taken = 0

    init(_ stream: RandomStream) { self.stream = stream }

    mutating func uniform(_ range: ClosedRange<Double> = 0...1) -> Double {
        defer { taken += 1 }
        return stream.uniform(taken, in: range)
    }

    /// Uniform in the logarithm, so that octaves are equally likely.
    mutating func logUniform(_ range: ClosedRange<Double>) -> Double {
        range.lowerBound * pow(range.upperBound / range.lowerBound, uniform())
    }

    mutating func normal() -> Double {
        defer { taken += 1 }
        return stream.normal(taken)
    }

    mutating func chance(_ probability: Double) -> Bool { uniform() < probability }

    mutating func integer(_ range: ClosedRange<Int>) -> Int {
        defer { taken += 1 }
        return range.lowerBound + stream.integer(taken, below: range.count)
    }

    mutating func pick<Choice>(_ choices: [Choice]) -> Choice { choices[integer(0...choices.count - 1)] }
}
