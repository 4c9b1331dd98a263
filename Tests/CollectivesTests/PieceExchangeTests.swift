import Backbones
import Collectives
import Diffusion
import Kernels
import Models
import Objectives
import SpecLanguage
import Tensors
import Testing
import Training

/// A step's gradients in pieces, by a group of one process; several processes are tested by running the program.
@Suite(.serialized) struct PieceExchangeTests {
    private static let alone = Result {
        try ProcessGroup(tcp: GroupPlace(rank: 0, count: 1, port: ProcessGroup.freePort))
    }

    private func state() throws -> TrainingState {
        let entry = try #require(Catalog.standard.backbones["ncsnpp_v2"])
        var settings = entry.descriptor.defaults()
        settings["nf"] = .integer(8)
        settings["ch_mult"] = .list([.integer(1), .integer(1)])
        settings["num_res_blocks"] = .integer(1)
        settings["attn_resolutions"] = .list([])
        let model = ScoreModel(
            backbone: try entry.build(settings).make(BackboneContext()), sde: OUVE(),
            preconditioning: Preconditioning(networkScaling: .inverseSigma, output: .inverseSigma), output: .score)
        return TrainingState(model: model, loss: ScoreMatchingLoss(), rate: 1e-3, averageDecay: 0.99)
    }

    private func batch(_ number: Int, scale: Float = 1) -> TrainingBatchInput {
        func noise(_ purpose: String) -> Tensor {
            Tensor(
                RandomStream(seed: 3, purpose: purpose, number).normals(256 * 16 * 2, standardDeviation: 1),
                shape: [1, 256, 16, 2])
        }
        return TrainingBatchInput(
            clean: Double(scale) * noise("clean"), noisy: noise("noisy"), times: [0.4], noise: noise("noise"))
    }

    private func numbers(of state: TrainingState) -> [Float] { state.model.weights.flatMap(\.parameter.tensor.values) }

    /// One piece or many: weights after three steps have the bits of a process that adds the gradients itself.
    @Test(arguments: [1, 1000, Int.max]) func theSizeOfPiecesChangesNoBit(size: Int) throws {
        let group = try Self.alone.get()
        let (plain, pieces) = (try state(), try state())
        pieces.pieceSize = size
        for step in 0..<3 {
            let expected = try plain.update((0..<2).map { batch(2 * step + $0) })
            let found = try pieces.update(parts: 2, in: group) { batch(2 * step + $0) }
            #expect(found.loss == expected.loss && found.gradientNorm == expected.gradientNorm)
        }
        #expect(numbers(of: pieces) == numbers(of: plain))
        let trained = plain.model.weights.count { $0.isTrained }
        #expect(size == 1 ? pieces.exchangedPieces == trained : size == .max ? pieces.exchangedPieces == 1 : true)
        #expect(pieces.exchangeTimes.exchanging > 0)
    }

    /// A loss that is not finite ends the step as it does without pieces, and the next step is a fresh one.
    @Test func aStepThatFailsLeavesNothingBehind() throws {
        let group = try Self.alone.get()
        let (plain, pieces) = (try state(), try state())
        pieces.pieceSize = 1000
        func update(_ scale: Float) throws {
            _ = try pieces.update(parts: 2, in: group) { batch($0, scale: $0 == 1 ? scale : 1) }
        }
        let error = #expect(throws: TrainingFailure.self) { try update(.infinity) }
        #expect(error?.step == 1)
        try update(1)
        _ = try plain.update([batch(0), batch(1)])
        #expect(numbers(of: pieces) == numbers(of: plain))
    }
}
