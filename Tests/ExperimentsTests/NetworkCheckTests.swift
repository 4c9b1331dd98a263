import Experiments
import Foundation
import Models
import SpecLanguage
import Specs
import Testing

@Suite struct NetworkCheckTests {
    private func check(_ backbone: String) throws {
        let text =
            """
            name: x\ndata: { path: somewhere }\ntransform: { n_fft: \(backbone.contains("dcunet") ? 512 : 510) \
            }\n\(backbone)\ntrain: { max_steps: 1 }\n
            """
        try NetworkCheck().check(SpecLoader(vocabulary: Catalog.standard.vocabulary).load(text: text))
    }

    /// What the reference cannot run is a mistake of the spec, in its place and with its reason, or it is right.
    @Test(arguments: [
        ("backbone: { name: dcunet, dcunet_mask_bound: tanh }", "not defined"),
        ("backbone: { name: dcunet, dcunet_fix_length: none }", "use 'pad' or 'trim'"),
        (
            "backbone: { name: dcunet, dcunet_time_embedding: none, dcunet_time_embedding_complex: true }",
            "needs the time embedding"
        ),
        ("backbone: { name: ncsnpp_v2, nf: 9 }", "normalisation"),
        ("backbone: { name: ncsnpp_v2, nf: 7 }", "normalisation"),
        ("backbone: { name: ncsnpp_v2, fir_kernel: [1, -1] }", "sum is 0"),
        ("backbone: { name: ncsnpp_v2, nf: 8, ch_mult: [1] }", "attention"),
        ("backbone: { name: ncsnpp, nf: 4611686018427387904 }", "from 4 to 65536"),
        ("backbone: { name: ncsnpp_v2, num_res_blocks: 1073741824 }", "from 1 to 256"),
        ("backbone: { name: ncsnpp_v2, progressive_combine: cat, progressive_input: residual }", "no meaning"),
    ])
    func impossibleNetworksAreLocatedMistakes(backbone: String, reason: String) {
        let errors = #expect(throws: SpecErrors.self) { try check(backbone) }
        #expect(errors?.all.count == 1)
        #expect(errors?.all.first?.mark.line == 4)
        #expect(errors?.description.contains(reason) == true, "\(errors?.description ?? "")")
    }

    @Test(arguments: [
        "backbone: ncsnpp", "backbone: dcunet", "backbone: { name: ncsnpp_v2, progressive: residual }",
        "backbone: { name: ncsnpp_48k, embedding_type: positional }",
        "backbone: { name: ncsnpp_v2, resblock_type: ddpm, fir: false }",
    ])
    func possibleOnesPass(backbone: String) throws { try check(backbone) }

    @Test func priorMismatchesAreThoseOfTheFormulas() throws {
        let expected = [
            "ouve": exp(-1.5), "sbve": 0, "sbve_edm2": 0, "bbed": 0.001, "ve": 1, "vp": exp(-20.1 / 4),
            "subvp": exp(-20.1 / 4), "flow": 0,
        ]
        for entry in Catalog.standard.sdes.entries {
            let mismatch = try #require(Catalog.standard.priorMismatch(of: entry.name))
            let value = try #require(expected[entry.name])
            #expect(abs(mismatch.value - value) < 1e-7, "\(entry.name)")
            #expect(mismatch.formula != "clean(T)", "\(entry.name)")
        }
    }
}
