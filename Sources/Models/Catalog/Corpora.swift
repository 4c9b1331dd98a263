import Corpora
import Foundation
import SpecLanguage
import Specs

extension Registry<any CorpusSource> {
    /// The corpora.
    static let corpora = Registry(
        "corpus",
        [
            synthetic, voicebankDemand, wsj0CHiME3, wsj0Reverb, earsWHAM, earsReverb, mixture, esc50,
        ])

    // MARK: Made on the spot

    private static let synthetic = Entry(
        "synthetic", "Speech-like signals in noise or rooms, made on the spot and repeatable by seed",
        parameters: [
            .integer("seed", default: 0, in: .from(0), "Seed of every signal."),
            .oneOf("task", Layout.allCases.map(\.rawValue), default: "denoising", "Noise added, or reverberation."),
            .integer("train", default: 200, in: .between(1, 1e6), unit: "files", "Training pairs."),
            .integer("valid", default: 8, in: .between(0, 1e6), unit: "files", "Validation pairs."),
            .integer("test", default: 8, in: .between(0, 1e6), unit: "files", "Test pairs.", part: IdentityPart.none),
            .integer(
                "test_ood", default: 8, in: .between(0, 1e6), unit: "files", "Test pairs out of distribution.",
                part: IdentityPart.none),
            .number("shortest", default: 1.5, in: .between(0.25, 60), unit: "s", "Shortest file."),
            .number("longest", default: 3.0, in: .between(0.25, 60), unit: "s", "Longest file."),
            .number("snr_min", default: 0.0, unit: "dB", "Least level of the speech over the noise."),
            .number("snr_max", default: 10.0, unit: "dB", "Most level of the speech over the noise."),
            .list(
                "ood_snr", of: .number(.between(-200, 200)), default: [],
                "Fixed levels of the sets out of distribution, in dB.", part: IdentityPart.none),
        ],
        traits: [
            .sets(["train", "valid", "test", "test-ood"]), .setSeries(prefix: "test-ood", levels: "ood_snr"),
            .ordered("shortest", "longest"), .ordered("snr_min", "snr_max"),
        ]
    ) { settings in
        RecipeSource(
            recipe: SyntheticCorpus { recipe in
                recipe.seed = UInt64(settings.integer("seed"))
                recipe.layout = Layout(rawValue: settings.text("task")) ?? .denoising
                recipe.train = settings.integer("train")
                recipe.valid = settings.integer("valid")
                recipe.test = settings.integer("test")
                recipe.testOOD = settings.integer("test_ood")
                recipe.seconds = settings.number("shortest")...settings.number("longest")
                recipe.snr = settings.number("snr_min")...settings.number("snr_max")
                recipe.oodSNRs = settings.numbers("ood_snr")
            }
        ) { recipe, _, sampleRate in
            var recipe = recipe
            recipe.sampleRate = sampleRate
            return recipe
        }
    }

    private static let mixture = Entry(
        "mixture", "Clean files of one folder with noise files of another, at stated levels",
        parameters: [
            .text("clean", default: .required, "Folder with the speech, seen from the corpora's folder."),
            .text("noise", default: .required, "Folder with the noise, at the same rate."),
            .list(
                "snr", of: .number(), atLeast: 1, default: [0.0],
                "Levels of the speech over the noise in dB, a set for each: test-0dB, …"),
        ] + drawnFiles(count: .absent), traits: [.setSeries(prefix: "test", levels: "snr")]
    ) { settings in
        try mixed(
            MixedCorpus(clean: settings.text("clean"), noise: settings.text("noise"), snrs: settings.numbers("snr")),
            settings)
    }

    private static let esc50 = Entry(
        "ood-esc50", "VoiceBank test speech in ESC-50 noise at 0, 5 and 10 dB",
        source: "moonx010/sgmse, create_test_mixtures.py; Piczak, ACM Multimedia 2015",
        parameters: [
            .text(
                "clean", default: "voicebank-demand/test/clean",
                "Folder with the speech, seen from the corpora's folder."),
            .text("noise", default: "ESC-50/audio", "Folder with the noise, at the same rate."),
        ] + drawnFiles(count: 50), traits: [.sets(["test-0dB", "test-5dB", "test-10dB"])]
    ) { settings in
        try mixed(.esc50(clean: settings.text("clean"), noise: settings.text("noise")), settings)
    }

