import Foundation
import Kernels
import Runs

/// Where experiments run: the store and the folders beside it.
public struct Workspace: Sendable {
    public static let version = "0.1.0"

    public let store: RunStore
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
            gitCommit: commit, isDirty: isDirty, version: Self.version, machine: Self.machine, threads: Engine.threads,
            commandLine: commandLine.joined(separator: " "))
    }

    /// The folder that holds the store and the folder of each run.
    public var folder: String { store.folder }
    /// The folder that holds the corpora, by name.
    public let corpora: String

    /// Host, processor and cores.
    private static var machine: String {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = info.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let processor = model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
        let cores = ProcessInfo.processInfo.processorCount
        return "\(ProcessInfo.processInfo.hostName), \(processor), \(cores) cores, \(Engine.instructionSet)"
    }

    /// The commit of the working tree around the current folder, and whether it has changes.
    private static func gitState() -> (commit: String, isDirty: Bool) {
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
