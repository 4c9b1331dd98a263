import Foundation
public import Models
public import Runs
public import SpecLanguage
public import Specs
import WeightFiles

extension StoredModel {
    /// The model that `text` names: a file or folder, a published checkpoint's id, or a run of a store.
    ///
    /// - Parameters:
    ///   - kind: Which checkpoint of a run; the best PESQ where it was found, else the last, if `nil`.
    ///   - spec: The spec of a file whose weights come alone.
    ///   - files: Where that spec is read from.
    ///   - folder: Where published checkpoints are kept.
    ///   - environment: The value of an environment variable, for paths in specs.
    ///   - store: Opens the store; called only where `text` is neither a file nor an id.
    public static func find(
        _ text: String, kind: CheckpointRecord.Kind? = nil, spec: String? = nil, files: SpecFiles = .disk,
        folder: String,
        registry: CheckpointRegistry = .standard, catalog: Catalog = .standard,
        environment: @escaping SpecLoader.Environment = { _ in nil }, store: () throws -> RunStore
    ) throws -> StoredModel {
        if FileManager.default.fileExists(atPath: text) {
            return try StoredModel(at: text, spec: spec, files: files, catalog: catalog, environment: environment)
        }
        if let published = registry[text] {
            if let file = published.file(in: folder) {
                return try StoredModel(at: file, catalog: catalog, environment: environment)
            }
            throw CheckpointError(
                path: text, reason: "is published at \(published.source), and not in \(folder)",
                hint: published.instruction(folder: folder))
        }
        guard !text.contains("/"), !text.hasSuffix(".ckpt"), !text.hasSuffix(".pt"), !text.hasSuffix(".safetensors")
        else {
            throw CheckpointError(
                path: text, reason: "no such file", hint: "sgmse checkpoint list says where checkpoints are published")
        }
        let (run, store) = try run(text, registry, store)
        let kinds = kind.map { [$0] } ?? [.bestPESQ, .last]
        for kind in kinds {
            if let checkpoint = try store.checkpoint(of: run.id, kind: kind) {
                return try StoredModel(
                    run: run, checkpoint: checkpoint, in: store, catalog: catalog, environment: environment)
            }
        }
        throw CheckpointError(
            path: text, reason: "the run has no checkpoint \(kinds.map(\.rawValue).joined(separator: " or "))",
            hint: "sgmse show \(text) lists those it has")
    }

    /// The run of a name in a store that may not be there.
    ///
    /// - Throws: `CheckpointError` for an unknown name.
    private static func run(
        _ name: String, _ registry: CheckpointRegistry, _ open: () throws -> RunStore
    ) throws -> (Run, RunStore) {
        func unknown(_ place: String, runs: [String]) -> CheckpointError {
            CheckpointError(
                path: name, reason: "is no file, no published checkpoint, and no run: \(place)",
                hint: (runs.isEmpty ? "" : "runs: \(runs.joined(separator: ", "))\n  ")
                    + "published: \(registry.entries.map(\.id).joined(separator: ", "))")
        }
        let store: RunStore
        do { store = try open() } catch let error as StoreError
            where !FileManager.default.fileExists(atPath: error.path)
        {
            throw unknown("there is no store at \(error.path)", runs: [])
        }
        let runs = try store.runs()
        let isRuns = runs.contains {
            $0.name == name || $0.shortID.hasPrefix(name) || "\($0.name)-\($0.shortID)" == name
        }
        guard isRuns else { throw unknown("the store is \(store.path)", runs: Set(runs.map(\.name)).sorted()) }
        return (try store.run(named: name), store)
    }
}
