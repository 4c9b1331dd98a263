public import SpecLanguage

/// A file of `experiments/tables`: which rows and columns a table of a paper has, and where ours come from.
public struct TableDeclaration: Hashable, Sendable {
    /// The file's name without its ending.
    public var name: String
    /// The caption.
    public var title: String
    /// The source whose figures are printed beside ours.
    public var paper: String
    /// One group of columns each, in the order of the table.
    public var sets: [TestSet]
    /// Names of metrics.
    public var columns: [String]
    /// In the order of the table.
    public var rows: [Row]
    /// Lines below the table.
    public var notes: [String]
    /// The path it was read from; the specs of its rows are given relative to its folder.
    public var file: String

    /// A test set: what the paper calls it, and what the store does.
    public struct TestSet: Hashable, Sendable {
        /// What the figures of the paper call it.
        public var reported: String
        /// Its name in the store.
        public var stored: String
        /// The spec that gives the anchors' rows on it.
        public var anchorSpec: String?
        /// The corpus that the set is of, by the name of its folder; a set of the same name of another corpus is
        /// another set.
        public var corpus: String?
    }

    /// Where our numbers of a row come from.
    public enum Source: Hashable, Sendable {
        /// `noisy`, `wiener`.
        case anchor(String)
        /// Runs of a spec, a path as seen from the table's file.
        case spec(String)
        /// A checkpoint that its authors publish, imported and evaluated as a run of that name.
        case checkpoint(String)
        /// A run of the store by its name.
        case run(String)
        /// Another system, whose output or scores were imported.
        case system(String)
        /// None: the row is reported only.
        case none
    }

    /// One line of the table: our numbers, the paper's, or both.
    public struct Row: Hashable, Sendable {
        /// What the table prints.
        public var label: String
        /// Where our numbers come from.
        public var source: Source
        /// Overrides of the spec.
        public var overrides: [String]
        /// What the paper calls the row; nil where it has no such row.
        public var reported: String?
        /// Another source than the table's.
        public var paper: String?
        /// The conditions of the figure, which distinguish several of one system; nil for the first one.
        public var conditions: String?
        /// The number of reverse steps of the evaluation; nil for any.
        public var steps: Int?
        /// The guidance scale of the evaluation; nil for any.
        public var guidance: Double?
        /// By metric, the value that our number must have, with its tolerance as the spread.
        public var known: [String: ReportedValue]
        public var place: Mark
    }

    /// Reads a file.
    ///
    /// - Throws: `SpecErrors` with every mistake in its place.
    public init(text: String, file: String) throws(SpecErrors) {
        let (node, errors) = YAMLReader.read(text, file: file)
        guard let node else { throw SpecErrors(errors) }
        var section = SectionReader(node, "the table", errors: errors)
        name = FilePath.stem(of: file)
        title = section.text("title") ?? ""
        paper = section.optionalText("paper") ?? ""
        columns = section.texts("columns")
        notes = section.texts("notes")
        let (sets, rows) = (section.list("sets"), section.list("rows"))
        section.finish()
        if columns.isEmpty, section.errors.isEmpty { _ = section.missing("columns") }
        var mistakes = section.errors
        self.sets = sets.compactMap { Self.set($0, folder: FilePath.folder(of: file), &mistakes) }
        self.rows = rows.compactMap { Self.row($0, folder: FilePath.folder(of: file), &mistakes) }
        self.file = file
        if !mistakes.isEmpty { throw SpecErrors(mistakes) }
    }

    /// Reads the file of a table, by its name in `folder` or by its path.
    public init(named name: String, folder: String, files: SpecFiles = .disk) throws(SpecErrors) {
        let isPath = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
        let names = isPath ? [] : try DeclarationFolder.files(of: folder, in: files).map(FilePath.stem)
        guard isPath || names.contains(name) else {
            throw SpecErrors([
                SpecError.unknown("table", name, known: names, at: Mark(file: folder, line: 1, column: 1, text: ""))
            ])
        }
        let file = isPath ? name : "\(folder)/\(name).yaml"
        try self.init(text: try DeclarationFolder.text(of: file, in: files), file: file)
    }

    /// The tables of a folder.
    public static func all(folder: String, files: SpecFiles = .disk) throws(SpecErrors) -> [TableDeclaration] {
        var tables: [TableDeclaration] = []
        for file in try DeclarationFolder.files(of: folder, in: files) {
            tables.append(try TableDeclaration(named: file, folder: folder, files: files))
        }
        return tables
    }

    private static func set(_ node: SpecNode, folder: String, _ errors: inout [SpecError]) -> TestSet? {
        var section = SectionReader(node, "a set", errors: [])
        let (reported, stored) = (section.text("reported"), section.text("test_set"))
        let anchors = section.optionalText("anchors").map { FilePath.joined(folder, $0) }
        let corpus = section.optionalText("corpus")
        section.finish()
        errors += section.errors
        guard let reported, let stored else { return nil }
        return TestSet(reported: reported, stored: stored, anchorSpec: anchors, corpus: corpus)
    }

    private static func row(_ node: SpecNode, folder: String, _ errors: inout [SpecError]) -> Row? {
        var section = SectionReader(node, "a row", errors: [])
        let label = section.text("label")
        let source = Self.source(&section, folder)
        let row = Row(
            label: label ?? "", source: source, overrides: section.texts("set"),
            reported: section.isNone("reported") ? nil : section.optionalText("reported") ?? label,
            paper: section.optionalText("paper"),
            conditions: section.optionalText("conditions", mayBeEmpty: true),
            steps: section.optionalInteger("N", above: 0),
            guidance: section.optionalNumber("guidance"), known: section.optionalValues("known"), place: node.mark)
        section.finish()
        errors += section.errors
        return section.errors.isEmpty ? row : nil
    }

    private static func source(_ section: inout SectionReader, _ folder: String) -> Source {
        let found: [Source] = [
            section.optionalText("anchor").map { .anchor($0) },
            section.optionalText("spec").map { .spec(FilePath.joined(folder, $0)) },
            section.optionalText("checkpoint").map { .checkpoint($0) },
            section.optionalText("run").map { .run($0) },
            section.optionalText("system").map { .system($0) },
        ].compactMap { $0 }
        if found.count > 1 {
            section.fail(
                "contradiction", at: "label", "a row comes from one place",
                hint: "keep one of anchor, spec, checkpoint, run and system")
        }
        return found.first ?? .none
    }
}
