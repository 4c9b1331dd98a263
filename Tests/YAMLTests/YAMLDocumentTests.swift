import Testing
import YAML

@Suite struct YAMLDocumentTests {
    /// A node in short: texts in quotes, `[…]`, `{key: value}`, `*` before what an alias names.
    private static func shown(_ node: YAMLNode) -> String {
        switch node.content {
        case .scalar(let text, let isPlain): isPlain ? text : "'\(text)'"
        case .sequence(let elements): "[\(elements.map(shown).joined(separator: ", "))]"
        case .mapping(let entries):
            "{\(entries.map { "\(shown($0.key)): \(shown($0.value))" }.joined(separator: ", "))}"
        case .alias(let target): "*\(shown(target))"
        }
    }

    @Test(arguments: [
        ("a: 1\nb: [x, 'y', \"z\\u0041\"]\n", "{a: 1, b: [x, 'y', 'zA']}"),
        ("- a\n-\n- |\n  two\n  lines\n- >\n  one\n  line\n", "[a, , 'two\nlines\n', 'one line\n']"),
        ("a: 1\na: 2\n", "{a: 1, a: 2}"),
        ("a: &x { b: 1 }\nc: *x\n*x : d\n", "{a: {b: 1}, c: *{b: 1}, *{b: 1}: d}"),
        ("? [a, b]\n: c\n", "{[a, b]: c}"),
        ("a: &x 1\nb: &x 2\nc: *x\n", "{a: 1, b: 2, c: *2}"),
        ("a: { b: }\n", "{a: {b: }}"),
        ("ä: 日本 👍\n", "{ä: 日本 👍}"),
        ("--- \na: b\n...\n", "{a: b}"),
    ])
    func aDocumentIsItsTree(text: String, tree: String) throws {
        let root = try #require(try YAMLDocument.root(of: text))
        #expect(Self.shown(root) == tree)
    }

    @Test func aTextWithoutADocumentHasNoRoot() throws {
        for text in ["", "\n\n", "# a remark\n", "   "] {
            #expect(try YAMLDocument.root(of: text) == nil)
        }
    }

    @Test func placesAreLinesAndColumnsInUnicodeScalars() throws {
        let root = try #require(try YAMLDocument.root(of: "a: 1\n\u{E4}\u{1F44D}: [x, &n y]\nb: *n\n"))
        guard case .mapping(let entries) = root.content, case .sequence(let elements) = entries[1].value.content,
            case .alias(let target) = entries[2].value.content
        else {
            Issue.record("another tree")
            return
        }
        #expect(root.place == YAMLPlace(line: 1, column: 1))
        #expect(entries[1].key.place == YAMLPlace(line: 2, column: 1))
        #expect(elements.map(\.place) == [YAMLPlace(line: 2, column: 6), YAMLPlace(line: 2, column: 9)])
        #expect(entries[2].value.place == YAMLPlace(line: 3, column: 4))
        #expect(target.place == elements[1].place)
    }

    @Test func tagsAreWhatIsWritten() throws {
        let root = try #require(try YAMLDocument.root(of: "[!!str a, !own b, ! c, 'd', e, !!map { f: g }]\n"))
        guard case .sequence(let elements) = root.content else {
            Issue.record("another tree")
            return
        }
        #expect(
            elements.map(\.tag) == ["tag:yaml.org,2002:str", "!own", "!", nil, nil, "tag:yaml.org,2002:map"])
    }

    @Test(arguments: [
        ("a: b: c\n", "mapping values are not allowed in this context", 1, 5),
        ("a: [1, 2\nb: 3\n", "did not find expected ',' or ']'", 2, 2),
        ("a: *x\n", "found undefined alias", 1, 4),
        ("a: &x [*x]\n", "found undefined alias", 1, 8),
        ("a: 1\n---\nb: 2\n", "but found another document", 2, 1),
        ("a: 'b\n", "found unexpected end of stream", 2, 1),
        ("ä: 1\nbc: \u{1}\n", "control characters are not allowed", 2, 5),
    ])
    func whatIsNoYAMLIsNamedWithItsPlace(text: String, problem: String, line: Int, column: Int) {
        let failure = #expect(throws: YAMLFailure.self) { try YAMLDocument.root(of: text) }
        #expect(failure?.problem == problem)
        #expect(failure?.place == YAMLPlace(line: line, column: column))
    }

    /// 2^60 values in a text of 61 lines: nothing is copied.
    @Test func aliasesOfAliasesAreShared() throws {
        var text = "- &a0 [x, x]\n"
        for level in 1...60 { text += "- &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        guard case .sequence(let elements)? = try YAMLDocument.root(of: text)?.content else {
            Issue.record("another tree")
            return
        }
        #expect(elements.count == 61)
    }

    @Test func deepNestingIsRefused() {
        for text in [String(repeating: "[", count: 20_000), String(repeating: "{a: ", count: 20_000)] {
            #expect(throws: YAMLFailure.self) { try YAMLDocument.root(of: text) }
        }
    }
}
