import Foundation
import Investigations

/// A world in which it is known what each factor is worth: scores of any combination, with the spread of trainings and
/// files.
struct PlantedCauses {
    /// By factor.
    var effects: [Double]
    var isOfEvaluation: [Bool]
    /// Standard deviation between trainings of one combination, and of one file's reaction to a combination.
    var runDeviation = 0.1
    var fileDeviation = 0.15
    var seeds = 3
    /// Trainings that collapsed, by their seed and the factors of training they had.
    var collapsed: [(training: Combination, seed: Int, by: Double)] = []
    var files = 12
    var world: UInt64

    init(effects: [Double], ofEvaluation: Set<Int> = [], world: UInt64) {
        self.effects = effects
        isOfEvaluation = effects.indices.map(ofEvaluation.contains)
        self.world = world
    }

    /// A standard normal number that belongs to some words.
    private func normal(_ words: UInt64...) -> Double {
        var generator = Words(
            state: words.reduce(world &* 0x9E37_79B9_7F4A_7C15 &+ 1) { ($0 ^ $1) &* 0xBF58_476D_1CE4_E5B9 ^ ($0 >> 29) }
        )
        let (u, v) = (Double.random(in: 1e-12..<1, using: &generator), Double.random(in: 0..<1, using: &generator))
        return (-2 * log(u)).squareRoot() * cos(2 * .pi * v)
    }

    /// Weights are a function of the factors of training and the seed; the evaluation's act on the files of the same
    /// weights.
    func scores(_ combination: Combination) -> ScoreMatrix {
        let training = effects.indices.filter { !isOfEvaluation[$0] && combination.has($0) }.reduce(Combination()) {
            $0.with($1)
        }
        let worth = effects.indices.filter { combination.has($0) }.reduce(0) { $0 + effects[$1] }
        return (0..<seeds).map { seed in
            let fall = collapsed.filter { $0.training == training && $0.seed == seed }.reduce(0) { $0 + $1.by }
            let run = runDeviation * normal(1, training.rawValue, UInt64(seed)) - fall
            return (0..<files).map { file in
                let level = 0.5 * normal(2, UInt64(file))
                return 1.5 + worth + run + level + fileDeviation
                    * normal(3, combination.rawValue, UInt64(seed), UInt64(file))
            }
        }
    }

    /// What an investigation of it reports, and how many combinations of training it asked for.
    func report(effect: Double) -> (report: FactorReport, asked: Int) {
        let numbers = effects.indices
        let evaluated = numbers.filter { isOfEvaluation[$0] }
        var known: [Combination: ScoreMatrix] = [:]
        for combination in Combination.every(of: evaluated.count) {
            let whole = evaluated.indices.reduce(Combination()) { combination.has($1) ? $0.with(evaluated[$1]) : $0 }
            known[whole] = scores(whole)
        }
        let all = Combination(all: effects.count)
        known[all] = scores(all)
        let ends = known.count
        let factors = numbers.map { FactorScores.Factor("f\($0)", isOfEvaluation: isOfEvaluation[$0]) }
        while case let missing = FactorScores(factors, known, effect: effect).path.missing, !missing.isEmpty {
            for combination in missing { known[combination] = scores(combination) }
        }
        return (FactorReport(FactorScores(factors, known, effect: effect), metric: "pesq"), known.count - ends)
    }

    private struct Words: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
