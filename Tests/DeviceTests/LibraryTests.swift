import Foundation
import Kernels
import Testing

/// What is said where a device's library is missing, is another one, or has no such device.
@Suite struct DeviceLibraryTests {
    @Test func aMissingLibraryNamesTheFoldersAndTheScript() {
        let error = #expect(throws: DeviceError.self) { try DeviceLibrary(in: ["/nowhere/a", "/nowhere/b"]) }
        #expect(
            error?.description
                == """
                no libsgmse-torch.so in /nowhere/a, /nowhere/b; build it with scripts/torch-plugin, or name its \
                folder in SGMSE_PLUGINS
                """
        )
    }

    @Test func aFileThatIsNoLibraryIsNamed() throws {
        let path = NSTemporaryDirectory() + "device-\(UUID().uuidString).so"
        try Data("text".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = #expect(throws: DeviceError.self) { try DeviceLibrary(at: path) }
        #expect(error?.summary.contains("\(path) cannot be opened") == true)
    }

    @Test func aLibraryOfAnotherKindIsNoDevice() {
        let error = #expect(throws: DeviceError.self) { try DeviceLibrary(at: "libfftw3.so.3") }
        #expect(error?.summary == "libfftw3.so.3 is no device of sgmse")
    }

    /// A library whose table has another version is refused before anything of it is called.
    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: "/usr/bin/cc"), "no C compiler to make a library with"))
    func anotherVersionOfTheTableIsRefused() throws {
        let base = NSTemporaryDirectory() + "device-\(UUID().uuidString)"
        defer { for end in [".c", ".so"] { try? FileManager.default.removeItem(atPath: base + end) } }
        let source =
            "static const unsigned table[2] = {99, 12};\nconst void *sgmse_device_table(void) { return table; }\n"
        try Data(source.utf8).write(to: URL(fileURLWithPath: base + ".c"))
        let compiler = try Process.run(
            URL(fileURLWithPath: "/usr/bin/cc"), arguments: ["-shared", "-fPIC", base + ".c", "-o", base + ".so"])
        compiler.waitUntilExit()
        let error = #expect(throws: DeviceError.self) { try DeviceLibrary(at: base + ".so") }
        #expect(error?.summary.contains("built for another version of sgmse (table 99 of 12 bytes, not 3 of") == true)
        #expect(error?.hint == "build it again with scripts/torch-plugin")
    }
}

extension DeviceSuite {
    @Suite struct OpeningTests {
        @Test func unknownDevicesAreNamed() throws {
            let path = try #require(Plugin.library)
            let library = try DeviceLibrary(at: path)
            #expect(library.version.hasPrefix("LibTorch "))
            #expect(library.devices.first?.name == "torch-cpu")
            for name in ["gpu", "cuda:x", "torch"] {
                let error = #expect(throws: DeviceError.self) { try library.open(name, threads: 1) }
                #expect(error?.summary == "there is no device '\(name)'")
            }
            // No machine has so many.
            let error = #expect(throws: DeviceError.self) { try library.open("cuda:99", threads: 1) }
            let summary = try #require(error?.summary)
            #expect(summary.hasPrefix("device cuda:99: "))
            let parts = library.version.components(separatedBy: ", ")
            if let reason = parts.first(where: { $0.hasPrefix("no card: ") }) {
                #expect(summary.contains(reason.dropFirst("no card: ".count)), "\(summary)")
            } else {
                let hasCards = parts.contains { $0.hasPrefix("CUDA") || $0 == "ROCm" }
                #expect(summary.contains(hasCards ? "numbered from 0" : "built without CUDA"), "\(summary)")
            }
        }
    }
}
