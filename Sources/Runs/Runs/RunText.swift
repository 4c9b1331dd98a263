import Foundation

/// What a person may call a run, tag it with and note of it: short enough for a line, and nothing that moves a cursor.
public enum RunText {
    /// The most bytes of a name.
    public static let longestName = 1000
    /// The most bytes of a tag.
    public static let longestTag = 100
    /// The most bytes of a note, which may have line breaks and tabs.
    public static let longestNote = 10_000

    /// Why `text` is no name; nil if it is one.
    static func fault(inName text: String) -> String? { fault(text, "name", longestName) }

    /// Why `text` is no tag; nil if it is one.
    static func fault(inTag text: String) -> String? { fault(text, "tag", longestTag) }

    /// Why `text` is no note, which may have lines and be empty; nil if it is one.
    static func fault(inNote text: String) -> String? {
        if text.utf8.count > longestNote { return tooLong(text, "note", longestNote) }
        let parts = text.split(whereSeparator: { $0 == "\n" || $0 == "\t" || $0 == "\r\n" })
        let isPlain = parts.allSatisfy { String($0).isPrintable }
        return isPlain ? nil : "a note has no control characters besides line breaks and tabs"
    }

    private static func fault(_ text: String, _ kind: String, _ most: Int) -> String? {
        if text.allSatisfy(\.isWhitespace) { return "a \(kind) has at least one letter" }
        if text.utf8.count > most { return tooLong(text, kind, most) }
        return text.isPrintable ? nil : "a \(kind) has no control characters and no line breaks"
    }

    private static func tooLong(_ text: String, _ kind: String, _ most: Int) -> String {
        "a \(kind) has at most \(most) bytes; this one has \(text.utf8.count)"
    }
}

extension RunStore {
    /// - Throws: ``StoreError`` of kind `invalid` where there is a fault.
    func refuse(_ fault: String?, _ hint: String? = nil) throws(StoreError) {
        if let fault { throw StoreError(.invalid, at: path, fault, hint: hint ?? "give a shorter or plainer text") }
    }
}
