public import Corpora
import Foundation
public import SpecLanguage
import Specs

extension Layout: SettingName {}

extension ClosedRange<Double> {
    /// The lower end; the upper one follows where it would lie below.
    fileprivate var least: Double {
        get { lowerBound }
        set { self = newValue...Swift.max(newValue, upperBound) }
    }
    /// The upper end; the lower one follows where it would lie above.
    fileprivate var most: Double {
        get { upperBound }
        set { self = Swift.min(lowerBound, newValue)...newValue }
    }
}

/// The parameters of a published corpus.
private struct ReservedSpeakers: Sendable {
    var valid, test: [String]
}

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
        of: SyntheticCorpus(),
        [
            Setting(\.seed, "seed", in: .from(0), "Seed of every signal."),
            Setting(\.layout, "task", "Noise added, or reverberation."),
            Setting(\.train, "train", in: .between(1, 1e6), unit: "files", "Training pairs."),
            Setting(\.valid, "valid", in: .between(0, 1e6), unit: "files", "Validation pairs."),
            Setting(
                \.test, "test", in: .between(0, 1e6), unit: "files", "Test pairs.", part: IdentityPart.none),
            Setting(
                \.testOOD, "test_ood", in: .between(0, 1e6), unit: "files", "Test pairs out of distribution.",
                part: IdentityPart.none),
            Setting(\.seconds.least, "shortest", in: .between(0.25, 60), unit: "s", "Shortest file."),
            Setting(\.seconds.most, "longest", in: .between(0.25, 60), unit: "s", "Longest file."),
            Setting(\.snr.least, "snr_min", unit: "dB", "Least level of the speech over the noise."),
            Setting(\.snr.most, "snr_max", unit: "dB", "Most level of the speech over the noise."),
            Setting(
                \.oodSNRs, "ood_snr", ofAtLeast: 0, in: .between(-200, 200),
                "Fixed levels of the sets out of distribution, in dB.", part: IdentityPart.none),
        ],
        traits: [
            .sets(["train", "valid", "test", "test-ood"]), .setSeries(prefix: "test-ood", levels: "ood_snr"),
            .ordered("shortest", "longest"), .ordered("snr_min", "snr_max"),
        ]
    ) { recipe in
        RecipeSource(recipe: recipe) { recipe, _, sampleRate in
            var recipe = recipe
            recipe.sampleRate = sampleRate
            return recipe
        }
    }

    private static let mixture = Entry(
        "mixture", "Clean files of one folder with noise files of another, at stated levels",
        of: MixedCorpus(clean: "", noise: "", snrs: [0]),
        [
            Setting(
                \.clean, "clean", default: .required, "Folder with the speech, seen from the corpora's folder."),
            Setting(\.noise, "noise", default: .required, "Folder with the noise, at the same rate."),
            Setting(
                \.snrs, "snr", ofAtLeast: 1,
                "Levels of the speech over the noise in dB, a set for each: test-0dB, …"),
        ] + drawnFiles, traits: [.setSeries(prefix: "test", levels: "snr")], build: mixed)

    private static let esc50 = Entry(
        "ood-esc50", "VoiceBank test speech in ESC-50 noise at 0, 5 and 10 dB",
        source: "moonx010/sgmse, create_test_mixtures.py; Piczak, ACM Multimedia 2015",
        of: MixedCorpus.esc50(clean: "voicebank-demand/test/clean", noise: "ESC-50/audio"),
        [
            Setting(\.clean, "clean", "Folder with the speech, seen from the corpora's folder."),
            Setting(\.noise, "noise", "Folder with the noise, at the same rate."),
        ] + drawnFiles, traits: [.sets(["test-0dB", "test-5dB", "test-10dB"])], build: mixed)

    private static let drawnFiles: [Setting<MixedCorpus>] = [
        Setting(
            \.count, "files", in: .between(1, 1e6), unit: "files",
            "Clean files, drawn without replacement; all if absent."),
        Setting(\.seed, "seed", in: .from(0), "Seed of the draws."),
    ]

    private static func mixed(_ recipe: MixedCorpus) -> any CorpusSource {
        RecipeSource(recipe: recipe) { recipe, root, sampleRate in
            var recipe = recipe
            recipe.sampleRate = sampleRate
            if !recipe.clean.hasPrefix("/") { recipe.clean = root + "/" + recipe.clean }
            if !recipe.noise.hasPrefix("/") { recipe.noise = root + "/" + recipe.noise }
            recipe.sources = recipe.digestOfSources()
            return recipe
        }
    }

    // MARK: Published

    private static func published(
        _ name: String, _ summary: String, source: String, rates: [Int], sets: [String] = ["train", "valid", "test"],
        valid: [String] = [], test: [String] = [], advice: String
    ) -> Entry {
        Entry(
            name, summary, source: source, of: ReservedSpeakers(valid: valid, test: test),
            [
                Setting(
                    \.valid, "valid_speakers",
                    "Held out of training for validation, where there is no folder 'valid'."),
                Setting(\.test, "test_speakers", "Speakers of the test set, and of no other set."),
            ],
            traits: [.sets(sets), .rates(rates)]
        ) { speakers in
            PublishedSource(
                name: name, advice: advice,
                split: SpeakerSplit(validation: Set(speakers.valid), test: Set(speakers.test)))
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
