import Backbones
import Diffusion
import Layers
import Objectives
import Tensors

/// A network as a model of the diffusion: the score of `p(x_t | y)`, or clean speech.
///
/// Only `ncsnpp_v2` is scaled from outside; every other network's score is minus its output, as in the reference.
public struct ScoreModel: Sendable {
    public let backbone: any Backbone
    public let sde: any SDE
    /// How the network is scaled; `nil` for one whose output is minus the score.
    public let preconditioning: Preconditioning?
    public let output: ModelOutput

    public init(backbone: any Backbone, sde: any SDE, preconditioning: Preconditioning?, output: ModelOutput) {
        self.backbone = backbone
        self.sde = sde
        self.preconditioning = preconditioning
        self.output = output
    }

    /// The output for states `x` and noisy speech `y`, `[B, F, N, 2]`, at one time per sample.
    public func callAsFunction(_ x: Tensor, _ y: Tensor, _ t: [Double], _ mode: ForwardMode = .evaluation) -> Tensor {
        guard let preconditioning else { return -backbone(x, y, t.map(Float.init), mode) }
        return preconditioning.apply(x, y, t, sigma: t.map { sde.marginal(at: $0).std }, output: output) {
            backbone($0, $1, $2, mode)
        }
    }
}
