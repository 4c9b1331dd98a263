import Audio
import Corpora
import Foundation

/// A published list of segments of recordings: JSON, `{ "p102": { "sentences_01": [[0, 480000], [480000, -1]] }
/// }`, with folders, files without their ending, and for each piece its first sample and the first one behind it; −1 is
/// the end.
struct CutList: Sendable {
    /// By folder and file, in samples of the recording.
    private let pieces: [String: [[Int]]]

    init(_ data: Data, path: String) throws(CorpusError) {
        guard let table = try? JSONDecoder().decode([String: [String: [[Int]]]].self, from: data) else {
            let example = "{ \"folder\": { \"file\": [[0, 480000], [480000, -1]] } }"
            throw CorpusError(path, .badTable(line: 1, "a list of pieces is JSON such as \(example)"))
        }
        var pieces: [String: [[Int]]] = [:]
        for (folder, files) in table {
            for (file, list) in files {
                guard list.allSatisfy({ $0.count == 2 && $0[0] >= 0 && ($0[1] == -1 || $0[1] > $0[0]) }) else {
                    throw CorpusError(
                        path, .badTable(line: 1, "a piece of \(folder)/\(file) is not two numbers in order"))
                }
                pieces["\(folder)/\(file)"] = list
            }
        }
        self.pieces = pieces
    }

    /// The recordings that the list names, without their endings, sorted.
    var recordings: [String] { pieces.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    /// The pieces of a recording, in s; none where it is not in the list.
    func parts(of file: String, _ header: SoundFile.Header) throws(CorpusError) -> [Range<Double>] {
        var parts: [Range<Double>] = []
        for piece in pieces[(file as NSString).deletingPathExtension] ?? [] {
            let end = piece[1] == -1 ? header.frames : piece[1]
            guard piece[0] < end, end <= header.frames else {
                let asked = "the list of pieces asks for \(piece[0]) to \(end)"
                throw CorpusError(file, .impossible("it has \(header.frames) samples, \(asked)"))
            }
            parts.append(Double(piece[0]) / Double(header.sampleRate)..<Double(end) / Double(header.sampleRate))
        }
        return parts
    }
}
