public import ArgumentParser
import Collectives
import Foundation
public import Kernels

/// What computes: the host, or a device behind the same operations.
struct DeviceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What computes: cpu, torch-cpu, cuda or cuda:N; SGMSE_DEVICE, or cpu, if not given.", valueName: "device"))
    var device: String?

    /// The flag, then the environment, then what a spec names, then the host.
    func name(in spec: String? = nil) -> String {
        let named = ProcessInfo.processInfo.environment["SGMSE_DEVICE"] ?? ""
        return device ?? (named.isEmpty ? spec ?? "cpu" : named)
    }

    /// The option for another process.
    func arguments(in spec: String?) -> [String] {
        let name = name(in: spec)
        return name == "cpu" ? [] : ["--device", name]
    }

    /// - Throws: `DeviceError` where there can be no such device.
    func check(spec: String? = nil) throws {
        let name = name(in: spec)
        if name != "cpu" { try DeviceLibrary.check(name) }
    }

    /// - Parameters:
    ///   - team: Processes that share the threads and, where none is named, the cards.
    ///   - spec: The device that the spec names.
    /// - Throws: `DeviceError` where there is no such device.
    func apply(in team: ProcessTeam? = nil, spec: String? = nil) throws {
        team?.shareThreads()
        let name = name(in: spec)
        guard name != "cpu" else { return }
        try check(spec: spec)
        let visible = ProcessInfo.processInfo.environment["CUDA_VISIBLE_DEVICES"]
        let card = name == "cuda" ? team.map { "cuda:\($0.place.card(amongVisible: visible))" } ?? name : name
        Device.use(try DeviceLibrary(in: Self.folders).open(card, threads: Engine.threads))
    }

    /// The libraries of devices and collectives in these folders; of two with one name, the one that is opened.
    static var libraries: [String] {
        var names: Set<String> = []
        return folders.flatMap { folder in
            let all = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return all.sorted().filter { $0.hasPrefix("libsgmse-") && $0.hasSuffix(".so") && names.insert($0).inserted }
                .map { folder + "/" + $0 }
        }
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

/// How products are computed.
struct PrecisionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            How products and convolutions are computed: fp32, tf32 (cards), or bf16 with sums in fp32 (AVX512-BF16, or \
            a device); as the spec says, or fp32, if not given.
            """,
            valueName: "precision"))
    var precision: Precision?
}

extension Precision: ExpressibleByArgument {}
