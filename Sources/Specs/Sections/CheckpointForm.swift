public import SpecLanguage

/// What may be evaluated of a run.
public enum CheckpointForm: String, CaseIterable, Sendable {
    case bestPESQ = "best_pesq"
    case bestSISDR = "best_si_sdr"
    case last, step, file

    /// The forms with their parameters, as a spec may name them.
    public static let descriptors = allCases.map(\.descriptor)

    private var descriptor: EntryDescriptor {
        switch self {
        case .bestPESQ: EntryDescriptor(rawValue, "The best PESQ in validation")
        case .bestSISDR: EntryDescriptor(rawValue, "The best SI-SDR in validation")
        case .last: EntryDescriptor(rawValue, "The last step")
        case .step:
            EntryDescriptor(
                rawValue, "A kept step",
                parameters: [.integer("step", default: .required, in: .between(0, 1e9), "The step.")])
        case .file:
            EntryDescriptor(
                rawValue, "A file, also of another implementation",
                parameters: [.path("path", default: .required, "Where it lies.")])
        }
    }
}

extension Choice {
    /// The form of a choice in `evaluate.checkpoint`.
    public var checkpointForm: CheckpointForm? { CheckpointForm(rawValue: name) }
}
