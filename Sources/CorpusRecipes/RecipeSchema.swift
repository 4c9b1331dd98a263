package import SpecLanguage

/// The settings of a recipe file, with types, defaults and meanings.
package enum RecipeSchema {
    package static let root = Schema([
        .text("name", default: .required, "The corpus's name, and that of its folder."),
        .text("title", default: "", "One sentence about it."),
        .text("reference", default: "", "The paper or script that its settings come from."),
        .integer("rate", default: 16_000, in: .between(4000, 192_000), unit: "Hz", "Sample rate of what is made."),
        .oneOf("encoding", ["pcm16", "pcm24", "float32"], default: "pcm16", "How samples are stored."),
        .integer("seed", default: 0, in: .from(0), "Seed of every draw."),
        .text(
            "speaker", default: .absent,
            "A regular expression with one group: the speaker in a file's path below its set's folder."),
        .bool("flat", default: false, "Whether files lose the folders that they lie in."),
        .list("sources", of: .section(source), default: [], "The recordings that it is made from."),
        .list("sets", of: .section(set), default: [], "The sets that are made, and of which recordings."),
        .section("pieces", pieces, isOptional: true, "How long recordings are cut; not at all if absent."),
        Field("law", .variant(RecipeLaws.forms), default: .required, "How a clean recording becomes a pair."),
        Field("extends", .raw, default: .absent, "Recipes that this one completes or changes."),
    ])

    private static let source = Schema([
        .text("name", default: .required, "By which --from gives its folder."),
        .path("path", default: .absent, "Its folder; --from wins."),
        .text("title", default: "", "What it is."),
        .text("published", default: "", "Where it is published."),
        .text("size", default: "", "How large it is."),
        .list("holds", of: .text, default: [], "Folders or files that it must hold."),
    ])

    private static let set = Schema([
        .text("name", default: .required, "The set's folder."),
        .text("speech", default: .absent, "The clean recordings: a source, or a folder in it, as wsj0/si_tr_s."),
        .text("noisy", default: .absent, "Their noisy versions, where they were published in pairs."),
        .path(
            "table", default: .absent,
            "A table with the columns clean and noisy, and set where it is of several; seen from the recipe's folder."),
        .text("log", default: .absent, "A table of the noise type and SNR of each file, where it was published."),
        .list("match", of: .text, default: [], "Patterns such as *.CH1.wav; files that match none are left out."),
        .list("speakers", of: .text, default: [], "Only recordings of these speakers."),
        .list("not_speakers", of: .text, default: [], "No recordings of these speakers."),
        .list("leave_out", of: .text, default: [], "Words: recordings whose path holds one are left out."),
        .integer(
            "count", default: .absent, in: .from(1), unit: "files", "So many, drawn without replacement; all if absent."
        ),
        .integer("files", default: .absent, in: .from(1), unit: "files", "How many there must be."),
        .number("shortest", default: 0.0, in: .nonNegative, unit: "s", "Shorter recordings are left out."),
        .text(
            "cuts", default: .absent,
            "A published list of the pieces that are taken, as benchmark/test_files.json: a file of a source."),
        .number("longest", default: .absent, in: .positive, unit: "s", "Longer recordings or pieces are left out."),
        .number(
            "ramp", default: .absent, in: .nonNegative, unit: "s",
            "Recordings, their noise and their reverberation fade in and out for so long."),
        .list(
            "kinds", of: .text, default: [],
            "Words that tell recordings apart by their file names, such as styles: the first that a name holds."),
        .integer(
            "snr_parts", default: .absent, in: .between(1, 1000),
            "The range of SNRs falls into so many parts, and the recordings of each kind take turns in them."),
    ])

    /// Settings that were added later. A record holds them only where they are given, so that the identity of older
    /// corpora stays the same.
    package static let later: Set<String> = ["cuts", "longest", "ramp", "kinds", "snr_parts", "short_noise"]

    private static let pieces = Schema([
        .number("length", default: 10.0, in: .positive, unit: "s", "Length of a piece."),
        .number("shortest", default: 4.0, in: .positive, unit: "s", "Shorter pieces are not made."),
        .number(
            "ramp", default: 0.01, in: .nonNegative, unit: "s",
            "Each piece of a cut recording fades in and out for so long."),
    ])

    package static let vocabulary = Vocabulary(schema: root, ownKeys: [])
}
