/// Entries of registries, lists, and tables.
extension SettingsResolver {
    func entry(_ name: String, _ type: FieldType) -> EntryDescriptor? {
        switch type {
        case .choice(let kind): vocabulary[kind, name]
        case .variant(let entries): entries.first { $0.name == name }
        default: nil
        }
    }

    func known(_ type: FieldType) -> [EntryDescriptor] {
        switch type {
        case .choice(let kind): vocabulary.entries(kind)
        case .variant(let entries): entries
        default: []
        }
    }

    mutating func choice(_ node: SpecNode, _ type: FieldType, field: Field, path: String) -> Choice? {
        var kind = field.name
        if case .choice(let registry) = type { kind = registry.noun }
        let entries = known(type)
        let nameNode: SpecNode
        var parameters: [SpecNode.Entry] = []
        switch node.content {
        case .scalar: nameNode = node
        case .map(let pairs):
            parameters = pairs.filter { $0.key != "name" }
            if let written = node["name"] {
                nameNode = written
            } else if case .value(.text(let usual)) = field.standard {
                nameNode = SpecNode(.scalar(usual, isQuoted: true), at: node.mark, layer: .standard)
            } else if case .choice(let registry) = type, let usual = usual[registry] {
                nameNode = SpecNode(.scalar(usual, isQuoted: true), at: node.mark, layer: .standard)
            } else {
                report(
                    "missing-value", at: node, path: path, "'\(field.name)' does not name a \(kind)",
                    hint: "known: " + entries.map(\.name).joined(separator: ", "))
                return nil
            }
        case .list:
            report(
                "wrong-type", at: node, path: path, "'\(field.name)' wants one \(kind), not a list",
                hint: "to try several: sweep: { grid: { \(path): [...] } }")
            return nil
        }
        guard let name = nameNode.text else {
            report("wrong-type", at: nameNode, path: path, "the name of a \(kind) is a text, not \(nameNode.noun)")
            return nil
        }
        guard let entry = entry(name, type) else {
            if entries.isEmpty, case .choice = type {
                note(Origin(nameNode), path)
                return Choice(name)
            }
            errors.append(.unknown(kind, name, known: entries.map(\.name), at: nameNode.mark))
            failed.insert(path)
            return nil
        }
        note(Origin(nameNode), path)
        let noun = "\(kind) '\(name)'"
        var owners: [String: String] = [:]
        for written in parameters where entry.parameters[written.key] == nil {
            owners[written.key] = entries.first { $0.parameters[written.key] != nil }.map { "\(kind) '\($0.name)'" }
        }
        return Choice(name, settings(parameters, entry.parameters, path: path, noun: noun, owners: owners))
    }

    // MARK: Lists and tables

    mutating func list(
        _ node: SpecNode, of element: FieldType, atLeast count: Int, spreads: Bool, field: Field, path: String
    ) -> SettingValue? {
        var elements = node.elements ?? [node]
        if spreads { elements = elements.flatMap { spread($0, element) } }
        guard elements.count <= Self.mostElements else {
            report(
                "out-of-range", at: node, path: path,
                "'\(field.name)' has \(elements.count) values, at most \(Self.mostElements) are taken")
            return nil
        }
        var values: [SettingValue] = []
        var one = field
        one.standard = .required
        var isGood = true
        for (index, node) in elements.enumerated() {
            if let value = typed(node, element, field: one, path: "\(path)[\(index)]") {
                values.append(value)
            } else {
                isGood = false
            }
        }
        guard isGood else {
            failed.insert(path)
            return nil
        }
        guard values.count >= count else {
            report(
                "out-of-range", at: node, path: path,
                "'\(field.name)' wants at least \(count == 1 ? "one value" : "\(count) values")")
            return nil
        }
        note(Origin(node), path)
        return .list(values)
    }

    /// The choices that a choice stands for, one for each combination of the lists among its parameters.
    func spread(_ node: SpecNode, _ type: FieldType) -> [SpecNode] {
        var usualName: String?
        if case .choice(let kind) = type { usualName = usual[kind] }
        guard let entries = node.entries, let name = node["name"]?.text ?? usualName, let entry = entry(name, type)
        else { return [node] }
        var variants: [[SpecNode.Entry]] = [[]]
        for pair in entries {
            var options = [pair]
            if let elements = pair.value.elements, !elements.isEmpty, let field = entry.parameters[pair.key],
                !field.type.isList
            {
                options = elements.map { .init(pair.key, at: pair.mark, $0) }
            }
            variants = variants.flatMap { prefix in options.map { prefix + [$0] } }
            // A product beyond any evaluation is left to be reported as the wrong type.
            if variants.count > 10_000 { return [node] }
        }
        return variants.map { SpecNode(.map($0), at: node.mark, layer: node.layer) }
    }

    mutating func table(_ node: SpecNode, field: Field, path: String) -> SettingValue? {
        var settings = Settings()
        let count = node.elements?.count ?? node.entries?.count ?? 1
        guard count <= Self.mostEntries else {
            report(
                "out-of-range", at: node, path: path,
                "'\(field.name)' has \(count) entries, at most \(Self.mostEntries) are taken")
            return nil
        }
        if let elements = node.elements {
            for element in elements {
                guard let name = element.text else {
                    report("wrong-type", at: element, path: path, "'\(field.name)' wants names, not \(element.noun)")
                    continue
                }
                settings[name] = .text("")
                note(Origin(element), path + "." + name)
            }
        } else if let entries = node.entries {
            for entry in entries {
                guard let text = entry.value.text else {
                    report(
                        "wrong-type", at: entry.value, path: path,
                        "'\(entry.key)' wants a text, not \(entry.value.noun)")
                    continue
                }
                settings[entry.key] = .text(text)
                note(Origin(layer: entry.value.layer, mark: entry.mark), path + "." + entry.key)
            }
        } else if let text = node.text {
            settings[text] = .text("")
        }
        note(Origin(node), path)
        return .section(settings)
    }
}

extension FieldType {
    var isList: Bool {
        if case .list = self { true } else { false }
    }
}
