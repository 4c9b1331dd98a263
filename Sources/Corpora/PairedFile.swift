import Foundation

/// The two folders of a set, by task.
public enum Layout: String, Hashable, Sendable, Codable, CaseIterable {
    case denoising, dereverberation

    /// The folder with the target.
    public var cleanFolder: String { self == .denoising ? "clean" : "anechoic" }
    /// The folder with the network's input.
    public var noisyFolder: String { self == .denoising ? "noisy" : "reverb" }
}

/// A clean file and the noisy file of the same name.
public struct PairedFile: Hashable, Sendable {
    /// The path below either folder, such as `p232_001.wav` or `p102/whisper_01.wav`.
    public var name: String
    /// The target's file.
    public var cleanPath: String
    /// The file that the network is given, noisy or reverberant.
    public var noisyPath: String
    /// The file's row in the set's manifest, if it has one.
    public var entry: Manifest.Entry?

    public init(name: String, cleanPath: String, noisyPath: String, entry: Manifest.Entry? = nil) {
        self.name = name
        self.cleanPath = cleanPath
        self.noisyPath = noisyPath
        self.entry = entry
    }

    /// The speaker, from the manifest or else from the name; `nil` where neither states one.
    public var speaker: String? { entry?.speaker ?? Self.speaker(inName: name) }

    /// The speaker that the file name states.
    ///
    /// The part before the first `_` if it looks like a label (letters, then digits: `p232_001.wav`); else the
    /// innermost folder that does (`p102/emo_anger.wav`); else the part before `_` in a flat set, the folder in a
    /// nested one.
    public static func speaker(inName name: String) -> String? {
        var folders = name.split(separator: "/").map(String.init)
        guard let file = folders.popLast() else { return nil }
        let prefix = file.firstIndex(of: "_").map { String(file[..<$0]) }
        if let prefix, isLabel(prefix) { return prefix }
        return folders.last(where: isLabel) ?? folders.last ?? prefix
    }

    private static func isLabel(_ text: String) -> Bool {
        let letters = text.prefix { $0.isLetter }
        let digits = text.dropFirst(letters.count)
        return !letters.isEmpty && letters.count <= 4 && !digits.isEmpty && digits.allSatisfy(\.isNumber)
    }
}
