import Backbones
public import Failures
import Foundation
public import Kernels
public import SpecLanguage
public import Specs

/// A lower bound of the memory that a batch takes, known before anything is computed.
///
/// Of the network's activations alone: at least 4 maps of `nf` channels in an evaluation without gradients, 12 in a
/// training step. Measured: 8 and 22 (`ncsnpp_v2`, nf 16, four levels of one block). A network without `nf`, such as
/// `dcunet`, holds at least as many complex spectrograms (2 channels).
public struct MemoryNeed: Diagnostic, Hashable, Sendable {
    /// The work that takes it.
    public var work: String
    /// Bytes.
    public var least: Double
    /// What to lower.
    public var hint: String?

    /// - Parameter settings: Those of a backbone.
    public init(of work: String, settings: Settings, batch: Int, bins: Int, frames: Int, trains: Bool, hint: String) {
        let channels = settings.optionalInteger("nf") ?? 2
        let values = Double(batch) * Double(bins) * Double(frames) * Double(channels)
        (self.work, self.hint) = (work, hint)
        least = 4 * values * (trains ? 12 : 4)
    }

    /// A training step of a spec.
    public init?(ofTraining spec: ExperimentSpec) {
        guard spec.train.maxSteps != 0 else { return nil }
        let (batch, frames) = (spec.train.batchSize, spec.data.numFrames)
        self.init(
            of: "a training step on \(batch) crops of \(frames) frames", settings: spec.backbone.settings, batch: batch,
            bins: spec.transform.nFFT / 2 + 1, frames: frames, trains: true,
            hint: "lower train.batch_size and raise train.accumulate_grad_batches, or lower data.num_frames")
    }

    /// The number of values in a batch itself.
    public init(of work: String, values: Double, hint: String) {
        (self.work, least, self.hint) = (work, 4 * values, hint)
    }

    /// - Throws: This need, where it exceeds what the process may take.
    public func check(available: Int = MachineMemory.bytes) throws(MemoryNeed) {
        if least > Double(available) { throw self }
    }

    public var summary: String {
        let (needed, allowed) = (least / 1e9, Double(MachineMemory.bytes) / 1e9)
        return String(
            format: "%@ needs at least %.3g GB of memory, and this machine allows %.3g GB", work, needed, allowed)
    }

    public var category: FailureCategory { .request }
}
