import Foundation
import Launchers
import TestFolders
import Testing

@Suite struct StagedProgramTests {
    private let owner: TestFolder
    private var folder: String { owner.path }

    init() throws { owner = try TestFolder() }

    private func write(_ text: String, _ name: String) throws -> String {
        let path = folder + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        unsafe chmod(path, 0o755)
        return path
    }

    private func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The copy stays what it was when the program is built anew, and jobs of one version share one copy.
    @Test func aCopyIsWholeRunsAndIsOfItsVersion() throws {
        let files = [try write("#!/bin/sh\necho one\n", "sgmse"), try write("a library", "libsgmse-mpi.so")]
        let first = try StagedProgram(files, beside: folder + "/queue")
        try first.copy()
        try first.copy()
        #expect(FileManager.default.isExecutableFile(atPath: first.path) && read(first.path) == "#!/bin/sh\necho one\n")
        #expect(read((first.path as NSString).deletingLastPathComponent + "/libsgmse-mpi.so") == "a library")
        _ = try write("#!/bin/sh\necho two\n", "sgmse")
        let second = try StagedProgram(files, beside: folder + "/queue")
        try second.copy()
        #expect(
            second.path != first.path && read(second.path) == "#!/bin/sh\necho two\n"
                && read(first.path)?.contains("one") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/queue/programs").count == 2)
        // A library that changed is another version of the program too.
        _ = try write("another library", "libsgmse-mpi.so")
        #expect(try StagedProgram(files, beside: folder + "/queue").path != second.path)
    }

    @Test func whatCannotBeCopiedIsNamed() throws {
        let error = #expect(throws: LaunchError.self) { try StagedProgram([folder + "/nowhere"], beside: folder) }
        #expect(error?.summary.contains("/nowhere") == true)
        let file = try write("x", "sgmse")
        let blocked = try StagedProgram([file], beside: file)
        let other = #expect(throws: LaunchError.self) { try blocked.copy() }
        #expect(other?.hint?.contains("stage_binary") == true)
    }
}
