import Backbones
public import SpecLanguage
public import Specs

/// Finds networks that cannot be built, or cannot take the spectrograms of their spec, before anything is built.
///
/// What each option may be by itself the spec language checks; here are the combinations that only a network knows.
public struct NetworkCheck: Sendable {
    private let catalog: Catalog

    public init(_ catalog: Catalog = .standard) { self.catalog = catalog }

    /// - Throws: Each such combination as a mistake of the spec, in its place.
    public func check(_ loaded: LoadedSpec) throws(SpecErrors) {
        var errors: [SpecError] = []
        var latest: Choice?
        // Most runs of a sweep have the network of the run before them.
        for run in loaded.runs where run.spec.backbone != latest {
            latest = run.spec.backbone
            guard let problem = problem(of: run.spec) else { continue }
            let marks = ["backbone.\(problem.option)", "backbone.name", "backbone"].lazy.compactMap {
                loaded.origins[$0]?.mark
            }
            let mark = marks.first ?? Mark(file: loaded.file, line: 1, column: 1, text: "")
            errors.append(SpecError("network", at: mark, "backbone '\(run.spec.backbone.name)': \(problem)"))
        }
        if !errors.isEmpty { throw SpecErrors(errors) }
    }

    /// Why the network of a spec cannot be built or used; `nil` where it can.
    private func problem(of spec: ExperimentSpec) -> BackboneError? {
        problem(of: spec.backbone, spec) ?? spec.regression.flatMap { problem(of: $0.backbone, spec) }
    }

    private func problem(of backbone: Choice, _ spec: ExperimentSpec) -> BackboneError? {
        // Names are checked with the spec.
        guard let network = try? catalog.backbones.make(backbone) else { return nil }
        do throws(BackboneError) {
            try network.check(spec.transform.nFFT / 2 + 1, spec.data.numFrames)
            return nil
        } catch {
            return error
        }
    }
}
