import Diagnostics
import Experiments
import Foundation
import TestFolders
import Testing
import WeightFiles

/// A part of the recorded reference values; the whole is compared by `sgmse conformance`.
@Suite struct ConformanceTests {
    static let root = Bundle.module.bundlePath + "/Fixtures"

    @Test(arguments: [
        "transform/segment_short_odd_not", "loss/denoiser_edm", "sampler/sb_sde_n5", "sampler/sb_ode_n5",
        "sde/sbve_default",
        "model_forward/score_ncsnpp", "pipeline/noise_conditioned_guided", "flow_matching/path_sigma_min",
        "flow_matching/second_order",
        "flow_matching/rk45", "flow_matching/checkpoint_fit",
        "edm2/layers", "edm2/schedule", "edm2/power_function_average", "edm2/checkpoint_snapshot_pickle",
        "edm2/sampler_ode_n5", "edm2/loss_step",
        "storm/sde_ouvp", "storm/loss_variants", "storm/network_denoiser", "storm/step_freeze",
        "storm/sampler_langevin_n5",
        "storm/failing_configurations",
    ])
    func recordedValuesAreReproduced(id: String) {
        let checks = ConformanceRunner().run(id, in: Self.root)
        #expect(!checks.isEmpty)
        for check in checks { #expect(check.passes, "\(check.quantity): \(check.reason ?? "error \(check.error)")") }
    }

    @Test func allCasesAreFound() throws {
        let runner = ConformanceRunner()
        #expect(try runner.cases(in: Self.root).count == 23)
        #expect(try runner.cases(in: Self.root, only: "sampler/").count == 2)
        #expect(try runner.cases(in: Self.root, only: "nothing").isEmpty)
    }

    /// A case with one altered number fails; so does a case of an unknown kind.
    @Test func aDeviationIsFound() throws {
        let owner = try TestFolder()
        let folder = owner.path
        try FileManager.default.copyItem(atPath: Self.root + "/sde/sbve_default", toPath: folder + "/altered")
        var std = try NumPyFile.read(path: folder + "/altered/std.npy")
        std.values[2] *= 1.001
        try NumPyFile.write(std, to: folder + "/altered/std.npy")
        #expect(ConformanceRunner().run("altered", in: folder).contains { !$0.passes && $0.quantity == "std" })
        try FileManager.default.createDirectory(atPath: folder + "/odd", withIntermediateDirectories: true)
        try Data(#"{"kind": "astrology"}"#.utf8).write(to: URL(fileURLWithPath: folder + "/odd/case.json"))
        let odd = ConformanceRunner().run("odd", in: folder)
        #expect(odd.count == 1 && odd[0].reason?.contains("astrology") == true)
    }
}
