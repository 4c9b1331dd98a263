import Audio
import Foundation
import Reports
import Runs
import StoreSamples
import TestFolders
import Testing

@Suite struct ExportTests {
    let scratch: TestFolder
    let store: RunStore
    let run: Run

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
        run = try store.register(Sample.run())
        try store.begin(run.id, provenance: Sample.provenance)
        try record(1...3)
        try store.record(
            TrainingBatch(validations: [ValidationRecord(step: 3, metric: "si_sdr", value: 2.5, n: 2)]), of: run.id)
        for (part, gain) in [("clean", Float(0.5)), ("noisy", 0.4), ("step-3", 0.3)] {
            let folder = "\(scratch.path)/\(run.folder)/validation/\(part)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try SoundFile.write(
                (0..<8000).map { gain * sin(Float($0) * 0.3) }, sampleRate: 16_000, to: folder + "/a.wav")
        }
    }

    private func record(_ steps: ClosedRange<Int>) throws {
        let records = steps.map {
            StepRecord(
                step: $0, loss: 1 / Double($0), terms: ["mse": 0.25], gradientNorm: 2, learningRate: 1e-3, seconds: 0.5)
        }
        try store.record(TrainingBatch(steps: records), of: run.id)
    }

    /// The check values that catalogues of checksums give for the digits 1 to 9.
    @Test func checksumsAreThoseOfTheStandards() {
        #expect(CyclicRedundancyCheck.castagnoli(Array("123456789".utf8)) == 0xE306_9283)
    }

    /// Every record has its length and both checksums; tags and the sounds and images are in them.
    @Test func anEventFileIsWellFramed() throws {
        var export = ExportFormat.tensorboard.export(of: run.id, in: store, to: scratch.path + "/board")
        try export.update()
        let first = try records()
        #expect(first.count == 1 + 3 + 1 + 3)  // version, steps, validation, three recordings
        #expect(first[0].contains("brain.Event:2"))
        #expect(first[1].contains("train/loss") && first[1].contains("train/mse"))
        #expect(first[4].contains("validation/si_sdr"))
        #expect(first.contains { $0.contains("a/audio/enhanced") && $0.contains("WAVE") && $0.contains("IHDR") })
        try record(4...5)
        try export.update()
        #expect(try records().count == 10)
        var again = ExportFormat.tensorboard.export(of: run.id, in: store, to: scratch.path + "/board")
        try again.update()
        #expect(try records().count == 10, "a repeated export doubles nothing")
    }

    private func records() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/board")
        try #require(names.count == 1)
        let bytes = [UInt8](try #require(FileManager.default.contents(atPath: "\(scratch.path)/board/\(names[0])")))
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        func masked(_ range: Range<Int>) -> UInt64 {
            let crc = CyclicRedundancyCheck.castagnoli(bytes[range])
            return UInt64((crc >> 15 | crc << 17) &+ 0xA282_EAD8)
        }
        var (texts, place) = ([String](), 0)
        while place < bytes.count {
            let data = place + 12..<place + 12 + Int(number(place..<place + 8))
            #expect(number(place + 8..<place + 12) == masked(place..<place + 8))
            #expect(number(data.upperBound..<data.upperBound + 4) == masked(data))
            texts.append(String(decoding: bytes[data].map { $0 < 128 ? $0 : 0x3F }, as: UTF8.self))
            place = data.upperBound + 4
        }
        return texts
    }

    @Test func textFormsGrowWithTheRun() throws {
        var exports = [ExportFormat.csv, .jsonl].map { $0.export(of: run.id, in: store, to: scratch.path + "/text") }
        for index in exports.indices { try exports[index].update() }
        try record(4...5)
        for index in exports.indices { try exports[index].update() }
        func text(_ name: String) -> String {
            FileManager.default.contents(atPath: "\(scratch.path)/text/\(name)").map {
                String(decoding: $0, as: UTF8.self)
            } ?? ""
        }
        let rows = text("steps.csv").components(separatedBy: "\r\n")
        #expect(rows.prefix(2) == ["step,loss,gradient_norm,learning_rate,seconds,mse", "1,1.0,2.0,0.001,0.5,0.25"])
        #expect(rows.count == 7)
        #expect(text("validations.csv") == "step,metric,value,n\r\n3,si_sdr,2.5,2\r\n")
        let lines = text("history.jsonl").split(separator: "\n")
        #expect(lines.count == 7)  // started, five steps, a validation
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line.utf8)) }
    }

    @Test func filesOfARunTravelOnce() throws {
        let other = try RunStore(at: scratch.path + "/other/store.sqlite")
        try other.importRuns(from: store.path)
        #expect(try other.importFiles(of: run, from: store.folder) == 3)
        #expect(try other.importFiles(of: run, from: store.folder) == 0)
        #expect(FileManager.default.fileExists(atPath: "\(scratch.path)/other/\(run.folder)/validation/clean/a.wav"))
    }

    @Test func theDoctorSeesTheStoreAndItsProblems() throws {
        let report = DoctorReport(storeAt: store.path, journal: .wal, isThorough: true)
        #expect(!report.hasProblem)
        #expect(report.findings.contains { $0.subject == "store" && $0.text.contains("1 steps are being worked on") })
        let foreign = scratch.path + "/foreign.sqlite"
        try Data(repeating: 7, count: 4096).write(to: URL(fileURLWithPath: foreign))
        #expect(DoctorReport(storeAt: foreign, journal: .wal, isThorough: true).hasProblem)
    }
}
