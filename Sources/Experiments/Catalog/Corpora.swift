import Audio
import Corpora
import Foundation
import Specs

/// A corpus that a spec can name: made on the spot, or expected in a folder.
public protocol CorpusSource: Sendable {
    /// The `base_dir` of the corpus at a sample rate; made below `root` where that is possible and needed.
    ///
    /// - Returns: The folder, and whether it was made now.
    func prepare(in root: String, sampleRate: Int) throws -> (baseDir: String, isNew: Bool)
}

/// A corpus made from a recipe.
struct SyntheticSource: CorpusSource {
    var recipe: SyntheticCorpus

    func prepare(in root: String, sampleRate: Int) throws -> (baseDir: String, isNew: Bool) {
        var recipe = recipe
        recipe.sampleRate = sampleRate
        let folder = root + "/" + recipe.folderName
        return (folder, try recipe.write(to: folder) == .made)
    }
}

extension Registry<any CorpusSource> {
    /// The corpora.
    static let corpora = Registry(
        "corpus",
        [
            Entry(
                "synthetic", "Speech-like signals in noise, made on the spot and repeatable by seed",
                parameters: [
                    .integer("seed", default: 0, in: .from(0), "Seed of every signal."),
                    .oneOf("task", Layout.allCases.map(\.rawValue), default: "denoising", "Noise added, or reverberation."),
                    .integer("train", default: 200, in: .from(1), unit: "files", "Training pairs."),
                    .integer("valid", default: 8, in: .from(0), unit: "files", "Validation pairs."),
                    .integer("test", default: 8, in: .from(0), unit: "files", "Test pairs."),
                    .integer("test_ood", default: 8, in: .from(0), unit: "files", "Test pairs out of distribution."),
                    .number("shortest", default: 1.5, in: .positive, unit: "s", "Shortest file."),
                    .number("longest", default: 3.0, in: .positive, unit: "s", "Longest file."),
                    .number("snr_min", default: 0.0, unit: "dB", "Least level of the speech over the noise."),
                    .number("snr_max", default: 10.0, unit: "dB", "Most level of the speech over the noise."),
                    .list("ood_snr", of: .number(), default: [], "Fixed levels of the sets out of distribution, in dB."),
                ], traits: [.sets(["train", "valid", "test", "test-ood"]), .ascending("shortest", "longest")]
            ) { settings in
                SyntheticSource(
                    recipe: SyntheticCorpus { recipe in
                        recipe.seed = UInt64(settings.integer("seed"))
                        recipe.layout = Layout(rawValue: settings.text("task")) ?? .denoising
                        recipe.train = settings.integer("train")
                        recipe.valid = settings.integer("valid")
                        recipe.test = settings.integer("test")
                        recipe.testOOD = settings.integer("test_ood")
                        recipe.seconds = settings.number("shortest")...settings.number("longest")
                        recipe.snr = settings.number("snr_min")...max(settings.number("snr_min"), settings.number("snr_max"))
                        recipe.oodSNRs = settings.numbers("ood_snr")
                    })
            }
        ])
}
