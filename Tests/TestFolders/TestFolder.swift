package import Foundation

/// A folder of its own for a test, removed with its last reference.
package final class TestFolder: Sendable {
    package let path: String

    package init() throws {
        path = NSTemporaryDirectory() + "sgmse-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Where a store in it lies.
    package var store: String { path + "/store.sqlite" }

    /// Makes the folders above a file and gives its path.
    package func file(_ name: String) throws -> String {
        let url = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        return url.path
    }

    /// Writes a file and gives its path.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        let path = try file(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// The bytes of a file; nil where it cannot be read.
    package func data(_ name: String) -> Data? { FileManager.default.contents(atPath: "\(path)/\(name)") }

    /// All that lies below it, with paths relative to it, sorted.
    package var names: [String] {
        (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).sorted()
    }
}
