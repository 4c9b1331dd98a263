import Foundation
import Investigations
import Testing

/// Ten factors, three of them of the evaluation, with planted causes; `SGMSE_SOAK=200` replays more.
@Suite struct PlantedCauseTests {
    private static let replays = ProcessInfo.processInfo.environment["SGMSE_SOAK"].flatMap { Int($0) } ?? 40
    private static let ofEvaluation: Set = [1, 4, 8]

    private func world(_ causes: [Int: Double], _ number: Int) -> PlantedCauses {
        PlantedCauses(effects: (0..<10).map { causes[$0] ?? 0 }, ofEvaluation: Self.ofEvaluation, world: UInt64(number))
    }

    @Test func eachCauseAloneIsRankedFirst() {
        let first = (0..<10).filter { cause in
            let report = world([cause: 0.7], 100 + cause).report(effect: 0.2).report
            return report.shares[0].name == "f\(cause)" && report.shares[0].verdict == .supported
        }
        #expect(first.count >= 9, "only \(first)")
    }

    @Test(arguments: [(0, 3), (2, 4), (1, 8)])
    func twoCausesAreRankedBySize(pair: (Int, Int)) {
        let report = world([pair.0: 0.9, pair.1: 0.5], 300 + pair.0).report(effect: 0.2).report
        #expect(report.shares.prefix(2).map(\.name) == ["f\(pair.0)", "f\(pair.1)"], "\(report.sentence)")
        #expect(report.shares.prefix(2).allSatisfy { $0.verdict == .supported })
        #expect(!report.shares.dropFirst(2).contains { $0.verdict == .supported })
        #expect(abs(report.shares[0].mean - 0.9) < 0.3 && abs(report.shares[1].mean - 0.5) < 0.3, "\(report.sentence)")
    }

    @Test func innocentFactorsAreNotSupported() {
        let fooled = (0..<Self.replays).count { number in
            world([:], 1000 + number).report(effect: 0.05).report.shares.contains { $0.verdict == .supported }
        }
        #expect(Double(fooled) <= 0.05 * Double(Self.replays), "\(fooled) of \(Self.replays) null replays supported a factor")
    }

    @Test func sharesAddUpToTheGap() {
        let report = world([0: 0.4, 1: 0.2, 5: -0.1], 5).report(effect: 0.1).report
        // The path begins where the evaluation's factors end, so nothing is left over.
        #expect(abs(report.unexplained) < 1e-9, "\(report.unexplained)")
    }

    @Test func aPathAsksForNoMoreThanItSays() {
        let asked = world([0: 0.4], 6).report(effect: 0.1).asked
        #expect(asked <= AblationPath.most(of: 7) + 1)
    }

    @Test func oneSeedSupportsNoFactorOfTraining() {
        var world = world([0: 0.9], 7)
        world.seeds = 1
        let share = world.report(effect: 0.2).report.shares.first { $0.name == "f0" }
        #expect(share?.verdict == .inconclusive && share?.interval == nil)
        #expect(share?.needed?.contains("two trainings") == true)
    }

    @Test func aLargeSpreadMakesARealCauseInconclusiveWithTheNumberThatWouldDecide() {
        var world = world([0: 0.3], 8)
        world.runDeviation = 0.5
        let share = world.report(effect: 0.3).report.shares.first { $0.name == "f0" }
        #expect(share?.verdict == .inconclusive)
        #expect(share?.needed?.hasSuffix("trainings of each") == true)
    }
}

/// Laws of the shares in a full factorial.
@Suite struct ShapleyTests {
    private func table(_ value: (Combination) -> Double, of count: Int) -> [Combination: ScoreMatrix] {
        Dictionary(uniqueKeysWithValues: Combination.every(of: count).map { ($0, [[value($0), 2 * value($0)]]) })
    }

    @Test func sharesAddUpToTheWholeAndEqualFactorsShareEqually() {
        let scores = table({ Double($0.size * $0.size) }, of: 4)
        let shares = ShapleyShares.shares(of: 4, scores)
        for file in 0..<2 { #expect(abs(shares.reduce(0) { $0 + $1[0][file] } - 16 * Double(file + 1)) < 1e-12) }
        for share in shares { #expect(abs(share[0][0] - 4) < 1e-12) }
    }

    @Test func aFactorThatDoesNothingGetsNothing() {
        let shares = ShapleyShares.shares(of: 3, table({ $0.has(0) ? 5 : 1 }, of: 3))
        #expect(abs(shares[0][0][0] - 4) < 1e-12 && abs(shares[1][0][0]) < 1e-12)
    }

    @Test func anInteractionIsWhatAPairIsWorthBeyondItsParts() {
        let scores = table({ ($0.has(0) ? 1 : 0) + ($0.has(1) ? 2 : 0) + ($0.has(0) && $0.has(1) ? 3 : 0) }, of: 3)
        #expect(abs(ShapleyShares.interaction(of: 0, and: 1, among: 3, scores)[0][0] - 3) < 1e-12)
        #expect(abs(ShapleyShares.interaction(of: 0, and: 2, among: 3, scores)[0][0]) < 1e-12)
        #expect(abs(ShapleyShares.shares(of: 3, scores)[0][0][0] - 2.5) < 1e-12)
    }
}
