package import Foundation

extension CSV {
    /// The rows of a table's bytes that are not empty, each with the number of its first line.
    package static func table(of data: Data, path: String) throws(CorpusError) -> [(line: Int, fields: [String])] {
        try rows(of: TableText.decoded(data, path: path), path: path).rows
    }
}
