import Foundation
import TestFolders
import Testing

/// `sgmse diff` between specs and with a recipe: faults that a real study made, one by one.
@Suite(.serialized) struct DiffCommandTests {
    private static let base = """
        name: base
        data:
          corpus: { name: synthetic, train: 4, valid: 2, test: 2, test_ood: 2, shortest: 0.3, longest: 0.3 }
          num_frames: 64
        transform: { n_fft: 78, hop_length: 64 }
        backbone: { name: ncsnpp_v2_cond, noise_cond_type: film, noise_cond_start: identity, nf: 4, ch_mult: [1, 1, 1, \
        1], num_res_blocks: 1, attn_resolutions: [] }
        conditioning: { noise_embed_dim: 32, noise_encoder_nf: 4, ref_num_frames: 32, cond_drop_prob: 0.2, ref_from: \
        elsewhere }
        sde: ouve
        train: { max_steps: 3, batch_size: 2, devices: 2, seeds: [0, 1, 2], validate_every: 3, num_eval_files: 1 }
        evaluate:
          { sets: [test, test-ood], N: [30], guidance: [0, 1], reference: [oracle], checkpoint: best_pesq, metrics: \
        [si_sdr], anchors: [noisy] }

        """

    private let scratch: TestFolder
    private let spec: String

    init() throws {
        scratch = try TestFolder()
        spec = try scratch.spec(Self.base)
        try "title: base\nspec: \(spec)\n".write(
            toFile: scratch.path + "/recipe.yaml", atomically: true, encoding: .utf8)
    }

    private func paths(_ arguments: [String]) throws -> [String] {
        let end = try Program.run(arguments: ["diff"] + arguments + ["--json"], in: scratch.path)
        try #require(end.code == 0, "\(end.error)")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(end.out.utf8)) as? [String: Any])
        return try #require(document["differences"] as? [[String: Any]]).compactMap { $0["path"] as? String }
    }

    @Test func anExactReplicaHasNoDifference() throws {
        #expect(try paths([spec, "--recipe", "recipe.yaml", "--no-data"]).isEmpty)
        #expect(try paths([spec, spec, "--no-data"]).isEmpty)
    }

    /// The numbers are the rows of the list of deviations in the notes on that study.
    @Test(arguments: [
        (5, ["train.max_steps=2"], "train.max_steps"),
        (
            7, ["evaluate.reference=[{name: oracle, num_frames: 63}]", "waive.reference-length=planted"],
            "evaluate.reference"
        ),
        (8, ["conditioning.ref_from=segment"], "conditioning.ref_from"),
        (
            9, ["conditioning.cond_drop_prob=0", "evaluate.reference=[zero]", "waive.unseen-reference=planted"],
            "unseen-reference"
        ),
        (10, ["evaluate.guidance=[1]"], "evaluate.guidance"),
        (11, ["evaluate.reference=[zero]"], "evaluate.reference"),
        (12, ["evaluate.padding=zero_pad"], "evaluate.padding"),
        (14, ["backbone.noise_cond_start=ones"], "backbone.noise_cond_start"),
        (16, ["evaluate.checkpoint=last"], "evaluate.checkpoint"),
        (17, ["evaluate.max_files=1"], "evaluate.max_files"),
        (17, ["evaluate.anchors=[]"], "evaluate.anchors"),
        (18, ["train.seeds=[0]"], "train.seeds"),
    ])
    func aDeviationFromTheRecipeIsFound(row: Int, overrides: [String], path: String) throws {
        let found = try paths([spec, "--recipe", "recipe.yaml", "--no-data"] + overrides.flatMap { ["--set", $0] })
        #expect(found.contains(path), "row \(row): \(found)")
    }

