public import Failures
import Foundation
public import Models
import ReferenceCommands
public import Runs
public import SpecLanguage
public import Specs
public import WeightFiles

/// A trained model in files: its spec, and its weights, which are read on request.
///
/// It reads checkpoints of the reference (`.ckpt`, `.pt`), the training checkpoints of runs, and imported models (a
/// folder with `weights.safetensors` and `spec.yaml`, or that file alone). Nothing in them is executed.
public struct StoredModel: Sendable {
    /// Averaged or raw weights; raw ones replace a missing moving average, with a remark.
    public typealias Choice = WeightChoice

    /// Weights, and where they come from.
    public struct Weights: Sendable {
        /// In the order of a `state_dict` and under its names.
        public var arrays: [NamedArray]
        /// The part of the file they came from, such as `ema.shadow_params`.
        public var origin: String
        /// Whether they are a moving average; `false` for raw weights, asked for or in place of a missing average.
        public var areAveraged: Bool
        /// Why the weights are not those that were asked for; `nil` where they are.
        public var remark: String?

        /// `ema weights from ema.shadow_params`
        public var description: String { "\(areAveraged ? "ema" : "raw") weights from \(origin)" }
    }

    /// The weight file, also where the model was opened by its folder.
    public var path: String { source.path }
    /// The spec of the network, overrides applied.
    public let spec: ExperimentSpec
    /// Where the spec comes from, in words.
    public let specSource: String
    /// Remarks from reading the spec, to be shown to the user.
    public let remarks: [String]
    /// The choices that the spec may name.
    public let catalog: Catalog
    let source: WeightSource
    /// Reads the spec again where a setting is replaced.
    let loader: SpecLoader
    /// Whether the caller gave the spec, instead of the one in the file.
    let isSpecGiven: Bool
    var progress: WeightSource.Progress { source.progress }

    // MARK: Opening

    /// Opens a file or a folder.
    ///
    /// - Parameters:
    ///   - spec: The spec of the network, for weights that come alone; the file's own if `nil`.
    ///   - files: Where that spec is read from.
    ///   - overrides: Settings that replace the spec's own, as `evaluate.N=50`.
    ///   - environment: The value of an environment variable, for `~/` and `${env:NAME}` in the paths of specs and
    ///     overrides.
    /// - Throws: `WeightFileError`, `WeightsError`, `SpecErrors`, or `CheckpointError`.
    public init(
        at path: String, spec: String? = nil, files: SpecFiles = .disk, overrides: [String] = [],
        catalog: Catalog = .standard,
        environment: @escaping SpecLoader.Environment = { _ in nil }
    ) throws {
        let source = try WeightSource(at: path)
        let loader = SpecLoader(vocabulary: catalog.vocabulary, files: files, environment: environment)
        if let spec {
            let loaded = try loader.load(spec, overrides: overrides)
            try NetworkSize.check(loaded.spec, available: source.valueCount, file: source.path)
            self.init(source, loaded, spec, catalog, loader, isSpecGiven: true)
            return
        }
        switch source.contents {
        case .lightning(let checkpoint): try self.init(checkpoint, source, overrides, catalog, loader)
        case .parts(let file):
            try self.init(file, source, folder: source.path == path ? nil : path, overrides, catalog, loader)
        }
    }

    /// Opens a checkpoint of a run.
    public init(
        run: Run, checkpoint: CheckpointRecord, in store: RunStore, overrides: [String] = [],
        catalog: Catalog = .standard,
        environment: @escaping SpecLoader.Environment = { _ in nil }
    ) throws {
        let loader = SpecLoader(vocabulary: catalog.vocabulary, environment: environment)
        let loaded = try loader.load(text: Self.text(of: run, in: store), file: run.name, overrides: overrides)
        self.init(
            try WeightSource(at: store.folder + "/" + checkpoint.path), loaded, "run \(run.name) (\(run.shortID))",
            catalog, loader)
    }

    private init(
        _ source: WeightSource, _ loaded: LoadedSpec, _ specSource: String, _ catalog: Catalog, _ loader: SpecLoader,
        remarks: [String]? = nil, isSpecGiven: Bool = false
    ) {
        self.loader = loader
        self.isSpecGiven = isSpecGiven
        (self.source, spec, self.specSource) = (source, loaded.spec, specSource)
        (self.catalog, self.remarks) = (catalog, remarks ?? source.remarks)
    }

    private init(
        _ checkpoint: LightningCheckpoint, _ source: WeightSource, _ overrides: [String], _ catalog: Catalog,
        _ loader: SpecLoader
    ) throws {
        let path = source.path
        let layout = try EDM2Layout(checkpoint)
        guard layout != nil || !checkpoint.hyperParameters.pairs.isEmpty else {
            throw CheckpointError(
                path: path,
                reason: "holds weights without hyper-parameters, so nothing says what network they belong to",
                hint: "name the network's spec with --spec FILE, or import a checkpoint that training wrote")
        }
        let imported = try Self.hyperParameters(checkpoint, path, weights: path, catalog)
        let loaded = try loader.load(text: imported.yaml, file: "hyper_parameters of \(path)", overrides: overrides)
        try NetworkSize.check(loaded.spec, available: source.valueCount, file: path)
        self.init(
            source, loaded, layout == nil ? "its hyper-parameters" : "the tensors of \(path)", catalog, loader,
            remarks: source.remarks + imported.remarks)
    }

