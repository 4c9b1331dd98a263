public import SpecLanguage

extension SpecJSONSchema {
    /// The schema of experiments (draft 2020-12), stable and indented.
    public static func text(_ vocabulary: Vocabulary) -> String {
        let codes = Contradictions.codes.map(\.code)
        let waivable = codes + vocabulary.gates.filter { !codes.contains($0) }
        return text(vocabulary, title: "sgmse experiment", names: ["waive": waivable])
    }
}
