import Foundation

/// How the type of a noise recording is derived from its path.
enum NoiseType: Sendable {
    /// The folder that it lies in, or its name in a flat folder.
    case folder
    /// Its name without the ending.
    case name
    /// The last field of an ESC-50 name, `fold-clip-take-target.wav`.
    case esc50
    /// The text that the group of a regular expression matches.
    case pattern(Pattern)

    /// `nil` for a text that is none of these.
    init?(_ text: String) {
        switch text {
        case "folder": self = .folder
        case "name": self = .name
        case "esc-50": self = .esc50
        default:
            guard let pattern = Pattern(text) else { return nil }
            self = .pattern(pattern)
        }
    }

    /// The type of a file, by its path below the noise folder.
    func type(of path: String) -> String {
        let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
        switch self {
        case .name: return name
        case .pattern(let pattern): return pattern.group(in: path) ?? name
        case .folder:
            let folder = ((path as NSString).deletingLastPathComponent as NSString).lastPathComponent
            return folder.isEmpty ? name : folder
        case .esc50:
            guard let target = ESC50.target(of: name) else { return name }
            return ESC50.classes[target]
        }
    }

    /// The group of types that a file belongs to, where there are groups.
    func group(of path: String) -> String? {
        guard case .esc50 = self else { return nil }
        return ESC50.target(of: ((path as NSString).lastPathComponent as NSString).deletingPathExtension).map {
            ESC50.groups[$0 / 10]
        }
    }
}

/// The 50 classes of ESC-50, by their number, in its 5 groups of ten (Piczak, ACM Multimedia 2015).
enum ESC50 {
    static let groups = ["animals", "nature", "human", "domestic", "urban"]

    static let classes = [
        "dog", "rooster", "pig", "cow", "frog", "cat", "hen", "insects", "sheep", "crow",
        "rain", "sea_waves", "crackling_fire", "crickets", "chirping_birds", "water_drops", "wind", "pouring_water",
        "toilet_flush", "thunderstorm",
        "crying_baby", "sneezing", "clapping", "breathing", "coughing", "footsteps", "laughing", "brushing_teeth",
        "snoring", "drinking_sipping",
        "door_wood_knock", "mouse_click", "keyboard_typing", "door_wood_creaks", "can_opening", "washing_machine",
        "vacuum_cleaner", "clock_alarm",
        "clock_tick", "glass_breaking",
        "helicopter", "chainsaw", "siren", "car_horn", "engine", "train", "church_bells", "airplane", "fireworks",
        "hand_saw",
    ]

    /// The class's number in a file's name without its ending, `1-100032-A-0`.
    static func target(of name: String) -> Int? {
        name.split(separator: "-").last.flatMap { Int($0) }.flatMap { classes.indices.contains($0) ? $0 : nil }
    }
}
