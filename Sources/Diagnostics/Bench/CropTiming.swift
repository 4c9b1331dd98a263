import Backbones
import Foundation
import Kernels
public import Models
import SpecLanguage
public import Specs
import Tensors

/// How long a spec's network takes for one crop, measured now; the estimate where no training of its kind was
/// measured.
public enum CropTiming {
    /// s of one evaluation of the network with random weights on one crop of the spec's size, without gradients.
    ///
    /// - Throws: Where the network cannot be built or does not fit in memory.
    public static func forward(of spec: ExperimentSpec, catalog: Catalog = .standard) throws -> Double? {
        guard let entry = catalog.backbones[spec.backbone.name] else { return nil }
        let (bins, frames) = (spec.transform.nFFT / 2 + 1, spec.data.numFrames)
        let backbone = try entry.build(spec.backbone.settings).make(BackboneContext())
        try backbone.check(bins: bins, frames: frames)
        let need = MemoryNeed(
            of: "a crop of \(frames) frames", settings: spec.backbone.settings, batch: 1, bins: bins, frames: frames,
            trains: false,
            hint: "nothing is timed")
        try need.check()
        func noise(_ purpose: String) -> Tensor {
            Tensor(
                RandomStream(seed: 1, purpose: "timing/" + purpose, 0).normals(
                    bins * frames * 2, standardDeviation: 0.7), shape: [1, bins, frames, 2])
        }
        let (x, y) = (noise("x"), noise("y"))
        return Gradients.off { Benchmark.measure("forward", repetitions: 1) { _ = backbone(x, y, [0.5]) } }.median
    }
}
