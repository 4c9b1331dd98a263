import Reported
public import SpecLanguage

/// A file of `experiments/protocols`: how a published result was made, as a spec and measured values.
public struct Recipe: Hashable, Sendable {
    /// The file's name without its ending.
    public var name: String
    /// Which published result it is.
    public var title: String
    /// The path of the spec, relative to the working folder.
    public var spec: String
    /// Measured values of its checkpoint and data, by name.
    public var measured: [String: String]
    /// In the order of the file.
    public var impossible: [Impossible]

    /// A fault that others made and that cannot be made here.
    public struct Impossible: Hashable, Sendable {
        /// The fault.
        public var what: String
        /// Why it cannot occur here.
        public var because: String

        public init(what: String, because: String) { (self.what, self.because) = (what, because) }
    }

    /// Reads a file.
    ///
    /// - Throws: `SpecErrors` with every mistake in its place.
    public init(text: String, file: String) throws(SpecErrors) {
        let (node, errors) = YAMLReader.read(text, file: file)
        guard let node else { throw SpecErrors(errors) }
        var section = SectionReader(node, "the recipe", errors: errors)
        name = FilePath.stem(of: file)
        title = section.text("title") ?? ""
        spec = FilePath.joined(FilePath.folder(of: file), section.text("spec") ?? "")
        measured = section.table("measured")
        let list = section.optionalList("cannot_occur") ?? []
        section.finish()
        var mistakes = section.errors
        impossible = list.compactMap { node in
            var inner = SectionReader(node, "a fault", errors: [])
            let (what, because) = (inner.text("what"), inner.text("because"))
            inner.finish()
            mistakes += inner.errors
            return if let what, let because { Impossible(what: what, because: because) } else { nil }
        }
        if !mistakes.isEmpty { throw SpecErrors(mistakes) }
    }

    /// Reads the file of a recipe, by its name in `folder` or by its path.
    public init(named name: String, folder: String, files: SpecFiles = .disk) throws(SpecErrors) {
        let isPath = name.hasSuffix(".yaml") || name.hasSuffix(".yml")
        let names = isPath ? [] : try DeclarationFolder.files(of: folder, in: files).map(FilePath.stem)
        guard isPath || names.contains(name) else {
            throw SpecErrors([
                SpecError.unknown("recipe", name, known: names, at: Mark(file: folder, line: 1, column: 1, text: ""))
            ])
        }
        let file = isPath ? name : "\(folder)/\(name).yaml"
        try self.init(text: try DeclarationFolder.text(of: file, in: files), file: file)
    }
}
