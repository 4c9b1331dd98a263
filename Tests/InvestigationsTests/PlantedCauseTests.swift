import Foundation
import Investigations
import Reports
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
        print("\(first.count) of 10 planted causes are ranked first and supported")
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
        print("\(fooled) of \(Self.replays) null replays support a factor")
        #expect(
            Double(fooled) <= 0.05 * Double(Self.replays),
            "\(fooled) of \(Self.replays) null replays supported a factor")
    }

    /// A large cause makes the correction of the others milder, and must not make them look like causes.
    @Test func besideACauseInnocentFactorsAreNotSupported() {
        let causes = [0: 0.9, 1: 0.5]
        let fooled = (0..<Self.replays).count { number in
            world(causes, 4000 + number).report(effect: 0.05).report.shares.contains {
                $0.verdict == .supported && $0.name != "f0" && $0.name != "f1"
            }
        }
        print("\(fooled) of \(Self.replays) replays with two causes support a third factor")
        #expect(Double(fooled) <= 0.05 * Double(Self.replays), "\(fooled) of \(Self.replays)")
    }

    /// Two factors of the evaluation that do not depend on each other, each of which can be looked at alone.
    @Test func pValuesAreCorrectedByHolmOverAllThatIsCompared() throws {
        let reactions = [[2, 1, 0, 1, 2, 1, 0, 2], [1, -1, 2, 0, 1, 2, -1, 2]]
        func scores(_ factors: [Int]) -> [Combination: ScoreMatrix] {
            Dictionary(
                uniqueKeysWithValues: Combination.every(of: factors.count).map { combination in
                    let files = (0..<8).map { file in
                        factors.indices.filter { combination.has($0) }.reduce(0.0) {
                            $0 + 0.25 * Double(reactions[factors[$1]][file])
                        }
                    }
                    return (combination, [files, files])
                })
        }
        func report(_ factors: [Int]) -> FactorReport {
            FactorReport(
                FactorScores(factors.map { .init("f\($0)", isOfEvaluation: true) }, scores(factors), effect: 0.1),
                metric: "pesq")
        }
        let alone = try (0..<2).map { try #require(report([$0]).shares[0].p) }
        #expect(alone[0] < 0.01 && alone[1] > 0.05 && alone[1] < 0.3, "\(alone)")
        let both = report([0, 1])
        #expect(both.compared == 3)
        // The interaction is nothing at all, and counts: 3 p, 2 p, 1.
        let p = Dictionary(uniqueKeysWithValues: (both.shares + both.interactions).map { ($0.name, $0.p ?? .nan) })
        #expect(abs((p["f0"] ?? 1) - 3 * alone[0]) < 1e-12 && abs((p["f1"] ?? 1) - 2 * alone[1]) < 1e-12, "\(p)")
        #expect(p["f0 × f1"] == 1)
        #expect(both.table.notes.contains { $0.contains("corrected for the 3 differences that were compared (Holm)") })
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

    @Test func oneSeedSupportsNoFactorOfTheEvaluationEither() {
        var world = world([1: 0.9], 7)
        world.seeds = 1
        let share = world.report(effect: 0.2).report.shares.first { $0.name == "f1" }
        #expect(share?.verdict == .inconclusive && share?.needed?.contains("one seed") == true)
    }

    @Test(arguments: [(1, Combination()), (2, Combination(factor: 0).with(2).with(3).with(5).with(6).with(7).with(9))])
    func aCollapsedSeedIsACauseOfItsOwnAndHidesNoOther(seed: Int, training: Combination) {
        var world = world([0: 0.7, 1: 0.4], 11)
        world.collapsed = [(training, seed, 1.5)]
        let isOfFirst = training.isEmpty
        let report = world.report(effect: 0.2).report
        // One of three trainings lies 1.5 too low; at the second one's end that makes the gap smaller.
        let name = "seed \(seed) of the \(isOfFirst ? "first" : "second")"
        let collapse = report.shares.first { $0.kind == .collapse }
        #expect(collapse?.name == name && collapse?.verdict == .supported, "\(report.sentence)")
        #expect(abs((collapse?.mean ?? 0) - (isOfFirst ? 0.5 : -0.5)) < 0.15, "\(report.sentence)")
        #expect(
            report.shares.filter { $0.verdict == .supported }.map(\.name) == ["f0", name, "f1"], "\(report.sentence)")
        #expect(abs(report.unexplained) < 1e-9)
        #expect(report.conclusion.contains("f0, the collapse of \(name), f1"), "\(report.conclusion)")
    }

    @Test func aCollapsedSeedBetweenBothEndsIsLeftOutAndNamed() {
        var world = world([0: 0.9], 12)
        let training = Combination(factor: 0)
        world.collapsed = [(training, 1, 2)]
        let report = world.report(effect: 0.2).report
        #expect(report.shares[0].name == "f0" && report.shares[0].verdict == .supported, "\(report.sentence)")
        #expect(
            report.remarks.count == 1 && report.remarks[0].hasPrefix("seed 1 with the second one's f0 collapsed"),
            "\(report.remarks)")
        #expect(!report.shares.contains { $0.kind == .collapse })
    }

    @Test func withoutACauseTheReportSaysSo() {
        let report = world([:], 13).report(effect: 0.5).report
        #expect(
            report.conclusion.hasPrefix(
                "nothing is supported: no difference between the two is shown to explain 0.50 PESQ"))
        #expect(report.shares.allSatisfy { $0.verdict == .refuted }, "\(report.sentence)")
    }

    /// Weights that react in their own way to a setting of the evaluation: many files of one training say little of
    /// others.
    @Test func oneTrainingThatReactsIsNoEffectOfTheEvaluation() {
        let files = (0..<40).map { 0.02 * Double($0 % 5) }
        let base = [files, files, files]
        let moved = [files.map { $0 + 0.9 }, files, files]
        let share = FactorReport(
            FactorScores([.init("N", isOfEvaluation: true)], [[]: base, Combination(factor: 0): moved], effect: 0.1),
            metric: "pesq"
        ).shares[0]
        #expect(abs(share.mean - 0.3) < 1e-12 && share.verdict == .inconclusive)
        #expect(share.needed?.contains(" trainings") == true, "\(share)")
    }

    @Test func oneFileSupportsNothing() {
        let (low, high): (ScoreMatrix, ScoreMatrix) = ([[1], [1.01], [1.02]], [[3], [3.01], [3.02]])
        for isOfEvaluation in [true, false] {
            let report = FactorReport(
                FactorScores([.init("f", isOfEvaluation: isOfEvaluation)], [[]: low, Combination(factor: 0): high]),
                metric: "pesq")
            #expect(report.shares[0].verdict == .inconclusive && report.shares[0].needed == "more than one file")
        }
    }

    @Test func speakersOfSeveralFilesAreOneWitnessEach() {
        // Ten speakers with four files each; the files of one speaker react alike.
        let reaction = (0..<40).map { 0.4 * Double(($0 / 4) % 2 == 0 ? 1 : -1) + 0.25 }
        let scores: [Combination: ScoreMatrix] = [
            []: Array(repeating: Array(repeating: 1, count: 40), count: 2),
            Combination(factor: 0): Array(repeating: reaction.map { 1 + $0 }, count: 2),
        ]
        func share(_ clusters: [Int]?) -> FactorShare {
            FactorReport(
                FactorScores([.init("N", isOfEvaluation: true)], scores, effect: 0.1), metric: "pesq",
                clusters: clusters
            ).shares[0]
        }
        #expect(share(nil).verdict == .supported)
        let bySpeaker = share((0..<40).map { $0 / 4 })
        #expect((bySpeaker.p ?? 0) > (share(nil).p ?? 1) && bySpeaker.verdict == .inconclusive, "\(bySpeaker)")
    }

    @Test func aLargeSpreadMakesARealCauseInconclusiveWithTheNumberThatWouldDecide() {
        var world = world([0: 0.3], 8)
        world.runDeviation = 0.5
        let share = world.report(effect: 0.3).report.shares.first { $0.name == "f0" }
        #expect(share?.verdict == .inconclusive)
        #expect(share?.needed?.contains("trainings of each") == true)
    }
}

