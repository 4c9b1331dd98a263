import Foundation
import Kernels
import Testing

/// The kernels that a card runs, where there is none.
@Suite(.serialized) struct KernelTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    private static let hasCompiler = ["/usr/bin/g++", "/usr/local/bin/g++"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    private static let hasNVRTC =
        ProcessInfo.processInfo.environment["SGMSE_NVRTC"] != nil
        || ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"].contains {
            (name: String) in unsafe dlopen(name, RTLD_LAZY) != nil
        }

    /// What `scripts/torch-plugin --check` says, and its exit code.
    private func check(_ arguments: [String]) throws -> (text: String, code: Int32) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.root + "/scripts/torch-plugin")
        process.arguments = ["--check"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (text, process.terminationStatus)
    }

    @Test(.enabled(if: hasCompiler, "no g++ to build the kernels with"))
    func kernelsAgreeWithPlainLoops() throws {
        let (text, code) = try check([])
        #expect(code == 0, "\(text)")
        #expect(text.hasSuffix("comparisons, 0 mistakes\n"), "\(text)")
    }

    @Test(
        .enabled(if: hasCompiler, "no g++ to build the check with"),
        .enabled(if: hasNVRTC, "no libnvrtc, which the package nvidia-cuda-nvrtc-cu12 has; SGMSE_NVRTC names its file"))
    func kernelsCompileForCards() throws {
        let (text, code) = try check(["--nvrtc"])
        #expect(code == 0, "\(text)")
        for architecture in ["sm_80", "sm_90"] { #expect(text.contains("\(architecture): 10 kernels"), "\(text)") }
    }
}

extension DeviceSuite {
    /// The kernels in the place of ATen's operations, called by the same functions of the table as on a card.
    @Suite struct EmulationTests {
        private func emulated(_ body: () throws -> Void) throws {
            let path = try #require(Plugin.library)
            let library = try DeviceLibrary(at: path)
            _ = try #require(Plugin.device)
            let opened = unsafe dlopen(path, RTLD_NOW)
            let symbol = unsafe dlsym(opened, "sgmse_emulate_kernels")
            let emulate = try #require(unsafe unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void)?.self))
            emulate(1)
            defer { emulate(0) }
            try #require(library.version.hasSuffix(", emulated kernels"))
            try body()
            // Still: nothing failed on the way.
            #expect(library.version.hasSuffix(", emulated kernels"))
        }

        @Test(arguments: Activation.allCases)
        func normalizationsAgree(activation: Activation) throws {
            try emulated { try OperationTests().normalizationsAndActivationsAgree(activation: activation) }
        }

        @Test func otherUsersOfTheKernelsAgree() throws {
            try emulated {
                try OperationTests().batchNormalizationsAgree()
                try OperationTests().resamplingAndPoolingAgree()
            }
        }

        @Test(arguments: ["ncsnpp", "dcunet"])
        func networksAgree(name: String) throws {
            try emulated { try NetworkTests().networksAgreeForwardAndBackward(name: name) }
        }

        @Test func withoutThemVersionsSayNothing() throws {
            let library = try DeviceLibrary(at: try #require(Plugin.library))
            #expect(!library.version.contains("kernels"))
        }
    }
}
