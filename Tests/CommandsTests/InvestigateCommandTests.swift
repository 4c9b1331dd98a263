import Foundation
import TestFolders
import Testing

/// `sgmse investigate`, on the study's figures and between two small specs.
@Suite struct InvestigateCommandTests {
    private static let experiments = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../experiments"
    ).standardized.path

    private func document(_ end: Program.End) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(end.out.utf8)) as? [String: Any], "\(end.out)\(end.error)")
    }

    @Test func theStudysFiguresGiveVerdictsWithoutAStore() throws {
        let scratch = try TestFolder()
        let folders = [
            "--investigations", Self.experiments + "/investigations", "--reported", Self.experiments + "/reported",
        ]
        let end = try Program.run(
            arguments: ["investigate", "performance-gap", "--json"] + folders, in: scratch.path)
        #expect(end.code == 0, "\(end.error)")
        let hypotheses = try #require(try document(end)["hypotheses"] as? [[String: Any]])
        #expect(hypotheses.first { $0["id"] as? String == "A" }?["verdict"] as? String == "refuted")
        #expect(scratch.files("store.sqlite").isEmpty)
        let wrong = try Program.run(arguments: ["investigate", "performance-gab"] + folders, in: scratch.path)
        #expect(wrong.code == 2 && wrong.error.contains("did you mean 'performance-gap'?"), "\(wrong.error)")
    }

    @Test func factorsBetweenTwoSpecsAreVariedOneAtATime() throws {
        let scratch = try TestFolder()
        let base = tinySpec.replacing("sets: [test, test-ood]", with: "sets: [test]").replacing(
            "N: [2, 3]", with: "N: [2]")
        let first = try scratch.spec(base, "first.yaml")
        let other = base.replacing("lr: 1.0e-3", with: "lr: 2.0e-3").replacing("N: [2]", with: "N: [3]").replacing(
            "max_steps: 6", with: "max_steps: 4")
        let second = try scratch.spec(other, "second.yaml")
        let arguments = ["investigate", first, second, "--metric", "si_sdr", "--seeds", "0", "1"]
        let plan = try Program.run(arguments: arguments, in: scratch.path)
        #expect(plan.code == 0 && plan.out.isEmpty, "\(plan.out)\(plan.error)")
        for words in [
            "3 factors, 2 of training; seeds 0, 1", "at most 2 combinations of training, 4 trainings, about",
            "4 trainings and 6 evaluations to do",
            "if a step takes three forward passes of each of its crops (one takes", "evaluation evaluate.N",
            "training   train.lr", "nothing is computed yet",
        ] {
            #expect(plan.error.contains(words), "\(words) in \(plan.error)")
        }
        let end = try Program.run(arguments: arguments + ["--run", "--json"], in: scratch.path)
        #expect(end.code == 0, "\(end.error)")
        let report = try document(end)
        let shares = try #require(report["shares"] as? [[String: Any]])
        #expect(Set(shares.compactMap { $0["factor"] as? String }) == ["train.lr", "train.max_steps", "evaluate.N"])
        let explained = shares.compactMap { $0["explains"] as? Double }.reduce(0, +)
        let gap = try #require(report["gap"] as? Double)
        #expect(abs(explained - gap) < 1e-9)
        // Two ends and two neighbours, with two seeds each; the evaluation's factor reuses the first end's weights.
        let runs =
            try JSONSerialization.jsonObject(with: Data(try Program.run("ls", "--json", in: scratch.path).out.utf8))
            as? [Any]
        #expect(runs?.count == 8)
        // Two runs by their names: their seeds are those that both have.
        let listed = try #require(runs as? [[String: Any]]).compactMap { $0["name"] as? String }
        let ends = ["-0", "-7"].compactMap { end in
            listed.first { $0.replacing(/,seed=.*/, with: "").hasSuffix(end) }?.replacing(/,seed=.*/, with: "")
        }
        try #require(ends.count == 2, "\(listed)")
        let byName = try Program.run("investigate", ends[0], ends[1], "--metric", "si_sdr", in: scratch.path)
        #expect(byName.code == 0 && byName.error.contains("3 factors, 2 of training; seeds 0, 1"), "\(byName.error)")
        #expect(byName.error.contains("0 trainings"), "\(byName.error)")
        // What was measured takes the place of the assumption.
        let third = try scratch.spec(base.replacing("lr: 1.0e-3", with: "lr: 3.0e-3"), "third.yaml")
        let known = try Program.run(
            "investigate", first, third, "--metric", "si_sdr", "--seeds", "0", in: scratch.path)
        #expect(known.error.contains("as measured") && !known.error.contains("three forward passes"), "\(known.error)")
        let again = try Program.run(arguments: arguments + ["--json"], in: scratch.path)
        #expect(again.code == 0 && again.out == end.out, "\(again.error)")
        // The same of a larger test set, whose scores take the place of the first ones.
        let larger = try [(base, "first-4.yaml"), (other, "second-4.yaml")].map {
            try scratch.spec($0.0.replacing("test: 2,", with: "test: 4,"), $0.1)
        }
        let newest = try document(
            Program.run(
                arguments: ["investigate"] + larger + arguments.dropFirst(3) + ["--run", "--json"], in: scratch.path))
        let (before, after) = (try #require(report["source"] as? Double), try #require(newest["source"] as? Double))
        #expect(abs(before - after) > 1e-6, "\(before) of two files, \(after) of four")
    }

    @Test func equalSpecsHaveNoGap() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec)
        let end = try Program.run("investigate", spec, spec, in: scratch.path)
        #expect(end.code == 2 && end.error.contains("differ in nothing that decides a score"), "\(end.error)")
        #expect(try Program.run("investigate", "performance-gap", "--run", in: scratch.path).code == 2)
    }
}
