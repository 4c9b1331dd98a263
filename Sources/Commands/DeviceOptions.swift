import ArgumentParser
import Foundation
import Kernels

/// What computes: the host, or a device behind the same operations.
struct DeviceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What computes: cpu, torch-cpu, cuda or cuda:N; SGMSE_DEVICE, or cpu, if not given.", valueName: "device"))
    var device: String?

    var name: String {
        let named = ProcessInfo.processInfo.environment["SGMSE_DEVICE"] ?? ""
        return device ?? (named.isEmpty ? "cpu" : named)
    }

    /// - Parameter localRank: Chooses the card of one of several processes, where none is named.
    /// - Throws: `DeviceError` where there is no such device.
    func apply(localRank: Int? = nil) throws {
        guard name != "cpu" else { return }
        try DeviceLibrary.check(name)
        let card = name == "cuda" ? localRank.map { "cuda:\($0)" } ?? name : name
        Device.use(try DeviceLibrary(in: Self.folders).open(card, threads: Engine.threads))
    }

    /// Where the device's library is looked for: SGMSE_PLUGINS, beside the program, its installation, and the build.
    static var folders: [String] {
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let named = ProcessInfo.processInfo.environment["SGMSE_PLUGINS"].flatMap { $0.isEmpty ? nil : $0 }
        let around = ["", "../lib/sgmse", "../plugins", "../../plugins"].map {
            program.appendingPathComponent($0).standardized.path
        }
        return (named.map { [$0] } ?? []) + around
    }
}
