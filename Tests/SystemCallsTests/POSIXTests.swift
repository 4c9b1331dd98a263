import Foundation
import SystemCalls
import TestFolders
import Testing

/// The calls give what the manual says, and what is no pointer any more is what was behind it.
@Suite struct POSIXTests {
    private let owner: TestFolder
    private var folder: String { owner.path }

    init() throws { owner = try TestFolder() }

    private func file(_ bytes: [UInt8], _ name: String = "a") throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        return "\(folder)/\(name)"
    }

    @Test func bytesComeFromAnyPlaceAndEndWithTheFile() throws {
        let descriptor = POSIX.open(try file(Array(0..<10)), O_RDONLY)
        defer { close(descriptor) }
        #expect(POSIX.pread(descriptor, count: 4, at: 3) == [3, 4, 5, 6])
        #expect(POSIX.pread(descriptor, count: 4, at: 8) == [8, 9])
        #expect(POSIX.pread(descriptor, count: 0, at: 0) == [])
        #expect(POSIX.pread(-1, count: 4, at: 0) == [])
        var buffer = [UInt8](repeating: 255, count: 5)
        #expect(POSIX.read(descriptor, into: &buffer, from: 2) == 3)
        #expect(buffer == [255, 255, 0, 1, 2])
        #expect(POSIX.read(descriptor, into: &buffer, from: 5) == 0)
    }

    @Test func samplesAreReadAsTheyWereWritten() throws {
        let descriptor = POSIX.open("\(folder)/samples", O_RDWR | O_CREAT, 0o600)
        defer { close(descriptor) }
        let samples: [Float] = [0.5, -1, .pi]
        let (isWritten, isRefused) = (
            POSIX.pwrite(descriptor, samples.span, at: 8), !POSIX.pwrite(-1, samples.span, at: 0)
        )
        #expect(isWritten && isRefused)
        #expect(POSIX.preadSamples(descriptor, count: 5, at: 0) == [0, 0] + samples)
        #expect(POSIX.preadSamples(descriptor, count: 2, at: 16) == [.pi])
    }

    @Test func factsTellFilesFoldersAndLinks() throws {
        let path = try file([1, 2, 3])
        try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: path)
        let facts = try #require(FileFacts(at: path))
        #expect(facts.kind == .file && facts.bytes == 3)
        #expect(FileFacts(at: folder + "/link") == facts)
        #expect(POSIX.isFolder(folder) && !POSIX.isFolder(path) && !POSIX.isFolder(folder + "/none"))
        let place = POSIX.open(folder, O_RDONLY | O_DIRECTORY)
        defer { close(place) }
        #expect(FileFacts(of: "link", in: place)?.kind == .other)
        #expect(FileFacts(of: "none", in: place) == nil && errno == ENOENT)
        #expect(FileFacts(of: place) == FileFacts(at: folder))
    }

    @Test func aListingHasAllNames() throws {
        for name in ["b", "a", "ü"] { _ = try file([], name) }
        let listing = try #require(FolderListing(at: folder))
        let names = listing.entries.map { String(decoding: $0.name, as: UTF8.self) }
        #expect(Set(names) == [".", "..", "a", "b", "ü"])
        #expect(listing.folder == FileFacts(at: folder))
        #expect(FolderListing(at: folder + "/none") == nil)
    }

    @Test(arguments: [("exit 7", Int32(7)), ("kill -9 $$", 137), ("test \"$WORD\" = one", 0)])
    func aProgramsEndIsItsCodeOrItsSignal(command: String, code: Int32) {
        let files = [ProgramStart.File(0, "/dev/null", O_RDONLY)]
        let start = ProgramStart(["sh", "-c", command], environment: ["WORD=one"], files: files, unblocksSignals: true)
        let (error, process) = start.start()
        #expect(error == 0)
        let end = POSIX.waitpid(process, 0)
        #expect(end.process == process)
        #expect(POSIX.exitCode(end.status) == code)
    }

    @Test func aProgramThatIsNotThereIsAnErrorNumber() {
        #expect(ProgramStart(["sgmse-no-such-program"], files: []).start().code == ENOENT)
    }

    @Test func aLockIsSeenByAnotherDescription() throws {
        let path = try file([])
        let (first, second) = (POSIX.open(path, O_RDWR), POSIX.open(path, O_RDWR))
        defer { for descriptor in [first, second] { close(descriptor) } }
        // F_OFD_SETLK and F_OFD_GETLK.
        #expect(POSIX.lock(first, 37, F_WRLCK, byte: 5) != nil)
        #expect(POSIX.lock(second, 36, F_WRLCK, byte: 5) == F_WRLCK)
        #expect(POSIX.lock(second, 37, F_WRLCK, byte: 5) == nil)
        #expect(POSIX.lock(second, 36, F_WRLCK, byte: 6) == F_UNLCK)
    }
}
