/// A setting given on the command line: `--set train.lr=3e-4`, with the value in YAML's short form.
package struct Override {
    /// The names of the path, each with its place in the option.
    package var path: [(name: String, mark: Mark)]
    package var value: SpecNode

    /// Paths inside a sweep are keys themselves: `sweep.grid.train.lr` is the key `train.lr` of the grid.
    private static let sweepDepth = 2

    package static func parse(_ options: [String]) -> (overrides: [Override], errors: [SpecError]) {
        var overrides: [Override] = []
        var errors: [SpecError] = []
        for (index, option) in options.enumerated() {
            func mark(_ column: Int) -> Mark { Mark(file: "--set", line: index + 1, column: column, text: option) }
            guard let equals = option.firstIndex(of: "="), equals != option.startIndex else {
                errors.append(
                    SpecError(
                        "override", at: mark(1), "an override is written path=value", hint: "for instance train.lr=3e-4"
                    ))
                continue
            }
            let text = String(option[option.index(after: equals)...])
            let offset = option[...equals].unicodeScalars.count
            let (node, problems) = value(text)
            guard problems.isEmpty, let node else {
                errors += problems.map {
                    SpecError($0.code, at: mark(offset + $0.mark.column), $0.summary, hint: $0.hint)
                }
                continue
            }
            var path: [(name: String, mark: Mark)] = []
            var column = 1
            let parts = option[..<equals].split(separator: ".", omittingEmptySubsequences: false)
            for part in parts {
                if path.first?.name == "sweep", path.count > sweepDepth {
                    path[sweepDepth].name += "." + part
                } else {
                    path.append((String(part), mark(column)))
                }
                column += part.unicodeScalars.count + 1
            }
            overrides.append(Override(path: path, value: node.moved(to: mark, by: offset)))
        }
        return (overrides, errors)
    }

    /// A list, a section, or a quoted text in YAML's short form; anything else is the whole word as the shell gave it,
    /// in which `#`, `!`, and `: ` mean nothing.
    private static func value(_ text: String) -> (node: SpecNode?, errors: [SpecError]) {
        let word = String(text.trimmingPrefix { $0 == " " }.reversed().trimmingPrefix { $0 == " " }.reversed())
        let plain = SpecNode(.scalar(word, isQuoted: false), at: Mark(file: "--set", line: 1, column: 1, text: text))
        let ends = ["[": "]", "{": "}", "\"": "\"", "'": "'"] as [Character: Character]
        guard let first = word.first, word.count > 1, let end = ends[first], word.last == end else {
            return (plain, [])
        }
        let (node, problems) = YAMLReader.read(text, file: "--set")
        // `'a' and 'b'` is a text that begins and ends with a quote.
        if first == end, !problems.isEmpty { return (plain, []) }
        return (node, problems)
    }

    package var dotted: String { path.map(\.name).joined(separator: ".") }
    package var tree: SpecNode { SpecComposer.tree(path, value) }
    /// Whether it changes how the spec is composed, rather than a setting.
    package var changesComposition: Bool { path.first.map { SpecComposer.separateKeys.contains($0.name) } ?? false }
}

extension SpecNode {
    /// The tree with its marks moved from the value's own text to the option around it.
    fileprivate func moved(to mark: (Int) -> Mark, by offset: Int) -> SpecNode {
        let place = mark(offset + self.mark.column)
        let content: Content =
            switch content {
            case .scalar: self.content
            case .list(let elements): .list(elements.map { $0.moved(to: mark, by: offset) })
            case .map(let entries):
                .map(
                    entries.map {
                        Entry($0.key, at: mark(offset + $0.mark.column), $0.value.moved(to: mark, by: offset))
                    })
            }
        return SpecNode(content, at: place, layer: .override)
    }
}
