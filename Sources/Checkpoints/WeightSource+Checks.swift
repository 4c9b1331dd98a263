import Foundation
import SystemCalls
import WeightFiles

extension WeightSource {
    /// Constants of the reference's perceptual loss, which the file stores among the weights where the training used
    /// it.
    static let lossConstants = "pesq_loss."

    /// - Throws: `WeightsError` with the tensors of a state dictionary that the network has no place for.
    package func checkNames(_ layout: ModelLayout) throws(WeightsError) {
        guard case .lightning(let whole) = contents else { return }
        let checkpoint = Self.placed(whole, layout)
        let known = Set(layout.names + layout.buffers.map(\.name))
        let others = checkpoint.parameters.map(\.name).filter {
            !known.contains($0) && !$0.hasPrefix(Self.lossConstants)
        }
        guard let first = others.first else { return }
        let more =
            others.dropFirst().prefix(8).map(\.printable) + (others.count > 9 ? ["and \(others.count - 9) more"] : [])
        throw WeightsError(
            parameter: first.printable,
            reason: "in state_dict of \(path) has no place in the network that its hyper-parameters describe"
                + (more.isEmpty ? "" : "; the same holds for \(more.joined(separator: ", "))"))
    }

    /// - Throws: `CheckpointError` for a folder that holds no imported model.
    package static func checkFolder(_ path: String) throws(CheckpointError) {
        guard POSIX.isFolder(path),
            !FileManager.default.fileExists(atPath: path + "/" + ImportedFiles.weights)
        else { return }
        throw CheckpointError(
            path: path, reason: "is a folder without \(ImportedFiles.weights)",
            hint: "name a .ckpt, .pt or .safetensors file, or a folder of sgmse checkpoint import")
    }
}
