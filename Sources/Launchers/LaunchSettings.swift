public import SpecLanguage

/// What starts tasks, and what each of them is given: the section `launcher` of a spec, of the project's file and of
/// the user's file, and the flags of `sgmse run`.
public struct LaunchSettings: Hashable, Sendable, Codable {
    /// `local`, `slurm` or `command`.
    public var name: String?
    /// Tasks side by side.
    public var jobs: Int?
    /// Slurm's partition; nil for the cluster's default.
    public var partition: String?
    /// The account that Slurm charges; nil for the user's default.
    public var account: String?
    /// GPUs of each process of a task; nil for none. Slurm only.
    public var gpusPerTask: Int?
    /// Cores of each process of a task; nil for the engine's default. Slurm only.
    public var cpusPerTask: Int?
    /// Processes that train together in each task; with `gpusPerTask`, each has as many GPUs.
    public var processes: Int?
    /// The limit of a task's time, as the engine writes it, such as `24:00:00`.
    public var time: String?
    /// Further options of `sbatch`, without their `--`.
    public var sbatch: [String: String] = [:]
    /// Whether nodes run a copy of the program beside the queue, for clusters that do not share its folder.
    public var stageBinary: Bool?
    /// The command that submits a script, for `command`: `{script}`, `{name}`, `{tasks}` and `{log}` are filled in.
    public var submit: String?
    /// The command that ends a job, for `command`: `{id}` is what `submit` printed.
    public var cancel: String?

    public init() {}

    /// These settings, completed by those of a layer below.
    public func over(_ lower: LaunchSettings) -> LaunchSettings {
        var all = self
        all.name = name ?? lower.name
        all.jobs = jobs ?? lower.jobs
        all.partition = partition ?? lower.partition
        all.account = account ?? lower.account
        all.gpusPerTask = gpusPerTask ?? lower.gpusPerTask
        all.cpusPerTask = cpusPerTask ?? lower.cpusPerTask
        all.processes = processes ?? lower.processes
        all.time = time ?? lower.time
        all.sbatch = lower.sbatch.merging(sbatch) { $1 }
        all.stageBinary = stageBinary ?? lower.stageBinary
        all.submit = submit ?? lower.submit
        all.cancel = cancel ?? lower.cancel
        return all
    }
}

extension LaunchSettings {
    /// The engines by name.
    public static let engines = ["local", "slurm", "command"]

    /// The most processes that train one run together.
    public static let mostProcesses = 255

    static let keys = [
        "name", "jobs", "partition", "account", "gpus_per_task", "cpus_per_task", "processes", "time", "sbatch",
        "stage_binary", "submit", "cancel",
    ]

    /// Reads the section `launcher`: a name, or a section with these keys.
    ///
    /// - Throws: Every mistake in it, with its place.
    public init(_ node: SpecNode) throws(SpecErrors) {
        self.init()
        var errors: [SpecError] = []
        if let name = node.text, !node.isNull {
            setName(name, at: node.mark, &errors)
        } else if let entries = node.entries {
            for entry in entries where !entry.value.isNull { read(entry, &errors) }
        } else if !node.isNull {
            errors.append(
                SpecError("wrong-type", at: node.mark, "'launcher' wants a name or a section, not \(node.noun)"))
        }
        guard errors.isEmpty else { throw SpecErrors(errors) }
    }

    /// Reads a file of settings that may have a section `launcher`, such as `sgmse.yaml`.
    public init(text: String, file: String) throws(SpecErrors) {
        let (node, errors) = YAMLReader.read(text, file: file)
        guard errors.isEmpty else { throw SpecErrors(errors) }
        guard let node, let entries = node.entries else {
            self.init()
            return
        }
        let unknown = entries.filter { $0.key != "launcher" }
            .map { SpecError.unknown("setting", $0.key, known: ["launcher"], at: $0.mark, code: "unknown-key") }
        guard unknown.isEmpty else { throw SpecErrors(unknown) }
        if let section = node["launcher"] { try self.init(section) } else { self.init() }
    }

    private mutating func setName(_ name: String, at mark: Mark, _ errors: inout [SpecError]) {
        guard Self.engines.contains(name) else {
            errors.append(.unknown("launcher", name, known: Self.engines, at: mark))
            return
        }
        self.name = name
    }

    private mutating func read(_ entry: SpecNode.Entry, _ errors: inout [SpecError]) {
        let value = entry.value
        func text() -> String? {
            if let text = value.text, Self.isOneLine(text) { return text }
            errors.append(
                SpecError("wrong-type", at: value.mark, "'\(entry.key)' wants a text of one line, not \(value.noun)"))
            return nil
        }
        func number(_ least: Int, _ most: Int = 100_000) -> Int? {
            if let number = value.text.flatMap({ Int($0) }), (least...most).contains(number) { return number }
            let text = "'\(entry.key)' wants a whole number from \(least) to \(most), not \(value.noun)"
            errors.append(SpecError("wrong-type", at: value.mark, text))
            return nil
        }
        switch entry.key {
        case "name": if let name = text() { setName(name, at: value.mark, &errors) }
        case "jobs": jobs = number(1)
        case "partition": partition = text()
        case "account": account = text()
        case "gpus_per_task": gpusPerTask = number(0)
        case "cpus_per_task": cpusPerTask = number(1)
        case "processes": processes = number(1, Self.mostProcesses)
        case "time": time = text()
        case "submit": submit = text()
        case "cancel": cancel = text()
        case "stage_binary":
            guard let flag = ["true": true, "false": false][value.text ?? ""] else {
                errors.append(
                    SpecError("wrong-type", at: value.mark, "'stage_binary' wants true or false, not \(value.noun)"))
                return
            }
            stageBinary = flag
        case "sbatch":
            guard let options = value.entries else {
                errors.append(
                    SpecError(
                        "wrong-type", at: value.mark, "'sbatch' wants options with their values, not \(value.noun)"))
                return
            }
            for option in options { readOption(option, &errors) }
        default: errors.append(.unknown("setting", entry.key, known: Self.keys, at: entry.mark, code: "unknown-key"))
        }
    }

    private mutating func readOption(_ option: SpecNode.Entry, _ errors: inout [SpecError]) {
        guard let value = option.value.isNull ? "" : option.value.text else {
            errors.append(
                SpecError("wrong-type", at: option.value.mark, "'\(option.key)' wants a text, not \(option.value.noun)")
            )
            return
        }
        if let fault = setOption(option.key, value) { errors.append(SpecError("launcher", at: option.mark, fault)) }
    }

    /// Takes an option of `sbatch`.
    ///
    /// - Returns: What is wrong with it, if anything is.
    public mutating func setOption(_ key: String, _ value: String) -> String? {
        guard let first = key.unicodeScalars.first, ("a"..."z").contains(first),
            key.unicodeScalars.allSatisfy({ ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-" }),
            key.count > 1
        else { return "'\(key)' is no long option of sbatch" }
        guard !Self.own.contains(key) else { return "sgmse sets --\(key) itself" }
        guard Self.isOneLine(value) else { return "the value of '\(key)' has more than one line" }
        sbatch[key] = value
        return nil
    }

    /// Options that sgmse sets itself, since resuming tasks and finding their processes depend on them.
    private static let own: Set<String> = [
        "array", "job-name", "output", "error", "open-mode", "requeue", "no-requeue", "signal", "chdir", "dependency",
        "ntasks",
    ]

    private static func isOneLine(_ text: String) -> Bool {
        !text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
    }
}