    /// Row 6: the baseline is compared with a conditioned network, and is another network itself, whose output is
    /// divided by t.
    @Test func theBaselineOnTheOtherNetworkIsFound() throws {
        let network = "{ name: ncsnpp_v2, nf: 4, ch_mult: [1, 1, 1, 1], num_res_blocks: 1, attn_resolutions: [] }"
        let text = Self.base.replacing(/backbone: .*/, with: "backbone: \(network)").replacing(
            /conditioning: .*\n/, with: ""
        )
        .replacing("guidance: [0, 1], reference: [oracle], ", with: "")
        let baseline = try scratch.spec(text, "baseline.yaml")
        try "title: baseline\nspec: \(baseline)\n".write(
            toFile: scratch.path + "/baseline-recipe.yaml", atomically: true, encoding: .utf8)
        #expect(try paths([baseline, "--recipe", "baseline-recipe.yaml", "--no-data"]).isEmpty)
        let other = "backbone=" + network.replacing("ncsnpp_v2", with: "ncsnpp")
        #expect(
            try paths([baseline, "--recipe", "baseline-recipe.yaml", "--no-data", "--set", other]).contains("backbone"))
        // Beside the conditioned network it differs in more than the conditioning: the effect of that is confounded.
        let both = try paths([baseline, spec, "--no-data", "--set", other])
        #expect(both.contains("backbone") && both.contains { $0.hasPrefix("conditioning") }, "\(both)")
    }

    /// Rows 1, 3 and 4: training or validation files at 48 kHz, and a validation set that is the test set.
    @Test func deviationsOfTheDataAreFoundInTheHeaders() throws {
        let folder = scratch.path
        let files = FileManager.default
        func corpus(_ rate: Int) throws -> String {
            let made = try scratch.spec(
                Self.base.replacing("num_frames: 64", with: "num_frames: 64\n  sample_rate: \(rate)"),
                "made-\(rate).yaml")
            _ = try Program.run("check", made, "--corpora", "\(folder)/made-\(rate)", in: folder)
            let names = try files.contentsOfDirectory(atPath: "\(folder)/made-\(rate)").filter {
                $0.hasPrefix("synthetic")
            }
            return "\(folder)/made-\(rate)/\(try #require(names.first))"
        }
        let (right, wrong) = (try corpus(16_000), try corpus(48_000))
        func data(_ name: String, train: String, valid: String) throws -> String {
            try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            for (set, source) in [
                ("train", train), ("valid", valid), ("test", right + "/test"), ("test-ood", right + "/test-ood"),
            ] {
                try files.copyItem(atPath: source, toPath: "\(folder)/\(name)/\(set)")
            }
            let text = Self.base.replacing(/corpus: .*/, with: "path: \(folder)/\(name)")
            return try scratch.spec(text, name + ".yaml")
        }
        let good = try data("good", train: right + "/train", valid: right + "/valid")
        let rate = try data("rate", train: wrong + "/train", valid: right + "/valid")
        let validation = try data("validation", train: right + "/train", valid: wrong + "/valid")
        let copied = try data("copied", train: right + "/train", valid: right + "/test")
        #expect(try paths([good, good]).isEmpty)
        #expect(try paths([rate, good]).contains("rate"))
        #expect(try paths([validation, good]).contains("rate"))
        #expect(try paths([copied, good]).contains("content-overlap"))
        // A run keeps what was found of its headers, though it was waived; the waiver is no second line.
        let run = try Program.run(
            "run", rate, "--set", "waive.rate=planted", "--set", "train.seeds=[0]", "--set", "name=waived",
            "--set", "evaluate.checkpoint=last", "--set", "train.num_eval_files=0", "--no-table", in: folder)
        #expect(run.code == 0, "\(run.error)")
        let ofRun = try paths(["waived", "--recipe", "recipe.yaml"])
        #expect(ofRun.contains("rate") && !ofRun.contains("waive.rate"), "\(ofRun)")
    }

    @Test func whatCannotOccurIsSaidWithItsReason() throws {
        let experiments = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../experiments")
            .standardized.path
        let end = try Program.run(
            "diff", experiments + "/papers/sgmse-plus-vb-dmd.yaml", "--recipe",
            experiments + "/protocols/taslp2023-vbdmd.yaml", "--no-data",
            in: scratch.path)
        #expect(end.code == 0 && end.out.contains("nothing that decides a score differs"), "\(end.out)\(end.error)")
        #expect(end.out.components(separatedBy: "cannot occur here").count == 5)
    }

    @Test func aSpecIsComparedWithSomething() throws {
        let end = try Program.run("diff", spec, in: scratch.path)
        #expect(end.code == 2 && end.error.contains("compared with nothing"), "\(end.error)")
    }
}
