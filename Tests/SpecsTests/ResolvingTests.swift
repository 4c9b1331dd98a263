import Foundation
import SpecLanguage
import SpecSamples
import Specs
import Testing

@Suite struct ResolvingTests {
    @Test func theDesignsExampleResolves() throws {
        let loaded = try TestVocabulary.loader.load(text: TestVocabulary.cfg)
        let spec = loaded.spec
        #expect(spec.name == "cfg-p0.2-scaled")
        #expect(spec.train.lr == 1e-4)
        #expect(spec.train.effectiveBatch == 32)
        #expect(spec.backbone.settings.integers("ch_mult") == [1, 1, 2, 2, 2, 2, 2])
        #expect(spec.conditioning?.condDropProb == 0.2)
        #expect(spec.objective.loss.name == "score_matching")
        #expect(spec.evaluate.references.map(\.mode) == [.oracle] && spec.evaluate.references[0].numFrames == 32)
        #expect(spec.evaluate.tEps == 0.03)
        #expect(loaded.runs.count == 1)
        #expect(loaded.runs[0].evaluations.count == 2 * 2 * 3)
        #expect(Set(loaded.runs[0].evaluations.map(\.identity)).count == 12)
        #expect(loaded.warnings.isEmpty)
    }

    @Test func aMinimalSpecHasTheReferencesDefaults() throws {
        let spec = try TestVocabulary.loader.load(
            text: "data: { path: here }\ntrain: { max_epochs: 160 }", file: "a/base.yaml"
        ).spec
        #expect(spec.name == "base")
        #expect(spec.transform.nFFT == 510 && spec.transform.hopLength == 128 && spec.transform.bins == 256)
        #expect(spec.transform.specFactor == 0.15 && spec.transform.specAbsExponent == 0.5)
        #expect(spec.sde.name == "ouve" && spec.sde.settings.number("theta") == 1.5)
        #expect(spec.backbone.name == "ncsnpp")
        #expect(spec.evaluate.N == [30] && spec.evaluate.samplers[0].settings.choice("corrector").name == "ald")
        #expect(spec.evaluate.guidance.isEmpty && spec.evaluate.references.isEmpty)
        #expect(spec.evaluate.padding == .zeroPad)
        #expect(spec.train.validationN == 30)
    }

    @Test func scalarsMeanWhatResearchersMean() throws {
        let spec = try TestVocabulary.loader.load(
            text: """
                name: no
                data: { path: on, max_files: 010 }
                train: { lr: 1e-4, max_steps: 5e4, batch_size: 1_0, seeds: 7, grad_clip: none, ema_decay: .999 }
                objective: { c_in: 1, c_out: 1, c_skip: 0 }
                evaluate: { sampler: { name: pc, corrector: none, snr: "0.33" }, metrics: pesq }
                """
        ).spec
        #expect(spec.name == "no" && spec.data.path == "on" && spec.data.maxFiles == 10)
        #expect(spec.train.lr == 1e-4 && spec.train.maxSteps == 50_000 && spec.train.batchSize == 10)
        #expect(spec.train.seeds == [7] && spec.train.gradClip == nil && spec.train.emaDecay == 0.999)
        #expect(spec.evaluate.samplers[0].settings.choice("corrector").name == "none")
        #expect(spec.evaluate.samplers[0].settings.number("snr") == 0.33)
        #expect(spec.evaluate.metrics.map(\.name) == ["pesq"])
    }

    @Test func listsInASamplersParametersAreFactors() throws {
        let loaded = try TestVocabulary.loader.load(
            text: """
                data: { path: a }
                train: { max_steps: 1, checkpoint_every: 1 }
                evaluate: { sampler: { name: pc, snr: [0.33, 0.5], corrector: [ald, none] }, weights: [ema, raw], \
                checkpoint: [last, { name: step, step: 1 }] }
                """)
        #expect(loaded.spec.evaluate.samplers.count == 4)
        #expect(loaded.runs[0].evaluations.count == 16)
        #expect(Set(loaded.runs[0].evaluations.map(\.label)).count == 16)
    }

    @Test func aSpecSurvivesJSON() throws {
        let spec = try TestVocabulary.loader.load(text: TestVocabulary.cfg).spec
        let data = try JSONEncoder().encode(spec)
        let back = try JSONDecoder().decode(ExperimentSpec.self, from: data)
        #expect(back == spec)
        #expect(back.identity == spec.identity)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(
                ExperimentSpec.self,
                from: Data(String(decoding: data, as: UTF8.self).replacing("\"lr\"", with: "\"rl\"").utf8))
        }
    }
}

