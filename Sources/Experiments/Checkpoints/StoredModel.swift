import Foundation
import Runs
import Specs
import WeightFiles

/// A trained model at rest, wherever it came from: its spec, and its weights on request.
///
/// Read are checkpoints of the reference (`.ckpt`, `.pt`), the training checkpoints of runs, and imported models (a folder
/// with `weights.safetensors` and `spec.yaml`, or that file alone). Nothing in them is executed.
public struct StoredModel: Sendable {
    /// Which of its weights.
    public enum Choice: String, Sendable, CaseIterable {
        /// The moving average; raw ones where there is none, and that is said.
        case ema
        /// As the optimizer left them.
        case raw
    }

    /// Weights, and what is to be said about them.
    public struct Weights: Sendable {
        /// In the order of a `state_dict` and under its names.
        public var arrays: [NamedArray]
        /// The part of the file they came from, such as `ema.shadow_params`.
        public var origin: String
        public var areAveraged: Bool
        public var remark: String?

        /// `ema weights from ema.shadow_params`
        public var description: String { "\(areAveraged ? "ema" : "raw") weights from \(origin)" }
    }

    enum Contents: Sendable {
        case lightning(LightningCheckpoint)
        /// A safetensors file whose arrays are named `weights/…`, `ema/…` and `buffers/…`.
        case parts(SafetensorsFile)
    }

    public let path: String
    public let spec: ExperimentSpec
    /// Where the spec comes from, in words.
    public let specSource: String
    /// What reading the spec made worth knowing.
    public let remarks: [String]
    public let catalog: Catalog
    let contents: Contents
    let progress: Progress

    /// How far the model's training had come.
    struct Progress: Sendable {
        var step: Int?
        var epoch: Int?
        /// Updates of the moving average; one for each step unless the file says otherwise.
        var averageUpdates: Int?
    }

    // MARK: Opening

