import SpecLanguage
import Specs

/// The sections of a spec as `sgmse registry` lists them: each path with what may stand there.
enum RegistrySections {
    struct Section {
        var name: String
        var summary: String
        var fields: [(path: String, field: Field)]
    }

    /// The keys of a spec itself, then every section, with the keys of sections and lists inside.
    static let all: [Section] = {
        let root = ExperimentSchema.root.fields
        let plain = root.filter { section(of: $0.type) == nil }
        let sections = root.compactMap { field in
            section(of: field.type).map {
                Section(name: field.name, summary: field.doc, fields: fields($0, below: field.name))
            }
        }
        return [Section(name: "spec", summary: "The keys of a spec itself.", fields: plain.map { ($0.name, $0) })]
            + sections
    }()

    private static func fields(_ schema: Schema, below path: String) -> [(path: String, field: Field)] {
        schema.fields.flatMap { field -> [(path: String, field: Field)] in
            let own = "\(path).\(field.name)"
            return [(own, field)] + (section(of: field.type).map { fields($0, below: own) } ?? [])
        }
    }

    /// The schema of a section, or of the sections in a list.
    private static func section(of type: FieldType) -> Schema? {
        switch type {
        case .section(let schema, _): schema
        case .list(let element, _, _): section(of: element)
        default: nil
        }
    }
}
