import Corpora
import Foundation

/// The table that VoiceBank-DEMAND publishes beside its files: a line `p232_001 bus 2.5` for each, name, noise and SNR
/// in dB.
struct NoiseLog: Sendable {
    struct Row: Hashable, Sendable {
        var noise: String?
        /// dB.
        var snr: Double?
    }

    private var rows: [String: Row] = [:]

    init(_ data: Data, path: String) throws(CorpusError) {
        if (path as NSString).lastPathComponent == Manifest.fileName {
            let manifest = try Manifest(data, path: path)
            rows = manifest.entries.mapValues { Row(noise: $0.noise, snr: $0.snr) }
            return
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CorpusError(path, .badEncoding("no text in UTF-8"))
        }
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let fields = line.split(whereSeparator: { " \t,;".contains($0) }).map(String.init)
            guard !fields.isEmpty else { continue }
            guard fields.count >= 3, let snr = Double(fields[fields.count - 1]), snr.isFinite else {
                throw CorpusError(
                    path,
                    .badTable(line: number + 1, "a line is a file's name, its noise and its SNR in dB, not '\(line)'"))
            }
            rows[Self.stem(fields[0])] = Row(noise: fields[1..<fields.count - 1].joined(separator: " "), snr: snr)
        }
    }

    /// The row of a file, by its name without folder and ending.
    subscript(file: String) -> Row? { rows[Self.stem(file)] ?? rows[(file as NSString).deletingPathExtension] }

    private static func stem(_ file: String) -> String {
        let name = (file as NSString).lastPathComponent
        return SoundFolder.isSound(name) ? (name as NSString).deletingPathExtension : name
    }
}

extension NoiseLog.Row {
    /// The SNR in file names of the DNS challenge (`book_…_snr5_tl-20_fileid_7.wav`) and of MS-SNSD
    /// (`noisy7_SNRdb_10.0_clnsp7.wav`).
    init?(inName name: String) {
        guard let match = name.firstMatch(of: /(?:_|^)snr(?:db)?_?(-?[0-9]+(?:\.[0-9]+)?)(?:_|\.|$)/.ignoresCase())
        else { return nil }
        self.init(noise: nil, snr: Double(match.1))
    }
}
