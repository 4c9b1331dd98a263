import Diffusion
import Foundation
import Models
import SpecLanguage
import Tensors

func golden<Content: Decodable>(_ name: String, as type: Content.Type = Content.self) throws -> Content {
    let folder = Bundle.module.resourceURL!.appendingPathComponent("Fixtures")
    return try JSONDecoder().decode(type, from: Data(contentsOf: folder.appendingPathComponent(name)))
}

/// max |a − b| over max |b|.
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    let largest = b.map { abs($0) }.max() ?? 0
    return Double(
        zip(a, b).map { $0 == $1 ? 0 : abs($0 - $1) }.reduce(0) { $1.isNaN ? .infinity : max($0, $1) } / largest)
}

/// Every SDE that a spec can name, with its defaults.
let allSDEs: [any SDE] = Catalog.standard.sdes.entries.compactMap { try? $0.standard() }

/// The score of `x_t` when clean speech is `N(mean, spread²)` (complex) around a multiple of `y`.
func gaussianScore(of sde: any SDE, mean: Double, spread: Double) -> Prediction {
    { x, y, t in
        let p = sde.marginal(at: t)
        let variance = p.clean * p.clean * spread * spread + p.std * p.std
        return .weighted(-1 / variance, x, (p.clean * mean + p.noisy) / variance, y)
    }
}
