import Audio
import Foundation

/// A folder of its own for a test, removed with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "corpora-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Makes the folders above a file and gives its path.
    func file(_ name: String) throws -> String {
        let url = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        return url.path
    }

    func text(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    }

    /// A tone whose frequency, and so its content, follows from the seed.
    func tone(
        _ name: String, seed: Int, frames: Int = 400, rate: Int = 16_000, channels: Int = 1, level: Float = 0.3
    ) throws {
        let samples = (0..<frames).map { level * sin(Float($0) * (0.05 + 0.001 * Float(seed))) }
        let sound = Sound(channels: Array(repeating: samples, count: channels), sampleRate: rate)
        try SoundFile.write(sound, to: try file(name), durable: false)
    }

    /// A pair of different content.
    func pair(_ set: String, _ name: String, seed: Int, rate: Int = 16_000) throws {
        try tone("\(set)/clean/\(name)", seed: 2 * seed, rate: rate)
        try tone("\(set)/noisy/\(name)", seed: 2 * seed + 1, rate: rate)
    }
}
