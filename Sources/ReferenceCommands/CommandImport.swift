import SpecLanguage
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

/// Paths with values as YAML, sections written out.
enum SettingsText {
    static func yaml(_ settings: [(path: String, value: String)]) -> String {
        var root = Branch()
        for (path, value) in settings { root.set(path.split(separator: ".").map(String.init)[...], value) }
        return root.lines(indent: "").joined(separator: "\n") + "\n"
    }

    private struct Branch {
        var order: [String] = []
        var leaves: [String: String] = [:]
        var branches: [String: Branch] = [:]

        mutating func set(_ path: ArraySlice<String>, _ value: String) {
            guard let head = path.first else { return }
            if !order.contains(head) { order.append(head) }
            if path.count == 1 {
                leaves[head] = value
            } else {
                branches[head, default: Branch()].set(path.dropFirst(), value)
            }
        }

        func lines(indent: String) -> [String] {
            order.flatMap { name -> [String] in
                if let branch = branches[name] { return ["\(indent)\(name):"] + branch.lines(indent: indent + "  ") }
                return ["\(indent)\(name): \(leaves[name] ?? "")"]
            }
        }
    }
}

private struct CommandReading {
    let command: String
    let vocabulary: Vocabulary
    private(set) var errors: [SpecError] = []
    private(set) var remarks: [String] = []
    private var values: [(path: String, value: String)] = []
    private var script: CommandOption.Script = .train
    private var given: [String: [String]] = [:]
    /// Whether the command is one of MeanFlowSE, or of COSE.
    private var (isMeanFlow, isComposition) = (false, false)
    /// Processes that torchrun starts, each with a batch of its own.
    private var processes: Int?

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

    private func mark(_ column: Int) -> Mark {
        Mark(file: "command", line: 1, column: column, text: command.replacing("\n", with: " "))
    }

