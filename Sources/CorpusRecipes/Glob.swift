import Foundation
import SystemCalls

/// Patterns of file names as shells have them: `*`, `?`, `[0-9]`, `[!0-9]`.
enum Glob {
    /// Whether a file's name, or its path below the folder, matches one of the patterns; case is ignored.
    static func matches(_ path: String, _ patterns: [String]) -> Bool {
        let name = (path as NSString).lastPathComponent
        return patterns.contains { pattern in
            [name, path].contains { POSIX.matches(pattern.lowercased(), $0.lowercased()) }
        }
    }
}
