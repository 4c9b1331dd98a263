import Foundation
import SpeechMetrics
import Testing

/// A recorded pair with what the field's tools say of it.
struct RecordedPair: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var sampleRate: Int
    var clean: String
    var noisy: String?
    var enhanced: String
    var expected: [String: Double]
    /// The code of the reason where there is no number.
    var failures: [String: String]

    var testDescription: String { name }

    static let all: [RecordedPair] = {
        guard let url = fixture("pairs.json"), let data = try? Data(contentsOf: url),
            let pairs = try? JSONDecoder().decode([RecordedPair].self, from: data)
        else { return [] }
        return pairs
    }()

    static func named(_ name: String) throws -> SpeechPair {
        try #require(all.first { $0.name == name }).load()
    }

    func load() throws -> SpeechPair {
        SpeechPair(
            clean: try samples(clean), noisy: try noisy.map(samples), enhanced: try samples(enhanced),
            sampleRate: sampleRate)
    }
}

private func fixture(_ name: String) -> URL? {
    Bundle.module.url(forResource: name, withExtension: nil, subdirectory: "Fixtures")
}

/// The samples of a mono 16-bit PCM file.
private func samples(_ name: String) throws -> [Float] {
    let bytes = [UInt8](try Data(contentsOf: try #require(fixture(name))))
    var offset = 12
    while offset + 8 <= bytes.count {
        let size = (0..<4).reduce(0) { $0 | Int(bytes[offset + 4 + $1]) << (8 * $1) }
        if bytes[offset..<offset + 4].elementsEqual("data".utf8) {
            return stride(from: offset + 8, to: offset + 8 + size, by: 2).map {
                Float(Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)) / 32768
            }
        }
        offset += 8 + size + size % 2
    }
    throw CocoaError(.fileReadCorruptFile)
}