    private mutating func set(_ path: String, _ value: String) {
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
    private func isOfFlow(_ words: ArraySlice<CommandWords.Word>, _ folders: [String]) -> Bool {
        if folders.contains(where: { $0.contains("flowmse") || $0.contains("meanflowse") }) { return true }
        return words.contains { CommandOption.ofFlowAlone.contains(Self.option($0)) }
    }

    /// Whether it is that of average velocities, in the same way.
    private func isOfMeanFlow(_ words: ArraySlice<CommandWords.Word>, _ folders: [String]) -> Bool {
        let own = MeanFlowReference.names.union([MeanFlowReference.oneStep])
        return folders.contains { $0.contains("meanflowse") }
            || words.contains { own.contains(Self.option($0)) || $0.text.hasSuffix(MeanFlowReference.solver) }
    }

    /// The name of an option, and an empty text for any other word.
    private static func option(_ word: CommandWords.Word) -> String {
        word.text.hasPrefix("--") ? String(word.text.dropFirst(2).prefix { $0 != "=" }) : ""
    }

    /// The number in `torchrun --nproc_per_node=4`.
    private static func processes(_ words: ArraySlice<CommandWords.Word>) -> Int? {
        for (place, word) in zip(words.indices, words) where option(word).replacing("-", with: "_") == "nproc_per_node"
        {
            let value = word.text.split(separator: "=").dropFirst().first.map(String.init)
            return (value ?? words.dropFirst(place - words.startIndex + 1).first?.text).flatMap(ScalarReading.integer)
        }
        return nil
    }

    private mutating func option(
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

    // MARK: Meaning

    private mutating func interpret() {
        if !script.trains {
            set("train.max_steps", "0")
            remarks.append(
                "the checkpoint says which SDE, backbone and scalings it holds; importing it completes this spec")
            if sde == "sbve" { set("sde.name", "sbve") }
        } else if script == .trainFlow {
            set("train.devices", String(processes ?? 1))
        } else if given["devices"] == nil {
            remarks.append(
                "without --devices the reference takes all there are: 1 is written, which fixes the effective batch")
            set("train.devices", "1")
        }
        if script.isConditioned { conditioned() }
        if script.isOfFlow {
            set("sde.name", FlowReference.process)
            set("objective.loss_type", FlowReference.loss)
        }
        if script == .trainConditioned, given["backbone"] == nil { set("backbone.name", "ncsnpp_v2_cond") }
        for option in CommandOption.options(of: script) {
            guard let arguments = given[option.name] else { continue }
            if option.name == "N", samplerChoosesSteps {
                remarks.append("--N changes nothing: the sampler chooses its own steps")
                continue
            }
            if !option.fits(backbone: entryName(.backbone)) {
                remarks.append(
                    "--\(option.name) is no option of \(script.rawValue) with backbone '\(entryName(.backbone))', which refuses it; its value is taken"
                )
            }
            let value =
                arguments.count == 1 && option.values == .one
                ? text(arguments[0], for: option) : "[" + arguments.joined(separator: ", ") + "]"
            switch option.meaning {
            case .setting(let path):
                guard !changesNothing(option.name) else { continue }
                set(path, value)
            case .limit(let path): if arguments[0] != "-1" { set(path, value) }
            case .flag(let path, let value): set(path, value)
            case .parameter(let kind, let names): parameter(kind, names, value, option)
            case .parameterFlag(let kind, let names, let value): parameter(kind, names, value, option)
            case .special: special(option.name, arguments[0, default: ""])
            case .nothing(let reason): remarks.append("--\(option.name) changes nothing: \(reason)")
            }
        }
        if isMeanFlow { averaged() }
        if isComposition { composed() }
        if script.trains, !values.contains(where: { $0.path == "train.max_steps" || $0.path == "train.max_epochs" }) {
            remarks.append(
                script == .trainFlow
                    ? "the reference trains 1000 epochs, which it does not say on the command line"
                    : isComposition
                        ? "the reference trains until it is stopped: max_epochs 160 is written, which its authors do not say"
                        : "the reference trains until it is stopped: max_epochs 160 is what its authors report")
            set("train.max_epochs", script == .trainFlow ? "1000" : "160")
        }
        if script.trains { completeRate() }
        if script.trains, given["num_eval_files"].flatMap({ ScalarReading.integer($0[0, default: ""]) }) == 0 {
            remarks.append("without evaluation files no best checkpoint is kept: the last one is evaluated")
            set("evaluate.checkpoint", "last")
        }
        let output = script == .evaluateFlow ? "folder_destination" : "enhanced_dir"
        let needed =
            script.trains
            ? [("base_dir", "the folder with train, valid, and test")]
            : [
                ("test_dir", "the folder of the noisy files"), (output, "the folder of the enhanced files"),
                ("ckpt", "the checkpoint"),
            ]
        for (name, meaning) in needed where given[name] == nil {
            errors.append(SpecError("command", at: mark(1), "'--\(name)' is missing", hint: meaning))
        }
    }

    /// A network made for one rate runs at that rate, whatever the command line says.
    private mutating func completeRate() {
        let backbone = entryName(.backbone)
        for case .rate(let rate) in vocabulary[.backbone, backbone]?.traits ?? [] {
            let given = given["sr"].flatMap { ScalarReading.integer($0[0, default: ""]) }
            if let given, given != rate {
                remarks.append("--sr \(given) is not the rate: the reference runs \(backbone) at \(rate) Hz")
            }
            set("data.sample_rate", String(rate))
        }
    }

    /// Whether the reference reads an option and then has no use for it, here an error of the spec.
    private mutating func changesNothing(_ option: String) -> Bool {
        let backbone = entryName(.backbone)
        if ["network_scaling", "c_in", "c_out", "c_skip"].contains(option), let entry = vocabulary[.backbone, backbone],
            !entry.traits.contains(.takesPreconditioning)
        {
            remarks.append("--\(option) changes nothing with backbone '\(backbone)'")
            return true
        }
        let loss = given["loss_type"]?[0, default: ""] ?? "score_matching"
        if option == "pesq_weight", let entry = vocabulary[.loss, loss], !entry.traits.contains(.hasTimeTerms) {
            remarks.append("--\(option) changes nothing with loss '\(loss)'")
            return true
        }
        return false
    }

    /// An argument as the value of the setting that its option stands for.
    private func text(_ argument: String, for option: CommandOption) -> String {
        if case .setting(let path) = option.meaning, let field = ExperimentSchema.field(at: path) {
            if field.isPath { return Self.path(argument) }
            switch field.type {
            case .text, .oneOf, .choice: return YAMLText.scalar(argument)
            default: break
            }
        }
        guard let number = ScalarReading.number(argument) else { return YAMLText.scalar(argument) }
        return Int(argument).map(String.init) ?? YAMLText.scalar(number)
    }

    /// A path in which a shell would replace variables.
    private static func path(_ argument: String) -> String {
        YAMLText.scalar(argument.replacing(/\$\{?(?!env:)([A-Za-z_][A-Za-z0-9_]*)\}?/) { "${env:\($0.1)}" })
    }

    /// Bridges alone have a sampler of the type `sde`.
    private var sde: String {
        if script.isOfFlow { return FlowReference.process }
        let isBridge = !script.trains && given["sampler_type"]?[0, default: ""] == "sde"
        return given["sde"]?[0, default: "ouve"] ?? (isBridge ? "sbve" : "ouve")
    }

    private func entryName(_ kind: RegistryKind) -> String {
        switch kind {
        case .sde: sde
        case .backbone:
            given["backbone"]?[0, default: ""] ?? (script == .trainConditioned ? "ncsnpp_v2_cond" : "ncsnpp")
        default: sampler(given["sampler_type"]?[0, default: "pc"] ?? "pc")
        }
    }

    private mutating func parameter(_ kind: RegistryKind, _ names: [String], _ value: String, _ option: CommandOption) {
        let entry = entryName(kind)
        let place = kind == .sampler ? "evaluate.sampler" : kind.name
        guard let descriptor = vocabulary[kind, entry] else { return set("\(place).\(names[0])", value) }
        guard let name = names.first(where: { descriptor.parameters[$0] != nil }) else {
            remarks.append("--\(option.name) is not a parameter of \(kind.noun) '\(entry)' and is left out")
            return
        }
        set("\(place).\(name)", value)
        if kind == .sampler { set("evaluate.sampler.name", entry) }
    }

    /// The sampler of the SDE that the reference calls `type`.
    private func sampler(_ type: String) -> String {
        let names = vocabulary[.sde, sde]?.traits.samplers ?? []
        if names.contains(type) { return type }
        return names.first { $0.hasSuffix("_" + type) }
            ?? (script.trains && !names.isEmpty && type == "pc" ? names[0] : type)
    }

    /// Bridges are sampled at the steps given in training.
    private var takesStepsFromCheckpoint: Bool { sde == "sbve" }

    private var samplerChoosesSteps: Bool {
        vocabulary.traits(.sampler, Choice(entryName(.sampler))).contains(.choosesSteps)
    }

    private mutating func conditioned() {
        if script == .trainConditioned { set("conditioning.noise_encoder_type", "default") }
        guard script == .enhanceConditioned else { return }
        set("backbone.name", "ncsnpp_v2_cond")
        set("conditioning.noise_encoder_type", "default")
        let seconds = given["ref_duration"].flatMap { ScalarReading.number($0[0, default: ""]) } ?? 0.5
        let frames = String(ConditioningSpec.frames(seconds: seconds, sampleRate: 16000, hopLength: 128))
        if let file = given["noise_ref"]?.first {
            set("evaluate.reference", "{ name: file, path: \(Self.path(file)), num_frames: \(frames) }")
        } else if let folder = given["noise_ref_dir"]?.first {
            set("evaluate.reference", "{ name: folder, path: \(Self.path(folder)), num_frames: \(frames) }")
        } else if given["oracle_noise"] != nil {
            set("evaluate.reference", "{ name: oracle, num_frames: \(frames) }")
        } else {
            set("evaluate.reference", "zero")
        }
    }

    /// What the options of average velocities mean together.
    private mutating func averaged() {
        set("backbone.name", MeanFlowReference.backbone)
        if script.trains {
            set("backbone.fourier_scale", String(MeanFlowReference.fourierScale))
            if given[MeanFlowReference.trains] != nil {
                let found = MeanFlowReference.loss { given[$0].flatMap { ScalarReading.number($0[0, default: ""]) } }
                set("objective.loss_type", found.loss.yaml)
                remarks += found.remarks
                set("evaluate.sampler.name", MeanFlowReference.sampler)
                set("evaluate.N", String(MeanFlowReference.steps))
            }
            if given[MeanFlowReference.validates] != nil { set("train.validation_sampler", MeanFlowReference.sampler) }
        } else {
            if given["odesolver"] == nil { set("evaluate.sampler.name", MeanFlowReference.sampler) }
            if given[MeanFlowReference.oneStep] != nil { set("evaluate.N", String(MeanFlowReference.steps)) }
            let end = given["last_eval_point"].flatMap { ScalarReading.number($0[0, default: ""]) }
            if end != 0 { remarks.append(MeanFlowReference.ends) }
        }
    }

    /// What COSE's scripts take without being told.
    private mutating func composed() {
        for (path, value) in CompositionReference.settings { set(path, value) }
        if script.trains {
            for (option, path, value) in CompositionReference.defaults where given[option] == nil { set(path, value) }
        }
        if script.trains || given["N"] == nil { set("evaluate.N", String(MeanFlowReference.steps)) }
        values.removeAll { ["evaluate.sampler.corrector", "evaluate.sampler.predictor"].contains($0.path) }
        remarks += CompositionReference.remarks
    }

    private mutating func special(_ name: String, _ value: String) {
        switch (name, script.trains) {
        case ("max_epochs", _):
            if isMeanFlow {
                set("train.max_epochs", value)
            } else {
                remarks.append("--max_epochs changes nothing: train.py sets 1000 epochs itself")
            }
        case ("last_eval_point", _), ("reverse_end_point", _):
            guard !isMeanFlow else { break }
            set("evaluate.t_eps", ScalarReading.number(value).map(YAMLText.scalar) ?? YAMLText.scalar(value))
        case ("ckpt", true):
            set("train.init_from", "{ checkpoint: \(Self.path(value)), weights: raw, optimizer: true }")
        case ("ckpt", false):
            set("evaluate.checkpoint", "{ name: file, path: \(Self.path(value)) }")
        case ("devices", _):
            if let count = ScalarReading.integer(value), count > 0 {
                set("train.devices", String(count))
            } else if value.contains(",") {
                set("train.devices", String(value.split(separator: ",").count))
            } else {
                remarks.append(
                    "--devices \(value) depends on the machine: 1 is written, which fixes the effective batch")
                set("train.devices", "1")
            }
        case ("N", _):
            set("train.validation_N", value)
            if takesStepsFromCheckpoint {
                set("evaluate.N", value)
            } else {
                remarks.append("--N is of validation: enhancement.py takes its own")
            }
        case ("sampler_type", true):
            let name = YAMLText.scalar(sampler(value))
            set("train.validation_sampler", name)
            set("evaluate.sampler.name", name)
        case ("sampler_type", false):
            set("evaluate.sampler.name", YAMLText.scalar(sampler(value)))
        case ("train_noise_encoder", _):
            set("conditioning.train_noise_encoder", value.isEmpty ? "false" : "true")
            if ScalarReading.bool(value) == false {
                remarks.append(
                    "--train_noise_encoder \(value) is true to the reference, which takes any text for true; so it is here"
                )
            }
        case ("ode", _):
            guard FlowReference.processes[value] == nil else { break }
            errors.append(.unknown("path", value, known: FlowReference.processes.keys.sorted(), at: mark(1)))
        case ("loss_type", _) where script == .trainFlow: set("objective.loss_type", FlowReference.loss(value).yaml)
        case ("odesolver_type", _): if value == "black" { set("evaluate.sampler.name", "ode") }
        case ("odesolver", _):
            guard given["odesolver_type"]?.first != "black" else { break }
            set(
                "evaluate.sampler.name",
                YAMLText.scalar(value == MeanFlowReference.solver ? MeanFlowReference.sampler : sampler("ode_" + value))
            )
        case ("reverse_starting_point", _):
            guard let start = ScalarReading.number(value), start != 1 else { break }
            if given["odesolver"] == nil { set("evaluate.sampler.name", "ode_euler") }
            set("evaluate.sampler.start", YAMLText.scalar(start))
            remarks.append(
                "--reverse_starting_point \(value): the script starts there with the noise of t = 1, here with that of the start"
            )
        case ("test_dir", _) where script == .evaluateFlow:
            // The script reads `test` of the folder.
            set(
                "evaluate.sets",
                "[{ name: test, path: \(Self.path(value + (value.hasSuffix("/") ? "test" : "/test"))) }]")
        case ("test_dir", _):
            // The script takes the folder of the noisy files; a set is the folder around it.
            var parts = value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            if parts.count > 1, parts.last == "" { parts.removeLast() }
            let format = parts.count > 1 && parts.last == "reverb" ? ", format: reverb" : ""
            if parts.count > 1, ["noisy", "reverb"].contains(parts[parts.count - 1]) { parts.removeLast() }
            if parts == [""] { parts = ["/"] }
            let name = parts.last.flatMap { ["", ".", "/"].contains($0) ? nil : $0 } ?? "test"
            let path = Self.path(parts.joined(separator: "/"))
            set("evaluate.sets", "[{ name: \(YAMLText.scalar(name)), path: \(path)\(format) }]")
        case ("clean_dir", _):
            remarks.append("--clean_dir changes nothing: clean files are those beside the noisy ones of the set")
        default: break
        }
    }
}

extension Array {
    fileprivate subscript(index: Int, default value: Element) -> Element {
        indices.contains(index) ? self[index] : value
    }
}
