import Backbones
public import SpecLanguage
public import Specs

/// Finds networks that cannot be built, or cannot take the spectrograms of their spec, before anything is built.
///
/// What each option may be by itself the spec language checks; here are the combinations that only a network knows.
public struct NetworkCheck: Sendable {
    public init() {}

    /// - Throws: Each such combination as a mistake of the spec, in its place.
    public func check(_ loaded: LoadedSpec) throws(SpecErrors) {
        var errors: [SpecError] = []
        var latest: Choice?
        // Most runs of a sweep have the network of the run before them.
        for run in loaded.runs where run.spec.backbone != latest {
            latest = run.spec.backbone
            guard let problem = Self.problem(of: run.spec) else { continue }
            let marks = ["backbone.\(problem.option)", "backbone.name", "backbone"].lazy.compactMap {
                loaded.origins[$0]?.mark
            }
            let mark = marks.first ?? Mark(file: loaded.file, line: 1, column: 1, text: "")
            errors.append(SpecError("network", at: mark, "backbone '\(run.spec.backbone.name)': \(problem)"))
        }
        if !errors.isEmpty { throw SpecErrors(errors) }
    }

    /// Why the network of a spec cannot be built or used; `nil` where it can.
    static func problem(of spec: ExperimentSpec) -> BackboneError? {
        problem(of: spec.backbone, spec) ?? spec.regression.flatMap { problem(of: $0.backbone, spec) }
    }

    private static func problem(of backbone: Choice, _ spec: ExperimentSpec) -> BackboneError? {
        let settings = backbone.settings
        do throws(BackboneError) {
            switch backbone.name {
            case "ncsnpp_storm", "ncsnpp_storm_12m", "ncsnpp_storm_6m", "ncsnpp_storm_large":
                try check(NCSNppOptions(settings, .regeneration), spec)
            case "ncsnpp": try check(NCSNppOptions(settings, .journal), spec)
            case "ncsnpp_interval":
                let options = NCSNppOptions(settings, .v2)
                try IntervalNCSNpp.check(options)
                try check(options, spec)
            case "ncsnpp_v2", "ncsnpp_v2_cond": try check(NCSNppOptions(settings, .v2), spec)
            case "ncsnpp_48k": try check(NCSNppOptions(settings, .fullband), spec)
            case "edm2":
                let options = EDM2Options(settings)
                try options.validate()
                try check(
                    options.attentionWeights(bins: spec.transform.nFFT / 2 + 1, frames: spec.data.numFrames),
                    "channel_mult", spec)
            case "dcunet":
                let options = DCUNetOptions(settings)
                try options.validate()
                guard options.takesAnyFrames else {
                    throw BackboneError(
                        option: "dcunet_fix_length",
                        reason: "'none' takes a multiple of its strides plus one frame, and frames are padded to a "
                            + "multiple of 64; use 'pad' or 'trim'")
                }
            default: break
            }
            return nil
        } catch {
            return error
        }
    }

    private static func check(_ options: NCSNppOptions, _ spec: ExperimentSpec) throws(BackboneError) {
        try options.validate()
        try check(
            options.attentionWeights(bins: spec.transform.nFFT / 2 + 1, frames: spec.data.numFrames), "ch_mult", spec)
    }

    private static func check(_ attentionWeights: Double, _ levels: String, _ spec: ExperimentSpec)
        throws(BackboneError)
    {
        let gigabytes = attentionWeights * 4 / 1e9
        guard gigabytes <= mostGigabytes else {
            throw BackboneError(
                option: levels,
                reason:
                    "attention between all pixels of \(spec.data.numFrames) frames would need \(Int(gigabytes)) GB at once; halve "
                    + "more often (more entries of \(levels)), or attend at coarser levels (attn_resolutions)")
        }
    }

    /// What one map of attention weights may take.
    private static let mostGigabytes = 8.0
}
