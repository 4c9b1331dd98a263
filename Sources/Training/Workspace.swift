import Digests
public import Failures
import Foundation
import Installation
import Kernels
public import Models
public import Runs
import SpecLanguage
import Specs

/// Where experiments run: the store and the folders beside it.
public struct Workspace: Sendable {
    /// The database of runs, evaluations and scores.
    public let store: RunStore
    /// The choices that specs may name.
    public let catalog: Catalog
    /// How this process describes itself in the store.
    public let provenance: Provenance

    /// - Parameter corpora: The folder of the corpora; `corpora` beside the store if `nil`.
    public init(store: RunStore, catalog: Catalog = .standard, corpora: String? = nil, commandLine: [String]) {
        self.store = store
        self.catalog = catalog
        self.corpora = corpora ?? store.folder + "/corpora"
        let (commit, isDirty) = Self.gitState()
        provenance = Provenance(
            gitCommit: commit, isDirty: isDirty, version: BuildFacts.version, machine: Self.machine,
            threads: Engine.threads,
            commandLine: commandLine.joined(separator: " "))
    }

    /// The folder that holds the store and the folder of each run.
    public var folder: String { store.folder }
    /// The folder that holds the corpora, by name.
    public let corpora: String
    /// The processes that train together with this one; `nil` for a process by itself.
    public var team: TrainingTeam?

    /// The absolute path of a file to be written at `relative`, whose folder is made if it is missing.
    ///
    /// - Throws: `StoreError` of kind `full`, `readOnly` or `unreachable`.
    package func makeFolder(for relative: String) throws -> String {
        let path = folder + "/" + relative
        let parent = (path as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        } catch {
            throw StoreError(cannotWrite: parent, error)
        }
        return path
    }

    /// The path of a checkpoint's file, after its SHA-256 was compared with the stored one.
    ///
    /// - Throws: `DamagedCheckpoint`.
    package func verified(_ checkpoint: CheckpointRecord) throws -> String {
        let path = folder + "/" + checkpoint.path
        guard FileManager.default.fileExists(atPath: path) else { throw DamagedCheckpoint(path: path, isMissing: true) }
        guard try checkpoint.sha256.isEmpty || SHA256.hex(ofFile: path) == checkpoint.sha256 else {
            throw DamagedCheckpoint(path: path, isMissing: false)
        }
        return path
    }

    /// Host, processor, number of cores, and the vector instructions or device in use.
    private static var machine: String {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = info.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let processor = model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
        let cores = ProcessInfo.processInfo.processorCount
        return
            """
            \(ProcessInfo.processInfo.hostName), \(processor), \(cores) cores, \
            \(Device.current?.name ?? Engine.instructionSet)
            """
    }

    /// The commit of the program, and whether it had changes; that of the working tree around the current folder for a
    /// program without a stamp.
    private static func gitState() -> (commit: String, isDirty: Bool) {
        if let stamp = BuildFacts.stamp { return (stamp.commit, stamp.hasChanges) }
        guard let commit = git(["rev-parse", "HEAD"]) else { return ("", false) }
        return (commit, git(["status", "--porcelain", "--untracked-files=no"])?.isEmpty == false)
    }

    private static func git(_ arguments: [String]) -> String? {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git"] + arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { return nil }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// A checkpoint whose file is missing or differs from the stored checksum.
public struct DamagedCheckpoint: Diagnostic, Hashable, Sendable {
    /// The absolute path of the checkpoint.
    public var path: String
    /// Whether the file is gone; `false` where its SHA-256 differs from the stored one.
    public var isMissing: Bool

    public var place: String? { path }
    public var summary: String {
        isMissing ? "the checkpoint is gone" : "the checkpoint was changed since it was written: its SHA-256 differs"
    }
    public var hint: String? {
        "restore the file" + (isMissing ? "" : ", or remove it") + "; without it, its training is made again"
    }
    public var category: FailureCategory { .work }
}
