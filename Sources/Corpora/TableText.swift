import Foundation

/// The text of a table's bytes, whatever program saved it: UTF-8 or UTF-16, with or without a byte-order mark.
///
/// Bytes of another encoding are an error that names them; no character is ever replaced.
enum TableText {
    static func decoded(_ data: Data, path: String) throws(CorpusError) -> String {
        let bytes = [UInt8](data)
        switch encoding(of: bytes) {
        case .utf8(let mark): return try utf8(bytes.dropFirst(mark), path: path)
        case .utf16(let isBig, let mark): return try utf16(bytes.dropFirst(mark), isBigEndian: isBig, path: path)
        case .utf32: throw CorpusError(path, .badEncoding("UTF-32"))
        }
    }

    private enum Encoding {
        /// The number of bytes in the mark.
        case utf8(mark: Int)
        case utf16(isBigEndian: Bool, mark: Int)
        case utf32
    }

    /// By the mark, or else by where the zero bytes of a text in Latin letters lie.
    private static func encoding(of bytes: [UInt8]) -> Encoding {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { return .utf8(mark: 3) }
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return .utf32 }
        if bytes.starts(with: [0xFF, 0xFE]) { return .utf16(isBigEndian: false, mark: 2) }
        if bytes.starts(with: [0xFE, 0xFF]) { return .utf16(isBigEndian: true, mark: 2) }
        guard bytes.count >= 4, bytes.count % 2 == 0, bytes.prefix(64).contains(0) else { return .utf8(mark: 0) }
        return .utf16(isBigEndian: bytes[0] == 0, mark: 0)
    }

    private static func utf8(_ bytes: ArraySlice<UInt8>, path: String) throws(CorpusError) -> String {
        if let text = String(validating: bytes, as: UTF8.self) {
            guard !bytes.contains(0) else { throw CorpusError(path, .badEncoding("binary data: it holds zero bytes")) }
            return text
        }
        var line = 1
        for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { break }
            line += 1
        }
        let odd = bytes.first { $0 >= 0x80 } ?? 0
        throw CorpusError(
            path,
            .badEncoding(
                "neither UTF-8 nor UTF-16: line \(line) holds bytes such as "
                    + "0x\(String(odd, radix: 16, uppercase: true)), perhaps Latin-1 or Windows-1252"))
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool, path: String) throws(CorpusError) -> String
    {
        let bytes = Array(bytes)
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { index -> UInt16 in
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            return isBigEndian ? first << 8 | second : second << 8 | first
        }
        guard bytes.count % 2 == 0, let text = String(validating: units, as: UTF16.self) else {
            throw CorpusError(path, .badEncoding("UTF-16 that ends in the middle of a character, or is damaged"))
        }
        return text
    }
}
