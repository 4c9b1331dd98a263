import Audio
import Corpora
import CorpusRecipes
import Foundation
import SystemCalls
import TestFolders
import Testing

/// Sources that are the zip archives in which corpora are published.
@Suite struct ArchiveTests {
    private let folder: TestFolder
    init() throws { folder = try TestFolder() }

    /// VoiceBank's folders at 48 kHz, with the log of the test set.
    private func voiceBank() throws {
        for (set, name) in [("trainset_28spk", "p230_001"), ("trainset_28spk", "p226_002"), ("testset", "p232_001")] {
            let seed = name.utf8.reduce(0) { $0 + Int($1) }
            let speech = TestFolder.speech(seed: seed, count: 48_000, rate: 48_000)
            let noisy = zip(speech, TestFolder.noise(seed: seed, count: 48_000, level: 0.02)).map { $0 + $1 }
            try folder.write(speech, "vb/clean_\(set)_wav/\(name).wav", rate: 48_000)
            try folder.write(noisy, "vb/noisy_\(set)_wav/\(name).wav", rate: 48_000)
        }
        try Data("p232_001 bus 2.5\n".utf8).write(to: URL(fileURLWithPath: try folder.file("vb/log_testset.txt")))
    }

    /// Moves a folder, or a file, of the source into an archive, deflated where that helps.
    private func pack(_ name: String, into archive: String, as inner: String? = nil, keeps: Bool = false) throws {
        let root = "\(folder.path)/vb/\(name)"
        let names =
            POSIX.isFolder(root)
            ? FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? [] : [""]
        let entries = names.map { file in
            (
                (inner ?? name) + (file.isEmpty ? "" : "/" + file),
                FileManager.default.contents(atPath: file.isEmpty ? root : "\(root)/\(file)") ?? Data()
            )
        }
        try TestArchive.write(entries.map { ($0.0, [UInt8]($0.1)) }, to: try folder.file("vb/\(archive)"))
        if !keeps { try FileManager.default.removeItem(atPath: root) }
    }

    private func recipe() throws -> Recipe { try RecipeLoader().load("voicebank-demand", overrides: ["rate=16000"]) }

