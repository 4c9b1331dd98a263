import Foundation
import SpecLanguage
import SpecSamples
import Specs
import Testing

/// Wrong specs with their exact messages.
@Suite struct DiagnosticsTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var overrides: [String] = []
        var files: [String: String] = [:]
        var expected: String
        var testDescription: String { name }
    }

    /// What every case has besides its mistake.
    static let rest = "data: { path: a }\ntrain: { max_steps: 9 }\n"

    static let cases: [Case] = [
        Case(
            name: "misspelt entry", text: rest + "evaluate:\n  sampler:\n    predictor: reverse_difusion",
            expected: """
                spec.yaml:5:16: error: unknown predictor 'reverse_difusion'
                      predictor: reverse_difusion
                                 ^ did you mean 'reverse_diffusion'?
                """),
        Case(
            name: "misspelt section", text: rest + "trian: { lr: 1 }",
            expected: """
                spec.yaml:3:1: error: unknown key 'trian' in the spec
                  trian: { lr: 1 }
                  ^ did you mean 'train'?
                """),
        Case(
            name: "misspelt parameter", text: rest + "sde: { name: ouve, tehta: 1.5 }",
            expected: """
                spec.yaml:3:20: error: unknown key 'tehta' in SDE 'ouve'
                  sde: { name: ouve, tehta: 1.5 }
                                     ^ did you mean 'theta'?
                """),
        Case(
            name: "misplaced key", text: "data: { path: a }\ntrain: { max_steps: 9, cond_drop_prob: 0.2 }",
            expected: """
                spec.yaml:2:24: error: unknown key 'cond_drop_prob' in 'train'
                  train: { max_steps: 9, cond_drop_prob: 0.2 }
                                         ^ 'cond_drop_prob' belongs to 'conditioning'
                """),
        Case(
            name: "wrong type", text: "data: { path: a }\ntrain: { max_steps: many, lr: 1,5e-4 }",
            expected: """
                spec.yaml:2:21: error: 'max_steps' wants an integer (steps), not 'many'
                  train: { max_steps: many, lr: 1,5e-4 }
                                      ^
                spec.yaml:2:33: error: unknown key '5e-4' in 'train'
                  train: { max_steps: many, lr: 1,5e-4 }
                                                  ^ known: lr, ema_decay, ema_stds, ema_half_life, lr_ref_batches, \
                lr_rampup, adam_beta2, batch_size, devices, accumulate_grad_batches, \
                max_steps, max_epochs, seeds, t_eps, grad_clip, init_from, \
                early_stopping, num_eval_files, validate_every, validation_N, \
                validation_sampler, checkpoint_every, save_ckpt_interval, \
                resume_steps, resume_minutes, precision, max_hours, max_loss_growth, \
                retries, log
                """),
        Case(
            name: "decimal comma", text: "data: { path: a }\ntrain:\n  max_steps: 9\n  lr: 0,001",
            expected: """
                spec.yaml:4:7: error: 'lr' wants a number, not '0,001'
                    lr: 0,001
                        ^ write '.' for the decimal point
                """),
        Case(
            name: "fraction for a whole number", text: "data: { path: a }\ntrain: { max_steps: 2.5 }",
            expected: """
                spec.yaml:2:21: error: 'max_steps' wants an integer (steps), not '2.5'
                  train: { max_steps: 2.5 }
                                      ^ a whole number
                """),
        Case(
            name: "out of range", text: rest + "conditioning: { cond_drop_prob: 1.2 }\nbackbone: ncsnpp_v2_cond",
            expected: """
                spec.yaml:3:33: error: 'cond_drop_prob' cannot be 1.2
                  conditioning: { cond_drop_prob: 1.2 }
                                                  ^ allowed: from 0 to 1
                """),
        Case(
            name: "not a number", text: "data: { path: a }\ntrain: { max_steps: 9, lr: .nan }",
            expected: """
                spec.yaml:2:28: error: 'lr' wants a number, not '.nan'
                  train: { max_steps: 9, lr: .nan }
                                             ^
                """),
        Case(
            name: "one of", text: rest + "transform: { window: han }",
            expected: """
                spec.yaml:3:22: error: 'window' cannot be 'han'
                  transform: { window: han }
                                       ^ did you mean 'hann'?
                """),
        Case(
            name: "a list for one value", text: "data: { path: a }\ntrain: { max_steps: 9, lr: [1e-4, 2e-4] }",
            expected: """
                spec.yaml:2:28: error: 'lr' wants a number, not a list
                  train: { max_steps: 9, lr: [1e-4, 2e-4] }
                                             ^ to try several values: sweep: { grid: { train.lr: [...] } }
                """),
        Case(
            name: "a value for a section", text: "data: a\ntrain: { max_steps: 9 }",
            expected: """
                spec.yaml:1:7: error: 'data' wants a section, not 'a'
                  data: a
                        ^ its keys are: corpus, path, format, sample_rate, resample, num_frames, normalize, fraction, \
                max_files
                """),
        Case(
            name: "duplicate keys, all of them",
            text: "data: { path: a }\ntrain:\n  max_steps: 9\n  lr: 1e-4\n  lr: 2e-4\n  lr: 3e-4\ndata: { path: b }\n",
            expected: """
                spec.yaml:5:3: error: duplicate key 'lr'
                    lr: 2e-4
                    ^ first given in line 4
                spec.yaml:6:3: error: duplicate key 'lr'
                    lr: 3e-4
                    ^ first given in line 4
                spec.yaml:7:1: error: duplicate key 'data'
                  data: { path: b }
                  ^ first given in line 1
                """),
        Case(
            name: "two names of one setting", text: rest + "objective: { loss: denoiser, loss_type: denoiser }",
            expected: """
                spec.yaml:3:30: error: 'loss_type' is given twice
                  objective: { loss: denoiser, loss_type: denoiser }
                                               ^ line 3 already sets 'loss_type'
                """),
        Case(
            name: "n_fft", text: rest + "transform: { n_fft: 512 }",
            expected: """
                spec.yaml:3:21: error: n_fft 512 gives 257 bins, not a multiple of 64: 'ncsnpp' halves it 6 times
                  transform: { n_fft: 512 }
                                      ^ n_fft 510 gives 256
                """),
        Case(
            name: "n_fft of the complex U-Net", text: rest + "backbone: dcunet",
            expected: """
                spec.yaml:3:11: error: n_fft 510 gives 256 bins; 'dcunet' wants a multiple of 256, plus 1
                  backbone: dcunet
                            ^ n_fft 512 gives 257
                """),
        Case(
            name: "dropout without conditioning", text: rest + "conditioning: { cond_drop_prob: 0.2 }",
            expected: """
                spec.yaml:3:33: error: 'cond_drop_prob' without conditioning: backbone 'ncsnpp' takes none
                  conditioning: { cond_drop_prob: 0.2 }
                                                  ^ backbones that take it: ncsnpp_v2_cond
                """),
        Case(
            name: "PESQ weight with score matching", text: rest + "objective: { pesq_weight: 5e-4 }",
            expected: """
                spec.yaml:3:27: error: 'pesq_weight' has no effect with loss 'score_matching'
                  objective: { pesq_weight: 5e-4 }
                                            ^ it needs loss_type: data_prediction
                """),
        Case(
            name: "N without steps", text: rest + "evaluate: { sampler: ode, N: 30 }",
            expected: """
                spec.yaml:3:30: error: sampler 'ode' chooses its own steps: N does not apply
                  evaluate: { sampler: ode, N: 30 }
                                               ^ leave N out
                """),
        Case(
            name: "bridge with score matching and pc", text: rest + "sde: sbve\nevaluate: { sampler: pc }",
            expected: """
                spec.yaml:3:6: error: SDE 'sbve' is not trained by loss 'score_matching'
                  sde: sbve
                       ^ it takes: data_prediction
                spec.yaml:4:22: error: SDE 'sbve' has no sampler 'pc'
                  evaluate: { sampler: pc }
                                       ^ it has: sb_ode, sb_sde
                """),
        Case(
            name: "scalings nobody follows", text: rest + "objective: { c_in: edm }",
            expected: """
                spec.yaml:3:20: error: 'c_in' has no effect with backbone 'ncsnpp'
                  objective: { c_in: edm }
                                     ^ it needs backbone: ncsnpp_v2
                """),
        Case(
            name: "sigma order", text: rest + "sde: { sigma_max: 0.01 }",
            expected: """
                spec.yaml:3:19: error: 'sigma_max' must be above 'sigma_min': 0.01 is not above 0.05
                  sde: { sigma_max: 0.01 }
                                    ^
                """),
        Case(
            name: "rate and sets of a corpus",
            text:
                """
                data: { corpus: voicebank-demand, sample_rate: 22050 }\ntrain: { max_steps: 1 }\nevaluate: { sets: \
                [tets] }
                """,
            expected: """
                spec.yaml:1:48: error: corpus 'voicebank-demand' does not exist at 22050 Hz
                  data: { corpus: voicebank-demand, sample_rate: 22050 }
                                                                 ^ it has 16000, 48000 Hz; data.resample: true converts
                spec.yaml:3:20: error: corpus 'voicebank-demand' has no set 'tets'
                  evaluate: { sets: [tets] }
                                     ^ did you mean 'test'?
                """),
        Case(
            name: "no audio and no end", text: "name: a",
            expected: """
                spec.yaml:1:1: error: nothing names the audio
                  name: a
                  ^ data: { corpus: … } or data: { path: … }
                spec.yaml:1:1: error: training has no end
                  name: a
                  ^ give max_steps or max_epochs
                """),
        Case(
            name: "circular extends", text: "extends: a.yaml\n" + rest,
            files: ["a.yaml": "extends: b.yaml", "b.yaml": "extends: a.yaml"],
            expected: """
                b.yaml:1:10: error: 'a.yaml' extends itself
                  extends: a.yaml
                           ^ a.yaml → b.yaml → a.yaml
                """),
        Case(
            name: "a reference without a whole window",
            text: rest + "backbone: ncsnpp_v2_cond\nconditioning: { ref_num_frames: 2 }",
            expected: """
                spec.yaml:4:33: error: a reference of 2 frames is shorter than half a window of the STFT
                  conditioning: { ref_num_frames: 2 }
                                                  ^ 3 frames or more
                """),
        Case(
            name: "what a missing base may give is not missed", text: "extends: base.yaml\nsdee: ouve",
            expected: """
                spec.yaml:1:10: error: cannot read 'base.yaml': there is no such file
                  extends: base.yaml
                           ^
                spec.yaml:2:1: error: unknown key 'sdee' in the spec
                  sdee: ouve
                  ^ did you mean 'sde'?
                """),
        Case(
            name: "missing base", text: "extends: bsae.yaml\n" + rest, files: ["base.yaml": ""],
            expected: """
                spec.yaml:1:10: error: cannot read 'bsae.yaml': there is no such file
                  extends: bsae.yaml
                           ^ did you mean 'base.yaml'?
                """),
        Case(
            name: "tabs", text: "data:\n\tpath: a\n",
            expected: """
                spec.yaml:2:1: error: not valid YAML: found character that cannot start any token
                  \tpath: a
                  ^ indent with spaces, not tabs
                """),
        Case(
            name: "colon in a text", text: rest + "title: a: b",
            expected: """
                spec.yaml:3:9: error: not valid YAML: mapping values are not allowed in this context
                  title: a: b
                          ^ quote a text that contains ': '
                """),
        Case(
            name: "override", text: rest, overrides: ["train.lr=fast", "sde.thet=1"],
            expected: """
                --set:1:10: error: 'lr' wants a number, not 'fast'
                  train.lr=fast
                           ^
                --set:2:5: error: unknown key 'thet' in SDE 'ouve'
                  sde.thet=1
                      ^ did you mean 'theta'?
                """),
        Case(
            name: "override without value", text: rest, overrides: ["train.lr"],
            expected: """
                --set:1:1: error: an override is written path=value
                  train.lr
                  ^ for instance train.lr=3e-4
                """),
        Case(
            name: "override of what is swept", text: rest + "sweep: { grid: { train.lr: [1e-4, 2e-4] } }",
            overrides: ["train.lr=1"],
            expected: """
                --set:1:10: error: the sweep varies 'train.lr': it cannot be set
                  train.lr=1
                           ^ --set sweep.grid.train.lr=[…]
                """),
        Case(
            name: "sweep of a misspelt path", text: rest + "sweep: { grid: { train.lrr: [1, 2], conditionin.x: [1] } }",
            expected: """
                spec.yaml:3:18: error: unknown key 'lrr' in 'train'
                  sweep: { grid: { train.lrr: [1, 2], conditionin.x: [1] } }
                                   ^ did you mean 'lr'?
                spec.yaml:3:37: error: unknown key 'conditionin' in the spec
                  sweep: { grid: { train.lrr: [1, 2], conditionin.x: [1] } }
                                                      ^ did you mean 'conditioning'?
                """),
        Case(
            name: "sweep with nothing left and wrong modes",
            text: rest + "sweep: { gird: {}, zip: { train.lr: [1], train.batch_size: [1, 2] } }",
            expected: """
                spec.yaml:3:10: error: unknown key 'gird' in 'sweep'
                  sweep: { gird: {}, zip: { train.lr: [1], train.batch_size: [1, 2] } }
                           ^ did you mean 'grid'?
                spec.yaml:3:60: error: 'train.batch_size' has 2 values, 'train.lr' has 1
                  sweep: { gird: {}, zip: { train.lr: [1], train.batch_size: [1, 2] } }
                                                                             ^ zip takes the first of each, then the \
                second of each, …
                """),
        Case(
            name: "a path swept twice",
            text: rest
                + """
                sweep: { grid: { train.lr: [1e-4, 0.0001, 1e-3] }, zip: { train.lr: [1e-2] }, points: [{ train: { \
                seeds: 1 }, train.seeds: [2] }] }
                """,
            expected: """
                spec.yaml:3:35: error: 'train.lr' has a value twice: the same run twice says nothing new
                  sweep: { grid: { train.lr: [1e-4, 0.0001, 1e-3] }, zip: { train.lr: [1e-2] }, points: [{ train: { \
                seeds: 1 }, train.seeds: [2] }] }
                                                    ^
                spec.yaml:3:59: error: 'train.lr' is swept twice
                  sweep: { grid: { train.lr: [1e-4, 0.0001, 1e-3] }, zip: { train.lr: [1e-2] }, points: [{ train: { \
                seeds: 1 }, train.seeds: [2] }] }
                                                                            ^ only one of both can hold at a point
                spec.yaml:3:111: error: 'train.seeds' is swept twice
                  sweep: { grid: { train.lr: [1e-4, 0.0001, 1e-3] }, zip: { train.lr: [1e-2] }, points: [{ train: { \
                seeds: 1 }, train.seeds: [2] }] }
                                                                                                                    \
                            ^ only one of both can hold at a point
                """),
        Case(
            name: "a section and a setting inside it",
            text: rest + "sweep: { grid: { train.lr: [1e-4], train: [{ lr: 1e-3 }] } }",
            expected: """
                spec.yaml:3:36: error: 'train.lr' is swept twice
                  sweep: { grid: { train.lr: [1e-4], train: [{ lr: 1e-3 }] } }
                                                     ^ only one of both can hold at a point
                """),
        Case(
            name: "conditions that cannot hold",
            text: rest
                + "sweep: { grid: { train.lr: [1e-4, 1e-3] }, exclude: [{ trian.lr: 1e-4 }, { train.lr: \">abc\" }] }",
            expected: """
                spec.yaml:3:56: error: unknown setting 'trian.lr'
                  sweep: { grid: { train.lr: [1e-4, 1e-3] }, exclude: [{ trian.lr: 1e-4 }, { train.lr: ">abc" }] }
                                                                         ^ did you mean 'train.lr'?
                spec.yaml:3:86: error: '>abc' compares with no number
                  sweep: { grid: { train.lr: [1e-4, 1e-3] }, exclude: [{ trian.lr: 1e-4 }, { train.lr: ">abc" }] }
                                                                                                       ^ for instance \
                "> 0.2"
                """),
        Case(
            name: "random range with an unknown key",
            text: rest + "sweep: { random: { count: 2, space: { train.lr: { from: 1e-5, to: 1e-3, logg: true } } } }",
            expected: """
                spec.yaml:3:73: error: unknown key 'logg'
                  sweep: { random: { count: 2, space: { train.lr: { from: 1e-5, to: 1e-3, logg: true } } } }
                                                                                          ^ did you mean 'log'?
                """),
        Case(
            name: "composition where it cannot stand",
            text: rest
                + """
                sweep: { grid: { extends: [a.yaml] } }\nprofiles: { smoke: { sweep: { grid: { train.lr: [1, 2] } } \
                } }
                """,
            expected: """
                spec.yaml:3:18: error: 'extends' cannot be swept
                  sweep: { grid: { extends: [a.yaml] } }
                                   ^
                spec.yaml:4:22: error: 'sweep' cannot stand in a profile
                  profiles: { smoke: { sweep: { grid: { train.lr: [1, 2] } } } }
                                       ^ write it in the spec, or in one that extends it
                """),
        Case(
            name: "profile that is not chosen", text: rest + "profiles:\n  smoke:\n    train: { max_step: 3 }",
            expected: """
                spec.yaml:5:14: error: unknown key 'max_step' in 'train'
                      train: { max_step: 3 }
                               ^ did you mean 'max_steps'?
                """),
        Case(
            name: "tables", text: rest + "waive: [sample-rat]\nincomplete: { objective.c_ot: unknown }",
            expected: """
                spec.yaml:3:9: error: unknown check 'sample-rat' in 'waive'
                  waive: [sample-rat]
                          ^ did you mean 'sample-rate'?
                spec.yaml:4:15: error: 'incomplete' names 'objective.c_ot', which is no setting
                  incomplete: { objective.c_ot: unknown }
                                ^ did you mean 'objective.c_out'?
                """),
        Case(
            name: "many at once",
            text: """
                data: { path: a, num_frames: 100, normalise: noisy }
                train: { lr: -1, max_steps: 9 }
                sde: oube
                evaluate: { N: [30, x], metrics: [pesk] }
                """,
            expected: """
                spec.yaml:1:30: error: 100 frames are not a multiple of 64: 'ncsnpp' halves it 6 times
                  data: { path: a, num_frames: 100, normalise: noisy }
                                               ^ try 128
                spec.yaml:1:35: error: unknown key 'normalise' in 'data'
                  data: { path: a, num_frames: 100, normalise: noisy }
                                                    ^ did you mean 'normalize'?
                spec.yaml:2:14: error: 'lr' cannot be -1
                  train: { lr: -1, max_steps: 9 }
                               ^ allowed: above 0
                spec.yaml:3:6: error: unknown SDE 'oube'
                  sde: oube
                       ^ did you mean 'ouve'?
                spec.yaml:4:21: error: 'N' wants an integer, not 'x'
                  evaluate: { N: [30, x], metrics: [pesk] }
                                      ^
                spec.yaml:4:35: error: unknown metric 'pesk'
                  evaluate: { N: [30, x], metrics: [pesk] }
                                                    ^ did you mean 'pesq'?
                """),
    ]

    @Test(arguments: cases) func saysExactly(_ wrong: Case) {
        let loader = TestVocabulary.loader(wrong.files)
        #expect {
            _ = try loader.load(text: wrong.text, overrides: wrong.overrides)
        } throws: { error in
            let text = (error as? SpecErrors)?.description ?? "\(error)"
            if text != wrong.expected { Issue.record("said:\n\(text)\nwanted:\n\(wrong.expected)") }
            return text == wrong.expected
        }
    }

    @Test func bombsAreRefusedAtOnce() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            bomb += "a\(level): &a\(level) [" + (0..<9).map { _ in "*a\(level - 1)" }.joined(separator: ", ") + "]\n"
        }
        let keyBomb = "a: &a [x, x]\nb: &b { ? *a : *a, ? [*a, *a] : 1 }\n"
        let deep = "data: " + String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        for text in [
            bomb, keyBomb, deep, String(repeating: "[", count: 5000), String(repeating: "{a: ", count: 2000),
            "a: \u{1}", "\u{FEFF}a: 1", "a: &x *x", "? ? a\n: b", "--- a\n--- b", "- a", "a", "&a", "!!map", "'",
            "\"\\ud800\"", "%YAML 9.9\n---\na: 1", "*a : b", "{? }",
        ] {
            #expect(throws: SpecErrors.self) { try TestVocabulary.loader.load(text: text) }
        }
        var files = ["b0.yaml": "name: x"]
        for level in 1...30 { files["b\(level).yaml"] = "extends: [b\(level - 1).yaml, b\(level - 1).yaml]" }
        #expect(throws: SpecErrors.self) { try TestVocabulary.loader(files).load("b30.yaml") }
    }

    /// What follows from a mistake is not told as another one.
    @Test(arguments: [
        (rest + "evaluate: { sampler: { snr: [high, low] } }", ["wrong-type", "wrong-type"]),
        (rest + "evaluate: { sets: [{ name: a, corpus: voicebank-demnad, subset: tset }] }", ["unknown-name"]),
        (rest + "sweep: { points: [] }", ["sweep"]),
        (rest + "name: \"a\\u001b[31m\"", ["name"]), (rest + "name: ''", ["name"]),
        (rest + "evaluate: { sets: [{ name: a, corpus: synthetic, path: b, subset: ood }] }", ["sets"]),
    ])
    func aMistakeIsToldOnce(text: String, codes: [String]) {
        let error = #expect(throws: SpecErrors.self) { try TestVocabulary.loader.load(text: text) }
        #expect(error?.all.map(\.code) == codes, "\(error?.description ?? "")")
    }

    @Test func aliasesAreValuesAndNeverKeys() throws {
        for text in [
            "title: \"R&D, *D : b\"", "title: &x a ? b\ndescription: |\n  it is *y : for you\n", "tags: [&t one, *t]",
            "title: |\n  * one : two\n  ? three",
        ] {
            #expect(!Self.codes(Self.rest + text).contains("alias"), "\(text)")
        }
        var bomb = "a0: &a0 [x, x]\n"
        for level in 1...30 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        let anchor = "notes: &a30 x\n"
        for key in ["*a30 : 1", "? *a30\n: 1", "x: {*a30 : 1}", "tags: [? *a30]"] {
            #expect(Self.codes(Self.rest + anchor + key).contains("alias"), "\(key)")
            #expect(Self.codes(bomb + key) == ["too-large"], "\(key)")
        }
        for key in ["?\n  - *a30\n: 1", "[*a30, *a30]: 1", "{*a30 : 1}: 1", "{x: *a30}: 1"] {
            #expect(Self.codes(Self.rest + anchor + key) == ["key"], "\(key)")
            #expect(Self.codes(bomb + key) == ["too-large"], "\(key)")
        }
    }

    private static func codes(_ text: String) -> [String] {
        do {
            _ = try TestVocabulary.loader.load(text: text)
            return []
        } catch {
            return error.all.map(\.code)
        }
    }

    @Test func waivedChecksWarn() throws {
        let text = Self.rest + "transform: { n_fft: 512 }\nwaive: { bins: this network pads }"
        let loaded = try TestVocabulary.loader.load(text: text)
        #expect(loaded.warnings.map(\.code) == ["bins"] && loaded.warnings[0].severity == .warning)
    }
}
