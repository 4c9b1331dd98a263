import Checkpoints
import Experiments
import Foundation
import SpecLanguage
import Specs
import Testing
import WeightFiles

/// A file that is not what it claims gives a clear error, and nothing is written.
@Suite struct HostileCheckpointTests {
    /// Imports bytes, and expects an error that names the file, and an untouched folder.
    private func expectRefused(_ bytes: [UInt8], _ comment: Comment, contains part: String = "") throws {
        try withFolder { folder in
            let file = folder + "/bad.ckpt"
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            do {
                _ = try CheckpointImport().run(file, to: folder + "/model")
                Issue.record("was imported: \(comment)")
            } catch {
                let text = "\(error)"
                #expect(!text.isEmpty && (part.isEmpty || text.contains(part)), comment)
                #expect(
                    error is WeightFileError || error is WeightsError || error is SpecErrors
                        || error is CheckpointError, comment)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["bad.ckpt"], comment)
        }
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: checkpointFixture(name))))
    }

    @Test func truncatedFiles() throws {
        let whole = try bytes("bridge.ckpt")
        for part in 0..<24 { try expectRefused(Array(whole[..<(whole.count * part / 24)]), "part \(part)") }
        try expectRefused(Array(whole.dropLast()), "the last byte")
    }

    /// A flipped bit is found, or lies where it changes no weight.
    @Test func flippedBits() throws {
        let whole = try bytes("bridge.ckpt")
        try withFolder { folder in
            let expected = try StoredModel(at: checkpointFixture("bridge.ckpt")).weights(.ema).arrays
            for position in stride(from: 11, to: whole.count, by: whole.count / 40) {
                var damaged = whole
                damaged[position] ^= 1 << UInt8(position % 8)
                let file = folder + "/flipped.ckpt"
                try Data(damaged).write(to: URL(fileURLWithPath: file))
                do { #expect(try StoredModel(at: file).weights(.ema).arrays == expected, "byte \(position)") } catch {
                    #expect(
                        error is WeightFileError || error is WeightsError || error is SpecErrors
                            || error is CheckpointError)
                }
            }
        }
    }

    @Test(arguments: ["calls_system.pt", "bomb.pt"])
    func callsAndBombs(name: String) throws {
        try expectRefused(try bytes(name), "\(name)", contains: name == "bomb.pt" ? "at most" : "asks to call")
    }

    private func draft(_ change: (inout [NamedArray], inout PickleDictionary) -> Void) throws -> [UInt8] {
        let whole = try LightningCheckpoint(path: checkpointFixture("bridge.ckpt"))
        var (weights, parameters) = (try whole.weights(.raw).arrays, whole.hyperParameters)
        change(&weights, &parameters)
        return try withFolder { folder in
            try LightningCheckpoint.write(
                .init(weights: weights, hyperParameters: parameters), to: folder + "/draft.ckpt")
            return Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/draft.ckpt")))
        }
    }

    @Test func tensorsThatDoNotFit() throws {
        try expectRefused(
            draft { weights, _ in weights.removeAll { $0.name == "dnn.output_layer.bias" } }, "missing",
            contains: "dnn.output_layer.bias is missing")
        try expectRefused(
            draft { weights, _ in
                for index in weights.indices where weights[index].name == "dnn.output_layer.bias" {
                    weights[index] = NamedArray(name: weights[index].name, shape: [3], values: [0, 0, 0])
                }
            }, "shape", contains: "[3]")
        try expectRefused(
            draft { weights, _ in
                for index in weights.indices where weights[index].name == "dnn.output_layer.bias" {
                    weights[index].values[0] = .nan
                }
            }, "NaN", contains: "not finite")
        try expectRefused(draft { _, parameters in parameters = [:] }, "bare", contains: "hyper-parameters")
        try expectRefused(
            draft { weights, _ in
                for name in ["extra.weight", "dnn.more.bias"] {
                    weights.append(NamedArray(name: name, shape: [2], values: [1, 2]))
                }
            }, "extra",
            contains: "has no place in the network that its hyper-parameters describe; the same holds for dnn.more.bias"
        )
    }

    /// Options that would ask for a network larger than the file are refused before one is built.
    @Test(
        arguments: [
            ("nf", .int(1 << 40)), ("nf", .int(100_000)), ("ch_mult", .list([1, .int(1 << 30)])),
            ("num_res_blocks", .int(1 << 30)),
            ("nf", .int(-8)), ("nf", "many"), ("backbone", "ncsnpp_v3"), ("sde", "ouve; rm"), ("n_fft", .int(1 << 40)),
            ("ch_mult", .list([])), ("hop_length", .int(0)),
        ] as [(String, PickleValue)])
    func impossibleOptions(name: String, value: PickleValue) throws {
        try expectRefused(draft { _, parameters in parameters[name] = value }, "\(name)")
    }

    @Test func settingsCannotBeSmuggledIn() throws {
        let file = try draft { _, parameters in parameters["base_dir"] = "x\ntrain:\n  seeds: [7]\n#" }
        try withFolder { folder in
            try Data(file).write(to: URL(fileURLWithPath: folder + "/a.ckpt"))
            let spec = try StoredModel(at: folder + "/a.ckpt").spec
            #expect(spec.train.seeds == [0])
            #expect(spec.data.path == "x\ntrain:\n  seeds: [7]\n#")
        }
    }
}
