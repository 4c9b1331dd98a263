import Digests
import Foundation
import SystemCalls

/// A copy of the program, with the libraries that it opens, on the file system of the queue: for nodes that do not see
/// the program's own folder. Jobs of one version share it, and a version that runs is never written over.
public struct StagedProgram: Sendable {
    private let files: [String]
    private let folder: String

    /// - Parameters:
    ///   - files: The program, and what lies beside it.
    ///   - queue: The folder of the queue.
    /// - Throws: ``LaunchError`` where a file cannot be read.
    public init(_ files: [String], beside queue: String) throws(LaunchError) {
        precondition(!files.isEmpty, "no program to stage")
        var contents = ""
        for file in files {
            do {
                contents += try SHA256.hex(ofFile: file) + Self.name(file) + "\n"
            } catch {
                throw Self.failure(file, error)
            }
        }
        self.files = files
        folder = queue + "/programs/" + SHA256.hex(contents, digits: 16)
    }

    /// The copy of the program.
    public var path: String { folder + "/" + Self.name(files[0]) }

    /// Makes the copies, where they are missing. Interrupted, it leaves nothing that a job would take for a program.
    public func copy() throws(LaunchError) {
        guard !FileManager.default.fileExists(atPath: folder) else { return }
        let part = folder + ".part-" + String(getpid())
        defer { try? FileManager.default.removeItem(atPath: part) }
        do {
            try FileManager.default.createDirectory(atPath: part, withIntermediateDirectories: true)
            for file in files { try FileManager.default.copyItem(atPath: file, toPath: part + "/" + Self.name(file)) }
        } catch {
            throw Self.failure(part, error)
        }
        // Another command may have made the same copies meanwhile.
        guard POSIX.rename(part, folder) == 0 || errno == EEXIST || errno == ENOTEMPTY else {
            let reason = POSIX.lastMessage
            throw LaunchError("the program cannot be copied to \(folder): \(reason)", hint: Self.hint)
        }
    }

    private static func name(_ file: String) -> String { (file as NSString).lastPathComponent }

    private static let hint =
        "make room beside the store, or leave stage_binary out where nodes see the program's own folder"

    private static func failure(_ file: String, _ error: any Error) -> LaunchError {
        LaunchError("the program cannot be copied: \(file): \((error as NSError).localizedDescription)", hint: hint)
    }
}
