import Corpora
import Foundation
import TestFolders
import Testing

@Suite struct LayoutTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    @Test func setsComeInTheOrderOfTheirRolesAndPairsInThatOfTheirNames() throws {
        for (seed, name) in ["b/p2_1.wav", "a.wav", "b.wav", "b/p1_1.wav", "Z.wav"].enumerated() {
            for set in ["test", "test-ood", "valid", "train"] { try folder.pair(set, name, seed: seed) }
        }
        try folder.text("train/clean/.hidden.wav", "")
        try folder.text("train/clean/readme.txt", "")
        try folder.text("notes/readme.txt", "")
        let corpus = try Corpus(at: folder.path)
        #expect(corpus.sets.map(\.name) == ["train", "valid", "test", "test-ood"])
        for set in corpus.sets {
            #expect(set.files.map(\.name) == ["Z.wav", "a.wav", "b.wav", "b/p1_1.wav", "b/p2_1.wav"])
            #expect(set.layout == .denoising)
            #expect(set.files.allSatisfy { FileManager.default.fileExists(atPath: $0.noisyPath) })
        }
    }

    @Test func reverberantFoldersAreALayout() throws {
        try folder.tone("test/anechoic/a.wav", seed: 1)
        try folder.tone("test/reverb/a.wav", seed: 2)
        let set = try Corpus(at: folder.path).set("test")
        #expect(set.layout == .dereverberation && set.files.map(\.name) == ["a.wav"])
        #expect(set.files[0].noisyPath.hasSuffix("test/reverb/a.wav"))
    }

    @Test func filesWithoutAPartnerAreListed() throws {
        try folder.pair("train", "p1_1.wav", seed: 1)
        try folder.tone("train/clean/p1_2.wav", seed: 2)
        try folder.tone("train/noisy/p1_3.wav", seed: 3)
        try folder.pair("test", "p2_1.wav", seed: 4)
        try folder.tone("test/noisy/sub/p2_2.wav", seed: 5)
        let corpus = try Corpus(at: folder.path)
        #expect(corpus.sets.map(\.unpaired) == [["clean/p1_2.wav", "noisy/p1_3.wav"], ["noisy/sub/p2_2.wav"]])
        #expect(corpus.sets.map(\.files.count) == [1, 1])
    }

    @Test func whatIsNotACorpusIsAnError() throws {
        #expect(throws: CorpusError(folder.path + "/none", .missingFolder)) { try Corpus(at: folder.path + "/none") }
        #expect(throws: CorpusError(folder.path, .noSets)) { try Corpus(at: folder.path) }
        try folder.pair("train", "a.wav", seed: 1)
        let corpus = try Corpus(at: folder.path)
        #expect(throws: CorpusError(folder.path, .unknownSet("valid", known: ["train"]))) { try corpus.set("valid") }
    }

    @Test(
        arguments: [
            ("p232_001.wav", "p232"), ("snr5/p232_001.wav", "p232"), ("p102/emo_anger_01.wav", "p102"),
            ("anna_01.wav", "anna"), ("anna/take_01.wav", "anna"), ("a.wav", nil), ("447/x/a.wav", "x"),
        ] as [(String, String?)])
    func theSpeakerIsToldByTheName(name: String, speaker: String?) {
        #expect(PairedFile.speaker(inName: name) == speaker)
    }

    @Test func theManifestIsJoinedByNameWithOrWithoutEnding() throws {
        try folder.pair("test", "a_1.wav", seed: 1)
        try folder.pair("test", "b_1.wav", seed: 2)
        try folder.text(
            "test/manifest.csv",
            """
            file,noise,snr_db,speaker,seed,remark\r\na_1.wav,rain,-2.5,s7,12,"loud, \
            ""very""\nindeed"\nb_1,,,,,\nc,,,,,\n
            """
        )
        let set = try Corpus(at: folder.path).set("test")
        #expect(
            set.files[0].entry
                == .init(
                    file: "a_1.wav", speaker: "s7", noise: "rain", snr: -2.5, seed: 12,
                    other: ["remark": "loud, \"very\"\nindeed"]))
        #expect(set.files.map(\.speaker) == ["s7", "b"] && set.files[1].entry?.snr == nil)
        #expect(set.strayEntries == ["c"])
    }

    @Test func aManifestSurvivesWritingAndReading() throws {
        let entries = [
            Manifest.Entry(file: "a.wav", speaker: "s,1", noise: "\"x\"", snr: 1.25, seed: .max, other: ["t60": "0.4"]),
            Manifest.Entry(file: "b.wav"),
        ]
        let read = try Manifest(csv: Manifest.csv(entries), path: "m.csv")
        #expect(read.entries["a"] == entries[0])
        #expect(read.entries["b"]?.other == ["t60": ""])
    }

    @Test(arguments: [
        ("", 1), ("name,snr_db\n", 1), ("file,snr_db\na\n", 2), ("file,snr_db\na,1\nb,loud\n", 3),
        ("file\na\n\na.wav\n", 4), ("file\n\"a\n", 2), ("file,noise\na,b\"c\n", 2),
    ])
    func aBadManifestNamesItsLine(csv: String, line: Int) {
        let error = #expect(throws: CorpusError.self) { try Manifest(csv: csv, path: "m.csv") }
        guard case .badTable(line, _) = error?.reason else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
    }
}
