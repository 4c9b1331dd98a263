/// What is declared at a path: of the language itself, or a parameter of a registry's entry.
extension Vocabulary {
    /// The field of a path; of a parameter, that of the first entry that has one of the name.
    package func field(at path: String) -> Field? {
        if let field = schema.field(at: path) { return field }
        guard let dot = path.lastIndex(of: "."), let parent = field(at: String(path[..<dot])) else { return nil }
        let name = String(path[path.index(after: dot)...])
        let entries: [EntryDescriptor] =
            switch parent.type.innermost {
            case .choice(let kind): self.entries(kind)
            case .variant(let forms): forms
            default: []
            }
        return entries.first { $0.parameters[name] }
    }

    /// The paths of the language under all their names, and of the parameters of what it lets choose.
    package var paths: [String] { paths(in: schema, prefix: "") }

    private func paths(in schema: Schema, prefix: String) -> [String] {
        schema.fields.flatMap { field in
            ([field.name] + field.aliases).flatMap { name -> [String] in
                let path = prefix + name
                switch field.type.innermost {
                case .section(let inner, _): return [path] + paths(in: inner, prefix: path + ".")
                case .choice(let kind): return [path] + parameters(of: entries(kind), prefix: path + ".")
                case .variant(let forms): return [path] + parameters(of: forms, prefix: path + ".")
                default: return [path]
                }
            }
        }
    }

    private func parameters(of entries: [EntryDescriptor], prefix: String) -> [String] {
        var seen: Set<String> = []
        return (["name"] + entries.flatMap { $0.parameters.fields.flatMap { [$0.name] + $0.aliases } })
            .filter { seen.insert($0).inserted }.map { prefix + $0 }
    }

    /// Whether a setting takes whole numbers; `nil` where nothing is declared.
    package func takesWholeNumbers(at path: String) -> Bool? {
        field(at: path).map { if case .integer = $0.type.innermost { true } else { false } }
    }
}

extension FieldType {
    /// The type of a list's elements, or the type itself.
    fileprivate var innermost: FieldType {
        if case .list(let element, _, _) = self { element.innermost } else { self }
    }
}
