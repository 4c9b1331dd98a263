import Foundation
import ReferenceCommands
import SpecLanguage
import Specs
import WeightFiles

/// Writes a model as a checkpoint that the reference's `load_from_checkpoint` reads.
///
/// `state_dict` holds the raw weights under the reference's names and in its order, running statistics after the
/// parameters of their module; `ema.shadow_params` the averaged parameters in the order of the network's parameters,
/// without running statistics; `optimizer_states` Adam's moments by the number of their parameter, so that the
/// reference can resume training; `hyper_parameters` the arguments of its constructors. If only one kind of weights is
/// known, it is written for both.
public struct CheckpointExport: Sendable {
    /// The contents of the written file.
    public struct Report: Sendable {
        /// The file that was written.
        public var path: String
        /// Number of tensors in `state_dict`, running statistics included.
        public var stateTensors: Int
        /// Number of tensors in `ema.shadow_params`; 0 where the model has no moving average.
        public var averages: Int
        /// For each part of the file, which weights of the model it holds.
        public var sources: [String]
        /// What the file lacks, or holds otherwise than the reference would write it, in sentences.
        public var remarks: [String]
    }

    public init() {}

    /// - Throws: `CheckpointError` and `UnknownEntry` for settings without counterpart in the reference,
    ///   `WeightFileError`.
    public func run(_ model: StoredModel, to path: String, replaces: Bool = false) throws -> Report {
        guard replaces || !FileManager.default.fileExists(atPath: path) else {
            throw CheckpointError(path: path, reason: "is there already", hint: "name another file, or add --force")
        }
        if model.spec.backbone.name == "edm2" { return try exportState(of: model, to: path) }
        let hyperParameters = try HyperParameterExport(model.spec)
        try Self.checkConditioning(of: model)
        let layout = try ModelLayout(model.spec, model.catalog)
        var remarks = hyperParameters.remarks
        let averaged = try model.source.weights(.ema, layout)
        let raw = (try? model.source.weights(.raw, layout)).flatMap { $0.areAveraged ? nil : $0 }
        var sources = ["state_dict: \((raw ?? averaged).description)"]
        if raw == nil { remarks.append("the raw weights are not known: state_dict holds the moving average") }
        let progress = model.progress
        var draft = LightningCheckpoint.Draft(
            weights: Self.counting((raw ?? averaged).arrays), hyperParameters: pickled(hyperParameters),
            epoch: progress.epoch ?? 0, globalStep: progress.step ?? 0)
        if averaged.areAveraged {
            let byName = Dictionary(
                uniqueKeysWithValues: averaged.arrays.compactMap { array in array.name.map { ($0, array) } })
            let shadow = layout.names.compactMap { byName[$0] }
            draft.average = .init(
                decay: model.spec.train.emaDecay, updates: progress.averageUpdates ?? progress.step ?? 0,
                parameters: shadow)
            sources.append("ema.shadow_params: \(averaged.description)")
        } else {
            remarks.append("there is no moving average: the reference will evaluate the raw weights, and warn")
        }
        if let adam = try model.source.adam(layout), raw != nil {
            let train = model.spec.train
            draft.optimizer = .init(
                rate: train.lr, beta2: train.adamBeta2 ?? 0.999, state: adam, parameters: layout.names)
            sources.append("optimizer_states: Adam's moments after \(adam.updates) updates")
        } else {
            remarks.append("the optimizer's state is not known: a training that goes on from the file begins it anew")
        }
        try Self.makeFolder(of: path)
        try LightningCheckpoint.write(draft, to: path)
        return Report(
            path: path, stateTensors: draft.weights.count, averages: draft.average?.parameters.count ?? 0,
            sources: sources,
            remarks: remarks)
    }

    /// - Throws: `CheckpointError` for an injection or an encoder whose weights the reference has no place for.
    private static func checkConditioning(of model: StoredModel) throws(CheckpointError) {
        guard let conditioning = model.spec.conditioning else { return }
        let encoder = conditioning.noiseEncoder
        let options: [(name: String, value: SettingValue?, known: [SettingValue])] = [
            ("noise_cond_type", model.spec.backbone.settings["noise_cond_type"], [.text("add"), .text("film")]),
            ("noise_encoder_type", .text(encoder.name), [.text("default"), .text("light")]),
            ("num_layers", encoder.settings["num_layers"], [.integer(4)]),
        ]
        for option in options {
            guard let value = option.value, !option.known.contains(value) else { continue }
            throw CheckpointError(
                path: model.path, reason: "the reference could not load it: it has no \(option.name) '\(value)'",
                hint: "known to it: \(option.known.map(\.description).joined(separator: ", "))")
        }
    }

    /// A state dictionary by itself, which is what the script of EDM2SE loads: the average, under the network's own
    /// names.
    private func exportState(of model: StoredModel, to path: String) throws -> Report {
        let averaged = try model.source.weights(.ema, ModelLayout(model.spec, model.catalog))
        try Self.makeFolder(of: path)
        try LightningCheckpoint.writeState(averaged.arrays.map(Self.withoutNetwork), to: path)
        return Report(
            path: path, stateTensors: averaged.arrays.count, averages: 0,
            sources: ["the state dictionary: \(averaged.description)"],
            remarks: ["the file has no hyper-parameters: the reference's script builds its own network of 128 channels"]
        )
    }

    private static func withoutNetwork(_ array: NamedArray) -> NamedArray {
        var array = array
        if let name = array.name, name.hasPrefix(ModelLayout.network) {
            array.name = String(name.dropFirst(ModelLayout.network.count))
        }
        return array
    }

    private static func makeFolder(of path: String) throws(CheckpointError) {
        let folder = (path as NSString).deletingLastPathComponent
        guard !folder.isEmpty else { return }
        do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
            throw CheckpointError(
                path: folder, reason: "cannot be made: \(error.localizedDescription)",
                hint: "choose a folder that can be written")
        }
    }

    /// Counters of batches are integers to PyTorch.
    private static func counting(_ arrays: [NamedArray]) -> [NamedArray] {
        arrays.map { array in
            guard let name = array.name, name.hasSuffix(".num_batches_tracked"), array.integers == nil else {
                return array
            }
            return NamedArray(name: name, shape: array.shape, integers: array.values.map { Int64($0) })
        }
    }

    private func pickled(_ parameters: HyperParameterExport) -> PickleDictionary {
        var dictionary: PickleDictionary = [:]
        for (name, value) in parameters.values { dictionary[name] = value.pickled }
        // A class is a name here; PyTorch finds it in the reference's own modules.
        dictionary["data_module_cls"] = .reference(
            parameters.isFlow
                ? .init(module: "flowmse.data_module", name: "SpecsDataModule")
                : parameters.isConditioned
                    ? .init(module: "sgmse.data_module_cond", name: "NoiseCondSpecsDataModule")
                    : .init(module: "sgmse.data_module", name: "SpecsDataModule"))
        return dictionary
    }
}
