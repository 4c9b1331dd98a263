import Corpora
import Experiments
import Failures
import Foundation
import Gates
import Models
import Reports
import Runs
import SpecLanguage
import Specs
import Tensors
import TestFolders
import Testing
import Training

/// The specs under `experiments/`.
enum Library {
    static let folder =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/experiments"

    /// Every spec, by its path in the library; reported figures, tables, protocols and investigations beside them are
    /// none, and the specs of an investigation ask for its audio.
    static let specs: [String] = {
        let others = ["reported/", "tables/", "protocols/", "investigations/"]
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return all.filter { path in path.hasSuffix(".yaml") && !others.contains { path.hasPrefix($0) } }.sorted()
    }()

    /// Specs that wait for something this version does not have, each with its name.
    static let waiting: [String: String] = [:]

    static func load(_ name: String, profile: String? = nil, overrides: [String] = []) throws -> LoadedSpec {
        try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(
            folder + "/" + name, overrides: overrides, profile: profile)
    }
}

@Suite struct LibraryTests {
    @Test(arguments: Library.specs) func everySpecResolvesWithoutAMistake(name: String) throws {
        let loaded = try Library.load(name)
        #expect(loaded.warnings.isEmpty, "\(loaded.warnings)")
        #expect(loaded.runs.allSatisfy { Set($0.spec.evaluate.N).isSuperset(of: [30, 50]) })
        // Read back, the resolved spec means the same.
        let text = ResolvedRendering.yaml(loaded.spec, origins: loaded.origins)
        let again = try SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text)
        #expect(again.spec.identity == loaded.spec.identity)
        #expect(again.warnings.isEmpty, "\(again.warnings)")
    }

    @Test func noTwoRowsOfPapersMeanTheSame() throws {
        let specs = try Library.specs.map { ($0, try Library.load($0)) }
        let complete = specs.filter { $0.1.unknown.keys.allSatisfy { $0.hasPrefix("train.") } }
        #expect(SharedIdentity.among(complete.map { ($0.0, $0.1.spec) }).isEmpty)
        #expect(specs.compactMap(\.1.spec.reproduces).count == Set(specs.compactMap(\.1.spec.reproduces)).count)
        // As long as their losses are not known, M1 and M2 cannot be told apart.
        let twins = specs.filter { ["papers/objectives-m1.yaml", "papers/objectives-m2.yaml"].contains($0.0) }
        #expect(SharedIdentity.among(twins.map { ($0.0, $0.1.spec) }).count == 1)
    }

    @Test func whatIsNotKnownKeepsASpecFromRunning() throws {
        for name in ["papers/objectives-m1.yaml", "papers/objectives-m8.yaml"] {
            let loaded = try Library.load(name)
            let error = #expect(throws: IncompleteSpec.self) { try ProtocolGate.enforce(loaded) }
            #expect(error?.description.contains("objective.") == true)
        }
        let loader = SpecLoader(vocabulary: Catalog.standard.vocabulary)
        let given = try loader.load(
            Library.folder + "/papers/objectives-m5.yaml",
            overrides: ["train.max_epochs=160", "train.batch_size=8", "train.devices=1"])
        #expect(given.unknown.isEmpty)
        _ = try ProtocolGate.enforce(given)
    }

    /// What `--profile smoke` may change: sizes, crops, files and steps.
    private static let sizes: Set<String> = [
        "data.corpus", "data.num_frames", "transform.n_fft", "transform.hop_length", "backbone.nf", "backbone.ch_mult",
        "backbone.num_res_blocks", "backbone.dcunet_architecture", "backbone.embed_dim", "backbone.model_channels",
        "backbone.channel_mult",
        "backbone.num_blocks", "backbone.channels_per_head", "backbone.logvar_channels", "regression.backbone.nf",
        "regression.backbone.ch_mult",
        "regression.backbone.num_res_blocks", "conditioning.noise_embed_dim",
        "conditioning.noise_encoder_nf", "train.batch_size", "train.max_steps", "train.validate_every",
        "train.num_eval_files", "evaluate.sets",
    ]

    @Test(arguments: Library.specs) func smokeChangesSizesOnly(name: String) throws {
        let (full, smoke) = (try Library.load(name), try Library.load(name, profile: "smoke"))
        #expect(full.runs.map { "\($0.label) \($0.seed)" } == smoke.runs.map { "\($0.label) \($0.seed)" })
        for (a, b) in zip(full.runs, smoke.runs) {
            let changed = Set(b.spec.changes(from: a.spec).map(\.path))
            let tooMuch = changed.filter { path in !Self.sizes.contains { path == $0 || path.hasPrefix($0 + ".") } }
            #expect(tooMuch.isEmpty, "\(tooMuch)")
            #expect(b.spec.train.maxSteps == 0 || b.spec.train.maxSteps ?? 0 >= 3)
            #expect(a.spec.evaluate.sets.map(\.name) == b.spec.evaluate.sets.map(\.name))
            #expect(
                a.spec.backbone.name == b.spec.backbone.name && a.evaluations.map(\.label) == b.evaluations.map(\.label)
            )
        }
    }

    /// Every spec whole, at the size of `--profile smoke`, into one store and one table.
    @Test func theWholeLibraryRuns() throws {
        let temporary = try TestFolder()
        let store = try temporary.open()
        var runs: [Run.ID] = []
        var times: [(seconds: Double, name: String)] = []
        for name in Library.specs {
            guard Library.waiting[name] == nil else { continue }
            // Corpora are run as they are, for the anchors alone.
            let overrides = name.hasPrefix("corpora/") ? ["train.max_steps=0"] : []
            let loaded = try Library.load(name, profile: "smoke", overrides: overrides)
            let executor = Executor(workspace: Workspace(store: store, commandLine: ["test"]))
            let start = ContinuousClock.now
            let summary = try executor.execute(loaded)
            #expect(summary.failed.isEmpty, "\(name): \(summary.failed)")
            times.append(((ContinuousClock.now - start) / .seconds(1), name))
            runs += summary.runs.filter { !runs.contains($0) }
            for run in summary.runs {
                #expect(try store.steps(of: run).count >= 3, "\(name)")
                for evaluation in try store.evaluations(of: run) {
                    #expect(try store.completedFiles(of: evaluation.id).count >= 2, "\(name)")
                }
            }
        }
        for (seconds, name) in times.sorted(by: { $0.seconds > $1.seconds }) {
            print(String(format: "%6.2f s  %@", seconds, name))
        }
        let table = try ComparisonReport(of: runs, in: store, options: .init(rows: ["system", "run", "N"])).table
            .terminal()
        for id in runs { #expect(table.contains(try store.runs([id])[0].shortID)) }
        try store.close()
    }

    @Test func lengthsAndLevelsMayBeEqualButNotReversed() throws {
        let loader = SpecLoader(vocabulary: Catalog.standard.vocabulary)
        func load(_ recipe: String) throws -> LoadedSpec {
            try loader.load(text: "data: { corpus: { name: synthetic, \(recipe) } }\ntrain: { max_steps: 1 }\n")
        }
        #expect(throws: Never.self) { try load("shortest: 1, longest: 1, snr_min: 5, snr_max: 5") }
        let error = #expect(throws: SpecErrors.self) { try load("shortest: 2, longest: 1, snr_min: 5, snr_max: 4") }
        #expect(
            error?.all.map(\.summary) == [
                "'longest' must not be below 'shortest': 1.0 is below 2.0",
                "'snr_max' must not be below 'snr_min': 4.0 is below 5.0",
            ])
        #expect(throws: SpecErrors.self) { try load("shortest: 0.1") }
    }

    /// Whatever a point consists of, as many parameters are trained, by as many crops at one rate. StoRM may have an
    /// eighth more: widths come in steps of four channels, and its regression has an embedding of the time that it
    /// never uses.
    @Test func theModelsOfTheStudyOfFewStepsAreOfOneSizeAndTraining() throws {
        let specs = try Library.load("studies/few-steps.yaml").runs.map(\.spec)
        let sizes = try specs.map { spec in
            try ModelBuilder(spec: spec, catalog: .standard).model(seed: 0).weights.filter(\.isTrained)
                .reduce(0) { $0 + $1.parameter.tensor.count }
        }
        #expect(specs.count == 6)
        let (least, most) = (Double(sizes.min() ?? 0), Double(sizes.max() ?? 0))
        #expect(most <= 1.125 * least, "\(sizes)")
        #expect(
            Set(
                specs.map { "\($0.train.maxSteps ?? 0) \($0.train.effectiveBatch) \($0.train.lr) \($0.data.numFrames)" }
            ).count == 1)
        #expect(specs.filter { $0.regression != nil }.map(\.name) == ["storm"])
    }

    /// The sets that a spec may name of the ESC-50 mixtures are those that the recipe makes.
    @Test func theSetsOfARecipeAreThoseItMakes() throws {
        let traits = try #require(Catalog.standard.vocabulary[.corpus, "ood-esc50"]?.traits)
        #expect(traits.contains(.sets(MixedCorpus.esc50(clean: "", noise: "").setNames)))
    }

    /// A stored spec is read without the registries, so the language itself knows which parameters mean nothing.
    @Test(arguments: RegistryKind.all) func theLanguageKnowsWhichParametersMeanNothing(kind: RegistryKind) {
        let silent = Catalog.standard.vocabulary.entries(kind).flatMap { entry in
            entry.parameters.fields.filter { $0.part == IdentityPart.none }.map(\.name)
        }
        #expect(Set(silent) == kind.meaninglessParameters)
    }

    /// A spec that no longer waits must leave the list.
    @Test(arguments: Library.waiting.keys.sorted()) func whatWaitsCannotRun(name: String) throws {
        let temporary = try TestFolder()
        let store = try temporary.open()
        defer { try? store.close() }
        let executor = Executor(workspace: Workspace(store: store, commandLine: ["test"]))
        let error = #expect(throws: IncompatibleParts.self) {
            _ = try executor.execute(try Library.load(name, profile: "smoke"))
        }
        #expect(error?.reason.contains(Library.waiting[name] ?? "") == true)
    }
}
