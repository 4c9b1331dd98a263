/// A command line as a shell would split it, each word with its place.
struct CommandWords {
    struct Word: Hashable {
        var text: String
        /// Counted from 1, in Unicode scalars.
        var column: Int
    }

    private(set) var words: [Word] = []
    private(set) var unclosedQuote: Int?

    /// Splits at blanks outside quotes; a backslash takes the next character as it is, and joins lines.
    init(_ command: String) {
        var current = ""
        var start: Int?
        var quote: Unicode.Scalar?
        var isEscaped = false
        var column = 0
        for scalar in command.unicodeScalars {
            column += 1
            if isEscaped {
                isEscaped = false
                if scalar == "\n" || scalar == "\r" { continue }
                start = start ?? column - 1
                current.unicodeScalars.append(scalar)
            } else if let open = quote {
                if scalar == open {
                    quote = nil
                    unclosedQuote = nil
                } else if scalar == "\\", open == "\"" {
                    isEscaped = true
                } else {
                    current.unicodeScalars.append(scalar)
                }
            } else if scalar == "\\" {
                isEscaped = true
            } else if scalar == "'" || scalar == "\"" {
                quote = scalar
                unclosedQuote = column
                start = start ?? column
            } else if scalar.properties.isWhitespace {
                if let begin = start { words.append(Word(text: current, column: begin)) }
                (current, start) = ("", nil)
            } else {
                start = start ?? column
                current.unicodeScalars.append(scalar)
            }
        }
        if let begin = start { words.append(Word(text: current, column: begin)) }
    }

    /// The text as one word of a shell.
    static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "_-./=:,+@%".utf8.contains(byte)
                }
            }
        return isPlain ? text : "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
