import AtomicFiles
import Foundation
public import Models
import ReferenceCommands
public import SpecLanguage
public import Specs
import WeightFiles

/// Turns a checkpoint into a folder of this program: `weights.safetensors` and `spec.yaml`.
///
/// The arrays are named `ema/…`, `weights/…` (raw), `buffers/…` and `adam/…`, as in the checkpoints of a run; the spec
/// is also in the metadata, so that the file can be used alone. Everything is checked before anything is written, and
/// the folder is renamed to its path only when it is complete.
public struct CheckpointImport: Sendable {
    /// Which weights are kept; the optimizer's state belongs to both together.
    public enum Selection: String, Sendable, CaseIterable { case both, ema, raw }

    /// What was written, and remarks for the user.
    public struct Report: Sendable {
        /// The folder that was written, with `weights.safetensors` and `spec.yaml`.
        public var folder: String
        /// The spec of the network, from the hyper-parameters or the one that was given.
        public var spec: ExperimentSpec
        /// For each kind of weights, where it came from.
        public var sources: [String]
        /// What was assumed or left out while importing, in sentences, each once.
        public var remarks: [String]
        /// Number of values in the network's parameters, running statistics not counted.
        public var parameters: Int
    }

    /// The choices that the spec may name.
    public let catalog: Catalog
    let environment: SpecLoader.Environment

    /// - Parameter environment: The value of an environment variable, for paths in specs and overrides.
    public init(catalog: Catalog = .standard, environment: @escaping SpecLoader.Environment = { _ in nil }) {
        (self.catalog, self.environment) = (catalog, environment)
    }

    /// - Parameters:
    ///   - folder: Where the files go; an existing folder is kept unless `replaces`.
    ///   - spec: The spec of the network, for weights that come alone.
    ///   - files: Where that spec is read from.
    ///   - overrides: Settings that replace what the hyper-parameters say, as `data.path=corpora/vb`.
    /// - Throws: `WeightsError` for a tensor that does not fit the network, or has no place in it; `CheckpointError`,
    ///   `WeightFileError`, `SpecErrors`.
    public func run(
        _ file: String, to folder: String, spec: String? = nil, files: SpecFiles = .disk,
        weights selection: Selection = .both,
        overrides: [String] = [], replaces: Bool = false
    ) throws -> Report {
        try WeightSource.checkFolder(file)
        guard replaces || !FileManager.default.fileExists(atPath: folder) else {
            throw CheckpointError(path: folder, reason: "is there already", hint: "name another folder, or add --force")
        }
        // A corpus takes the place of the folder that the checkpoint was trained on.
        let namesCorpus =
            overrides.contains { $0.hasPrefix("data.corpus") } && !overrides.contains { $0.hasPrefix("data.path=") }
        let overrides = namesCorpus ? overrides + ["data.path=none"] : overrides
        let model = try StoredModel(
            at: file, spec: spec, files: files, overrides: overrides, catalog: catalog, environment: environment)
        let layout = try ModelLayout(model.spec, catalog)
        var (arrays, metadata): ([NamedArray], [String: String]) = ([], [:])
        var (sources, remarks) = ([String](), model.remarks)
        for choice in StoredModel.Choice.allCases where selection == .both || selection.rawValue == choice.rawValue {
            if selection == .both, choice == .raw, try !model.source.holdsRawWeights { continue }
            let found = try model.source.weights(choice, layout)
            if let remark = found.remark { remarks.append(remark) }
            // Without averages both choices give the same weights; they are kept once, under their right name.
            let isWanted = found.areAveraged == (choice == .ema)
            guard isWanted || selection != .both else { continue }
            let kept: StoredModel.Choice = found.areAveraged ? .ema : .raw
            sources.append(found.description)
            metadata["\(kept.rawValue)_from"] = found.origin
            let statisticsAreKept = arrays.contains { $0.name?.hasPrefix("buffers/") ?? false }
            arrays += Self.named(
                found.arrays, part: kept == .ema ? "ema" : "weights", layout, withBuffers: !statisticsAreKept)
        }
        try model.source.checkNames(layout)
        guard !arrays.isEmpty else {
            throw CheckpointError(path: file, reason: "holds no \(selection.rawValue) weights")
        }

        if selection == .both, let adam = try model.source.adam(layout) {
            for entry in layout.parameters {
                guard var (first, second) = adam.moments[entry.name] else { continue }
                (first.name, second.name) = ("adam/first/\(entry.ownName)", "adam/second/\(entry.ownName)")
                arrays += [first, second]
            }
            sources.append("Adam's moments after \(adam.updates) updates from optimizer_states")
            metadata[ImportedFiles.adamUpdates] = String(adam.updates)
        }

        let spec = try text(model, folder: folder, isOverridden: !overrides.isEmpty)
        metadata["format"] = ImportedFiles.format
        metadata["source"] = URL(fileURLWithPath: file).lastPathComponent
        metadata["spec"] = spec
        metadata["step"] = model.progress.step.map(String.init)
        metadata["epoch"] = model.progress.epoch.map(String.init)
        metadata["ema_updates"] = model.progress.averageUpdates.map(String.init)
        try Self.write(arrays, metadata, spec, to: folder)
        let unique = remarks.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return Report(
            folder: folder, spec: model.spec, sources: sources, remarks: unique,
            parameters: layout.parameters.filter { !layout.optional.contains($0.name) }.reduce(0) {
                $0 + $1.shape.reduce(1, *)
            })
    }

