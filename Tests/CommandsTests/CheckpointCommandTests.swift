import Foundation
import TestFolders
import Testing

extension CommandsTests {
    /// A file of another target's fixtures.
    private func checkpoint(_ name: String) -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.appendingPathComponent(name).path
    }

    private var bridge: String { checkpoint("ExperimentsTests/Fixtures/checkpoint/bridge.ckpt") }

    /// A WAV file of 16-bit samples at 16 kHz.
    private func wave(_ samples: [Int16]) -> Data {
        func bytes(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var data = Data("RIFF".utf8) + bytes(36 + 2 * samples.count, 4) + Data("WAVEfmt ".utf8)
        data +=
            bytes(16, 4) + bytes(1, 2) + bytes(1, 2) + bytes(16000, 4) + bytes(32000, 4) + bytes(2, 2) + bytes(16, 2)
        data += Data("data".utf8) + bytes(2 * samples.count, 4)
        for sample in samples { data += bytes(Int(sample), 2) }
        return data
    }

    @Test func publishedCheckpointsSayWhereTheyAre() throws {
        let list = try sgmse("checkpoint", "list")
        #expect(list.code == 0)
        for part in [
            "m5.ckpt", "gdown 1_H3EXvhcYBhOZ9QNUcD5VZHc6ktrRbwQ", "edm2se", "--snr 0.33", "no verified figure",
        ] {
            #expect(list.out.contains(part), "\(part)")
        }
        #expect(try sgmse("checkpoint", "list", "m9").code == 2)
        let absent = try sgmse("enhance", "--checkpoint", "m5", "--input", "x", "--output", "y")
        #expect(absent.code == 2)
        #expect(absent.error.contains("curl"))
        let owner = try TestFolder()
        let folder = owner.path
        let unknown = try sgmse(["enhance", "--checkpoint", "nobody", "--input", "x", "--output", "y"], folder: folder)
        #expect(unknown.code == 2)
        for part in ["nobody", "no run", "no store", "published: ", "m5"] {
            #expect(unknown.error.contains(part), "\(part)")
        }
    }

    @Test func theRegistryListsWhatEachSettingMayBe() throws {
        let losses = try sgmse("registry", "loss")
        for part in ["loss_weighting: 1 | sigma^2 | edm", "c_out = 1", "pesq_weight = 0.0"] {
            #expect(losses.out.contains(part), "\(part)")
        }
        #expect(try sgmse("registry", "backbone").out.contains("DCUNet-10 | DCUNet-16 | DCUNet-20 | DilDCUNet-v2"))
        #expect(try sgmse("registry", "sampler").out.contains("Reverse starting point"))
    }

    @Test func checkpointsAreInspectedAndRefused() throws {
        let swapped = try sgmse("checkpoint", "inspect", checkpoint("WeightFilesTests/Fixtures/swapped.ckpt"))
        #expect(swapped.code == 0)
        #expect(swapped.out.contains("raw       ema.collected_params"))
        #expect(swapped.error.contains("after a validation"))
        let hostile = try sgmse("checkpoint", "inspect", checkpoint("WeightFilesTests/Fixtures/calls_system.pt"))
        #expect(hostile.code == 3)
        #expect(hostile.error.contains("asks to call"))
        #expect(try sgmse("checkpoint", "inspect", "/nowhere.ckpt").code == 2)
        let emptyOwner = try TestFolder()
        let empty = emptyOwner.path
        for use in [
            ["checkpoint", "import", empty],
            ["enhance", "--checkpoint", empty, "--input", empty, "--output", empty + "/out"],
        ] {
            let end = try sgmse(use, folder: empty)
            #expect(end.code == 2)
            #expect(end.error.contains("a folder without weights.safetensors"), "\(end.error)")
        }
    }

    @Test func aCheckpointTravelsAndEnhances() throws {
        let owner = try TestFolder()
        let folder = owner.path
        let imported = try sgmse("checkpoint", "import", bridge, "--output", "model", folder: folder)
        #expect(imported.code == 0, "\(imported.error)")
        #expect(imported.out.contains("ema weights from ema.shadow_params"))
        #expect(try sgmse("checkpoint", "import", bridge, "--output", "model", folder: folder).code == 2)
        #expect(try sgmse("check", "model/spec.yaml", "--no-data", folder: folder).code == 0)
        let exported = try sgmse("checkpoint", "export", "model", "--output", "back.ckpt", folder: folder)
        #expect(exported.code == 0, "\(exported.error)")

        let noisy = (0..<3200).map { Int16(8000 * sin(0.2 * Double($0))) }
        try FileManager.default.createDirectory(atPath: folder + "/noisy/a", withIntermediateDirectories: true)
        try wave(noisy).write(to: URL(fileURLWithPath: folder + "/noisy/a/b.wav"))
        var outputs: [Data] = []
        for model in ["model", "back.ckpt", bridge] {
            let arguments = [
                "enhance", "--checkpoint", model, "--input", "noisy", "--output", "out", "--N", "2", "--force",
            ]
            let result = try sgmse(arguments, folder: folder)
            #expect(result.code == 0, "\(result.error)")
            #expect(result.out.contains("1 enhanced, 0 skipped, 0 failed"))
            #expect(result.out.contains("real-time factor"))
            outputs.append(try Data(contentsOf: URL(fileURLWithPath: folder + "/out/a/b.wav")))
        }
        #expect(Set(outputs).count == 1)
        let again = try sgmse(
            ["enhance", "--checkpoint", "model", "--input", "noisy", "--output", "out", "--N", "2"], folder: folder)
        #expect(again.out.contains("0 enhanced, 1 skipped"))
        let wrong = try sgmse(
            ["enhance", "--checkpoint", "model", "--input", "noisy", "--output", "o", "--sampler", "sb_odd"],
            folder: folder)
        #expect(wrong.code == 2)
        #expect(wrong.error.contains("did you mean 'sb_ode'?"))
    }

    @Test func theRegistryShowsThePriorMismatch() throws {
        let sdes = try sgmse("registry", "sde")
        #expect(sdes.out.contains("prior mismatch 0.2231 = e^(−theta)"))
        #expect(sdes.out.contains("prior mismatch 1 = 1"))
    }

    @Test func anImpossibleNetworkIsALocatedMistake() throws {
        let owner = try TestFolder()
        let folder = owner.path
        let spec =
            """
            name: x\ndata: { path: nowhere }\ntransform: { n_fft: 512 }\nbackbone: { name: dcunet, dcunet_mask_bound: \
            tanh }\ntrain: { max_steps: 1 }\n
            """
        try Data(spec.utf8).write(to: URL(fileURLWithPath: folder + "/spec.yaml"))
        let result = try sgmse("check", "spec.yaml", folder: folder)
        #expect(result.code == 2)
        #expect(result.error.contains("spec.yaml:4:"))
        #expect(result.error.contains("dcunet_mask_bound"))
    }
}
