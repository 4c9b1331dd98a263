public import Failures

/// One mistake in a spec: where it is, what is wrong, and what to do about it.
public struct SpecError: Diagnostic, Hashable, Sendable {
    /// An error stops; a warning is shown and the work goes on.
    public enum Severity: String, Sendable { case error, warning }

    /// The name of the mistake's kind, stable across versions: what `waive` and a program refer to.
    public var code: String
    /// An error stops the work, a warning does not.
    public var severity: Severity
    /// The place to which the message points.
    public var mark: Mark
    public var summary: String
    public var hint: String?

    public init(
        _ code: String, _ severity: Severity = .error, at mark: Mark, _ summary: String, hint: String? = nil
    ) {
        self.code = code
        self.severity = severity
        self.mark = mark
        self.summary = summary
        self.hint = hint
    }

    /// `name` is not among `known`; offers the closest by edit distance, or all of them.
    package static func unknown(
        _ kind: String, _ name: String, known: [String], at mark: Mark, code: String = "unknown-name"
    ) -> SpecError {
        let hint = nearest(to: name, among: known).map { "did you mean '\($0)'?" }
        return SpecError(
            code, at: mark, "unknown \(kind) '\(name)'",
            hint: hint ?? (known.isEmpty ? nil : "known: " + known.joined(separator: ", ")))
    }
}

extension SpecError {
    public var place: String? { "\(mark)" }
    public var category: FailureCategory { .request }

    /// The message as compilers write it.
    ///
    ///     experiments/ouve.yaml:14:14: error: unknown predictor 'reverse_difusion'
    ///         predictor: reverse_difusion
    ///                    ^ did you mean 'reverse_diffusion'?
    public var description: String {
        let snippet = mark.snippet(note: hint)
        return "\(mark): \(severity.rawValue): \(summary)" + (snippet.isEmpty ? "" : "\n" + snippet)
    }
}

/// All the mistakes of a spec, found in one pass, in the order of the text.
public struct SpecErrors: Diagnostic, Hashable, Sendable {
    /// Each mistake once: files in the order in which they were read, and within a file by line and column.
    public var all: [SpecError]

    public init(_ all: [SpecError]) {
        var seen: Set<SpecError> = []
        let unique = all.filter { seen.insert($0).inserted }
        // Files keep the order in which they were read; within a file, the order of the text.
        var rank: [String: Int] = [:]
        for error in unique where rank[error.mark.file] == nil { rank[error.mark.file] = rank.count }
        func place(_ error: SpecError) -> (Int, Int, Int) {
            (rank[error.mark.file] ?? 0, error.mark.line, error.mark.column)
        }
        self.all = unique.enumerated()
            .sorted {
                place($0.element) == place($1.element) ? $0.offset < $1.offset : place($0.element) < place($1.element)
            }
            .map(\.element)
    }
}

extension SpecErrors {
    public var place: String? { all.first?.mark.file }
    public var summary: String { all.map(\.summary).joined(separator: "; ") }
    public var category: FailureCategory { .request }
    public var description: String { all.map(\.description).joined(separator: "\n") }
}
