/// Merges trees of nodes by the schema: sections and the parameters of one entry are joined,
/// everything else is replaced.
package struct SpecComposer {
    /// Keys that composition reads before the tree is resolved.
    package static let compositionKeys: Set<String> = ["extends", "sweep", "profiles"]
    /// Keys that are no settings of an experiment: those of composition, and where it is run.
    package static let separateKeys = compositionKeys.union(["launcher"])

    /// The whole of a spec file.
    package let root: Schema
    package private(set) var errors: [SpecError] = []

    package init(_ root: Schema) { self.root = root }

    // MARK: One form for each setting

    /// A whole file, or changes to one, in that form.
    package mutating func canonical(_ node: SpecNode) -> SpecNode { canonical(node, root) }

    /// The tree with own names for aliases, and with short forms (`sde: ouve`) written out (`sde: { name: ouve }`).
    private mutating func canonical(_ node: SpecNode, _ schema: Schema) -> SpecNode {
        guard let entries = node.entries else { return node }
        var result: [SpecNode.Entry] = []
        for entry in entries {
            guard let field = schema[entry.key] else {
                result.append(entry)
                continue
            }
            if let earlier = result.first(where: { $0.key == field.name }) {
                errors.append(
                    SpecError(
                        "duplicate-key", at: entry.mark, "'\(entry.key)' is given twice",
                        hint: "line \(earlier.mark.line) already sets '\(field.name)'"))
                continue
            }
            result.append(.init(field.name, at: entry.mark, canonical(entry.value, field)))
        }
        return SpecNode(.map(result), at: node.mark, layer: node.layer)
    }

    private mutating func canonical(_ node: SpecNode, _ field: Field) -> SpecNode {
        switch field.type {
        case .section(let schema, let shorthand):
            if let shorthand, node.text != nil, !node.isNull { return wrapped(node, under: shorthand) }
            return canonical(node, schema)
        case .choice, .variant:
            return node.text != nil && !node.isNull ? wrapped(node, under: "name") : node
        case .raw where field.name == "profiles":
            guard let profiles = node.entries else { return node }
            let bodies = profiles.map { SpecNode.Entry($0.key, at: $0.mark, canonical($0.value, root)) }
            return SpecNode(.map(bodies), at: node.mark, layer: node.layer)
        default:
            return node
        }
    }

    private func wrapped(_ node: SpecNode, under key: String) -> SpecNode {
        SpecNode(.map([.init(key, at: node.mark, node)]), at: node.mark, layer: node.layer)
    }

    // MARK: Merging

    /// `overlay` over `base`, both in their one form.
    package func merged(_ base: SpecNode, _ overlay: SpecNode) -> SpecNode { merged(base, overlay, root) }

    private func merged(_ base: SpecNode, _ overlay: SpecNode, _ schema: Schema) -> SpecNode {
        Self.joined(base, overlay) { name in
            guard let field = schema[name] else { return Self.replaced }
            return { merged($0, $1, field) }
        }
    }

    private func merged(_ base: SpecNode, _ overlay: SpecNode, _ field: Field) -> SpecNode {
        switch field.type {
        case .section(let schema, _):
            return merged(base, overlay, schema)
        case .table:
            return Self.joined(base, overlay) { _ in Self.replaced }
        case .choice, .variant:
            return Self.mergedChoice(base, overlay, field)
        case .list(of: .choice, _, _), .list(of: .variant, _, _):
            // A single choice in place of a list is merged as a choice.
            guard overlay.entries != nil else { return overlay }
            let named =
                base.text == nil
                ? base : SpecNode(.map([.init("name", at: base.mark, base)]), at: base.mark, layer: base.layer)
            return Self.mergedChoice(named, overlay, field)
        case .raw where field.name == "profiles":
            return Self.joined(base, overlay) { _ in { merged($0, $1) } }
        default:
            return overlay
        }
    }

    private static func mergedChoice(_ base: SpecNode, _ overlay: SpecNode, _ field: Field) -> SpecNode {
        var usual: String?
        if case .value(.text(let name)) = field.standard { usual = name }
        // Another entry has other parameters: those of the former do not carry over.
        if let name = overlay["name"]?.text, name != base["name"]?.text ?? usual { return overlay }
        return joined(base, overlay) { _ in deep }
    }

    private static func replaced(_ base: SpecNode, _ overlay: SpecNode) -> SpecNode { overlay }

    private static func deep(_ base: SpecNode, _ overlay: SpecNode) -> SpecNode {
        if let name = overlay["name"]?.text, name != base["name"]?.text { return overlay }
        return joined(base, overlay) { _ in deep }
    }

    /// The union of two maps, with shared keys joined by `rule`; `overlay` where either is no map.
    private static func joined(
        _ base: SpecNode, _ overlay: SpecNode, _ rule: (String) -> (SpecNode, SpecNode) -> SpecNode
    ) -> SpecNode {
        guard var entries = base.entries, let additions = overlay.entries else { return overlay }
        var places = Dictionary(entries.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        for addition in additions {
            if let place = places[addition.key] {
                let value = rule(addition.key)(entries[place].value, addition.value)
                entries[place] = .init(addition.key, at: addition.mark, value)
            } else {
                places[addition.key] = entries.count
                entries.append(addition)
            }
        }
        return SpecNode(.map(entries), at: overlay.mark, layer: overlay.layer)
    }

    /// The tree with only the value at the dotted path.
    package static func tree(_ path: [(name: String, mark: Mark)], _ value: SpecNode) -> SpecNode {
        path.reversed().reduce(value) { inner, step in
            SpecNode(.map([.init(step.name, at: step.mark, inner)]), at: step.mark, layer: value.layer)
        }
    }
}
