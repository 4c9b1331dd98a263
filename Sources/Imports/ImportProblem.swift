public import Failures

/// Why files of another program cannot be imported: every mistake, found before anything is written.
public struct ImportFailure: Diagnostic, Hashable, Sendable {
    /// One kind of mistake, with the files that it concerns.
    public struct Problem: Hashable, Sendable {
        /// What kind of mistake it is, such as `missing`; where it is one of ``EnhancedFolder/waivable``, a person may
        /// waive it.
        public var code: String
        public var summary: String
        /// What the person can do about it.
        public var fix: String
        /// Names of all files that have the mistake; a message shows five.
        public var files: [String]

        public init(_ code: String, _ summary: String, fix: String, files: [String] = []) {
            (self.code, self.summary, self.fix, self.files) = (code, summary, fix, files)
        }
    }

    /// The folder or file.
    public var path: String
    /// At least one.
    public var problems: [Problem]

    public init(_ path: String, _ problems: [Problem]) { (self.path, self.problems) = (path, problems) }

    public var place: String? { path }
    public var summary: String { problems.map(\.summary).joined(separator: "; ") }
    public var hint: String? { problems.map(\.fix).joined(separator: "; ") }
    public var category: FailureCategory { .data }

    public var description: String {
        problems.map { problem in
            let shown =
                problem.files.prefix(5).joined(separator: ", ")
                + (problem.files.count > 5 ? ", ... (\(problem.files.count) in all)" : "")
            return "\(path): error[\(problem.code)]: \(problem.summary)\n  fix: \(problem.fix)"
                + (shown.isEmpty ? "" : "\n  files: \(shown)")
        }.joined(separator: "\n")
    }
}
