import Foundation
import SpecLanguage
import SpecSamples
import Specs
import Testing

@Suite struct IdentityTests {
    static func load(_ text: String) throws -> LoadedSpec {
        try TestVocabulary.loader.load(text: text, file: "spec.yaml")
    }

    /// A precision is part of what is computed; fp32, which stores had before there was a choice, and the device are
    /// not.
    @Test func precisionsCountAndDevicesDoNot() throws {
        func identities(_ sections: [(String, [String])], _ more: String = "") throws -> [Identity] {
            let run = try Self.load(ExampleSpec.text(sections) + more).runs[0]
            return [run.identity] + run.evaluations.map(\.identity)
        }
        let plain = try identities(ExampleSpec.sections)
        func with(_ section: String, _ line: String) -> [(String, [String])] {
            ExampleSpec.sections.map { $0.0 == section ? ($0.0, $0.1 + [line]) : $0 }
        }
        #expect(try identities(with("train", "precision: fp32")) == plain)
        #expect(try identities(with("evaluate", "precision: fp32")) == plain)
        #expect(try identities(ExampleSpec.sections, "device: cuda\n") == plain)
        let trained = try identities(with("train", "precision: bf16"))
        let evaluated = try identities(with("evaluate", "precision: bf16"))
        #expect(trained[0] != plain[0] && trained[1] != plain[1])
        #expect(evaluated[0] == plain[0] && evaluated[1] != plain[1])
        #expect(try Self.load(ExampleSpec.text(with("train", "precision: bf16"))).spec.evaluate.precision == .bf16)
    }