@Suite struct CompositionTests {
    static let files = [
        "experiments/base/16k.yaml":
            """
        train: { lr: 1e-4, batch_size: 8 }\nsde: { name: ouve, theta: 2.0 }\ndata: { corpus: voicebank-demand \
        }\nnotes: of the base
        """,
        "experiments/nc/a.yaml": "extends: ../base/16k.yaml\ntrain: { max_steps: 100 }\nsde: { sigma_max: 0.7 }",
        "experiments/nc/b.yaml":
            "extends: a.yaml\nsde: sbve\nobjective: { loss: data_prediction }\nbackbone: ncsnpp_v2",
        "experiments/nc/sweep.yaml":
            """
        extends: a.yaml\nsweep: { grid: { sde.theta: [1.0, 1.5], train.lr: [1e-4, 3e-4] }, exclude: [{ sde.theta: \
        1, train.lr: "> 2e-4" }] }\nprofiles: { smoke: { train: { max_steps: 3 } } }
        """,
    ]

    let loader = TestVocabulary.loader(files)

    @Test func extendsJoinsSectionsAndParameters() throws {
        let loaded = try loader.load("experiments/nc/a.yaml")
        #expect(loaded.spec.sde.settings.number("theta") == 2 && loaded.spec.sde.settings.number("sigma_max") == 0.7)
        #expect(loaded.spec.train.maxSteps == 100 && loaded.spec.train.lr == 1e-4)
        #expect(loaded.spec.notes == nil && loaded.spec.name == "a")
        #expect(loaded.files == ["experiments/nc/a.yaml", "experiments/base/16k.yaml"])
        #expect(loaded.origins["sde.theta"]?.mark?.description == "experiments/base/16k.yaml:2:27")
        #expect(loaded.origins["sde.sigma_min"] == .standard)
        #expect(loaded.origins["train.max_steps"]?.description == "experiments/nc/a.yaml:2")
    }

    @Test func anotherEntryDropsTheFormersParameters() throws {
        let spec = try loader.load("experiments/nc/b.yaml").spec
        #expect(spec.sde.name == "sbve" && spec.sde.settings["theta"] == nil && spec.sde.settings.number("k") == 2.6)
        #expect(spec.evaluate.N == [50] && spec.evaluate.samplers.map(\.name) == ["sb_ode"])
        #expect(spec.evaluate.padding == .reflection)
    }

    @Test func overridesWinAndAreTyped() throws {
        let loaded = try loader.load(
            "experiments/nc/a.yaml", overrides: ["train.lr=3e-4", "sde.theta=1", "train.seeds=[1, 2]", "train.lr=5e-4"])
        #expect(loaded.spec.train.lr == 5e-4 && loaded.spec.sde.settings.number("theta") == 1)
        #expect(loaded.runs.map(\.name) == ["a,seed=1", "a,seed=2"])
        #expect(loaded.origins["train.lr"]?.description == "--set train.lr=5e-4")
        #expect(Set(loaded.runs.map(\.identity)).count == 2)
    }

