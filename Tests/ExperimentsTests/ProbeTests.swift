import Backbones
import Diagnostics
import Diffusion
import Experiments
import Foundation
import Kernels
import Layers
import Models
import Objectives
import Runs
import Tensors
import TestFolders
import Testing
import Training

/// A network whose output depends on the noise embedding as strongly as it is told to.
private struct PlantedNetwork: ConditionedBackbone {
    /// 0 for a network that ignores its conditioning.
    var gain: Double

    var parameters: [Parameter] { [] }
    var divisor: (bins: Int, frames: Int) { (1, 1) }
    var noiseWidth: Int { 2 }

    func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Float], noise: Tensor?, _ mode: ForwardMode) -> Tensor {
        guard let noise else { return x }
        let factors = (0..<x.shape[0]).map { gain * Double(noise.values[2 * $0] - noise.values[2 * $0 + 1]) }
        return x + y.scaledSamples(by: factors)
    }
}

/// Embeds a spectrogram by its level, and by the tenth part of it.
private struct PlantedEncoder: NoiseEncoder {
    var parameters: [Parameter] { [] }
    var width: Int { 2 }

    func callAsFunction(_ noise: Tensor) -> Tensor {
        let levels = (0..<noise.shape[0]).map { Float(noise.samples($0..<$0 + 1).squaredNorm.squareRoot()) }
        return Tensor(levels.flatMap { [$0, 0.1 * $0] }, shape: [levels.count, 2])
    }
}

@Suite struct ProbeTests {
    private func subject(gain: Double) -> ProbeSubject {
        ProbeSubject(
            ScoreModel(
                backbone: PlantedNetwork(gain: gain), sde: OUVE(), preconditioning: nil, output: .score,
                encoder: PlantedEncoder()))
    }

    private let states: [ProbeState] = (0..<6).map { index in
        func tensor(_ name: String, _ shape: [Int]) -> Tensor {
            Tensor(RandomStream(seed: 5, purpose: name, index).normals(shape.reduce(1, *)), shape: shape)
        }
        let shape = [1, 4, 6, 2]
        return ProbeState(
            file: "\(index)", noise: index % 2 == 0 ? "hum" : "hiss", clean: tensor("clean", shape),
            noisy: tensor("noisy", shape), draw: tensor("draw", shape), oracle: tensor("oracle", [1, 2]),
            mismatched: tensor("mismatched", [1, 2]), random: tensor("random", [1, 2]))
    }
    private let times = [0.05, 0.5, 1]

    private func report(_ subject: ProbeSubject) throws -> ProbeReport {
        let sensitivity = ScoreSensitivity(subject, states, times: times)
        let embeddings = try EmbeddingStatistics(states.map { ($0.file, $0.noise, $0.oracle.values) })
        return ProbeReport(
            run: "planted", step: 1, sets: ["test"], nullTests: NullTests(subject, states, times: times),
            averaged: sensitivity, raw: sensitivity, embeddings: embeddings, gradients: EncoderGradients([]),
            effects: nil)
    }

    @Test func aModelThatUsesItsConditioningPasses() throws {
        let report = try report(subject(gain: 0.5))
        #expect(report.nullTests.passes && !report.nullTests.isVacuous)
        #expect(report.nullTests.conditionalDifference > 0.01)
        #expect(abs(report.nullTests.slope - 1) < 1e-3)
        #expect(report.verdict == .reacts)
        #expect((report.index.lower ?? 0) > 0.01)
    }

    @Test func aModelThatIgnoresItsConditioningIsFound() throws {
        let report = try report(subject(gain: 0))
        #expect(report.nullTests.isVacuous)
        #expect(report.index.mean == 0)
        #expect(report.verdict == .ignores)
        #expect(report.sentence.hasPrefix("The model ignores its reference"))
    }

