/// How much a difference of one kind is known to change scores, and the source.
public struct KnownEffect: Hashable, Sendable {
    /// A path of the spec language, a beginning of one, or the name of a check.
    public var path: String
    /// How much a difference of this kind changes scores.
    public var weight: Weight
    /// The measurement or argument it is known from, in a few words.
    public var reason: String

    /// How much, the most first.
    public enum Weight: Int, Hashable, Sendable, CaseIterable, Comparable {
        case decisive, large, moderate, small, unknown

        /// `decisive` comes first.
        public static func < (first: Self, second: Self) -> Bool { first.rawValue < second.rawValue }
        /// The word that tables print.
        public var text: String { "\(self)" }
    }

    /// The effects that sources report, by what they name.
    ///
    /// S: sp-uhh/sgmse @ae690e8, F: moonx010/sgmse @fc0dca7; the figures are in experiments/reported.
    public static let all: [KnownEffect] = [
        known("rate", .decisive, "trained on 48 kHz read as 16 kHz: PESQ 1.88; at 16 kHz: 2.85"),
        known("data.sample_rate", .decisive, "trained on 48 kHz read as 16 kHz: PESQ 1.88; at 16 kHz: 2.85"),
        known(
            "data.resample", .decisive,
            "without it, files of another rate stop the run, or are read wrongly where that is waived"),
        known("waive", .decisive, "a check that is waived lets its fault into the numbers"),
        known("content-overlap", .decisive, "what is chosen on test files is not tested"),
        known("speaker-overlap", .large, "known speakers are easier than new ones"),
        known("data.corpus", .decisive, "other data, other numbers"),
        known("data", .large, "it decides what the network sees"),
        known(
            "unseen-reference", .large,
            "a network that was not trained with an empty reference has no defined output for one"),
        known("reference-length", .moderate, "F trained with 0.25 s and evaluated with 0.5 s"),
        known("pairing", .decisive, "a file beside another one's speech"),
        known("length", .large, "a clean and a noisy file that are shifted against each other"),
        known("alignment", .large, "a clean and a noisy file that are shifted against each other"),
        known("padding", .small, "the last frames of each file alone"),
        known("normalization", .moderate, "the network meets other levels than it was trained with"),
        known("raw-weights", .large, "S evaluates averages of the weights"),
        known("checkpoint-choice", .moderate, "S keeps the best of 20 validation files; F took last and step=50000"),
        known(
            "crop", .moderate, "what the network sees at once; 0.68 s in place of 2.04 s where 48 kHz is read as 16 kHz"
        ),
        known("batch", .moderate, "32 in S"),
        known("sde", .large, "another process, another score"),
        known(
            "backbone", .large,
            "another network, another score; F compared one whose output is divided by t with one whose output is not"),
        known("objective", .large, "M1 to M8 of [4] differ in little else"),
        known(
            "conditioning", .large, "zeroing the condition cost PESQ 2.60 against 2.14 in a later study of F's author"),
        known(
            "samples", .moderate,
            "0.20 M and 1.86 M samples gave PESQ 1.92 and 1.88 in F; the published checkpoint saw 1.34 M"),
        known(
            "train.seeds", .moderate, "two trainings of one configuration in F differ by PESQ 0.22 and by SI-SDR 1.0 dB"
        ),
        known("train", .moderate, "it decides how far training comes"),
        known("transform", .large, "the network learns on what it makes"),
        known("evaluate.checkpoint", .moderate, "S keeps the best of 20 validation files; F took last and step=50000"),
        known("checkpoint", .moderate, "the published checkpoint is of step 41,992 of 58k"),
        known("validation", .moderate, "the score by which a checkpoint is chosen"),
        known("evaluate.weights", .large, "S averages weights with decay 0.999, and evaluates the averages"),
        known("evaluate.reference", .moderate, "another noise, or none, is another input"),
        known("evaluate.guidance", .small, "w = 1, 3 and 5 of one network in F differ by at most PESQ 0.12 on VB-DMD"),
        known("evaluate.N", .small, "the published checkpoint scores 2.91 at N = 30; the paper has 2.93"),
        known("evaluate.sampler", .moderate, "predictor, corrector and r decide where sampling ends"),
        known("evaluate.padding", .small, "the last frames of each file alone"),
        known("evaluate.sets", .moderate, "another set, another column"),
        known("evaluate.anchors", .small, "without the noisy input, a system below it is not noticed"),
        known("evaluate.metrics", .small, "a column more or less"),
        known("evaluate", .moderate, "it decides a score besides the weights"),
    ]

    private static func known(_ path: String, _ weight: Weight, _ reason: String) -> Self {
        Self(path: path, weight: weight, reason: reason)
    }

    /// The entry of a path: the longest one that it begins with.
    public static func of(_ path: String) -> KnownEffect {
        all.filter { path == $0.path || path.hasPrefix($0.path + ".") }.max { $0.path.count < $1.path.count }
            ?? KnownEffect(path: path, weight: .unknown, reason: "no source reports its effect")
    }
}
