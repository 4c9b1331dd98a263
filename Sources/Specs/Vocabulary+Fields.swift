/// What is declared at a path: of the language itself, or a parameter of a registry's entry.
extension ExperimentVocabulary {
    /// The field of a path; of a parameter, that of the first entry that has one of the name.
    func field(at path: String) -> Field? {
        if let field = ExperimentSchema.field(at: path) { return field }
        guard let dot = path.lastIndex(of: "."), let parent = field(at: String(path[..<dot])) else { return nil }
        let name = String(path[path.index(after: dot)...])
        let entries: [EntryDescriptor] = switch parent.type.innermost {
        case .choice(let kind): self.entries(kind)
        case .variant(let forms): forms
        default: []
        }
        return entries.first { $0.parameters[name] }
    }

    /// Whether a setting takes whole numbers; `nil` where nothing is declared.
    func takesWholeNumbers(at path: String) -> Bool? {
        field(at: path).map { if case .integer = $0.type.innermost { true } else { false } }
    }
}

extension FieldType {
    /// The type of a list's elements, or the type itself.
    fileprivate var innermost: FieldType {
        if case .list(let element, _, _) = self { element.innermost } else { self }
    }
}
