import Foundation

/// What was given of an evaluation whose audio or scores another program made.
public struct ExternalRecord: Hashable, Sendable, Codable {
    /// What was read: a folder of enhanced audio, or a file of scores.
    public enum Kind: String, Hashable, Sendable, Codable { case enhanced, scores }

    /// Whether audio or scores were read.
    public var kind: Kind
    /// The folder or file, as an absolute path.
    public var path: String
    /// How many files of the test set it covers: all of them.
    public var files: Int
    /// The hash of all that was read.
    public var content: String
    /// How often the system's network is called for a file, as its authors say.
    public var nfe: Int?
    /// s of computing for all files, where it was measured.
    public var seconds: Double?
    /// The checks that failed and were waived, by name, with the reason given.
    public var waived: [String: String]?

    public init(
        kind: Kind, path: String, files: Int, content: String, nfe: Int? = nil, seconds: Double? = nil,
        waived: [String: String]? = nil
    ) {
        (self.kind, self.path, self.files, self.content) = (kind, path, files, content)
        (self.nfe, self.seconds, self.waived) = (nfe, seconds, waived)
    }

    /// As the store keeps it; equal records give equal texts.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

extension Evaluation {
    /// What was given of it where another program made its audio or its scores; nil for our own.
    public var externalRecord: ExternalRecord? {
        external.flatMap { try? JSONDecoder().decode(ExternalRecord.self, from: Data($0.utf8)) }
    }
}