/// How far trainings lie apart.
@Suite struct TrainingSpreadTests {
    @Test func anUnstableConfigurationHasASpreadOfItsOwn() {
        let stable = [[7.1, 7.6, 7.3], [5.2, 6.1, 5.4], [4.8, 5.8, 5.7]]
        let spread = TrainingSpread(ofMeans: [[-5.6, 2.6, -4.0]] + stable)
        #expect(Set(spread.own.keys) == [0] && spread.pooled == TrainingNoise(ofMeans: stable))
        #expect(TrainingSpread(ofMeans: stable).own.isEmpty)
    }

    @Test func oneOfAHundredPoolsOfEqualSpreadIsSplit() {
        let split = (0..<400).count { number in
            let world = PlantedCauses(effects: [0, 0], world: UInt64(7000 + number))
            return !TrainingSpread(
                ofMeans: Combination.every(of: 2).map { world.scores($0).map { $0.reduce(0, +) / Double($0.count) } }
            ).own.isEmpty
        }
        #expect(split <= 12, "\(split) of 400")
    }

    @Test func aShareOfAnUnstableConfigurationIsJudgedByItsOwnSpread() {
        func matrix(_ means: [Double]) -> ScoreMatrix {
            means.map { mean in (0..<9).map { mean + 0.1 * Double($0 % 3) } }
        }
        let (stable, other) = (Combination(factor: 0), Combination(factor: 1))
        let scores: [Combination: ScoreMatrix] = [
            []: matrix([-5.6, 2.6, -4.0]), stable: matrix([4.9, 5.2, 5.1]), other: matrix([-5.0, 1.6, -3]),
            stable.union(other): matrix([7.1, 7.4, 7.0]),
        ]
        let factors = [FactorScores.Factor("network", isOfEvaluation: false), .init("data", isOfEvaluation: false)]
        let report = FactorReport(FactorScores(factors, scores, effect: 0.5), metric: "si_sdr")
        #expect(report.shares.map(\.name) == ["network", "data"])
        #expect(report.shares.first { $0.name == "data" }?.verdict == .supported, "\(report.sentence)")
        let width = { (share: FactorShare?) in (share?.interval).map { $0.upperBound - $0.lowerBound } ?? 0 }
        #expect(width(report.shares[0]) > 5 * width(report.shares[1]), "\(report.sentence)")
    }
}

