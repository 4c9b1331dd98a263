import Diffusion
import Experiments
import Foundation
import Models
import Reported
import Reports
import SpecLanguage
import Specs
import Tensors

/// The rows of a paper's table, with the specs that they name read.
struct TableRows {
    let sources: [RowSource]
    /// By row; rows without a spec have none.
    private let specs: [Int: LoadedSpec]

    init(_ declaration: TableDeclaration) {
        var (sources, specs): ([RowSource], [Int: LoadedSpec]) = ([], [:])
        for (place, row) in declaration.rows.enumerated() {
            guard case .spec(let path) = row.source else {
                sources.append(RowSource())
                continue
            }
            do throws(SpecErrors) {
                let loaded = try Library.loader.load(path, overrides: row.overrides)
                specs[place] = loaded
                sources.append(RowSource(loaded))
            } catch {
                sources.append(
                    RowSource(failure: error.all.first.map { "\($0.mark): \($0.summary)" } ?? "the spec cannot be read")
                )
            }
        }
        (self.sources, self.specs) = (sources, specs)
    }

    /// What it takes to run the specs of rows, from measured speeds.
    func costs(of rows: Set<Int>, store: StoreOptions, corpora: CorpusOptions) -> [Int: PaperTable.Cost] {
        let folder = (URL(fileURLWithPath: store.path).path as NSString).deletingLastPathComponent
        let known = FileManager.default.fileExists(atPath: store.path) ? try? store.open() : nil
        let planner = Planner(store: known, folder: folder, corpora: corpora.folder)
        return rows.reduce(into: [:]) { costs, row in
            guard let loaded = specs[row] else { return }
            do {
                let plan = try planner.plan(loaded)
                let unmeasured = plan.unmeasured > 0 ? ", \(plan.unmeasured) of a kind that was not measured yet" : ""
                costs[row] = PaperTable.Cost(
                    seconds: plan.seconds > 0 ? plan.seconds : nil,
                    remark: "\(plan.pending.count) steps to do\(unmeasured)")
            } catch {
                let first = "\(error)".split(separator: "\n").first.map(String.init) ?? ""
                costs[row] = PaperTable.Cost(seconds: nil, remark: first)
            }
        }
    }
}

extension RowSource {
    fileprivate init(_ loaded: LoadedSpec) {
        let runs = zip(loaded.runs, loaded.evaluations).map { run, evaluations in
            SpecifiedRun(
                name: run.name, identity: run.identity.hex, seed: UInt64(run.seed),
                points: evaluations.map { one in
                    Point(
                        set: one.point.set.name, steps: one.point.N, guidance: one.point.guidance,
                        identity: one.identity.hex)
                })
        }
        self.init(
            runs: runs, metrics: Set(loaded.spec.evaluate.metrics.map(\.name)),
            evaluationsOfNetwork: loaded.evaluations.first.map { Self.evaluationsOfNetwork(loaded, $0) } ?? [:])
    }

    /// How often each sampler calls the network, counted on a signal of one value.
    private static func evaluationsOfNetwork(_ loaded: LoadedSpec, _ evaluations: [SpecEvaluation]) -> [Int: Int] {
        let catalog = Catalog.standard
        guard let sde = try? catalog.sdes.make(loaded.spec.sde) else { return [:] }
        return evaluations.reduce(into: [:]) { counts, one in
            guard let steps = one.point.N, counts[steps] == nil,
                let sampler = try? catalog.samplers.make(one.point.sampler).make(
                    SamplerContext(catalog: catalog, sde: sde, steps: steps, finalTime: one.point.tEps))
            else { return }
            var noise = NoiseSource.addressed(seed: 0, files: ["count"])
            let y = Tensor([0.1, 0.1], shape: [1, 1, 1, 2])
            counts[steps] = sampler.sample(given: y, noise: &noise) { x, _, _ in x }.nfe
        }
    }
}
