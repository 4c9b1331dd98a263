public import Failures

/// A table of choices of one kind: an immutable value that is made once and handed down.
public struct Registry<Value>: Sendable {
    /// A choice: how it is described, and how it is built.
    public struct Entry: Sendable {
        /// Name, help, parameters and facts, which the checker and `sgmse registry` read.
        public let descriptor: EntryDescriptor
        /// Builds the value from its parameters, all of them present and checked.
        public let build: @Sendable (Settings) throws -> Value

        public init(_ descriptor: EntryDescriptor, build: @escaping @Sendable (Settings) throws -> Value) {
            self.descriptor = descriptor
            self.build = build
        }

        /// The name by which a spec chooses it.
        public var name: String { descriptor.name }

        /// The value with every parameter at its default, among the registries of `vocabulary`.
        public func standard(_ vocabulary: Vocabulary = .empty) throws -> Value {
            try build(descriptor.defaults(vocabulary))
        }
    }

    /// What the entries are, in the words of a message: "SDE".
    public let noun: String
    /// All entries, in the order in which they are listed.
    public let entries: [Entry]

    public init(_ noun: String, _ entries: [Entry]) {
        precondition(
            Set(entries.map(\.name)).count == entries.count, "two entries of the \(noun) registry share a name")
        self.noun = noun
        self.entries = entries
    }

    /// The entry of a name; `nil` for an unknown one.
    public subscript(name: String) -> Entry? { entries.first { $0.name == name } }

    /// The entries without their builders, as a ``Vocabulary`` takes them.
    public var descriptors: [EntryDescriptor] { entries.map(\.descriptor) }

    /// A larger copy.
    public func adding(_ entry: Entry) -> Registry { Registry(noun, entries + [entry]) }

    /// Builds a choice of a resolved spec.
    ///
    /// - Throws: `UnknownEntry`, or what the entry's builder throws.
    public func make(_ choice: Choice) throws -> Value {
        guard let entry = self[choice.name] else {
            throw UnknownEntry(noun: noun, name: choice.name, known: entries.map(\.name))
        }
        return try entry.build(choice.settings)
    }
}

/// A name that a registry does not hold.
public struct UnknownEntry: Diagnostic, Hashable, Sendable {
    /// What the registry's entries are, such as `SDE`.
    public var noun: String
    /// The name as it was written.
    public var name: String
    /// All names of the registry.
    public var known: [String]

    package init(noun: String, name: String, known: [String]) {
        (self.noun, self.name, self.known) = (noun, name, known)
    }

    public var summary: String { "unknown \(noun) '\(name)'" }
    public var hint: String? {
        nearest(to: name, among: known).map { "did you mean '\($0)'?" } ?? "known: " + known.joined(separator: ", ")
    }
    public var category: FailureCategory { .request }
    public var description: String { "\(summary): \(hint ?? "")" }
}