    @Test func layoutCommentsAndQuotingMeanNothing() throws {
        let original = try Self.load(ExampleSpec.text(ExampleSpec.sections))
        var random = SeededGenerator(state: 1)
        let respellings = [
            "1.0e-4": ["0.0001", "1e-4", "\"1e-4\"", ".0001"], "58000": ["5.8e4", "58_000"],
            "0.5": [".5", "0.50", "5e-1"],
            "[0]": ["0", "[ 0 ]"], "[30, 50]": ["[50, 30]", "[30,50,]"], "noisy": ["'noisy'", "\"noisy\""],
            "[pesq, estoi]": ["[estoi, pesq]"],
        ]
        for _ in 0..<200 {
            let shuffled = ExampleSpec.sections.shuffled(using: &random).map { name, lines in
                (
                    Bool.random(using: &random) ? name : "\"\(name)\"",
                    lines.shuffled(using: &random).map { line in
                        let parts = line.split(separator: ": ", maxSplits: 1).map(String.init)
                        var value = parts[1]
                        if let others = respellings[value], Bool.random(using: &random) {
                            value = others.randomElement(using: &random) ?? value
                        }
                        return "\(parts[0]):  \(value)" + (Bool.random(using: &random) ? "   # a remark" : "")
                    }
                )
            }
            let text = "# \(random.next())\nnotes: anything \(random.next())\ntags: [a]\n" + ExampleSpec.text(shuffled)
            let loaded = try Self.load(text)
            #expect(loaded.spec.identity == original.spec.identity, "\(text)")
            #expect(loaded.runs.map(\.identity) == original.runs.map(\.identity))
            #expect(
                Set(loaded.runs[0].evaluations.map(\.identity)) == Set(original.runs[0].evaluations.map(\.identity)))
            #expect(loaded.spec.changes(from: original.spec).isEmpty)
        }
    }

    @Test func everyChangeOfMeaningIsAnotherIdentityAndOneNamedChange() throws {
        let original = try Self.load(ExampleSpec.text(ExampleSpec.sections)).spec
        var identities: Set<Identity> = [original.identity]
        let changes: [(String, String, IdentityPart)] = [
            ("data.num_frames", "128", .data), ("data.normalize", "clean", .data), ("data.fraction", "0.5", .data),
            ("data.max_files", "7", .data), ("data.corpus.valid_speakers", "[p226]", .data),
            ("data.resample", "true", .data),
            ("backbone.nf", "64", .training), ("backbone.noise_cond_type", "film", .training),
            ("backbone.attn_resolutions", "[]", .training),
            ("conditioning.cond_drop_prob", "0.1", .training), ("conditioning.train_noise_encoder", "false", .training),
            ("conditioning.noise_encoder_type", "clap", .training), ("sde.theta", "1.6", .training),
            ("sde.sigma_max", "0.6", .training),
            ("objective.l1_weight", "0.002", .training), ("train.lr", "1.0000001e-4", .training),
            ("train.devices", "2", .training),
            ("train.init_from", "old.ckpt", .training), ("train.grad_clip", "1", .training),
            ("train.num_eval_files", "10", .training),
            ("train.validation_N", "50", .training), ("train.early_stopping", "pesq", .training),
            ("transform.hop_length", "100", .training),
            ("transform.window", "sqrthann", .training), ("evaluate.t_eps", "0.05", .evaluation),
            ("evaluate.weights", "raw", .evaluation),
            ("evaluate.noise_seed", "3", .evaluation), ("evaluate.padding", "reflection", .evaluation),
            ("evaluate.max_files", "2", .evaluation),
            ("evaluate.metrics", "[pesq]", .evaluation), ("evaluate.checkpoint", "last", .evaluation),
            ("evaluate.sampler.0", "", .none),
        ]
        for (path, value, part) in changes where part != .none {
            let changed = try TestVocabulary.loader.load(
                text: ExampleSpec.text(ExampleSpec.sections), overrides: ["\(path)=\(value)"]
            ).spec
            #expect(identities.insert(changed.identity).inserted, "\(path)")
            let differences = changed.changes(from: original)
            #expect(differences.contains { $0.path.hasPrefix(path) && $0.part == part }, "\(path): \(differences)")
            let same = changed.trainingIdentity(seed: 0) == original.trainingIdentity(seed: 0)
            #expect(same == (part == .evaluation), "\(path)")
            #expect((changed.dataIdentity == original.dataIdentity) == (part != .data), "\(path)")
        }
    }

    @Test func labelsAndWorkersAreNoMeaning() throws {
        let text = ExampleSpec.text(ExampleSpec.sections)
        let original = try Self.load(text).spec
        let other = try TestVocabulary.loader.load(
            text: text,
            overrides: [
                "name=x", "title=y", "train.retries=9", "train.checkpoint_every=10", "evaluate.keep_audio=none",
                "waive=[rate]",
            ]
        ).spec
        #expect(other.identity == original.identity)
        #expect(
            Set(other.changes(from: original, parts: [.none]).map(\.path)) == [
                "name", "title", "train.retries", "train.checkpoint_every", "evaluate.keep_audio", "waive.rate",
            ])
    }

    /// Where audio lies, and how memory is saved, change no number.
    @Test func placesAndMemoryAreNoMeaning() throws {
        func load(_ folder: String, _ recompute: Bool) throws -> LoadedSpec {
            try Self.load(
                """
                data: { path: \(folder)/train }
                backbone: { name: ncsnpp_v2, recompute: \(recompute) }
                train: { max_steps: 1 }
                evaluate: { sets: [{ name: test, path: \(folder)/test }] }

                """)
        }
        let (one, other) = (try load("/a", false), try load("/b", true))
        #expect(one.spec.identity == other.spec.identity && one.runs[0].identity == other.runs[0].identity)
        #expect(one.spec.dataIdentity == other.spec.dataIdentity)
        #expect(one.runs[0].evaluations.map(\.identity) == other.runs[0].evaluations.map(\.identity))
        #expect(other.spec.changes(from: one.spec).isEmpty)
        let silent = other.spec.changes(from: one.spec, parts: [.none])
        #expect(silent.map(\.path) == ["data.path", "backbone.recompute", "evaluate.sets"])
        // A spec that was stored, and is read without the registries, means the same.
        let stored = try JSONDecoder().decode(ExperimentSpec.self, from: JSONEncoder().encode(other.spec))
        #expect(stored.identity == one.spec.identity && stored.trainingIdentity(seed: 0) == one.runs[0].identity)
        // What the two say besides still counts.
        let narrow = try TestVocabulary.loader.load(
            text: "data: { path: /a/train }\nbackbone: { name: ncsnpp_v2, nf: 64 }\ntrain: { max_steps: 1 }\n")
        #expect(narrow.runs[0].identity != one.runs[0].identity)
    }

    @Test func anEvaluationChangesAlone() throws {
        let text = ExampleSpec.text(ExampleSpec.sections)
        let before = try Self.load(text).runs[0]
        let after = try TestVocabulary.loader.load(text: text, overrides: ["evaluate.N=[30, 100]"]).runs[0]
        #expect(before.identity == after.identity)
        let kept = Set(before.evaluations.map(\.identity)).intersection(after.evaluations.map(\.identity))
        #expect(kept.count == 3 && before.evaluations.count == 6)
    }

    @Test func theResolvedTextReadsBackToTheSameMeaning() throws {
        let texts = [
            TestVocabulary.cfg, ExampleSpec.text(ExampleSpec.sections),
            """
            data: { path: "a: b #c" }\ntrain: { max_steps: 1, init_from: x }\nevaluate: { sampler: ode }\ntitle: \
            "no: [x]"
            """,
            """
            data: { corpus: synthetic }\nsde: sbve\nobjective: { loss: data_prediction, pesq_weight: 5e-4 }\nbackbone: \
            ncsnpp_v2\ntrain: { max_epochs: 3, seeds: [1, 2] }\nincomplete: { objective.c_out: not published \
            }\nsources: { sde.k: "[4]" }
            """,
        ]
        for text in texts {
            let loaded = try Self.load(text)
            let written = ResolvedRendering.yaml(loaded.spec, origins: loaded.origins)
            let back = try Self.load(written)
            #expect(back.spec.identity == loaded.spec.identity, "\(written)")
            #expect(
                back.spec == loaded.spec, "\(back.spec.changes(from: loaded.spec, parts: Set(IdentityPart.allCases)))")
        }
    }

    @Test func theSchemaIsJSON() throws {
        let text = SpecJSONSchema.text(TestVocabulary.standard)
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let properties = object?["properties"] as? [String: Any]
        let missing = ["name", "data", "sde", "train", "sweep", "profiles", "extends"].filter { properties?[$0] == nil }
        #expect(missing.isEmpty)
        // What a sweep may vary is offered by name, parameters of entries too.
        let sweep = ((properties?["sweep"] as? [String: Any])?["anyOf"] as? [Any])?.first
        func inner(_ keys: String...) -> Any? { keys.reduce(sweep) { ($0 as? [String: Any])?[$1] } }
        let paths = inner("properties", "grid", "propertyNames", "enum") as? [String] ?? []
        #expect(
            Set(paths).isSuperset(of: ["train", "train.lr", "sde.theta", "evaluate.sampler.snr", "evaluate.cfg_scale"]))
        #expect(!paths.contains("train.rl") && Set(paths).count == paths.count)
        let random = inner("properties", "random", "properties") as? [String: Any]
        #expect(Set(random?.keys.map { $0 } ?? []) == ["count", "seed", "space"])
    }
}
