import Reported
public import SpecLanguage

extension Investigation {
    /// Reads a file.
    ///
    /// - Throws: `SpecErrors` with every mistake in its place, names of cells that are not declared among them.
    public init(text: String, file: String) throws(SpecErrors) {
        let (node, errors) = YAMLReader.read(text, file: file)
        guard let node else { throw SpecErrors(errors) }
        var section = SectionReader(node, "the investigation", errors: errors)
        let title = section.text("title") ?? ""
        let defaults = TestDefaults(reading: &section)
        let cellNode = section.optionalNode("cells")
        let list = section.list("hypotheses")
        section.finish()
        var mistakes = section.errors
        let (cells, groups) = CellReader(folder: FilePath.folder(of: file)).cells(of: cellNode, &mistakes)
        let reader = HypothesisReader(cells: cells, groups: groups, defaults: defaults)
        let hypotheses = list.compactMap { reader.hypothesis($0, &mistakes) }
        for (place, one) in hypotheses.enumerated() where hypotheses[..<place].contains(where: { $0.id == one.id }) {
            mistakes.append(
                SpecError(
                    "contradiction", at: one.place, "two hypotheses are called '\(one.id)'",
                    hint: "give each an id of its own"))
        }
        if !mistakes.isEmpty { throw SpecErrors(mistakes) }
        self.init(name: FilePath.stem(of: file), title: title, cells: cells, hypotheses: hypotheses, file: file)
    }

    /// Reads the file of an investigation, by its name in `folder` or by its path.
    public init(named name: String, folder: String, files: SpecFiles = .disk) throws(SpecErrors) {
        let isPath = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
        let names = isPath ? [] : try DeclarationFolder.files(of: folder, in: files).map(FilePath.stem)
        guard isPath || names.contains(name) else {
            throw SpecErrors([
                SpecError.unknown(
                    "investigation", name, known: names, at: Mark(file: folder, line: 1, column: 1, text: ""))
            ])
        }
        let file = isPath ? name : "\(folder)/\(name).yaml"
        try self.init(text: try DeclarationFolder.text(of: file, in: files), file: file)
    }
}

/// What tests take where they do not say it.
struct TestDefaults {
    var alpha: Double
    var metric: String?

    init(reading section: inout SectionReader) {
        alpha = section.level("alpha") ?? 0.05
        metric = section.optionalText("metric")
    }
}

extension SectionReader {
    /// A probability of error, above 0 and below 1.
    mutating func level(_ key: String) -> Double? {
        guard let value = optionalNumber(key) else { return nil }
        if !(value > 0 && value < 1) {
            fail("range", at: key, "'\(key)' is a level between 0 and 1, and this is \(value)")
        }
        return value
    }

    /// One of the names of an enumeration.
    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Choice.Type
    ) -> Choice? where Choice.RawValue == String {
        guard let text = optionalText(key) else { return nil }
        if let found = Choice(rawValue: text) { return found }
        fail(
            "unknown-name", at: key, "unknown \(key) '\(text)'",
            hint: "known: \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        return nil
    }
}

/// Reads the section `cells`.
struct CellReader {
    let folder: String

    /// The cells by name, and the names of the cells of each entry with `systems`.
    func cells(of node: SpecNode?, _ errors: inout [SpecError]) -> (
        cells: [String: CellSource], groups: [String: [String]]
    ) {
        guard let node else { return ([:], [:]) }
        guard let entries = node.entries else {
            errors.append(
                SpecError(
                    "type", at: node.mark, "'cells' is a section of cells by their names, and this is \(node.noun)"))
            return ([:], [:])
        }
        var (cells, groups): ([String: CellSource], [String: [String]]) = ([:], [:])
        for entry in entries {
            guard entry.value["systems"] != nil else {
                cells[entry.key] = cell(entry, &errors)
                continue
            }
            let group = group(entry, &errors)
            groups[entry.key] = group.map(\.name)
            for (name, cell) in group { cells[name] = cell }
        }
        return (cells, groups)
    }

    /// One cell for each system that a paper reports on one set.
    private func group(_ entry: SpecNode.Entry, _ errors: inout [SpecError]) -> [(name: String, cell: CellSource)] {
        var section = SectionReader(entry.value, "a group of cells", errors: [])
        let (paper, set, systems) = (section.text("paper"), section.text("set"), section.texts("systems"))
        let (conditions, count) = (
            section.optionalText("conditions", mayBeEmpty: true), section.optionalInteger("assume_n", above: 0)
        )
        section.finish()
        errors += section.errors
        guard let paper, let set, section.errors.isEmpty else { return [] }
        return systems.map { system in
            let origin = CellSource.Origin.reported(paper: paper, system: system, set: set, conditions: conditions)
            return (
                "\(entry.key): \(system)",
                CellSource(origin: origin, label: "'\(system)'", assumedCount: count, place: entry.mark)
            )
        }
    }

    private func cell(_ entry: SpecNode.Entry, _ errors: inout [SpecError]) -> CellSource? {
        var section = SectionReader(entry.value, "a cell", errors: [])
        let (label, count) = (section.optionalText("label"), section.optionalInteger("assume_n", above: 0))
        let runs = section.optionalInteger("runs", above: -1) ?? 1
        let set = section.optionalText("set") ?? ""
        let origin: CellSource.Origin?
        if let paper = section.optionalText("paper") {
            let conditions = section.optionalText("conditions", mayBeEmpty: true)
            origin = section.text("system").map {
                .reported(paper: paper, system: $0, set: set, conditions: conditions)
            }
        } else if let value = section.optionalNumber("known") {
            origin = section.text("because").map { .known(value: value, reason: $0) }
        } else if let run = section.text("run") {
            let spec = section.optionalText("spec").map { FilePath.joined(folder, $0) }
            origin = .stored(
                StoredCell(
                    run: run, spec: spec, set: set, factors: section.table("at"), overrides: section.texts("overrides"))
            )
        } else {
            origin = nil
        }
        if set.isEmpty, case .known? = origin {} else if set.isEmpty { _ = section.missing("set") }
        section.finish()
        errors += section.errors
        guard let origin, section.errors.isEmpty else { return nil }
        return CellSource(origin: origin, label: label ?? entry.key, assumedCount: count, runs: runs, place: entry.mark)
    }
}
