/// The settings of a section, in the order in which they are shown.
public struct Schema: Sendable {
    /// In the order in which resolved specs and documentation show them; names and aliases are unique.
    public let fields: [Field]
    /// What earlier versions had here.
    public let retired: [RetiredSetting]
    private let places: [String: Int]

    public init(_ fields: [Field], retired: [RetiredSetting] = []) {
        self.fields = fields
        self.retired = retired
        var places: [String: Int] = [:]
        for (index, field) in fields.enumerated() {
            for name in [field.name] + field.aliases { places[name] = index }
        }
        self.places = places
    }

    /// The field called `name`, by its own name or another.
    public subscript(name: String) -> Field? { places[name].map { fields[$0] } }

    /// All names under which something can be written here.
    public var allNames: [String] { fields.flatMap { [$0.name] + $0.aliases } }
}

// MARK: Paths

extension Schema {
    /// The field at a dotted path, where the path does not lead into a registry's entry.
    public func field(at path: String) -> Field? {
        var schema = self
        var found: Field?
        for name in path.split(separator: ".") {
            guard let field = schema[String(name)] else { return nil }
            found = field
            if case .section(let inner, _) = field.type { schema = inner } else { schema = Schema([]) }
        }
        return found
    }

    /// The path in the names of the language, where an alias was written.
    package func canonical(_ path: String) -> String {
        var schema: Schema? = self
        return path.split(separator: ".", omittingEmptySubsequences: false).map { part in
            guard let field = schema?[String(part)] else {
                schema = nil
                return String(part)
            }
            if case .section(let inner, _) = field.type { schema = inner } else { schema = nil }
            return field.name
        }.joined(separator: ".")
    }

    /// The section that a path leads into, by the section's own name.
    package func section(of path: String) -> String {
        let head = String(path.prefix { $0 != "." })
        return self[head]?.name ?? head
    }
}
