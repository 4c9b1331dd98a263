import Checkpoints
import Foundation
import Models
import SpecLanguage
import Specs
import Testing
import WeightFiles

/// Checkpoints as other trainings and failed downloads leave them.
@Suite struct ForeignCheckpointTests {
    private func same(_ model: StoredModel) throws -> Bool {
        let expected = try StoredModel(at: checkpointFixture("bridge.ckpt"))
        return try model.weights(.raw).arrays.map(\.values) == expected.weights(.raw).arrays.map(\.values)
    }

    /// The raw weights of the fixture, under other names.
    private func arrays(_ name: (String) -> String = { $0 }) throws -> [NamedArray] {
        try StoredModel(at: checkpointFixture("bridge.ckpt")).weights(.raw).arrays.map { array in
            var array = array
            array.name = array.name.map(name)
            return array
        }
    }

    private func write(_ name: (String) -> String, to path: String, bare: Bool = false) throws {
        let original = try LightningCheckpoint(path: checkpointFixture("bridge.ckpt"))
        try LightningCheckpoint.write(
            .init(weights: try arrays(name), hyperParameters: bare ? [:] : original.hyperParameters), to: path)
    }

    @Test(arguments: [
        ("dnn._orig_mod.", "torch.compile"), ("module.dnn.", "data-parallel"), ("dnn.module.", "data-parallel"),
        ("_orig_mod.module.dnn._orig_mod.", "torch.compile"), ("_forward_module.dnn.", "Fabric"),
        ("dnn._fsdp_wrapped_module.", "sharded"),
    ])
    func wordsOfWrappersAreLeftOutAndThatIsSaid(prefix: String, wrapper: String) throws {
        try withFolder { folder in
            try write({ $0.replacing("dnn.", with: prefix, maxReplacements: 1) }, to: folder + "/a.ckpt")
            let model = try StoredModel(at: folder + "/a.ckpt")
            #expect(try same(model))
            #expect(model.remarks.contains { $0.contains(wrapper) && $0.contains("left out") }, "\(model.remarks)")
            let report = try CheckpointImport().run(folder + "/a.ckpt", to: folder + "/model")
            #expect(report.remarks.contains { $0.contains(wrapper) })
        }
    }

    @Test func whatLiesInTheMiddleOfAModuleIsTold() throws {
        try withFolder { folder in
            let names: [(String) -> String] = [
                { "score_model.net." + $0 }, { String($0.dropFirst(4)) }, { "module." + $0.dropFirst(4) },
            ]
            for name in names {
                try write(name, to: folder + "/a.ckpt")
                #expect(try same(StoredModel(at: folder + "/a.ckpt")))
            }
        }
    }

    @Test func weightsAloneAreReadWithASpec() throws {
        try withFolder { folder in
            let spec = folder + "/spec.yaml"
            let model = try StoredModel(at: checkpointFixture("bridge.ckpt"))
            try ResolvedRendering.yaml(model.spec).write(toFile: spec, atomically: true, encoding: .utf8)
            try write({ $0 }, to: folder + "/bare.pt", bare: true)
            try SafetensorsFile.write(try arrays(), to: folder + "/a.safetensors")
            try SafetensorsFile.write(try arrays { "_orig_mod." + $0.dropFirst(4) }, to: folder + "/b.safetensors")
            for name in ["bare.pt", "a.safetensors", "b.safetensors"] {
                let file = folder + "/" + name
                let error = #expect(throws: CheckpointError.self) { try StoredModel(at: file) }
                #expect(error?.hint?.contains("--spec FILE") == true, "\(name)")
                #expect(try same(StoredModel(at: file, spec: spec)), "\(name)")
                let report = try CheckpointImport().run(file, to: file + "-model", spec: spec)
                #expect(try same(StoredModel(at: report.folder)), "\(name)")
            }
            // Of another network they are refused.
            let other = try String(contentsOfFile: spec, encoding: .utf8).replacing(
                "nf: \(model.spec.backbone.settings["nf"]?.description ?? "")", with: "nf: 12")
            try other.write(toFile: spec, atomically: true, encoding: .utf8)
            #expect(throws: (any Error).self) {
                try StoredModel(at: folder + "/a.safetensors", spec: spec).weights(.raw)
            }
        }
    }

    @Test func pathsInTheSpecOfWeightsAloneMayNameTheEnvironment() throws {
        try withFolder { folder in
            let spec = folder + "/spec.yaml"
            let model = try StoredModel(at: checkpointFixture("bridge.ckpt"))
            let yaml = ResolvedRendering.yaml(model.spec)
            try SafetensorsFile.write(try arrays(), to: folder + "/a.safetensors")
            try yaml.write(toFile: spec, atomically: true, encoding: .utf8)
            let overrides = ["data.path=${env:CORPORA}/vb"]
            #expect(throws: SpecErrors.self) {
                try StoredModel(at: folder + "/a.safetensors", spec: spec, overrides: overrides)
            }
            let found = try StoredModel(
                at: folder + "/a.safetensors", spec: spec, overrides: overrides,
                environment: { $0 == "CORPORA" ? "/data" : nil })
            #expect(found.spec.data.path == "/data/vb")
            #expect(try found.overriding(["data.path=${env:CORPORA}/dns"]).spec.data.path == "/data/dns")
        }
    }

    @Test(
        arguments: [
            (
                "<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title>",
                "is a web page, 'Google Drive - Virus scan warning'", "browser"
            ),
            ("\n\u{FEFF} <HTML><BODY>404</BODY></HTML>", "is a web page", "browser"),
            (
                "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n", "is a pointer of git-lfs",
                "git lfs pull"
            ),
            ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "is a message of a server", "download"),
            ("{\"error\":\"Invalid username or password.\"}", "is a message of a server", "login"),
            ("", "is empty", "download"),
        ], ["a.ckpt", "a.pt", "a.safetensors"])
    func aFailedDownloadIsToldAsSuch(file: (text: String, summary: String, hint: String), name: String) throws {
        try withFolder { folder in
            try Data(file.text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
            for open in [{ _ = try StoredModel(at: $0) }, { _ = try CheckpointInspection(path: $0) }]
                as [(String) throws -> Void]
            {
                let error = #expect(throws: WeightFileError.self) { try open(folder + "/" + name) }
                #expect(
                    error?.summary.contains(file.summary) == true && error?.hint?.contains(file.hint) == true,
                    "\(error as Any)")
            }
        }
    }
}