    @Test func guidanceWithTheWrongSignIsFound() throws {
        var flipped = subject(gain: 0.5)
        let model = flipped.model
        flipped.guided = { x, y, t, embedding, scale in
            let unconditional = model(x, y, [t], noise: .zeros(embedding.shape))
            return .weighted(1 + scale, unconditional, -scale, model(x, y, [t], noise: embedding))
        }
        let report = try report(flipped)
        #expect(!report.nullTests.passes && report.nullTests.isFlipped)
        #expect(report.verdict == .guidanceFlipped)
        #expect(report.sentence.contains("wrong sign"))
    }

    /// The right reference is worth 1 dB on every file.
    @Test(arguments: [1, 4, 6]) func whatIsConcludedHasEnoughFiles(count: Int) throws {
        var report = try report(subject(gain: 0.5))
        func scores(_ value: Double) -> [[String: Double]] { (0..<count).map { ["si_sdr": value + Double($0)] } }
        report.effects = ReferenceEffects(
            [("oracle", scores(3)), ("mismatched", scores(2))], noises: [String?](repeating: nil, count: count),
            metrics: ["si_sdr"])
        let expected: ProbeReport.Verdict = count < 5 ? .tooFewFiles : .helps
        #expect(report.verdict == expected)
        #expect(report.sentence.contains("(n = \(count) \(count == 1 ? "file" : "files"))"))
        #expect(report.sentence.contains("too few files") == (count < 5))
        #expect(report.sentence.contains("+1.00 dB"))
    }

    /// Guidance around the model without conditioning layers instead of around zeros.
    @Test func guidanceAroundTheWrongScoreIsFound() throws {
        var wrong = subject(gain: 0.5)
        let model = wrong.model
        wrong.guided = { x, y, t, embedding, scale in
            let other = model(x, y, [t], noise: .zeros(embedding.shape)).scaled(by: 1.001)
            return .weighted(1 - scale, other, scale, model(x, y, [t], noise: embedding))
        }
        #expect(try report(wrong).verdict == .guidanceWrong)
    }

    // MARK: Embeddings

    @Test func twoTypesApartAreSeparated() throws {
        let rows = (0..<12).map { index -> (file: String, noise: String?, values: [Float]) in
            let jitter = RandomStream(seed: 6, purpose: "jitter", index).normals(5, standardDeviation: 0.05)
            let centre: [Float] = [index % 2 == 0 ? 1 : -1, 2, 0, 0, 0]
            return ("\(index)", index % 2 == 0 ? "hum" : "hiss", zip(centre, jitter).map { $0 + $1 })
        }
        let statistics = try EmbeddingStatistics(rows)
        #expect(statistics.nearestAgrees == 1)
        #expect(abs((statistics.chance ?? 0) - 5.0 / 11) < 1e-9)
        #expect((statistics.betweenTypes ?? 0) > 0.9)
        #expect(!statistics.isCollapsed && statistics.effectiveRank < 1.5)
        let hums = statistics.points.filter { $0.noise == "hum" }.map(\.x)
        #expect(hums.allSatisfy { $0 > 0 } || hums.allSatisfy { $0 < 0 })
        let svg = EmbeddingPlot(statistics).svg
        #expect(svg.hasPrefix("<svg") && svg.components(separatedBy: "<title>").count == 14)
        #expect(EmbeddingPlot(statistics).text().contains("a hiss   b hum"))
    }

    /// Where no other recording has a type, no nearest one can agree.
    @Test func theNearestTypeNeedsTwoRecordingsOfIt() throws {
        let types: [String?] = ["hum", "hiss", "rain", "hum"]
        func statistics(_ count: Int) throws -> EmbeddingStatistics {
            try EmbeddingStatistics((0..<count).map { ("\($0)", types[$0], [Float($0 % 3), 1]) })
        }
        #expect(try statistics(3).nearestAgrees == nil && statistics(3).chance == nil)
        #expect(try statistics(4).nearestAgrees == 1 && abs((statistics(4).chance ?? 0) - 1.0 / 3) < 1e-9)
    }

