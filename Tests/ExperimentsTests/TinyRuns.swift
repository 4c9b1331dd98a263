import Experiments
import Foundation
import Models
import Parallelism
import Progress
import Runs
import Specs
import TestFolders
import Training

extension TestFolder {
    func open() throws -> RunStore { try RunStore(at: store, access: .readWrite) }

    /// Runs a spec to its end in a store that is opened and closed around it.
    @discardableResult
    func run(
        _ text: String, overrides: [String] = [], interruption: Interruption = Interruption(),
        observe: @escaping @Sendable (ExperimentEvent) -> Void = { _ in }
    ) throws -> Executor.Summary {
        let loaded = try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text, overrides: overrides)
        let store = try open()
        defer { try? store.close() }
        let workspace = Workspace(store: store, commandLine: ["test"])
        return try Executor(workspace: workspace, interruption: interruption, observe: observe).execute(loaded)
    }

    /// Files below the folder whose paths contain a text, relative to it.
    func files(containing text: String) -> [String] { names.filter { $0.contains(text) } }
}

/// A spec that is trained and evaluated in a second.
let tinySpec = """
    name: tiny
    data:
      corpus: { name: synthetic, train: 6, valid: 2, test: 2, test_ood: 2, shortest: 0.8, longest: 1.0 }
      num_frames: 16
    transform: { n_fft: 126, hop_length: 63 }
    backbone: { name: ncsnpp_v2, nf: 8, ch_mult: [1, 1], num_res_blocks: 1, attn_resolutions: [] }
    sde: sbve
    objective: { loss_type: data_prediction }
    train: { lr: 1.0e-3, batch_size: 2, max_steps: 6, num_eval_files: 1, validate_every: 3, validation_N: 2 }
    evaluate:
      sets: [test, test-ood]
      N: [2, 3]
      checkpoint: last
      metrics: [estoi, si_sdr, si_sir, si_sar]
      anchors: [noisy, wiener]
      keep_audio: all

    """
