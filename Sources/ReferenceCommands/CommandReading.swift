import SpecLanguage
import Specs

/// A command of the reference as it is read: its options, and what they set.
struct CommandReading {
    let command: String
    let vocabulary: Vocabulary
    var errors: [SpecError] = []
    var remarks: [String] = []
    var values: [(path: String, value: String)] = []
    var script: CommandOption.Script = .train
    var given: [String: [String]] = [:]
    /// Whether the command is one of MeanFlowSE, or of COSE.
    var (isMeanFlow, isComposition) = (false, false)
    /// Processes that torchrun starts, each with a batch of its own.
    var processes: Int?

    init(_ command: String, _ vocabulary: Vocabulary) {
        self.command = command
        self.vocabulary = vocabulary
    }

    /// The settings in the language's order.
    var settings: [(path: String, value: String)] {
        let order = ExperimentSchema.root.fields.map(\.name)
        func rank(_ path: String) -> Int { order.firstIndex(of: String(path.prefix { $0 != "." })) ?? order.count }
        return values.enumerated().sorted { (rank($0.element.path), $0.offset) < (rank($1.element.path), $1.offset) }
            .map(\.element)
    }

    func mark(_ column: Int) -> Mark {
        Mark(file: "command", line: 1, column: column, text: command.replacing("\n", with: " "))
    }

    mutating func set(_ path: String, _ value: String) {
        values.removeAll { $0.path == path }
        values.append((path, value))
    }

    // MARK: Reading

    mutating func read() {
        let split = CommandWords(command)
        if let column = split.unclosedQuote {
            errors.append(SpecError("command", at: mark(column), "the quote is not closed"))
        }
        var words = split.words[...]
        if let place = words.firstIndex(where: { $0.text.hasSuffix(".py") }) {
            let name = words[place].text.split(separator: "/").last.map(String.init) ?? ""
            guard let found = CommandOption.Script(rawValue: name) else {
                errors.append(
                    .unknown(
                        "script", name, known: CommandOption.Script.allCases.map(\.rawValue),
                        at: mark(words[place].column)))
                return
            }
            let folders = words[place].text.split(separator: "/").dropLast().map { $0.lowercased() }
            script = found == .train && isOfFlow(words, folders) ? .trainFlow : found
            isMeanFlow = script.isOfFlow && isOfMeanFlow(words, folders)
            isComposition = [.train, .enhance].contains(script) && folders.contains(CompositionReference.folder)
            processes = Self.processes(words[..<place])
            words = words[(place + 1)...]
        } else if let first = words.first, !first.text.hasPrefix("-") {
            errors.append(
                SpecError(
                    "command", at: mark(first.column), "no script of the reference is called",
                    hint: "begin with: python train.py"))
            return
        }
        let options = CommandOption.options(of: script)
        while let word = words.popFirst() {
            // Where a script goes on to the next command, this one ends.
            if ["&", "&&", "|", "||", ";", ">", ">>"].contains(word.text) { break }
            guard word.text.hasPrefix("--"), word.text.count > 2 else {
                errors.append(SpecError("command", at: mark(word.column), "'\(word.text)' belongs to no option"))
                continue
            }
            option(word, &words, among: options)
        }
        if errors.isEmpty { interpret() }
    }

    /// Whether a train.py is that of flow matching: by its folder, or by an option that only it has.
    func isOfFlow(_ words: ArraySlice<CommandWords.Word>, _ folders: [String]) -> Bool {
        if folders.contains(where: { $0.contains("flowmse") || $0.contains("meanflowse") }) { return true }
        return words.contains { CommandOption.ofFlowAlone.contains(Self.option($0)) }
    }

    /// Whether it is that of average velocities, in the same way.
    func isOfMeanFlow(_ words: ArraySlice<CommandWords.Word>, _ folders: [String]) -> Bool {
        let own = MeanFlowReference.names.union([MeanFlowReference.oneStep])
        return folders.contains { $0.contains("meanflowse") }
            || words.contains { own.contains(Self.option($0)) || $0.text.hasSuffix(MeanFlowReference.solver) }
    }

    /// The name of an option, and an empty text for any other word.
    static func option(_ word: CommandWords.Word) -> String {
        word.text.hasPrefix("--") ? String(word.text.dropFirst(2).prefix { $0 != "=" }) : ""
    }

    /// The number in `torchrun --nproc_per_node=4`.
    static func processes(_ words: ArraySlice<CommandWords.Word>) -> Int? {
        for (place, word) in zip(words.indices, words) where option(word).replacing("-", with: "_") == "nproc_per_node"
        {
            let value = word.text.split(separator: "=").dropFirst().first.map(String.init)
            return (value ?? words.dropFirst(place - words.startIndex + 1).first?.text).flatMap(ScalarReading.integer)
        }
        return nil
    }

    mutating func option(
        _ word: CommandWords.Word, _ words: inout ArraySlice<CommandWords.Word>, among options: [CommandOption]
    ) {
        let body = word.text.dropFirst(2)
        let equals = body.firstIndex(of: "=")
        let name = String(body[..<(equals ?? body.endIndex)])
        // A beginning that fits one option only stands for it, as the reference's parser has it.
        let fitting =
            options.filter { $0.name == name }.isEmpty
            ? options.filter { $0.name.hasPrefix(name) } : options.filter { $0.name == name }
        guard fitting.count == 1, let option = fitting.first else {
            if fitting.count > 1 {
                errors.append(
                    SpecError(
                        "command", at: mark(word.column), "'--\(name)' fits several options",
                        hint: fitting.map { "--" + $0.name }.joined(separator: ", ")))
            } else {
                var error = SpecError.unknown(
                    "option", "--" + name, known: options.map { "--" + $0.name }, at: mark(word.column))
                if error.hint?.hasPrefix("known") ?? false { error.hint = "not an option of \(script.rawValue)" }
                errors.append(error)
                while let next = words.first, !next.text.hasPrefix("--") {
                    _ = words.popFirst()
                    _ = next
                }
            }
            return
        }
        var arguments = equals.map { [String(body[body.index(after: $0)...])] } ?? []
        switch option.values {
        case .none: break
        case .one:
            if arguments.isEmpty, let next = words.first, !next.text.hasPrefix("--") {
                arguments.append(next.text)
                words = words.dropFirst()
            }
        case .several:
            while let next = words.first, !next.text.hasPrefix("--") {
                arguments.append(next.text)
                words = words.dropFirst()
            }
        }
        if option.values != .none, arguments.isEmpty {
            errors.append(SpecError("command", at: mark(word.column), "'--\(name)' has no value"))
            return
        }
        given[option.name] = arguments
    }
}
