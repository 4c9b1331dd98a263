import Experiments
import Foundation
import Kernels
import Runs
import TestFolders
import Testing

/// Runs `body` with a number of threads, and puts the former number back.
@discardableResult
func withThreads<Result>(_ count: Int, _ body: () throws -> Result) rethrows -> Result {
    let before = Engine.threads
    Engine.threads = count
    defer { Engine.threads = before }
    return try body()
}

@Suite struct LearningTests {
    /// Loss falls over a short training, on either process.
    @Test(arguments: [
        "sde: sbve\nobjective: { loss_type: data_prediction }", "sde: ouve\nobjective: { network_scaling: 1/sigma }",
    ])
    func trainingLowersTheLoss(process: String) throws {
        let temporary = try TestFolder()
        let spec = tinySpec.replacingOccurrences(
            of: "sde: sbve\nobjective: { loss_type: data_prediction }", with: process)
        try temporary.run(
            spec,
            overrides: [
                "train.max_steps=60", "train.validate_every=60", "train.num_eval_files=0", "train.lr=2e-3",
                "evaluate.N=[2]",
            ])
        let store = try temporary.open()
        let losses = try store.steps(of: try #require(try store.runs().first).id).map(\.loss)
        try store.close()
        let (early, late) = (losses.prefix(15).reduce(0, +), losses.suffix(15).reduce(0, +))
        #expect(late < 0.7 * early)
    }
}
