import AtomicFiles
import Foundation
import TestFolders
import Testing

@Suite struct PendingFileTests {
    private let owner: TestFolder
    private var folder: String { owner.path }

    init() throws { owner = try TestFolder() }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder).sorted() }

    @Test func aFileHasItsNameOnlyWhenItIsWhole() throws {
        let path = folder + "/a.txt"
        try PendingFile.write("old", to: path)
        var file = try PendingFile(at: path)
        try file.write(Array("new".utf8))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "old")
        let pending = try names().filter { $0 != "a.txt" }
        #expect(pending.count == 1 && pending.allSatisfy(TemporaryName.isTemporary), "\(pending)")
        try file.commit()
        #expect(try names() == ["a.txt"] && String(contentsOfFile: path, encoding: .utf8) == "new")
    }

    @Test func whatIsDroppedLeavesNothing() throws {
        do {
            var file = try PendingFile(at: folder + "/a.txt")
            try file.write([1, 2, 3])
        }
        #expect(try names().isEmpty)
    }

    @Test func aLongNameIsCutAndStillTemporary() throws {
        let path = folder + "/" + String(repeating: "é", count: 127)
        try PendingFile.write("x", to: path)
        #expect(TemporaryName.isTemporary((TemporaryName.path(for: path) as NSString).lastPathComponent))
    }

    @Test(arguments: [
        "thesis.partial", "a.part", "a.tmp", ".sgmse-part-", ".sgmse-part-notes", ".sgmse-part-0123456789ABCDEF-a",
        "x.sgmse-part-0123456789abcdef-a",
    ])
    func otherNamesAreNotOurs(name: String) { #expect(!TemporaryName.isTemporary(name)) }

    @Test func aFolderThatIsNotThereIsAFailureWithItsNumber() {
        let error = #expect(throws: FileFailure.self) { try PendingFile.write("x", to: folder + "/none/a") }
        #expect(error?.code == ENOENT && (error as (any Error)? as NSError?)?.domain == NSPOSIXErrorDomain)
    }
}
