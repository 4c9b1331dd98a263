import ArgumentParser
import SpecLanguage

/// Words in a command's place that are none.
enum UnknownCommand {
    /// - Throws: A usage error with the nearest command.
    static func check(_ words: [String]) throws {
        var command: any ParsableCommand.Type = SGMSE.self
        for (place, word) in words.enumerated() {
            let inner = command.configuration.subcommands
            guard !inner.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
            if let next = inner.first(where: { $0._commandName == word }) {
                command = next
                continue
            }
            let known = inner.filter { $0.configuration.shouldDisplay }.map { $0._commandName }
            let hint =
                nearest(to: word, among: known).map { "did you mean '\($0)'?" }
                ?? "known: \(known.joined(separator: ", "))"
            throw ValidationError("unknown command '\((words[..<place] + [word]).joined(separator: " "))'; \(hint)")
        }
    }
}