    private static func drawnFiles(count: Field.Standard) -> [Field] {
        [
            .integer(
                "files", default: count, in: .between(1, 1e6), unit: "files",
                "Clean files, drawn without replacement; all if absent."),
            .integer("seed", default: 42, in: .from(0), "Seed of the draws."),
        ]
    }

    private static func mixed(_ recipe: MixedCorpus, _ settings: Settings) throws -> any CorpusSource {
        var recipe = recipe
        recipe.count = settings.optionalInteger("files")
        recipe.seed = UInt64(settings.integer("seed"))
        return RecipeSource(recipe: recipe) { recipe, root, sampleRate in
            var recipe = recipe
            recipe.sampleRate = sampleRate
            if !recipe.clean.hasPrefix("/") { recipe.clean = root + "/" + recipe.clean }
            if !recipe.noise.hasPrefix("/") { recipe.noise = root + "/" + recipe.noise }
            recipe.sources = recipe.digestOfSources()
            return recipe
        }
    }

    // MARK: Published

    private static func speakers(_ name: String, _ standard: [String], _ doc: String) -> Field {
        .list(name, of: .text, default: .value(.list(standard.map(SettingValue.text))), doc)
    }

    private static func published(
        _ name: String, _ summary: String, source: String, rates: [Int], sets: [String] = ["train", "valid", "test"],
        valid: [String] = [], test: [String] = [], advice: String
    ) -> Entry {
        Entry(
            name, summary, source: source,
            parameters: [
                speakers(
                    "valid_speakers", valid, "Held out of training for validation, where there is no folder 'valid'."),
                speakers("test_speakers", test, "Speakers of the test set, and of no other set."),
            ], traits: [.sets(sets), .rates(rates)]
        ) { settings in
            PublishedSource(
                name: name, advice: advice,
                split: SpeakerSplit(
                    validation: Set(settings.texts("valid_speakers")), test: Set(settings.texts("test_speakers"))))
        }
    }

    private static let voicebankDemand = published(
        "voicebank-demand", "VoiceBank speech in DEMAND noise: 28 training speakers, 11,572 and 824 files",
        source: "Valentini-Botinhao et al., SSW 2016", rates: [16000, 48000], valid: ["p226", "p287"],
        test: ["p232", "p257"],
        advice: "sgmse data make voicebank-demand --from voicebank=FOLDER makes it from the published recordings")

    private static let wsj0CHiME3 = published(
        "wsj0-chime3", "WSJ0 speech in CHiME3 backgrounds, 0 to 20 dB", source: "Richter et al., TASLP 2023",
        rates: [16000],
        advice: "sgmse data make wsj0-chime3 --from wsj0=FOLDER --from chime3=FOLDER makes it from WSJ0 and CHiME3")

    private static let wsj0Reverb = published(
        "wsj0-reverb", "WSJ0 speech in simulated rooms, T60 0.4 to 1 s", source: "Richter et al., TASLP 2023",
        rates: [16000], advice: "sgmse data make wsj0-reverb --from wsj0=FOLDER makes it from WSJ0")

    private static let earsTest = (102...107).map { "p\($0)" }

    private static let earsWHAM = published(
        "ears-wham", "EARS speech in WHAM noise, -2.5 to 17.5 dB", source: "Richter et al., Interspeech 2024",
        rates: [48000], valid: ["p100", "p101"], test: earsTest,
        advice: "sgmse data make ears-wham --from ears=FOLDER --from wham=FOLDER makes it from EARS and WHAM!")

    private static let earsReverb = published(
        "ears-reverb", "EARS speech in measured rooms", source: "Richter et al., Interspeech 2024",
        rates: [48000], valid: ["p100", "p101"], test: earsTest,
        advice:
            """
            sgmse data make ears-reverb --from ears=FOLDER --from responses=FOLDER makes it from EARS and impulse \
            responses
            """
    )
}
