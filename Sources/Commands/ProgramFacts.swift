import Installation
import Kernels
import Runs

/// What `sgmse --version` prints: all that a report of a fault must say about the program.
enum ProgramFacts {
    static var text: String {
        "sgmse \(BuildFacts.version)\n" + facts.map { "\($0.subject): \($0.finding)" }.joined(separator: "\n")
    }

    private static var facts: [(subject: String, finding: String)] {
        let stamp = BuildFacts.stamp
        let sets = Engine.availableInstructionSets.map(\.rawValue).joined(separator: ", ")
        let plugins = DeviceOptions.libraries
        return [
            ("commit", stamp?.text ?? "not recorded in this build"),
            ("build", BuildFacts.configuration + (stamp.map { ", Swift \($0.compiler)" } ?? "")),
            ("instruction sets", "\(sets); in use: \(Engine.instructionSet)"),
            ("SQLite", (try? SQLiteFacts.current().version) ?? "cannot be opened"),
            ("plugins", plugins.isEmpty ? "none found" : plugins.joined(separator: ", ")),
            ("experiments", Library.installed.experiments ?? "no library found; SGMSE_EXPERIMENTS names one"),
        ]
    }
}

extension BuildStamp {
    fileprivate var text: String { "\(commit) (\(date))" + (hasChanges ? ", with changes" : "") }
}
