import Audio
import Foundation
import TestFolders

extension TestFolder {
    func text(_ name: String, _ text: String) throws { try write(text, to: name) }

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