    /// The spec that evaluates the weights at their new path: from the hyper-parameters, or the whole spec with
    /// overrides.
    private func text(_ model: StoredModel, folder: String, isOverridden: Bool) throws -> String {
        let weights = folder + "/" + ImportedFiles.weights
        if !isOverridden, let imported = try model.hyperParameters(weights: weights) { return imported.yaml }
        let file = Choice("file", Settings([("path", .text(weights))]))
        return ResolvedRendering.yaml(
            model.spec.with("evaluate.checkpoint", .list([.choice(file)])).with("train.max_steps", .integer(0)))
    }

    private static func named(
        _ arrays: [NamedArray], part: String, _ layout: ModelLayout, withBuffers: Bool
    ) -> [NamedArray] {
        let own = Dictionary(uniqueKeysWithValues: layout.parameters.map { ($0.name, "\(part)/\($0.ownName)") })
        let statistics = Dictionary(uniqueKeysWithValues: layout.buffers.map { ($0.name, "buffers/\($0.ownName)") })
        return arrays.compactMap { array in
            guard let name = array.name, let new = own[name] ?? (withBuffers ? statistics[name] : nil) else {
                return nil
            }
            var array = array
            array.name = new
            return array
        }
    }

    /// Writes both files into a temporary folder, which then replaces `folder`.
    static func write(_ arrays: [NamedArray], _ metadata: [String: String], _ spec: String, to folder: String) throws {
        let files = FileManager.default
        let target = URL(fileURLWithPath: folder)
        let temporary = URL(fileURLWithPath: TemporaryName.path(for: target.path))
        defer { try? files.removeItem(at: temporary) }
        do {
            try files.createDirectory(at: temporary, withIntermediateDirectories: true)
            try SafetensorsFile.write(arrays, metadata: metadata, to: temporary.path + "/" + ImportedFiles.weights)
            try Data(spec.utf8).write(to: temporary.appendingPathComponent(ImportedFiles.spec))
            if files.fileExists(atPath: folder) {
                let old = URL(fileURLWithPath: TemporaryName.path(for: target.path))
                try files.moveItem(at: target, to: old)
                do { try files.moveItem(at: temporary, to: target) } catch {
                    try? files.moveItem(at: old, to: target)
                    throw error
                }
                try files.removeItem(at: old)
            } else {
                try files.moveItem(at: temporary, to: target)
            }
        } catch let error as WeightFileError {
            throw error
        } catch {
            throw CheckpointError(
                path: folder, reason: "cannot be written: \(error.localizedDescription)",
                hint: "check the disk and the folder's rights")
        }
    }
}
