import ArgumentParser
import Foundation
import Launchers
import SpecLanguage
import Specs

/// Where the tasks of a run are started.
struct LaunchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What starts the tasks: local, slurm or command.", valueName: "name"))
    var launcher: String?

    @Option(help: "Slurm: the partition.")
    var partition: String?

    @Option(help: "Slurm: the GPUs of each task.", in: 0...64)
    var gpusPerTask: Int?

    @Option(help: "Slurm: the cores of each task.", in: 1...1024)
    var cpusPerTask: Int?

    @Option(help: "Slurm: the time limit of each task, such as 24:00:00.")
    var time: String?

    @Option(help: "Slurm: the account that pays.")
    var account: String?

    @Option(help: ArgumentHelp("Slurm: another option of sbatch, as mem=16G; may be repeated.", valueName: "key=value"))
    var sbatch: [String] = []

    @Flag(help: "Nodes run a copy of this program beside the queue.")
    var stageBinary = false

    @Flag(help: "Print what would be submitted, and submit nothing.")
    var dryRun = false

    @Flag(help: "Submit and return; the same command joins later.")
    var detach = false

    func validate() throws {
        if let launcher, !LaunchSettings.engines.contains(launcher) {
            throw ValidationError(
                "unknown launcher '\(launcher)'; known: \(LaunchSettings.engines.joined(separator: ", "))")
        }
        _ = try settings()
    }

    /// Whether a flag is given that only Slurm understands.
    var isForSlurm: Bool {
        partition != nil || gpusPerTask != nil || cpusPerTask != nil || time != nil || account != nil || !sbatch.isEmpty
    }

    /// What the flags say.
    private func settings() throws -> LaunchSettings {
        var settings = LaunchSettings()
        settings.name = launcher
        (settings.partition, settings.gpusPerTask, settings.cpusPerTask) = (partition, gpusPerTask, cpusPerTask)
        (settings.time, settings.account) = (time, account)
        if stageBinary { settings.stageBinary = true }
        for text in sbatch {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let fault = settings.setOption(parts[0], parts.count > 1 ? parts[1] : "")
            if let fault { throw ValidationError("--sbatch \(text): \(fault)") }
        }
        return settings
    }

    /// The settings of all layers: flags, SGMSE_LAUNCHER, the spec, `sgmse.yaml` in this folder, and the user's file.
    func settings(of loaded: LoadedSpec) throws -> LaunchSettings {
        var layers = [try settings()]
        if let name = environmentVariable("SGMSE_LAUNCHER"), !name.isEmpty {
            guard LaunchSettings.engines.contains(name) else {
                throw ValidationError(
                    "SGMSE_LAUNCHER is '\(name)'; known: \(LaunchSettings.engines.joined(separator: ", "))")
            }
            var layer = LaunchSettings()
            layer.name = name
            layers.append(layer)
        }
        if let node = loaded.launcher { layers.append(try LaunchSettings(node)) }
        layers += try Self.files.compactMap(Self.layer)
        return layers.dropFirst().reduce(layers[0]) { $0.over($1) }
    }

    /// The project's file and the user's.
    private static var files: [String] {
        let home = environmentVariable("XDG_CONFIG_HOME") ?? environmentVariable("HOME").map { $0 + "/.config" }
        return ["sgmse.yaml"] + (home.map { [$0 + "/sgmse/config.yaml"] } ?? [])
    }

    private static func layer(of file: String) throws -> LaunchSettings? {
        guard let data = FileManager.default.contents(atPath: file) else { return nil }
        return try LaunchSettings(text: String(decoding: data, as: UTF8.self), file: file)
    }
}
