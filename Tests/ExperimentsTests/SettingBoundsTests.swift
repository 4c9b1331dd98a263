import Models
import SpecLanguage
import Specs
import Testing

/// Numbers of specs: none is used before it is known to make sense.
@Suite struct SettingBoundsTests {
    private static let vocabulary = Catalog.standard.vocabulary

    /// The fields of a schema with their paths, those of sections, forms and registry entries included.
    private static func fields(_ schema: Schema, _ path: String = "") -> [(path: String, type: FieldType)] {
        schema.fields.flatMap { fields(of: $0.type, path + $0.name) }
    }

    private static func fields(of type: FieldType, _ path: String) -> [(path: String, type: FieldType)] {
        switch type {
        case .section(let inner, _): fields(inner, path + ".")
        case .list(let element, _, _): fields(of: element, path)
        case .variant(let forms): forms.flatMap { fields($0.parameters, "\(path)=\($0.name).") }
        case .choice(let kind): vocabulary.entries(kind).flatMap { fields($0.parameters, "\(path)=\($0.name).") }
        default: [(path, type)]
        }
    }

    /// A seed may be any number: nothing is as large as it says.
    @Test func everyWholeNumberHasALeastAndAGreatestValue() {
        var found = 0
        for (path, type) in Self.fields(ExperimentSchema.root) {
            guard case .integer(let bounds) = type, !path.hasSuffix("seed"), !path.hasSuffix("seeds") else { continue }
            found += 1
            #expect(bounds.lower != nil && bounds.upper != nil, "\(path)")
        }
        #expect(found > 40, "\(found)")
    }

    @Test(arguments: [
        "train: { patience: 1, retries: 100000 }", "backbone: { name: ncsnpp, nf: 1000000000 }",
        "conditioning: { noise_embed_dim: 9000000000 }", "evaluate: { max_files: 99999999999999999999 }",
        "train: { checkpoint_every: 0 }",
    ])
    func aNumberOutOfBoundsIsAMistakeOfItsLine(text: String) {
        let error = #expect(throws: SpecErrors.self) { try SpecLoader(vocabulary: Self.vocabulary).load(text: text) }
        #expect(error?.all.contains { $0.mark.line == 1 && $0.severity == .error } == true)
    }
}