    @Test func equalEmbeddingsAreCalledCollapsed() throws {
        let statistics = try EmbeddingStatistics((0..<5).map { ("\($0)", nil, [1, 2, 3]) })
        #expect(statistics.isCollapsed && statistics.effectiveRank == 0)
        #expect(statistics.nearestAgrees == nil && statistics.betweenTypes == nil)
    }

    /// As many directions as there are, used alike.
    @Test func theEffectiveRankCountsDirections() throws {
        let rows = (0..<8).map { index -> (file: String, noise: String?, values: [Float]) in
            var values = [Float](repeating: 0, count: 4)
            values[index / 2] = index % 2 == 0 ? 1 : -1
            return ("\(index)", nil, values)
        }
        #expect(abs(try EmbeddingStatistics(rows).effectiveRank - 4) < 1e-6)
    }

    // MARK: Effects

    @Test func pairedDifferencesAreTakenFileByFile() throws {
        let right: [[String: Double]] = [["si_sdr": 10], ["si_sdr": 2], ["si_sdr": 7]]
        let wrong: [[String: Double]] = [["si_sdr": 9], ["si_sdr": 1], ["si_sdr": 4]]
        let effects = ReferenceEffects(
            [("oracle", right), ("mismatched", wrong)], noises: ["hum", "hum", "hiss"], metrics: ["si_sdr"])
        let cost = try #require(effects.cost(of: "si_sdr"))
        #expect(abs(cost.mean - 5.0 / 3) < 1e-12 && cost.n == 3)
        #expect(effects.contrasts.map(\.noise) == [nil, "hiss", "hum"])
        #expect(effects.contrasts.first { $0.noise == "hum" }?.difference.mean == 1)
    }

    // MARK: A whole run

    private func probed(_ overrides: [String]) throws -> ProbeReport {
        let temporary = try TestFolder()
        try temporary.run(conditionedSpec, overrides: overrides)
        let store = try temporary.open()
        defer { try? store.close() }
        var options = ConditioningProbe.Options()
        (options.filesPerSet, options.steps, options.times) = (3, 2, 3)
        let run = try #require(try store.runs().first)
        return try ConditioningProbe(of: run, in: Workspace(store: store, commandLine: ["test"]), options: options)
            .report()
    }

    @Test func aTrainedRunIsProbed() throws {
        let report = try probed([])
        #expect(report.nullTests.passes && !report.nullTests.isVacuous)
        #expect(report.index.n == 3 && report.averaged.times.count == 3)
        #expect(report.embeddings.points.count == 12)
        #expect(report.gradients.isCut == false)
        #expect(report.effects?.contrasts.contains { $0.name == "oracle − zero" && $0.noise == nil } == true)
        let json = try #require(try JSONSerialization.jsonObject(with: report.json) as? [String: Any])
        #expect(json["verdict"] is String && json["sentence"] as? String == report.sentence)
    }

    /// FiLM from the identity, hardly trained: conditioned in name only.
    @Test func aRunThatIgnoresItsConditioningIsFound() throws {
        let report = try probed([
            "backbone.noise_cond_type=film", "backbone.noise_cond_start=identity", "train.lr=1e-12",
            "train.num_eval_files=0",
            "evaluate.sets=[test, test-ood]",
        ])
        #expect(report.index.n == 5)
        #expect(report.verdict == .ignores)
    }

    @Test func anUnconditionedRunIsRefused() throws {
        let temporary = try TestFolder()
        try temporary.run(
            tinySpec,
            overrides: ["train.max_steps=1", "train.num_eval_files=0", "evaluate.max_files=1", "evaluate.N=[2]"])
        let store = try temporary.open()
        defer { try? store.close() }
        let run = try #require(try store.runs().first)
        #expect(throws: IncompatibleParts.self) {
            try ConditioningProbe(of: run, in: Workspace(store: store, commandLine: ["test"]))
        }
    }
}