    private init(
        _ file: SafetensorsFile, _ source: WeightSource, folder: String?, _ overrides: [String], _ catalog: Catalog,
        _ loader: SpecLoader
    ) throws {
        let written = folder.map { $0 + "/" + ImportedFiles.spec }.flatMap {
            try? String(contentsOfFile: $0, encoding: .utf8)
        }
        let (text, place): (String, String)
        if let written, let folder {
            (text, place) = (written, folder + "/" + ImportedFiles.spec)
        } else if let stored = file.metadata["spec"] {
            (text, place) = (stored, "its metadata")
        } else if file.metadata["format"] == TrainingCheckpoint.format, let (run, store) = Self.run(of: source.path) {
            (text, place) = (try Self.text(of: run, in: store), "run \(run.name) (\(run.shortID))")
        } else {
            throw CheckpointError(
                path: source.path, reason: "nothing says what network its weights belong to",
                hint:
                    """
                    name the network's spec with --spec FILE, or the run instead, or a folder of sgmse checkpoint \
                    import
                    """
            )
        }
        let loaded = try loader.load(text: text, file: place, overrides: overrides)
        try NetworkSize.check(loaded.spec, available: source.valueCount, file: source.path)
        self.init(source, loaded, place, catalog, loader)
    }

    /// The same model under a changed spec.
    public func overriding(_ overrides: [String]) throws -> StoredModel {
        let loaded = try loader.load(text: ResolvedRendering.yaml(spec), file: specSource, overrides: overrides)
        return StoredModel(source, loaded, specSource, catalog, loader, remarks: remarks, isSpecGiven: isSpecGiven)
    }

    // MARK: The weights

    /// The weights of the model, every parameter checked against the network that the spec describes.
    ///
    /// - Throws: `WeightsError` for a tensor that is missing, of another shape, or not finite; `WeightFileError`;
    ///   `CheckpointError` for raw weights that are not in the file.
    public func weights(_ choice: Choice) throws -> Weights { try source.weights(choice, ModelLayout(spec, catalog)) }

    // MARK: The spec

    /// The spec from a checkpoint's hyper-parameters, with the weights at a path; `nil` for other files.
    func hyperParameters(weights: String) throws -> HyperParameterImport? {
        guard !isSpecGiven, case .lightning(let checkpoint) = source.contents else { return nil }
        return try Self.hyperParameters(checkpoint, path, weights: weights, catalog)
    }

    private static func hyperParameters(
        _ checkpoint: LightningCheckpoint, _ path: String, weights: String, _ catalog: Catalog
    ) throws -> HyperParameterImport {
        if let layout = try EDM2Layout(checkpoint) {
            return layout.imported(name: name(of: path), weights: weights, notes: notes(checkpoint))
        }
        return HyperParameterImport(
            checkpoint.hyperParameters.settings, name: name(of: path), weights: weights, notes: notes(checkpoint),
            vocabulary: catalog.vocabulary)
    }

    /// A run's spec as YAML.
    private static func text(of run: Run, in store: RunStore) throws -> String {
        let resolved = try store.spec(of: run.id).resolved
        guard case .section(let settings)? = try? JSONDecoder().decode(SettingValue.self, from: Data(resolved.utf8))
        else {
            throw CheckpointError(
                path: store.path, reason: "the spec of run \(run.name) is damaged", hint: "sgmse doctor")
        }
        return ResolvedRendering.yaml(ExperimentSpec(settings))
    }

    /// The run whose folder holds the checkpoint, found in the store two folders up.
    private static func run(of path: String) -> (Run, RunStore)? {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().deletingLastPathComponent()
        let store = folder.deletingLastPathComponent().appendingPathComponent("store.sqlite").path
        guard FileManager.default.fileExists(atPath: store), let store = try? RunStore(at: store, access: .readOnly),
            let run = try? store.runs().first(where: { $0.folder == folder.lastPathComponent })
        else { return nil }
        return (run, store)
    }

    /// The file's name without its ending, as the name of a spec.
    static func name(of path: String) -> String {
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        return String(name.map { $0.isLetter || $0.isNumber || "-_.+".contains($0) ? $0 : "-" })
    }

    private static func notes(_ checkpoint: LightningCheckpoint) -> String? {
        guard let step = checkpoint.globalStep else { return nil }
        return "A checkpoint of the reference after step \(step)" + (checkpoint.epoch.map { ", epoch \($0)" } ?? "")
            + "."
    }
}

/// The names of the files of an imported model.
package enum ImportedFiles {
    package static let weights = "weights.safetensors"
    package static let spec = "spec.yaml"
    package static let format = "sgmse-weights-1"
    /// The metadata's name for the updates that Adam's moments have seen.
    package static let adamUpdates = "adam_updates"
}

/// Why a checkpoint cannot be used, and what to do.
public struct CheckpointError: Diagnostic, Hashable, Sendable {
    /// The file or folder at fault.
    public var path: String
    /// What is wrong, as the end of a sentence that begins with the path.
    public var reason: String
    public var hint: String?

    public init(path: String, reason: String, hint: String? = nil) {
        (self.path, self.reason, self.hint) = (path, reason, hint)
    }

    public var place: String? { path }
    public var summary: String { reason }
    public var category: FailureCategory { .request }
    public var description: String { "\(path): \(reason)" + (hint.map { "\n  \($0)" } ?? "") }
}
