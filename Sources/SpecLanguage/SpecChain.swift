/// A spec file laid over all that it extends.
package struct SpecChain {
    /// The longest chain; longer ones are reported.
    package static let longest = 32
    /// Files that extend several others can multiply.
    package static let mostFiles = 256

    package let files: SpecFiles
    package let vocabulary: Vocabulary
    package private(set) var errors: [SpecError] = []
    /// The files that were read, the given one first.
    package private(set) var read: [String] = []
    /// Whether all that the spec extends was read.
    package private(set) var isWhole = true

    package init(_ files: SpecFiles, _ vocabulary: Vocabulary) { (self.files, self.vocabulary) = (files, vocabulary) }

    /// The merged tree, without `extends`.
    package mutating func compose(_ path: String) -> SpecNode? {
        do {
            return compose(try files.read(path), file: path, stack: [])
        } catch {
            let mark = Mark(file: path, line: 1, column: 1, text: "")
            let near = suggestion(for: path) ?? suggestionOfTheLibrary(for: path)
            errors.append(SpecError("unreadable", at: mark, "cannot read '\(path)': \(error)", hint: near))
            return nil
        }
    }

    package mutating func compose(text: String, file: String) -> SpecNode? {
        compose(text, file: file, stack: [])
    }

    private mutating func compose(_ text: String, file: String, stack: [String]) -> SpecNode? {
        read.append(file)
        let (parsed, problems) = YAMLReader.read(text, file: file)
        errors += problems
        guard let parsed else { return nil }
        var node = parsed
        if node.isNull { node.content = .map([]) }
        guard node.entries != nil else {
            errors.append(
                SpecError(
                    "wrong-type", at: node.mark, "a spec is a section, not \(node.noun)", hint: "begin with 'name: …'"))
            return nil
        }
        var composer = SpecComposer(vocabulary.schema)
        let own = composer.canonical(node)
        errors += composer.errors
        var base: SpecNode?
        for parent in parents(of: own) {
            guard let next = compose(parent, from: file, stack: stack + [file]) else {
                isWhole = false
                continue
            }
            base = base.map { composer.merged($0, next) } ?? next
        }
        guard let base else { return own.without(["extends"]) }
        return composer.merged(base.without(vocabulary.ownKeys), own.without(["extends"]))
    }

    private mutating func parents(of node: SpecNode) -> [SpecNode] {
        guard let value = node["extends"], !value.isNull else { return [] }
        let all = value.elements ?? [value]
        return all.filter { parent in
            if parent.text != nil { return true }
            errors.append(
                SpecError("wrong-type", at: parent.mark, "'extends' wants the path of a spec, not \(parent.noun)"))
            return false
        }
    }

    private mutating func compose(_ parent: SpecNode, from file: String, stack: [String]) -> SpecNode? {
        let name = parent.text ?? ""
        let path = FilePath.joined(FilePath.folder(of: file), name)
        if let start = stack.firstIndex(of: path) {
            let circle = (stack[start...] + [path]).joined(separator: " → ")
            errors.append(SpecError("circular", at: parent.mark, "'\(name)' extends itself", hint: circle))
            return nil
        }
        guard stack.count < Self.longest, read.count < Self.mostFiles else {
            let limit =
                stack.count < Self.longest ? "\(Self.mostFiles) files are" : "\(Self.longest) files in a row are"
            errors.append(SpecError("circular", at: parent.mark, "more than \(limit) extended"))
            return nil
        }
        do {
            return compose(try files.read(path), file: path, stack: stack)
        } catch {
            errors.append(
                SpecError(
                    "unreadable", at: parent.mark, "cannot read '\(path)': \(error)", hint: suggestion(for: path)))
            return nil
        }
    }

    private func suggestion(for path: String) -> String? {
        let folder = FilePath.folder(of: path)
        let name = String(path.dropFirst(folder.count).drop { $0 == "/" })
        let known = files.list(folder).filter { $0 != name && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml")) }
        return nearest(to: name, among: known).map { "did you mean '\($0)'?" }
    }

    /// The experiment of the library with the most similar name, as for `quickstrt`.
    private func suggestionOfTheLibrary(for path: String) -> String? {
        let folder = FilePath.folder(of: path)
        let specs = files.list(FilePath.library + folder).filter { $0.hasSuffix(".yaml") }.map(FilePath.stem)
        let known = folder.isEmpty ? specs : specs.map { folder + "/" + $0 }
        return nearest(to: path, among: known).map {
            "did you mean '\($0)' of the library? 'sgmse registry experiment' lists it"
        }
    }
}

extension SpecNode {
    package func without(_ keys: Set<String>) -> SpecNode {
        guard let entries else { return self }
        var copy = self
        copy.content = .map(entries.filter { !keys.contains($0.key) })
        return copy
    }
}
