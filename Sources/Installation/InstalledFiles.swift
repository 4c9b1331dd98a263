import Foundation

/// The files that are installed with the program, found from the program's path.
///
///     PREFIX/bin/sgmse                       the program
///     PREFIX/share/sgmse/experiments         the library of experiments
///
/// A program that was built in a checkout and not installed has the checkout's `experiments`.
public struct InstalledFiles: Sendable {
    /// The folder of the library of experiments; `nil` where the program has none.
    public let experiments: String?

    /// - Parameters:
    ///   - program: The program's path, with symbolic links followed.
    ///   - experiments: A library to be used in place of the program's own.
    public init(ofProgramAt program: String, experiments: String? = nil) {
        let prefix = Self.parent(Self.parent(program))
        let places = [prefix + "/share/sgmse", Self.checkout(around: program)].compactMap {
            $0.map { $0 + "/experiments" }
        }
        self.experiments = experiments ?? places.first { Self.isFolder($0) }
    }

    /// The folder that holds the build folder in which the program lies.
    private static func checkout(around program: String) -> String? {
        let parts = program.split(separator: "/", omittingEmptySubsequences: false)
        guard let build = parts.lastIndex(where: { $0.hasPrefix(".build") }) else { return nil }
        return parts[..<build].joined(separator: "/")
    }

    private static func parent(_ path: String) -> String { (path as NSString).deletingLastPathComponent }

    private static func isFolder(_ path: String) -> Bool {
        (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil
    }
}
