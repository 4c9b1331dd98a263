import TestFolders
import Audio
import CorpusRecipes
import Foundation
import Kernels
import SystemCalls

extension TestFolder {
    func write(_ samples: [Float], _ name: String, rate: Int = 16_000) throws {
        try SoundFile.write(samples, sampleRate: rate, to: try file(name), durable: false)
    }

    /// Harmonics of a moving pitch in syllables, with pauses.
    static func speech(seed: Int, count: Int, rate: Int = 16_000) -> [Float] {
        let stream = RandomStream(seed: UInt64(seed), purpose: "test speech")
        var phase = 0.0
        return (0..<count).map { n in
            let time = Double(n) / Double(rate)
            let syllable = Int(time / 0.2)
            let pitch = 110 + 90 * stream.uniform(2 * syllable)
            phase += 2 * .pi * pitch / Double(rate)
            let envelope =
                pow(sin(.pi * (time / 0.2 - Double(syllable))), 2)
                * (stream.uniform(2 * syllable + 1) < 0.25 ? 0.003 : 1)
            return Float(
                0.08 * envelope * (1...10).reduce(0.0) { $0 + sin(phase * Double($1)) / Double($1).squareRoot() })
        }
    }

    static func noise(seed: Int, count: Int, level: Float = 0.1) -> [Float] {
        RandomStream(seed: UInt64(seed), purpose: "test noise").normals(count).map { level * $0 }
    }

    /// Every file below a folder with its bytes.
    func bytes(_ folder: String) throws -> [String: Data] {
        let root = "\(path)/\(folder)"
        let names = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        return names.reduce(into: [:]) { all, name in
            guard let facts = FileFacts(at: "\(root)/\(name)"), facts.kind != .folder else { return }
            all[name] = FileManager.default.contents(atPath: "\(root)/\(name)")
        }
    }

    /// Follows a recipe with folders below this one.
    @discardableResult
    func make(_ recipe: Recipe, from sources: [String: String] = [:], to folder: String, skipsBad: Bool = false) throws
        -> RecipeMaker.Outcome
    {
        let given = sources.mapValues { "\(path)/\($0)" }
        return try RecipeMaker(recipe, sources: try SourceFolders(recipe, given: given), skipsBad: skipsBad).make(
            at: "\(path)/\(folder)")
    }
}
