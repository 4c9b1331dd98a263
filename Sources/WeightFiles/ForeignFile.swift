/// Detects files that are not checkpoints after a failed download: a web page, a pointer of git-lfs, a server's
/// message.
enum ForeignFile {
    /// The error that names it; `nil` for bytes that may be weights.
    static func error(_ source: ByteSource) throws(WeightFileError) -> WeightFileError? {
        let bytes = try source.read(0..<min(2048, source.count), place: "start")
        func error(_ summary: String, _ hint: String) -> WeightFileError {
            WeightFileError(.unsupported, file: source.name, summary, hint: hint)
        }
        if bytes.isEmpty { return error("is empty", "download the file again") }
        if bytes.starts(with: [0x1F, 0x8B]) {
            return error("is compressed with gzip", "unpack it first, with gunzip or tar")
        }
        if bytes.starts(with: Array("version https://git-lfs.github.com/spec/".utf8)) {
            return error(
                "is a pointer of git-lfs, not the file that it stands for",
                "run 'git lfs pull' in the repository, or download the file itself")
        }
        guard let text = text(of: bytes) else { return nil }
        let lowered = text.lowercased()
        if ["<!doctype html", "<head"].contains(where: lowered.hasPrefix) || lowered.contains("<html") {
            let title = text.firstMatch(of: #/<title>([^<]*)<\/title>/#.ignoresCase())?.1
            return error(
                "is a web page\(title.map { ", '\($0.prefix(80))'" } ?? ""), not a checkpoint",
                """
                the server sent a page instead of the file: open the link in a browser and confirm the download, or \
                use gdown
                """
            )
        }
        if lowered.hasPrefix("<?xml") || lowered.hasPrefix("{\"") || lowered.hasPrefix("<error") {
            let line = text.prefix(80).split(whereSeparator: \.isNewline).joined(separator: " ")
            return error(
                "is a message of a server, not a checkpoint: \(line)",
                "download the file again; the server may ask for a login or a confirmation")
        }
        return nil
    }

    /// The bytes as text, where they are nothing else.
    private static func text(of bytes: [UInt8]) -> Substring? {
        guard !bytes.contains(where: { $0 < 9 }) else { return nil }
        var text = Substring(String(decoding: bytes, as: UTF8.self))
        while let first = text.first, first.isWhitespace || first == "\u{FEFF}" { text.removeFirst() }
        return text
    }
}
