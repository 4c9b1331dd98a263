import Foundation

/// A path below the folder of a store: never absolute, never above that folder, and printable.
///
/// Rows of a store name files by such paths; what is none is refused where it is read, so that no row can lead a
/// command out of the folder.
public struct RelativePath: Hashable, Sendable, CustomStringConvertible {
    /// Its parts joined by `/`.
    public let text: String

    /// nil for an empty or absolute path, for one with an empty part, `.` or `..`, with a control character, with a
    /// part of more than 255 bytes, or of more than 4000 bytes in all.
    public init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 4000, text.isPrintable else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }) else { return nil }
        self.text = text
    }

    /// At least one, none empty.
    public var parts: [String] { text.split(separator: "/").map(String.init) }
    public var description: String { text }
}

extension String {
    /// Whether no scalar is a control character, a line's or paragraph's end, or turns the direction of writing.
    var isPrintable: Bool {
        unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .surrogate: false
            case .format: !Self.directional.contains(scalar.value)
            default: true
            }
        }
    }

    /// The marks, embeddings, overrides and isolates of the bidirectional algorithm (Unicode Standard Annex 9).
    private static let directional = Set<UInt32>([0x061C, 0x200E, 0x200F]).union(0x202A...0x202E).union(0x2066...0x2069)
}
