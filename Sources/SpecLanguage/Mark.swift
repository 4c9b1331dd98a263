/// A place in a spec: where a value was written, with the line's text for the message that points at it.
///
/// Overrides given on a command line have places too: the file is `--set`, the line is the number of the
/// option, and the text is the option itself.
public struct Mark: Hashable, Sendable {
    /// The path as it was given, or `--set` for an override.
    public var file: String
    /// Counted from 1.
    public var line: Int
    /// Counted from 1, in Unicode scalars.
    public var column: Int
    /// The whole line, without its end.
    public var text: String

    public init(file: String, line: Int, column: Int, text: String) {
        self.file = file
        self.line = line
        self.column = column
        self.text = text
    }
}

extension Mark: CustomStringConvertible {
    public var description: String { "\(file):\(line):\(column)" }

    /// Of longer lines, the part around the column is shown.
    private static let longestLine = 400

    private var shortened: Mark {
        let scalars = text.unicodeScalars
        let skipped = max(0, column - 41)
        let part = String(String.UnicodeScalarView(scalars.dropFirst(skipped).prefix(90)))
        return Mark(
            file: file, line: line, column: column - skipped + (skipped > 0 ? 1 : 0),
            text: (skipped > 0 ? "…" : "") + part + "…")
    }

    /// The line and a caret under the column, each set in by two spaces; the note alone where there is no line to show.
    func snippet(note: String?) -> String {
        guard !text.isEmpty else { return note.map { "  \($0)" } ?? "" }
        guard text.utf8.count <= Self.longestLine else { return shortened.snippet(note: note) }
        let before = text.unicodeScalars.prefix(max(0, column - 1))
        let indent = String(String.UnicodeScalarView(before.map { $0 == "\t" ? "\t" : " " }))
        let missing = String(repeating: " ", count: max(0, column - 1 - before.count))
        return "  \(text)\n  \(indent)\(missing)^" + (note.map { " \($0)" } ?? "")
    }
}

extension Mark {
    /// The place alone: lines can be long, and many marks share one.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(file)
        hasher.combine(line)
        hasher.combine(column)
    }
}

extension Mark: Comparable {
    /// By file name, then line, then column.
    public static func < (a: Mark, b: Mark) -> Bool {
        (a.file, a.line, a.column) < (b.file, b.line, b.column)
    }
}
