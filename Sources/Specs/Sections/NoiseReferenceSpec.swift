public import SpecLanguage

/// The noise reference that a conditioned network is given in evaluation; places are drawn by the noise seed and the
/// file's name.
public struct NoiseReferenceSpec: Hashable, Sendable {
    /// Where the reference comes from.
    public enum Mode: String, CaseIterable, Sendable, CustomStringConvertible {
        case oracle, estimated, start, mismatched, random, file, folder, zero, none

        public var description: String { rawValue }
        /// Whether the network gets no noise reference.
        public var isEmpty: Bool { self == .zero || self == .none }
        /// Whether a recording or a folder of them must be named.
        public var takesPath: Bool { self == .file || self == .folder }

        /// The ways to find the reference, where there are several.
        public var selections: [Selection] {
            switch self {
            case .estimated: [.quietest, .speechFree]
            case .mismatched: [.file, .noiseType]
            default: []
            }
        }
    }

    /// How a mode finds its reference.
    public enum Selection: String, SettingName {
        /// Of `estimated`: the segment of least energy, or the one with the fewest frames above the noise floor.
        case quietest
        case speechFree = "speech_free"
        /// Of `mismatched`: any other file, or one whose noise is of another type.
        case file
        case noiseType = "noise_type"
    }

    /// Where the reference comes from.
    public var mode: Mode
    /// How the mode finds it; `nil` takes the mode's usual way.
    public var by: Selection?
    /// Of `file` and `folder`.
    public var path: String?
    /// Frames; as in training where the spec does not say.
    public var numFrames: Int?

    public init(mode: Mode, by: Selection? = nil, path: String? = nil, numFrames: Int? = nil) {
        (self.mode, self.by, self.path, self.numFrames) = (mode, by, path, numFrames)
    }

    /// The mode with what its form adds, such as `mismatched/noise_type`.
    public var label: String { by.map { "\(mode)/\($0)" } ?? mode.rawValue }

    /// The label with what else distinguishes references: the recording, and a length that is not the training's.
    public func name(inTraining trainedFrames: Int? = nil) -> String {
        let source = path.map { ":" + $0 } ?? ""
        let length = numFrames.map { $0 == trainedFrames ? "" : "/\($0)" } ?? ""
        return label + source + length
    }
}

extension NoiseReferenceSpec: SettingType {
    /// Every mode with its parameters.
    public static let forms = Mode.allCases.map(\.descriptor)

    public static func type(in bounds: Bounds) -> FieldType { .variant(forms) }

    public init?(_ setting: SettingValue) {
        guard case .choice(let choice) = setting, let mode = Mode(rawValue: choice.name) else { return nil }
        self.init(
            mode: mode, by: choice.settings["by"].flatMap(Selection.init), path: choice.settings.optionalText("path"),
            numFrames: choice.settings.optionalInteger("num_frames"))
    }

    public var written: SettingValue { .text(mode.rawValue) }
}

extension NoiseReferenceSpec.Mode {
    fileprivate var descriptor: EntryDescriptor {
        func form(_ summary: String, _ parameters: [Field] = []) -> EntryDescriptor {
            EntryDescriptor(rawValue, summary, parameters: parameters)
        }
        let frames = Field.integer(
            "num_frames", default: .derived("ref_num_frames of training"), in: .between(1, 1e6), unit: "frames",
            "Length of the reference.", aliases: ["ref_num_frames"])
        switch self {
        case .oracle: return form("Noise of the file itself, y − x, at a drawn place", [frames])
        case .estimated:
            let by = selection(
                usual: .speechFree,
                "The stretch of least energy, or the one with the fewest frames above the noise floor.")
            return form("A stretch of y that holds little but noise", [by, frames])
        case .start: return form("The beginning of the noisy file", [frames])
        case .mismatched:
            let by = selection(
                usual: .file, "Any other file, or one whose noise is of another type.")
            return form("Noise of another file of the set", [by, frames])
        case .random: return form("White noise at the level of the file's noise", [frames])
        case .file:
            return form(
                "One recording of noise for all", [.path("path", default: .required, "Where it lies."), frames])
        case .folder:
            return form(
                "Recordings of noise: the one of the file's name, or else a drawn one",
                [.path("path", default: .required, "Where they lie."), frames])
        case .zero: return form("An embedding of zeros, as training's dropout uses")
        case .none: return form("The conditioning layers left out, which no network is trained for")
        }
    }

    private func selection(usual: NoiseReferenceSpec.Selection, _ doc: String) -> Field {
        .oneOf("by", selections.map(\.rawValue), default: .value(.text(usual.rawValue)), doc)
    }
}
