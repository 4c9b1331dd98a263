import Foundation
public import Models
public import Runs
import SpecLanguage
import Specs
import WeightFiles

/// Computes averages of any length from the power-function averages in a training's checkpoints: the combination whose
/// profile is nearest to the wanted one.
///
/// The result is a folder as ``CheckpointImport`` writes it, which is enhanced with and evaluated like any other file.
/// Karras et al., CVPR 2024, Algorithm 3.
public struct CheckpointAverage: Sendable {
    /// The written average and its parts.
    public struct Report: Sendable {
        /// The folder that was written, with `weights.safetensors` and `spec.yaml`.
        public var folder: String
        /// Averages that took part, by their file, length and coefficient.
        public var parts: [(file: String, std: Double, coefficient: Double)]
    }

    private let run: Run
    private let store: RunStore
    private let model: StoredModel

    /// - Throws: `CheckpointError` for a run that kept no power-function averages.
    public init(of run: Run, in store: RunStore, catalog: Catalog = .standard) throws {
        (self.run, self.store) = (run, store)
        guard let last = try store.checkpoint(of: run.id, kind: .last) else {
            throw CheckpointError(path: run.name, reason: "has no checkpoint yet", hint: "train it first")
        }
        model = try StoredModel(run: run, checkpoint: last, in: store, catalog: catalog)
        guard !model.spec.train.emaStds.isEmpty else {
            throw CheckpointError(
                path: run.name, reason: "kept no power-function averages",
                hint: "train.ema_stds: [0.05, 0.1] keeps two, with train.checkpoint_every for the times between")
        }
    }

    /// Writes the average of a length that ends at a step.
    ///
    /// - Parameters:
    ///   - std: The wanted standard deviation, as a share of the training up to that step.
    ///   - step: The last checkpoint's unless given.
    /// - Throws: `CheckpointError`, `WeightFileError`.
    public func write(std: Double, at step: Int? = nil, to folder: String, replaces: Bool = false) throws -> Report {
        guard std > 0, std < 0.288 else {
            throw CheckpointError(path: run.name, reason: "the length \(std) is no share between 0 and 0.288")
        }
        guard replaces || !FileManager.default.fileExists(atPath: folder) else {
            throw CheckpointError(path: folder, reason: "is there already", hint: "name another folder, or add --force")
        }
        let batch = Double(model.spec.train.effectiveBatch)
        let checkpoints = try store.checkpoints(of: run.id).reduce(into: [Int: String]()) {
            $0[$1.step] = store.folder + "/" + $1.path
        }
        let end = step ?? checkpoints.keys.max() ?? 0
        let stds = model.spec.train.emaStds
        var kept: [(path: String, part: String, profile: AverageProfile)] = []
        for (step, path) in checkpoints.sorted(by: { $0.key < $1.key })
        where step > 0 && step <= end && FileManager.default.fileExists(atPath: path) {
            for (index, std) in stds.enumerated() {
                let part = index == 0 ? "ema" : TrainingCheckpoint.part(std: std)
                kept.append((path, part, AverageProfile(offset: Double(step) * batch, std: std)))
            }
        }
        let wanted = AverageProfile(offset: Double(end) * batch, std: std)
        guard !kept.isEmpty, let shares = AverageProfile.coefficients(of: kept.map(\.profile), for: wanted) else {
            throw CheckpointError(
                path: run.name, reason: "no average of it ends at step \(end) or before", hint: "sgmse show \(run.name)"
            )
        }
        try combine(zip(kept, shares).map { ($0.path, $0.part, $1) }, std: std, step: end, to: folder)
        return Report(folder: folder, parts: zip(kept, shares).map { ($0.path, $0.profile.profile.std, $1) })
    }

    private func combine(
        _ parts: [(path: String, part: String, share: Double)], std: Double, step: Int, to folder: String
    ) throws {
        let layout = try ModelLayout(model.spec, model.catalog)
        var sums = layout.parameters.map { [Double](repeating: 0, count: $0.shape.reduce(1, *)) }
        var buffers: [NamedArray] = []
        for part in parts {
            let file = try SafetensorsFile(path: part.path)
            for (index, entry) in layout.parameters.enumerated() {
                let values = try file.array("\(part.part)/\(entry.ownName)").values
                guard values.count == sums[index].count else {
                    throw WeightsError(parameter: entry.ownName, reason: "has another size in \(part.path)")
                }
                for place in values.indices { sums[index][place] += part.share * Double(values[place]) }
            }
            buffers = try layout.buffers.map { try file.array("buffers/\($0.ownName)") }
        }
        let averages = zip(layout.parameters, sums).map { entry, sum in
            NamedArray(name: "ema/\(entry.ownName)", shape: entry.shape, values: sum.map { Float($0) })
        }
        let file = SpecLanguage.Choice("file", Settings([("path", .text(folder + "/" + ImportedFiles.weights))]))
        let spec = ResolvedRendering.yaml(
            model.spec.with("evaluate.checkpoint", .list([.choice(file)])).with("train.max_steps", .integer(0)))
        try CheckpointImport.write(
            averages + buffers,
            [
                "format": ImportedFiles.format, "spec": spec, "step": String(step),
                "ema_from": "averages of \(run.name), std \(std)",
            ], spec, to: folder)
    }
}
