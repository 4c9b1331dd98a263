import Foundation
import SpecLanguage

/// The recipes inside the program, available in any working directory: the files of `experiments/corpora/recipes`.
public enum RecipeLibrary {
    static let folder = "recipes"

    /// By path.
    static let texts: [String: String] = {
        let files: [(String, [UInt8])] = [
            ("synthetic", PackageResources.synthetic_yaml),
            ("synthetic-48k", PackageResources.synthetic_48k_yaml),
            ("synthetic-spoken", PackageResources.synthetic_spoken_yaml),
            ("synthetic-rooms", PackageResources.synthetic_rooms_yaml),
            ("voicebank-demand", PackageResources.voicebank_demand_yaml),
            ("voicebank-demand-11572", PackageResources.voicebank_demand_11572_yaml),
            ("voicebank-demand-56spk", PackageResources.voicebank_demand_56spk_yaml),
            ("ood-mixtures", PackageResources.ood_mixtures_yaml),
            ("ood-esc50", PackageResources.ood_esc50_yaml),
            ("wsj0-chime3", PackageResources.wsj0_chime3_yaml),
            ("wsj0-qut", PackageResources.wsj0_qut_yaml),
            ("wsj0-reverb", PackageResources.wsj0_reverb_yaml),
            ("ears-wham", PackageResources.ears_wham_yaml),
            ("ears-wham-16k", PackageResources.ears_wham_16k_yaml),
            ("ears-reverb", PackageResources.ears_reverb_yaml),
            ("ears-reverb-16k", PackageResources.ears_reverb_16k_yaml),
            ("reverbfx", PackageResources.reverbfx_yaml),
        ]
        return Dictionary(
            uniqueKeysWithValues: files.map { ("\(folder)/\($0.0).yaml", String(decoding: $0.1, as: UTF8.self)) })
    }()

    /// Their names, sorted.
    public static let names: [String] = texts.keys.map { FilePath.stem(of: $0) }.sorted()

    /// The text of a recipe.
    public static func text(of name: String) -> String? { texts["\(folder)/\(name).yaml"] }

    /// The disk, and the program's recipes where it has no such file: a recipe on the disk may extend one of them by
    /// name.
    static let files = SpecFiles(
        read: { path in
            if let text = texts[path] { return text }
            if !FileManager.default.fileExists(atPath: path), let text = text(of: FilePath.stem(of: path)) {
                return text
            }
            return try SpecFiles.disk.read(path)
        },
        list: { folder in folder == Self.folder ? names.map { $0 + ".yaml" } : SpecFiles.disk.list(folder) })
}
