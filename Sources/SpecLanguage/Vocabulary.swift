/// A kind of registry whose entries a spec can choose.
public struct RegistryKind: Hashable, Sendable {
    /// The kind's name in schemas and identities, such as `noise_encoder`; kinds are equal if their names are.
    public let name: String
    /// The kind in the words of a message.
    public let noun: String
    /// Parameters that are no part of any identity: they decide how an entry computes and nothing of what it computes,
    /// or what is distinguished otherwise.
    ///
    /// Listed by name, since a stored spec is read without the registries it was resolved with.
    public let meaninglessParameters: Set<String>

    public init(_ name: String, noun: String? = nil, meaninglessParameters: Set<String> = []) {
        self.name = name
        self.noun = noun ?? name
        self.meaninglessParameters = meaninglessParameters
    }

    /// Equal names make equal kinds.
    public static func == (a: RegistryKind, b: RegistryKind) -> Bool { a.name == b.name }
    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// The description of a registry's entry: its name, help, parameters, and the facts that checks need.
public struct EntryDescriptor: Sendable {
    /// The name by which a spec chooses the entry.
    public var name: String
    public var summary: String
    /// The paper or code it comes from.
    public var source: String
    /// The settings that the entry takes.
    public var parameters: Schema
    /// Facts for the checks between settings; only the checks know the type.
    public var facts: any Sendable

    public init(_ name: String, _ summary: String, source: String = "", parameters: [Field] = [], facts: any Sendable) {
        self.name = name
        self.summary = summary
        self.source = source
        self.parameters = Schema(parameters)
        self.facts = facts
    }

    /// Every parameter at its default.
    public func defaults(_ vocabulary: Vocabulary = .empty) -> Settings {
        var resolver = SettingsResolver(vocabulary, recordsOrigins: false)
        return resolver.defaults(of: parameters, path: name)
    }
}

/// All settings of specs and, for each kind of registry, the descriptors of its entries.
///
/// The upper layer makes it from its registries and passes it down.
public struct Vocabulary: Sendable {
    /// No settings and no registries: enough for defaults that choose nothing.
    public static let empty = Vocabulary(schema: Schema([]), ownKeys: [])

    /// The whole of a spec file.
    public let schema: Schema
    /// Keys that describe one file and are not passed on to those that extend it.
    public let ownKeys: Set<String>
    private var tables: [RegistryKind: [EntryDescriptor]]
    private var places: [RegistryKind: [String: Int]]
    /// The names of checks that a spec may waive, besides the language's own.
    public var gates: [String]
    /// Checks that nothing can waive.
    public var fixedGates: [String]

    public init(
        schema: Schema, ownKeys: Set<String>, _ tables: [RegistryKind: [EntryDescriptor]] = [:], gates: [String] = [],
        fixedGates: [String] = []
    ) {
        self.schema = schema
        self.ownKeys = ownKeys
        self.tables = tables
        (self.gates, self.fixedGates) = (gates, fixedGates)
        places = tables.mapValues { entries in
            Dictionary(entries.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        }
    }

    /// The entries of a kind, in the order of their registry; empty for an unknown kind.
    public func entries(_ kind: RegistryKind) -> [EntryDescriptor] { tables[kind] ?? [] }

    /// The entry of a kind and name; `nil` for an unknown one.
    public subscript(kind: RegistryKind, name: String) -> EntryDescriptor? {
        places[kind]?[name].flatMap { tables[kind]?[$0] }
    }

    /// A larger copy.
    public func adding(_ entry: EntryDescriptor, to kind: RegistryKind) -> Vocabulary {
        var tables = tables
        tables[kind, default: []].append(entry)
        return Vocabulary(schema: schema, ownKeys: ownKeys, tables, gates: gates)
    }
}
