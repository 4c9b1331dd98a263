import Foundation
import Testing

/// What the device plugin tells of cards, with a driver of the test's own, as no test machine needs a card.
@Suite struct DriverTests {
    private static let driver = """
        #include <string.h>
        int cuInit(unsigned flags) { return flags; }
        int cuDriverGetVersion(int *version) { *version = 12080; return 0; }
        int cuDeviceGet(int *card, int index) { *card = index; return index > 1 ? 101 : 0; }
        int cuDeviceGetName(char *name, int length, int card) {
            strncpy(name, card ? "Second" : "First", length);
            return 0;
        }
        int cuDeviceGetAttribute(int *value, int which, int card) {
            *value = which == 75 ? 9 - card : which == 76 ? 6 * card : -1;
            return 0;
        }
        int cuGetErrorName(int code, const char **name) { *name = "CUDA_ERROR_INVALID_DEVICE"; return 0; }
        void cuDevicePrimaryCtxRetain(void) {}
        void cuCtxGetCurrent(void) {}
        void cuCtxSetCurrent(void) {}
        void cuModuleLoadData(void) {}
        void cuModuleGetFunction(void) {}
        void cuLaunchKernel(void) {}

        """
    private static let program = """
        #include "compiler.h"
        #include "driver.h"
        #include <cstdio>
        void *sgd::opened_library(const std::vector<std::string> &paths) { return dlopen(paths[0].c_str(), RTLD_NOW); }
        int main() { for (int card = 0; card < 3; card++) std::puts(sgd::model_of_card(card).c_str()); }

        """
    private static let hasCompilers = ["/usr/bin/cc", "/usr/bin/g++"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: hasCompilers, "no C and C++ compilers to make a driver with"))
    func cardsAreNamedByTheDriver() throws {
        let folder = NSTemporaryDirectory() + "driver-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in [("driver.c", Self.driver), ("main.cpp", Self.program)] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        func run(_ program: String, _ arguments: [String], libraries: String = "") throws -> String {
            let (process, output) = (Process(), Pipe())
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(["LD_LIBRARY_PATH": libraries]) { $1 }
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
            return text
        }
        let plugin = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../Plugins/torch"
        _ = try run("/usr/bin/cc", ["-shared", "-fPIC", folder + "/driver.c", "-o", folder + "/libcuda.so.1"])
        let sources = ["\(plugin)/driver.cpp", folder + "/main.cpp"]
        let flags = ["-std=c++20", "-I" + plugin, "-I" + folder]
        _ = try run("/usr/bin/g++", flags + sources + ["-ldl", "-o", folder + "/main"])
        let release =
            (try? String(contentsOfFile: "/sys/module/nvidia/version", encoding: .utf8))
            .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) + " " } ?? ""
        #expect(
            try run(folder + "/main", [], libraries: folder) == """
                First, compute capability 9.0, driver \(release)for CUDA up to 12.8
                Second, compute capability 8.6, driver \(release)for CUDA up to 12.8
                CUDA card 2

                """)
    }
}