    @Test func archivesGiveTheCorpusThatTheirFoldersGive() throws {
        try voiceBank()
        let unpacked = try folder.make(try recipe(), from: ["voicebank": "vb"], to: "unpacked").record
        for name in ["clean_trainset_28spk_wav", "noisy_trainset_28spk_wav", "clean_testset_wav"] {
            try pack(name, into: "\(name).zip")
        }
        try pack("noisy_testset_wav", into: "noisy_testset_wav.zip", as: "some/where/noisy_testset_wav")
        try pack("log_testset.txt", into: "logfiles.zip")
        let packed = try folder.make(try recipe(), from: ["voicebank": "vb"], to: "packed").record
        #expect(
            packed.content == unpacked.content && packed.sources == unpacked.sources
                && packed.pairs == ["train": 1, "valid": 1, "test": 1])
        let test = try #require(try Corpus(at: folder.path + "/packed").set("test").files.first?.entry)
        #expect(
            test.noise == "bus" && test.snr == 2.5
                && test.other["clean_file"] == "voicebank/clean_testset_wav/p232_001.wav")
        #expect(
            try folder.bytes("packed").filter { $0.key.hasSuffix(".wav") }
                == folder.bytes("unpacked").filter { $0.key.hasSuffix(".wav") })
    }

    @Test func anArchiveMayBeASourceItself() throws {
        try voiceBank()
        try pack("clean_testset_wav", into: "speech.zip", as: "corpus-1.0", keeps: true)
        let noise = TestFolder.noise(seed: 3, count: 32_000)
        try folder.write(noise, "vb/n/street/a.wav")
        try folder.write([0], "vb/n/__MACOSX/street/._a.wav")
        try pack("n", into: "noise.zip", as: "noise-main")
        let record = try folder.make(
            try RecipeLoader().load("ood-mixtures", overrides: ["law.levels=[5]"]),
            from: ["clean": "vb/speech.zip", "noise": "vb/noise.zip"], to: "made"
        ).record
        #expect(record.pairs == ["test-5dB": 1] && record.sources.map(\.files) == [1, 1])
        #expect(
            try Corpus(at: folder.path + "/made").sets[0].files.map { [$0.name, $0.entry?.noise] } == [
                ["p232_001.wav", "street"]
            ])
    }

    private func message(_ body: () throws -> some Any) -> String {
        do { return "\(try body())" } catch { return "\(error)" }
    }

    @Test func damageAndTrapsOfArchivesAreNamed() throws {
        try voiceBank()
        for name in ["clean_testset_wav", "noisy_testset_wav"] { try pack(name, into: "\(name).zip") }
        let path = folder.path + "/vb/clean_testset_wav.zip"
        var bytes = try #require(FileManager.default.contents(atPath: path))
        bytes[300] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        func make() -> String { message { try folder.make(try recipe(), from: ["voicebank": "vb"], to: "made") } }
        #expect(
            make().contains("clean_testset_wav.zip/clean_testset_wav/p232_001.wav: cannot be read as audio")
                && make().contains("damaged"), "\(make())")
        try bytes.prefix(2000).write(to: URL(fileURLWithPath: path))
        #expect(
            make().contains("clean_testset_wav.zip: cannot be read as a zip archive: the archive's end is missing"),
            "\(make())")
        let wave = [UInt8](
            try #require(
                FileManager.default.contents(atPath: folder.path + "/vb/clean_trainset_28spk_wav/p230_001.wav")))
        try TestArchive.write([("clean_testset_wav/../../../p232_001.wav", wave)], to: path)
        #expect(make().contains("would lie outside of its folder"), "\(make())")
        try TestArchive.write(
            [("other/p232_001.wav", wave), ("more/p232_001.wav", wave)], to: folder.path + "/vb/a.zip")
        let mixtures = try RecipeLoader().load(
            text: """
                name: x
                sources: [{ name: clean }]
                sets: [{ name: test, speech: clean/deep, noisy: clean/deep }]
                law: pairs
                """)
        #expect(
            message { try folder.make(mixtures, from: ["clean": "vb/a.zip"], to: "made") }.contains(
                "must hold recordings in a folder 'deep'"))
        #expect(
            message { try folder.make(mixtures, from: ["clean": "vb/log_testset.txt"], to: "made") }.contains(
                "a file that is no zip archive"))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/made"))
    }
}

/// Writes zip archives of stored entries, as PKWARE's APPNOTE says.
enum TestArchive {
    static func write(_ entries: [(name: String, bytes: [UInt8])], to path: String) throws {
        func word(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var (file, directory): ([UInt8], [UInt8]) = ([], [])
        for (name, bytes) in entries {
            let text = Array(name.utf8)
            let facts =
                word(20, 2) + word(0x800, 2) + word(0, 2) + word(0, 4) + word(Int(checksum(bytes)), 4)
                + word(bytes.count, 4) + word(bytes.count, 4)
                + word(text.count, 2) + word(0, 2)
            directory += word(0x0201_4B50, 4) + word(20, 2) + facts + word(0, 10) + word(file.count, 4) + text
            file += word(0x0403_4B50, 4) + facts + text + bytes
        }
        let end =
            word(0x0605_4B50, 4) + word(0, 4) + word(entries.count, 2) + word(entries.count, 2)
            + word(directory.count, 4) + word(file.count, 4) + word(0, 2)
        try Data(file + directory + end).write(to: URL(fileURLWithPath: path))
    }

    /// CRC-32, bit by bit in a table of 256.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ ($0 >> 8) }
    }

    private static let table: [UInt32] = (0..<256).map {
        (0..<8).reduce(UInt32($0)) { value, _ in value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ (value >> 1) }
    }
}
