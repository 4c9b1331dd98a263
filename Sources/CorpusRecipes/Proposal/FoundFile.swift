import Corpora
import Foundation

/// A sound file of the user's folders, with the role and set that its path states.
struct FoundFile: Hashable, Sendable {
    /// Below the folder.
    var path: String
    /// `nil` where the path does not state it.
    var isClean: Bool?
    var set: String?
    /// The path without the words for role and set; equal for both files of a pair.
    var rest: String

    private static let cleanWords: Set<String> = [
        "clean", "target", "targets", "anechoic", "dry", "reference", "references", "ref", "clnsp",
    ]
    private static let noisyWords: Set<String> = [
        "noisy", "mix", "mixture", "mixtures", "mixed", "reverb", "reverberant", "degraded", "wet", "distorted",
    ]
    /// Words for noise or impulse responses alone; such files belong to neither side of a pair.
    private static let noiseWords: Set<String> = ["noise", "noises", "rir", "rirs", "interference"]

    /// `nil` for noise alone.
    init?(_ path: String) {
        self.path = path
        let parts = path.split(separator: "/").map(String.init)
        let name = parts.last ?? path
        var kept: [String] = []
        for folder in parts.dropLast() {
            let words = Self.words(folder)
            let role = Self.role(words)
            let set = Self.set(words)
            if role == nil, !words.isDisjoint(with: Self.noiseWords) { return nil }
            isClean = isClean ?? role
            self.set = self.set ?? set
            if role == nil, set == nil { kept.append(folder) }
        }
        isClean = isClean ?? Self.role(Self.words((name as NSString).deletingPathExtension))
        rest = (kept + [name]).joined(separator: "/")
    }

    private static func words(_ name: String) -> Set<String> {
        Set(name.lowercased().split { !$0.isLetter }.map(String.init))
    }

    private static func role(_ words: Set<String>) -> Bool? {
        let (clean, noisy) = (!words.isDisjoint(with: cleanWords), !words.isDisjoint(with: noisyWords))
        return clean == noisy ? nil : clean
    }

    private static func set(_ words: Set<String>) -> String? {
        if words.contains(where: { $0.hasPrefix("train") || $0 == "tr" }) { return "train" }
        if words.contains(where: { $0.hasPrefix("val") || $0.hasPrefix("dev") || ["dt", "cv"].contains($0) }) {
            return "valid"
        }
        if words.contains(where: { $0.hasPrefix("test") || $0.hasPrefix("eval") || ["et", "tt"].contains($0) }) {
            return "test"
        }
        return nil
    }
}