    /// Opens a file or a folder.
    ///
    /// - Parameter overrides: Settings that replace the spec's own, as `evaluate.N=50`.
    /// - Throws: `WeightFileError`, `WeightsError`, `SpecErrors`, or `CheckpointError`.
    public init(at path: String, overrides: [String] = [], catalog: Catalog = .standard) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CheckpointError(path: path, reason: "no such file", hint: "sgmse checkpoint list says where checkpoints are published")
        }
        let file = isFolder.boolValue ? path + "/" + ImportedFiles.weights : path
        if file.hasSuffix(".safetensors") {
            try self.init(parts: file, folder: isFolder.boolValue ? path : nil, overrides, catalog)
        } else {
            try self.init(lightning: file, overrides, catalog)
        }
    }

    /// Opens a checkpoint of a run.
    public init(
        run: Run, checkpoint: CheckpointRecord, in store: RunStore, overrides: [String] = [], catalog: Catalog = .standard
    ) throws {
        let path = store.folder + "/" + checkpoint.path
        self.init(
            path: path, try Self.resolve(Self.text(of: run, in: store), run.name, overrides, catalog),
            "run \(run.name) (\(run.shortID))", .parts(try SafetensorsFile(path: path)), catalog,
            Progress(step: checkpoint.step, averageUpdates: checkpoint.emaUpdates))
    }

    private init(
        path: String, _ loaded: LoadedSpec, _ source: String, _ contents: Contents, _ catalog: Catalog, _ progress: Progress,
        remarks: [String] = []
    ) {
        (self.path, spec, specSource, self.contents) = (path, loaded.spec, source, contents)
        (self.catalog, self.progress, self.remarks) = (catalog, progress, remarks)
    }

    private init(lightning path: String, _ overrides: [String], _ catalog: Catalog) throws {
        let checkpoint = try LightningCheckpoint(path: path)
        guard !checkpoint.hyperParameters.pairs.isEmpty else {
            throw CheckpointError(
                path: path, reason: "holds weights without hyper-parameters, so nothing says what network they belong to",
                hint: "import a checkpoint that training wrote")
        }
        let imported = Self.hyperParameters(checkpoint, path, weights: path, catalog)
        let loaded = try Self.resolve(imported.yaml, "hyper_parameters of \(path)", overrides, catalog)
        try NetworkSize.check(loaded.spec, available: checkpoint.valueCount, file: path)
        self.init(
            path: path, loaded, "its hyper-parameters", .lightning(checkpoint), catalog,
            Progress(
                step: checkpoint.globalStep, epoch: checkpoint.epoch, averageUpdates: checkpoint.movingAverage?.updates),
            remarks: imported.remarks)
    }

    private init(parts path: String, folder: String?, _ overrides: [String], _ catalog: Catalog) throws {
        let file = try SafetensorsFile(path: path)
        func number(_ name: String) -> Int? { file.metadata[name].flatMap(Int.init) }
        let written = folder.map { $0 + "/" + ImportedFiles.spec }.flatMap { try? String(contentsOfFile: $0, encoding: .utf8) }
        let (text, source): (String, String)
        if let written, let folder {
            (text, source) = (written, folder + "/" + ImportedFiles.spec)
        } else if let stored = file.metadata["spec"] {
            (text, source) = (stored, "its metadata")
        } else if file.metadata["format"] == TrainingCheckpoint.format, let (run, store) = Self.run(of: path) {
            (text, source) = (try Self.text(of: run, in: store), "run \(run.name) (\(run.shortID))")
        } else {
            throw CheckpointError(
                path: path, reason: "nothing says what network its weights belong to",
                hint: "name the run instead, or a folder of sgmse checkpoint import")
        }
        let loaded = try Self.resolve(text, source, overrides, catalog)
        try NetworkSize.check(
            loaded.spec, available: file.entries.reduce(0) { $0 + $1.shape.reduce(1, *) }, file: path)
        self.init(
            path: path, loaded, source, .parts(file), catalog,
            Progress(step: number("step"), epoch: number("epoch"), averageUpdates: number("ema_updates")))
    }

    /// The same model under a changed spec.
    public func overriding(_ overrides: [String]) throws -> StoredModel {
        let loaded = try Self.resolve(ResolvedRendering.yaml(spec), specSource, overrides, catalog)
        return StoredModel(path: path, loaded, specSource, contents, catalog, progress, remarks: remarks)
    }

    // MARK: The spec

    private static func resolve(_ text: String, _ source: String, _ overrides: [String], _ catalog: Catalog) throws -> LoadedSpec {
        try SpecLoader(vocabulary: catalog.vocabulary).load(text: text, file: source, overrides: overrides)
    }

    /// What the hyper-parameters of a checkpoint say, with weights at a path; `nil` for other files.
    func hyperParameters(weights: String) -> HyperParameterImport? {
        guard case .lightning(let checkpoint) = contents else { return nil }
        return Self.hyperParameters(checkpoint, path, weights: weights, catalog)
    }

    private static func hyperParameters(
        _ checkpoint: LightningCheckpoint, _ path: String, weights: String, _ catalog: Catalog
    ) -> HyperParameterImport {
        HyperParameterImport(
            checkpoint.hyperParameters.settings, name: name(of: path), weights: weights, notes: notes(checkpoint),
            vocabulary: catalog.vocabulary)
    }

    /// A run's spec as YAML.
    private static func text(of run: Run, in store: RunStore) throws -> String {
        let resolved = try store.spec(of: run.id).resolved
        guard case .section(let settings)? = try? JSONDecoder().decode(SettingValue.self, from: Data(resolved.utf8)) else {
            throw CheckpointError(path: store.path, reason: "the spec of run \(run.name) is damaged", hint: "sgmse doctor")
        }
        return ResolvedRendering.yaml(ExperimentSpec(settings))
    }

    /// The run whose folder a checkpoint lies in, by the store two folders up.
    private static func run(of path: String) -> (Run, RunStore)? {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().deletingLastPathComponent()
        let store = folder.deletingLastPathComponent().appendingPathComponent("store.sqlite").path
        guard FileManager.default.fileExists(atPath: store), let store = try? RunStore(at: store, access: .readOnly),
            let run = try? store.runs().first(where: { $0.folder == folder.lastPathComponent })
        else { return nil }
        return (run, store)
    }

    /// The file's name without its end, as the name of a spec.
    static func name(of path: String) -> String {
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        return String(name.map { $0.isLetter || $0.isNumber || "-_.+".contains($0) ? $0 : "-" })
    }

    private static func notes(_ checkpoint: LightningCheckpoint) -> String? {
        guard let step = checkpoint.globalStep else { return nil }
        return "A checkpoint of the reference after step \(step)" + (checkpoint.epoch.map { ", epoch \($0)" } ?? "") + "."
    }
}

/// The names of the files of an imported model.
enum ImportedFiles {
    static let weights = "weights.safetensors"
    static let spec = "spec.yaml"
    static let format = "sgmse-weights-1"
}

/// Why a checkpoint cannot be used, and what to do.
public struct CheckpointError: Error, Hashable, Sendable, CustomStringConvertible {
    public var path: String
    public var reason: String
    public var hint: String?

    public init(path: String, reason: String, hint: String? = nil) {
        (self.path, self.reason, self.hint) = (path, reason, hint)
    }

    public var description: String { "\(path): \(reason)" + (hint.map { "\n  \($0)" } ?? "") }

    /// Whether an error says that a file of weights is damaged, hostile, or not what it claims.
    public static func isDamage(_ error: any Error) -> Bool {
        error is WeightsError || (error as? WeightFileError).map { ![.unreadable, .unwritable].contains($0.reason) } ?? false
    }
}
