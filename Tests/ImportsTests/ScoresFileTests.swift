import Foundation
import Imports
import Runs
import SpeechMetrics
import TestFolders
import Testing

/// Tables of scores that another program computed.
@Suite struct ScoresFileTests {
    private let sample: ExternalSample

    init() throws { sample = try ExternalSample() }

    private func record(_ text: String, _ mapping: ScoresFile.Mapping = .init(), name: String = "other") throws
        -> Evaluation?
    {
        let path = try sample.scratch.write(text, to: "scores.csv")
        let table = try ScoresFile(path, as: mapping, catalog: .standard)
        let system = try ExternalSystem(name, reserved: [])
        return try table.record(
            as: system, on: sample.set, files: sample.files, catalog: .standard, in: sample.store,
            provenance: ExternalSample.provenance)
    }

    private func values(_ evaluation: Evaluation?) throws -> [String: [Double?]] {
        let evaluation = try #require(evaluation)
        let metrics = Dictionary(uniqueKeysWithValues: try sample.store.metrics().map { ($0.id, $0.signature) })
        return Dictionary(grouping: try sample.store.scores(of: evaluation.id)) { metrics[$0.metric] ?? "" }
            .mapValues { $0.sorted { $0.file < $1.file }.map(\.outcome.value) }
    }

    @Test func theLayoutOfTheReferenceIsTakenAsItIsAndMarked() throws {
        let evaluation = try record(
            "filename,pesq,estoi,si_sdr\np0.wav,2.5,0.8,10\np2.wav,3.5,,inf\np1.wav,1.5,0.9,nan\n")
        let found = try values(evaluation)
        #expect(found["pesq|imported"] == [2.5, 1.5, 3.5] && found["estoi|imported"] == [0.8, 0.9, nil])
        #expect(found["si_sdr|imported"] == [10, nil, .infinity])
        #expect(
            try sample.store.evaluations(ofSystem: "other").first?.external?.contains("\"kind\":\"scores\"") == true)
    }

    @Test func scoresOfThisProgramKeepTheirSignature() throws {
        let evaluation = try record(
            "filename,si_sdr,si_sdr/reason,si_sdr/signature\n"
                + "p0.wav,1,,si_sdr|v1\np1.wav,2,,si_sdr|v1\np2.wav,3,,si_sdr|v1\n"
        )
        #expect(try values(evaluation)["si_sdr|v1"] == [1, 2, 3])
    }

    @Test func anyTableIsMapped() throws {
        let evaluation = try record(
            "utt;x,WB-PESQ,P\np0,2.0,4.1\np1,2.1,4.2\np2,2.2,4.3\n",
            .init(file: "utt;x", metrics: ["WB-PESQ": "pesq", "P": "polqa"], signatures: ["pesq": "pesq|wb|mine"]))
        #expect(try values(evaluation) == ["pesq|wb|mine": [2.0, 2.1, 2.2], "polqa|imported": [4.1, 4.2, 4.3]])
    }

    @Test(arguments: [
        ("filename,pesq\np0.wav,2\np1.wav,2\n", "1 of 3 files of 'test' have no row"),
        ("filename,pesq\np0.wav,2\np1.wav,2\np2.wav,2\np2.wav,3\n", "files with several rows"),
        ("filename,quality\np0.wav,2\n", "no column is called like a metric: filename, quality"),
        ("utterance,pesq\np0.wav,2\n", "no column is called filename, file, name"),
        ("filename,pesq\np0.wav,good\np1.wav,2\np2.wav,2\n", "line 2: 'good' in column 'pesq' is no number"),
        ("filename,pesq\n", "the table has no rows"),
    ])
    func mistakesAreNamed(text: String, message: String) throws {
        let error = #expect(throws: (any Error).self) { try record(text) }
        #expect(error.map { "\($0)".contains(message) } == true, "\(error.map { "\($0)" } ?? "none")")
        #expect(try sample.store.anchorEvaluations().isEmpty)
    }
}

extension RunStore {
    fileprivate func evaluations(ofSystem name: String) throws -> [Evaluation] {
        try anchorEvaluations().filter { $0.anchor == name }
    }
}
