import Foundation
import Runs
import TestFolders
import Testing

/// Numbers that people give: none is used before it is known to make sense.
@Suite struct BoundsTests {
    /// An option that takes a number states its range where it is declared; a seed may be any number.
    @Test func everyNumericOptionHasBounds() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Commands")
        let files =
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        var found = 0
        for file in files where file.pathExtension == "swift" {
            var declaration = ""
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                let text = line.trimmingCharacters(in: .whitespaces)
                if text.hasPrefix("@Option") || text.hasPrefix("@Argument") { declaration = "" }
                declaration += text + " "
                guard text.hasPrefix("var ") || text.hasPrefix("private var ") else { continue }
                let isNumber =
                    !text.contains(": UInt64")
                    && (text.contains(/: (Int|Double|Float)\??$/) || text.contains(/\s= -?[\d._]+$/))
                if declaration.hasPrefix("@"), isNumber,
                    declaration.hasPrefix("@Option") || declaration.hasPrefix("@Argument")
                {
                    found += 1
                    #expect(declaration.contains(", in: "), "\(file.lastPathComponent): \(declaration)")
                }
                declaration = ""
            }
        }
        #expect(found >= 25, "\(found)")
    }

    @Test(arguments: [
        ["run", "x.yaml", "--jobs", "1000000"], ["run", "x.yaml", "--jobs", "0"],
        ["run", "x.yaml", "--threads", "100000000"],
        ["bench", "stft", "--seconds", "nan"], ["bench", "stft", "--seconds", "1e300"],
        ["bench", "forward", "--frames", "0"],
        ["bench", "forward", "--batch", "0"], ["bench", "sample", "--steps", "0"],
        ["bench", "forward", "--repetitions", "-1"],
        ["bench", "conv", "--kernel", "0"], ["bench", "conv", "--shape", "1,9223372036854775807,9,9,9"],
        ["ls", "--limit", "99999999999999999999"],
        ["probe", "x", "--steps", "-1"], ["bench", "metrics", "--seconds", "inf"], ["bench", "store", "--runs", "0"],
    ])
    func aNumberOutOfBoundsIsAUsageError(arguments: [String]) throws {
        let end = try Program.run(arguments: arguments)
        #expect(end.code == 2 && !end.isSignal && end.error.contains(arguments[arguments.count - 2]), "\(end)")
    }

    @Test(arguments: [
        ["bench", "forward", "--batch", "65536", "--frames", "999936"],
        ["bench", "train", "--batch", "65536", "--frames", "65536"],
        ["bench", "conv", "--shape", "65536,65536,65536,2,2"], ["bench", "sample", "--batch", "60000"],
    ])
    func aBatchBeyondTheMemoryIsRefusedWithItsNeed(arguments: [String]) throws {
        let end = try Program.run(arguments: arguments)
        #expect(end.code == 2 && !end.isSignal, "\(end)")
        #expect(end.error.contains(/needs at least [0-9.e+]+ GB of memory, and this machine allows/), "\(end)")
    }

    @Test(arguments: [[], ["--set", "backbone=dcunet", "--set", "transform.n_fft=512"]])
    func aTrainingBatchBeyondTheMemoryIsRefusedBeforeAnything(network: [String]) throws {
        let scratch = try TestFolder()
        let end = try Program.run(
            arguments: [
                "run", scratch.spec(tinySpec), "--set", "train.batch_size=60000", "--set", "data.num_frames=512",
            ] + network,
            in: scratch.path)
        #expect(
            end.code == 2 && end.error.contains("needs at least") && end.error.contains("train.batch_size"), "\(end)")
        #expect(scratch.files(".wav").isEmpty)
    }

    /// A limit on the address space stands for a machine without memory.
    @Test func memoryThatIsNotThereIsAMessage() throws {
        let process = Process()
        let error = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = [
            "-c",
            """
            ulimit -v 3000000; exec '\(Program.path)' bench train --size full --repetitions 1 --frames 512 --threads 1
            """,
        ]
        process.standardError = error
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let message = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus != 0, "\(message)")
        #expect(message.contains("memory"), "\(message)")
    }

    @Test func framesThatANetworkCannotTakeAreAnError() throws {
        let end = try Program.run("bench", "forward", "--size", "quickstart", "--frames", "1")
        #expect(end.code == 2 && end.error.contains("1 frames are not a multiple of"), "\(end)")
    }

    @Test func theInstructionSetIsChosenAndRecorded() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec)
        #expect(
            try Program.run("run", spec, "--no-table", "--instruction-set", "baseline", in: scratch.path).code == 0)
        let store = try RunStore(at: scratch.store, access: .readOnly)
        #expect(try #require(try store.runs().first).provenance.machine.hasSuffix(", baseline"))
        let doctor = try Program(["doctor"], in: scratch.path, environment: ["SGMSE_INSTRUCTION_SET": "baseline"])
            .wait()
        #expect(doctor.out.contains("cores, baseline"), "\(doctor.out)")
        #expect(try Program.run("doctor", "--instruction-set", "sse9", in: scratch.path).code == 2)
        let wrong = try Program(["doctor"], in: scratch.path, environment: ["SGMSE_INSTRUCTION_SET": "sse9"]).wait()
        #expect(wrong.code == 2 && wrong.error.contains("SGMSE_INSTRUCTION_SET is 'sse9'"), "\(wrong.error)")
        // Another seed on all that this processor has: the two are compared with a note.
        #expect(try Program.run("run", spec, "--no-table", "--set", "train.seeds=[1]", in: scratch.path).code == 0)
        let compared = try Program.run("compare", in: scratch.path)
        let best = try Program.run("doctor", in: scratch.path).out.contains("cores, baseline") ? "baseline" : "avx"
        #expect(compared.error.contains("different vector instructions (") == (best == "avx"), "\(compared.error)")
    }
}
