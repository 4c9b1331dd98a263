public import SpecLanguage

/// The language: every section and setting of an experiment, as data.
public enum ExperimentSchema {
    /// The whole of a spec file.
    public static let root = Schema([
        .text(
            "name", default: .derived("the file's name"), "What the experiment and its runs are called.",
            part: IdentityPart.none),
        .text("title", default: .absent, "One line for people.", part: IdentityPart.none),
        .text("notes", default: .absent, "Anything worth knowing.", part: IdentityPart.none),
        .list("tags", of: .text, default: [], "Words to find it by.", part: IdentityPart.none),
        .text("reproduces", default: .absent, "The paper's row it reproduces.", part: IdentityPart.none),
        Field(
            "incomplete", .table, default: .value(.section(Settings())),
            "Settings that are not known, each with what is missing.", part: IdentityPart.none),
        Field(
            "sources", .table, default: .value(.section(Settings())),
            "Where settings come from: paths with citations.", part: IdentityPart.none),
        Field(
            "waive", .table, default: .value(.section(Settings())),
            "Checks that may fail, each with the reason.", part: IdentityPart.none),
        Field(
            "extends", .raw, default: .absent,
            "Specs this one completes or changes: relative to its folder, or sgmse:base/16k.yaml of the library.",
            part: IdentityPart.none),
        .section("data", DataSpec.schema, "The audio.", part: .data),
        .section("transform", TransformSpec.schema, "From samples to the network's input.", part: .training),
        .choice("backbone", of: .backbone, default: "ncsnpp", "The network.", part: .training),
        .section(
            "conditioning", ConditioningSpec.schema, isOptional: true, "The noise reference, if there is one.",
            part: .training),
        Field.section(
            "regression", RegressionSpec.schema, isOptional: true,
            "The regression in front of the diffusion, if there is one.",
            part: .training
        ).silentWhenAbsent,
        .choice("sde", of: .sde, default: "ouve", "The diffusion.", part: .training),
        .section("objective", ObjectiveSpec.schema, "What training minimises.", part: .training),
        .section("train", TrainSpec.schema, "How the weights are found.", part: .training),
        .section("evaluate", EvaluateSpec.schema, "What is scored and how.", part: .evaluation),
        Field.text(
            "device", default: .absent,
            "What computes: cpu, torch-cpu, cuda or cuda:N; --device and SGMSE_DEVICE come first.",
            part: IdentityPart.none
        ).silentWhenAbsent,
        Field("sweep", .raw, default: .absent, "Combinations of settings, one run each.", part: IdentityPart.none),
        Field(
            "profiles", .raw, default: .absent, "Named sets of changes, chosen with --profile.", part: IdentityPart.none
        ),
        Field(
            "launcher", .raw, default: .absent, "What starts its tasks: local, slurm or command, with settings.",
            part: IdentityPart.none),
    ])

    /// The dotted paths of all settings, registries' parameters apart.
    static let paths: [String] = root.fields.flatMap { field in
        if case .section(let schema, _) = field.type {
            schema.fields.map { "\(field.name).\($0.name)" }
        } else {
            [field.name]
        }
    }

    /// Keys that describe one file and are not passed on to those that extend it.
    static let ownKeys: Set<String> = ["name", "title", "notes", "reproduces", "extends"]

    /// The sections that have a setting of a name, to suggest the section of a misplaced key.
    static let homes: [String: [String]] = {
        var homes: [String: [String]] = [:]
        for field in root.fields {
            guard case .section(let schema, _) = field.type else { continue }
            for name in schema.allNames { homes[name, default: []].append(field.name) }
        }
        return homes
    }()

    /// The field at a dotted path, where the path does not lead into a registry's entry.
    public static func field(at path: String) -> Field? { root.field(at: path) }
}
