public import SpecLanguage
import Specs

/// A spec made from a command line of the reference.
///
///     let imported = try CommandImport("python train.py --base_dir vb --backbone ncsnpp_v2", vocabulary: vocabulary)
///     imported.yaml       // "data:\n  path: vb\nbackbone:\n  name: ncsnpp_v2\n…"
///     imported.remarks    // what has no counterpart, and why
public struct CommandImport: Sendable {
    /// The spec, ready to be written to a file.
    public let yaml: String
    /// Options that change nothing here, and differences a reader should know.
    public let remarks: [String]

    /// Reads a command of train.py, enhancement.py, or their noise-conditioned variants; of flow matching, train.py in
    /// a folder `flowmse` or with an option of its own, and evaluate.py, with the options of average velocities
    /// (MeanFlowSE); of COSE, by its folder; of StoRM, whose scripts take `--mode`, and of EDM2 for speech.
    ///
    /// - Throws: Every option that does not exist, or misses its value, with its place in the command.
    public init(_ command: String, vocabulary: Vocabulary) throws(SpecErrors) {
        if let related = try RelatedCommand(command, vocabulary) {
            (yaml, remarks) = (related.yaml, related.remarks)
            return
        }
        var reading = CommandReading(command, vocabulary)
        reading.read()
        if !reading.errors.isEmpty { throw SpecErrors(reading.errors) }
        yaml = SettingsText.yaml(reading.settings)
        remarks = reading.remarks
    }
}
