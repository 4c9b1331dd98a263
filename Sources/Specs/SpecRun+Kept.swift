public import SpecLanguage

extension SpecRun {
    /// A run again, from a resolved spec that was kept, as on another machine than that of its spec's file.
    public init(name: String, label: String, seed: Int, spec: ExperimentSpec, vocabulary: Vocabulary) {
        self.init(
            name: name, label: label, seed: seed, point: [], spec: spec, identity: spec.trainingIdentity(seed: seed),
            agenda: EvaluationAgenda(spec, takesSteps: DerivedSettings(vocabulary: vocabulary).takesSteps))
    }
}

extension LoadedSpec {
    /// Runs that were kept, as if a spec had just these.
    ///
    /// - Precondition: There is at least one.
    public init(_ runs: [SpecRun], file: String) {
        self.init(
            spec: runs[0].spec, origins: [:], runs: runs, warnings: [], files: [file], profile: nil, profiles: [],
            sweptPaths: [],
            unknown: [:], launcher: nil)
    }
}
