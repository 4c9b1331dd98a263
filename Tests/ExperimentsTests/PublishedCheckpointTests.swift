import Checkpoints
import Experiments
import Foundation
import Models
import SpecLanguage
import Testing

@Suite struct PublishedCheckpointTests {
    private let registry = CheckpointRegistry.standard

    @Test func everythingThatTheGuideListsIsThere() {
        #expect(registry.entries.count == 23)
        #expect(Set(registry.entries.map(\.id)).count == 23)
        for number in 1...8 { #expect(registry["m\(number)"] != nil) }
        #expect(registry["sgmse-plus-wsj0-reverb"]?.sampler.contains("--N 50") == true)
        #expect(registry["sgmse-plus-wsj0-reverb"]?.sampler.contains("--snr 0.33") == true)
    }

    /// Sets without a figure from a primary source have none here.
    @Test func unverifiedFiguresAreNotGiven() {
        for id in [
            "sgmse-plus-wsj0-chime3", "sgmse-plus-wsj0-reverb", "sb-vb-dmd-ears-wham", "sb-reverbfx-artificial",
            "flowse-vb-dmd", "storm-vb-dmd",
        ] {
            #expect(registry[id]?.reported.isEmpty == true, "\(id)")
        }
        #expect(registry["m7"]?.reported.first?.values.first { $0.metric == "pesq" }?.value == 3.50)
    }

    @Test func expectedNamesExist() {
        let catalog = Catalog.standard
        for entry in registry.entries {
            #expect(catalog.sdes[entry.sde] != nil, "\(entry.id)")
            #expect(entry.backbone == "not stated" || catalog.backbones[entry.backbone] != nil, "\(entry.id)")
        }
    }

    @Test func aMissingFileSaysWhereItIsPublished() throws {
        do {
            _ = try StoredModel.find("m5", folder: "/nowhere") {
                throw CheckpointError(path: "store", reason: "was opened")
            }
            Issue.record("was found")
        } catch let error as CheckpointError {
            #expect(error.description.contains("icassp2025_gense/checkpoints/m5.ckpt"))
            #expect(error.hint?.contains("curl") == true)
        }
    }

    @Test func aFileIsFoundUnderItsPublishedNameOrItsID() throws {
        try withFolder { folder in
            let entry = try #require(registry["sb-vb-dmd-ears-wham"])
            #expect(entry.file(in: folder) == nil)
            for name in ["sb-vb-dmd-ears-wham.ckpt", "SB_VB-DMD_EARS-WHAM_900k.pt"] {
                try Data([1]).write(to: URL(fileURLWithPath: folder + "/" + name))
                #expect(entry.file(in: folder) == folder + "/" + name)
            }
        }
    }
}