    @Test func sweepsExpandWithoutWhatIsExcluded() throws {
        let loaded = try loader.load("experiments/nc/sweep.yaml")
        #expect(
            loaded.runs.map(\.name) == [
                "sweep,theta=1,lr=0.0001", "sweep,theta=1.5,lr=0.0001", "sweep,theta=1.5,lr=0.0003",
            ])
        #expect(loaded.runs[2].spec.sde.settings.number("theta") == 1.5)
        #expect(loaded.sweptPaths == ["sde.theta", "train.lr"])
        let smoke = try loader.load("experiments/nc/sweep.yaml", profile: "smoke")
        #expect(smoke.runs.count == 3 && smoke.runs[0].spec.train.maxSteps == 3)
        #expect(smoke.runs[0].name == "sweep@smoke,theta=1,lr=0.0001")
        let more = try loader.load("experiments/nc/sweep.yaml", overrides: ["sweep.grid.sde.theta=[1.5, 2, 3]"])
        #expect(more.runs.count == 6)
    }

    @Test func aFileAboveOrASweepCompletesASpec() throws {
        let files = [
            "paper.yaml": "extends: base.yaml\nincomplete: { train.batch_size: was not found }\n",
            "base.yaml": "data: { path: a }\ntrain: { max_steps: 9, batch_size: 8 }\n",
            "mine.yaml": "extends: paper.yaml\ntrain: { batch_size: 16 }\n",
            "both.yaml": "extends: paper.yaml\nsweep: { grid: { train.batch_size: [8, 16] } }\n",
            "some.yaml":
                """
            extends: paper.yaml\nsweep: { points: [{ name: a, train.batch_size: 8 }, { name: b, train.lr: 1e-3 }] \
            }\n
            """,
        ]
        let loader = TestVocabulary.loader(files)
        let unknown = try files.keys.sorted().map { try loader.load($0).unknown.count }
        #expect(unknown == [0, 0, 0, 1, 1])
    }

    @Test func theUsualSamplersParametersMayBeFactorsToo() throws {
        let loaded = try loader.load(
            text: "data: { path: a }\ntrain: { max_steps: 9 }\nevaluate: { sampler: { snr: [0.3, 0.5] } }\n")
        #expect(loaded.spec.evaluate.samplers.map { $0.settings.number("snr") } == [0.3, 0.5])
    }

    @Test func theOrderOfASweepsKeysMeansNothing() throws {
        func runs(_ sweep: String) throws -> [SpecRun] {
            try loader.load(text: "data: { path: a }\ntrain: { max_steps: 9 }\nsweep: { \(sweep) }\n").runs
        }
        let (first, second) = (
            try runs("points: [{ name: x, sde.theta: 1.0, sde: ouve }]"),
            try runs("points: [{ name: x, sde: ouve, sde.theta: 1.0 }]")
        )
        #expect(first.map(\.identity) == second.map(\.identity))
        #expect(first[0].spec.sde.settings.number("theta") == 1)
        let crossed = try runs("grid: { sde.sigma_max: [0.6, 0.7], sde: [ouve, { name: ouve, theta: 1.0 }] }")
        #expect(Set(crossed.map(\.identity)).count == 4)
        #expect(Set(crossed.map { $0.spec.sde.settings.number("sigma_max") }) == [0.6, 0.7])
    }

    /// Points share what they have in common; each must mean what its settings mean when they are written out.
    @Test func aPointMeansWhatItsSettingsMeanAlone() throws {
        let text = "data: { path: a }\ntrain: { max_steps: 9 }\n"
        let swept = [
            "train.t_eps": ["0.03", "0.05"], "backbone": ["ncsnpp", "ncsnpp_v2"], "sde.theta": ["1.0", "1.5"],
            "train.lr": ["1e-4", "2e-4"], "evaluate.weights": ["ema", "raw"], "transform.hop_length": ["128", "64"],
        ]
        let grid = swept.sorted { $0.key < $1.key }.map { "\($0.key): [\($0.value.joined(separator: ", "))]" }.joined(
            separator: ", ")
        let runs = try loader.load(text: text + "sweep: { grid: { \(grid) } }\n").runs
        #expect(runs.count == 64 && Set(runs.map { $0.spec.identity }).count == 64)
        for run in runs {
            let alone = try loader.load(
                text: text, overrides: run.point.map { "\($0.path)=\($0.value.compact.prefix { $0 != "(" })" })
            #expect(alone.runs[0].identity == run.identity && alone.spec.identity == run.spec.identity, "\(run.label)")
            #expect(alone.runs[0].evaluations.map(\.identity) == run.evaluations.map(\.identity), "\(run.label)")
        }
    }

    @Test func exclusionsMayBeNested() throws {
        let loaded = try loader.load(
            text:
                """
                data: { path: a }\ntrain: { max_steps: 9 }\nsweep: { grid: { train.lr: [1e-4, 1e-3] }, exclude: { \
                train: { lr: 1e-4 } } }\n
                """
        )
        #expect(loaded.runs.map(\.spec.train.lr) == [1e-3])
    }

    @Test func aByteOrderMarkIsNoMistake() throws {
        #expect(try loader.load(text: "\u{FEFF}data: { path: a }\ntrain: { max_steps: 9 }\n").spec.train.maxSteps == 9)
    }

    @Test func zipPointsAndRandomExpand() throws {
        func runs(_ sweep: String) throws -> [SpecRun] {
            try loader.load(text: "data: { path: a }\ntrain: { max_steps: 9 }\nsweep: \(sweep)").runs
        }
        #expect(
            try runs("{ zip: { train.lr: [1e-4, 2e-4], train.batch_size: [4, 8] } }").map(\.label) == [
                "lr=0.0001,batch_size=4", "lr=0.0002,batch_size=8",
            ])
        let points = try runs("{ points: [ { train.lr: 1e-3 }, { train.lr: 1e-4, sde: { name: ouve, theta: 2 } } ] }")
        #expect(points.map(\.label) == ["lr=0.001", "lr=0.0001,sde=ouve"])
        let random = try runs(
            """
            { random: { count: 5, seed: 3, space: { train.lr: { from: 1e-5, to: 1e-3, log: true }, train.batch_size: { \
            from: 1, to: 16 } } } }
            """
        )
        #expect(random.count == 5 && Set(random.map(\.identity)).count == 5)
        #expect(
            random.allSatisfy { (1e-5...1e-3).contains($0.spec.train.lr) && (1...16).contains($0.spec.train.batchSize) }
        )
        let again = try runs(
            "{ random: { count: 5, seed: 3, space: { train.lr: { from: 1e-5, to: 1e-3, log: true } } } }")
        #expect(again.map(\.spec.train.lr) == random.map(\.spec.train.lr))
        let other = try runs(
            "{ random: { count: 5, seed: 4, space: { train.lr: { from: 1e-5, to: 1e-3, log: true } } } }")
        #expect(other.map(\.spec.train.lr) != random.map(\.spec.train.lr))
    }

    private func codes(_ text: String, profile: String? = nil) -> [String] {
        do {
            return try loader.load(text: text, profile: profile).warnings.map { "\($0.severity) \($0.summary)" }
        } catch {
            return error.all.map { "\($0.severity) \($0.summary)" }
        }
    }

    @Test func sweepsThatWouldNotDoWhatTheySaySayIt() throws {
        let rest = "data: { path: a }\ntrain: { max_steps: 9 }\n"
        for (sweep, expected) in [
            (
                "points: [{ train.lr: 1e-4 }, { train.lr: 0.0001 }]",
                "error this point is given twice: the same run twice says nothing new"
            ),
            (
                "random: { count: 9, space: { train.batch_size: { from: 1, to: 2 } } }",
                "warning only 2 of 9 draws differ"
            ),
            ("random: { count: x, space: { train.lr: 3 } }", "error 'random' wants a 'count' from 1 to 100000"),
            ("exclude: [{ train.lr: 1 }]", "error 'exclude' takes points out, and nothing is swept"),
            ("grid: { train.lr: [1e-4, 2e-4] }, exclude: [{ train.lr: abc }]", "warning this takes no point out"),
            ("grid: { train..lr: [1e-4, 2e-4] }", "error 'train..lr' is no path"),
        ] {
            #expect(
                codes(rest + "sweep: { \(sweep) }\n").contains(expected),
                "\(sweep): \(codes(rest + "sweep: { \(sweep) }\n"))")
        }
        #expect(codes(rest + "sweep: { random: { count: x, space: { train.lr: 3 } } }\n").count == 2)
        let profile = rest + "sweep: { grid: { train.lr: [1e-4, 2e-4] } }\nprofiles: { p: { train: { lr: 1e-3 } } }\n"
        #expect(
            codes(profile).isEmpty
                && codes(profile, profile: "p") == ["error the sweep varies 'train.lr': a profile cannot set it"])
    }

    /// The setting, not the spelling of its bounds, decides whether draws are whole.
    @Test func randomDrawsAreOfTheSettingsType() throws {
        let text =
            """
            data: { path: a }\ntrain: { max_steps: 9 }\nsweep: { random: { count: 40, space: { sde.theta: { from: 1, \
            to: 2 }, train.batch_size: { from: 0.5, to: 3.5 } } } }\n
            """
        let runs = try loader.load(text: text).runs
        let thetas = Set(runs.map { $0.spec.sde.settings.number("theta") })
        #expect(runs.count == 40 && thetas.count == 40 && thetas.allSatisfy { (1...2).contains($0) })
        #expect(Set(runs.map(\.spec.train.batchSize)) == [1, 2, 3])
    }

    @Test func aParameterOfAnotherEntryIsSentHome() throws {
        let error = #expect(throws: SpecErrors.self) {
            try loader.load(
                text:
                    """
                    data: { path: a }\ntrain: { max_steps: 9 }\nsde: { name: sbve, theta: 1 }\nobjective: { loss_type: \
                    data_prediction }\n
                    """
            )
        }
        #expect(error?.all.map(\.hint) == ["'theta' is a parameter of SDE 'ouve'"])
    }

    @Test func aSweepOverEntriesKeepsWhatAProfileShrinks() throws {
        let runs = try loader.load(
            text: """
                data: { path: a }
                train: { max_steps: 9 }
                sweep: { grid: { backbone: [ncsnpp, ncsnpp_v2] } }
                profiles: { smoke: { backbone: { nf: 8 } } }
                """, profile: "smoke"
        ).runs
        #expect(runs.map(\.spec.backbone.name) == ["ncsnpp", "ncsnpp_v2"])
        #expect(runs.allSatisfy { $0.spec.backbone.settings.integer("nf") == 8 })
    }

    @Test func aPointMayNameItsRuns() throws {
        let runs = try loader.load(
            text: """
                name: quick
                data: { path: a }
                backbone: ncsnpp_v2
                train: { max_steps: 9, seeds: [0, 1] }
                sweep:
                  points:
                    - { name: score, sde: ouve, objective: { network_scaling: 1/sigma } }
                    - { name: bridge, sde: sbve, objective: { loss_type: data_prediction } }
                """
        ).runs
        #expect(runs.map(\.name) == ["score,seed=0", "score,seed=1", "bridge,seed=0", "bridge,seed=1"])
        #expect(runs.map(\.spec.objective.networkScaling) == [.inverseSigma, .inverseSigma, nil, nil])
        #expect(runs[2].spec.evaluate.N == [50])
        // What a sweep reuses between its points gives the identity that the spec alone has.
        #expect(runs.allSatisfy { $0.identity == $0.spec.trainingIdentity(seed: $0.seed) })
    }

    @Test func tenThousandRunsExpand() throws {
        let text =
            TestVocabulary.cfg
                + """
                \nsweep: { grid: { train.seeds: [\((0..<100).map(String.init).joined(separator: ","))], \
                conditioning.cond_drop_prob: [\((1...100).map { "\(Double($0) / 100)" }.joined(separator: ","))] } }\n
                """
        var runs: [SpecRun] = []
        let time = try ContinuousClock().measure { runs = try loader.load(text: text).runs }
        #expect(runs.count == 10_000)
        #expect(Set(runs.map(\.identity)).count == 10_000)
        #expect(runs[4321].identity == runs[4321].spec.trainingIdentity(seed: runs[4321].seed))
        // About two seconds on one core; the limit leaves room for a busy machine.
        #expect(time < .seconds(30))
    }

    @Test func retiredSettingsWarnAndMeanNothing() throws {
        let end = "train: { max_steps: 1 }\n"
        let text =
            "data: { path: x, num_workers: 2 }\nconditioning: { freeze_clap: true }\nbackbone: ncsnpp_v2_cond\n" + end
        let plain = "data: { path: x }\nconditioning: {}\nbackbone: ncsnpp_v2_cond\n" + end
        let loaded = try TestVocabulary.loader.load(text: text)
        #expect(loaded.warnings.map(\.code) == ["retired", "retired"])
        #expect(loaded.warnings.allSatisfy { $0.hint?.hasPrefix("remove it: ") == true })
        #expect(try TestVocabulary.loader.load(text: plain).spec == loaded.spec)
    }

    /// What a store kept before settings came or went is the same experiment, and what it cannot have been is refused.
    @Test func keptSpecsOfEarlierVersionsAreRead() throws {
        let text = """
            data: { path: x }
            backbone: ncsnpp_v2_cond
            conditioning: {}
            train: { max_steps: 1 }
            evaluate: { reference: { name: mismatched, by: file } }
            """
        let spec = try TestVocabulary.loader.load(text: text).spec
        func kept(_ change: (inout Settings) -> Void) throws -> ExperimentSpec {
            var settings = spec.settings
            change(&settings)
            return try JSONDecoder().decode(ExperimentSpec.self, from: JSONEncoder().encode(settings))
        }
        func section(_ name: String, _ change: @escaping (inout Settings) -> Void) -> (inout Settings) -> Void {
            { settings in
                var inner = settings.section(name)
                change(&inner)
                settings[name] = .section(inner)
            }
        }
        let earlier = try kept { settings in
            settings["device"] = nil
            section("data") { $0["num_workers"] = .integer(4) }(&settings)
            section("conditioning") { $0["freeze_clap"] = .bool(false) }(&settings)
            section("train") { $0["precision"] = nil }(&settings)
            section("evaluate") { $0["precision"] = nil }(&settings)
        }
        #expect(earlier.identity == spec.identity && earlier.train.precision == .fp32)
        #expect(earlier.changes(from: spec, parts: Set(IdentityPart.allCases)).isEmpty)
        for reference in [Choice("psychic"), Choice("mismatched", Settings([("by", .text("colour"))]))] {
            #expect(throws: DecodingError.self) {
                try kept(section("evaluate") { $0["reference"] = .list([.choice(reference)]) })
            }
        }
        #expect(throws: DecodingError.self) { try kept(section("transform") { $0["window"] = .text("hamming") }) }
    }
}