/// Trainings that lie far from others of their configuration.
@Suite struct CollapsedTrainingTests {
    @Test func theOneThatFellIsFoundAndGoodOnesAreNot() {
        let groups = [[2.0, 2.1, 0.6], [2.6, 2.5, 2.7], [2.2, 2.3, 2.25]]
        let found = CollapsedTraining.find(in: groups)
        #expect(found.map { [$0.group, $0.place] } == [[0, 2]] && abs(found[0].drop - 1.45) < 1e-12)
        #expect(CollapsedTraining.find(in: [[2.0, 2.1, 1.95], [2.6, 2.5, 2.7]]).isEmpty)
        // One far above the others did not collapse; of a metric where less is better, it did.
        #expect(CollapsedTraining.find(in: [[2.0, 2.1, 3.6], [2.6, 2.5, 2.7], [2.2, 2.3, 2.25]]).isEmpty)
        #expect(
            CollapsedTraining.find(in: [[2.0, 2.1, 3.6], [2.6, 2.5, 2.7], [2.2, 2.3, 2.25]], isHigherBetter: false)
                .count == 1)
    }

    /// Seed means of a network whose output is divided by t, beside three stable ones; one seed of a stable one
    /// collapsed.
    @Test func anUnstableConfigurationHasNoCollapsedTrainings() {
        let unstable = [-5.6, 2.6, -4.0, -1.0, 2.8]
        let stable = [[7.1, 7.6, 7.3, 7.5, 7.8], [5.3, 6.2, 6.4, 6.5, 6.1], [6.6, 7.7, 6.9, 7.8, 7.7]]
        #expect(CollapsedTraining.find(in: [unstable] + stable).isEmpty)
        let found = CollapsedTraining.find(in: [unstable, stable[0], [5.3, 6.2, -30, 6.5, 6.1], stable[2]])
        #expect(found.map { [$0.group, $0.place] } == [[2, 2]], "\(found)")
        // Two of ten collapsed; four of ten say that the configuration is unstable.
        let ten = [3.1, 2.9, 3.0, 3.2, 2.8, 3.1, 3.3, 2.9, 3.0, 3.1]
        let two = ten.enumerated().map { $0.offset < 2 ? $0.element - 8 : $0.element }
        let four = ten.enumerated().map { $0.offset < 4 ? $0.element - 8 : $0.element }
        #expect(CollapsedTraining.find(in: [two] + stable).map(\.place).sorted() == [0, 1])
        #expect(CollapsedTraining.find(in: [four] + stable).isEmpty)
    }

    @Test func twoTrainingsDoNotShowWhichOfThemCollapsed() {
        #expect(CollapsedTraining.find(in: [[2.0, 0.5], [2.6, 2.5], [2.2, 2.3]]).isEmpty)
    }

    @Test func severalAreFoundOneAfterTheOther() {
        let groups = [[2.0, 2.1, 0.6, 2.05], [2.6, 2.5, 2.7], [0.4, 2.3, 2.25]]
        let found = CollapsedTraining.find(in: groups)
        #expect(
            Set(found.map { [$0.group, $0.place] }) == [[0, 2], [2, 0]] && found.allSatisfy { $0.p <= 0.01 }, "\(found)"
        )
    }

    @Test func ofNormalTrainingsFewExperimentsHaveACollapsedOne() {
        let count = 400
        let found = (0..<count).count { number in
            let world = PlantedCauses(effects: [0, 0], world: UInt64(9000 + number))
            let groups = Combination.every(of: 2).map { world.scores($0).map { $0.reduce(0, +) / Double($0.count) } }
            return !CollapsedTraining.find(in: groups).isEmpty
        }
        #expect(Double(found) <= 0.01 * Double(count), "\(found) of \(count)")
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
