import Foundation
import Testing

/// The program as a person runs it: output, messages and exit codes.
@Suite struct CommandsTests {
    private static let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/sgmse"

    func sgmse(_ arguments: String..., folder: String = NSTemporaryDirectory()) throws -> (code: Int32, out: String, error: String) {
        try sgmse(arguments, folder: folder)
    }

    func sgmse(_ arguments: [String], folder: String) throws -> (code: Int32, out: String, error: String) {
        let process = Process()
        let (out, error) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = out
        process.standardError = error
        try process.run()
        let text = out.fileHandleForReading.readDataToEndOfFile()
        let message = error.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: text, as: UTF8.self), String(decoding: message, as: UTF8.self))
    }

    func temporaryFolder() throws -> String {
        let folder = NSTemporaryDirectory() + "sgmse-cli-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test func helpNamesEveryCommand() throws {
        let help = try sgmse("--help")
        #expect(help.code == 0)
        for command in [
            "check", "run", "ls", "show", "compare", "registry", "probe", "conformance", "checkpoint", "enhance", "diff", "gc", "doctor",
        ] {
            #expect(help.out.contains(command))
        }
    }

    @Test func aWrongOptionIsAUsageError() throws {
        let wrong = try sgmse("ls", "--nonsense")
        #expect(wrong.code == 2)
        #expect(wrong.error.contains("--nonsense"))
        #expect(wrong.out.isEmpty)
    }

    @Test func aWrongSpecIsLocatedAndExitsWith2() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data("name: x\nbackbone: ncsnp_v2\n".utf8).write(to: URL(fileURLWithPath: folder + "/wrong.yaml"))
        let result = try sgmse("check", "wrong.yaml", folder: folder)
        #expect(result.code == 2)
        #expect(result.error.contains("wrong.yaml:2:11: error: unknown backbone 'ncsnp_v2'"))
        #expect(result.error.contains("did you mean 'ncsnpp_v2'?"))
    }

    @Test func missingDataExitsWith3() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let spec = "name: x\ndata: { path: nowhere }\nsde: ouve\ntrain: { max_steps: 1 }\n"
        try Data(spec.utf8).write(to: URL(fileURLWithPath: folder + "/spec.yaml"))
        let result = try sgmse("run", "spec.yaml", "--store", folder + "/store.sqlite", folder: folder)
        #expect(result.code == 3)
        #expect(result.error.contains("nowhere"))
    }

    @Test func aFileThatIsNoStoreExitsWith5() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(String(repeating: "not a store. ", count: 50).utf8).write(to: URL(fileURLWithPath: folder + "/store.sqlite"))
        let result = try sgmse("ls", "--store", folder + "/store.sqlite")
        #expect(result.code == 5)
        #expect(result.error.contains("store.sqlite"))
    }

    @Test func conformanceWithoutAMatchExitsWith3() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(try sgmse("conformance", folder).code == 3)
    }

    @Test func probingNeedsFiles() throws {
        let result = try sgmse("probe", "run", "--files", "0")
        #expect(result.code == 2)
        #expect(result.error.contains("--files 0"))
    }

    @Test func everyRegistryIsListed() throws {
        let result = try sgmse("registry")
        #expect(result.code == 0)
        for name in ["ouve", "sbve", "ncsnpp_v2", "score_matching", "data_prediction", "reverse_diffusion", "pesq", "wiener", "synthetic"] {
            #expect(result.out.contains(name), "\(name)")
        }
    }
}
