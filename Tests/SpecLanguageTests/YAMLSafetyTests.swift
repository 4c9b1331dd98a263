import Foundation
import SpecLanguage
import SpecSamples
import Specs
import Testing

/// What we write means the same to every reader of YAML, and what we read means what a person sees.
@Suite struct YAMLSafetyTests {
    /// Texts that YAML 1.1 or 1.2 reads as something else where they are not quoted.
    static let traps = [
        "no", "Yes", "y", "N", "on", "Off", "true", "FALSE", "null", "NULL", "~", "none", "=", "<<", "012", "0o17",
        "0x1F", "0b1",
        "1_000", "1e3", "1.", ".5", "+1", "-1", "1e-05", "2024-01-01", "2024-01-01 10:00:00", "12:30", "1:30:00",
        ".inf", "-.inf",
        ".NaN", "...", "---", "", " x", "x ", "a: b", "a #b", "# a", "- a", "[a", "{a", "!a", "&a", "*a", "%a", "@a",
        "`a", "|", ">",
        "a\u{A0}b", "a\u{2028}b", "a\tb", "a\nb", "a\\b", "a\"b", "'a'", "ä", "日本", "👍", "\u{7F}", "\u{85}", "\u{1}",
    ]
    static let words = ["ncsnpp_v2", "sigma^2", "1/sigma", "a b (c)", "data/vb", "./x", "p226", "16k"]

    @Test(arguments: traps) func aTrapIsQuotedAndReadsBack(text: String) throws {
        let written = SettingValue.text(text).yaml
        #expect(written.first == "\"" || ["ä", "日本"].contains(text), "\(written)")
        #expect(written.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{2028}" && $0 != "\u{FEFF}" })
        let spec = try TestVocabulary.loader.load(
            text: "data: { path: x }\ntrain: { max_steps: 1 }\ntitle: \(written)\n"
        ).spec
        #expect(spec.title == text)
    }

    @Test(arguments: words) func aWordIsLeftAlone(text: String) {
        #expect(SettingValue.text(text).yaml == text)
    }

    @Test(arguments: [
        (1e-5, "1.0e-05"), (1e-4, "0.0001"), (5e-6, "5.0e-06"), (1.5e-7, "1.5e-07"), (1e20, "1.0e+20"), (1, "1.0"),
        (-2e-9, "-2.0e-09"),
    ])
    func aNumberHasAPointBeforeItsExponent(number: Double, text: String) {
        #expect(SettingValue.number(number).yaml == text)
    }

    @Test func whatIsNotSetIsNullAndReadsBackAsNotSet() throws {
        let spec = try TestVocabulary.loader.load(text: "data: { path: x }\ntrain: { max_steps: 1 }\nnotes: 'no'\n")
            .spec
        let text = ResolvedRendering.yaml(spec)
        #expect(text.contains("max_epochs: null") && text.contains("notes: \"no\"") && text.contains("c_in: \"1\""))
        #expect(try TestVocabulary.loader.load(text: text).spec == spec)
    }

    /// PyYAML, where Python has it, reads each value as the same type and value.
    @Test func pythonReadsTheSameValues() throws {
        let python = """
            import sys, json
            try:
                import yaml
            except ImportError:
                sys.exit(7)
            json.dump(yaml.safe_load(sys.stdin.buffer.read()), sys.stdout)
            """
        var tags = Self.traps + Self.words
        tags.removeAll { $0.isEmpty }
        let list = tags.map { "\(SettingValue.text($0).yaml)" }.joined(separator: ", ")
        let spec = try TestVocabulary.loader.load(
            text: """
                name: 'no'
                title: '012'
                tags: [\(list)]
                data: { path: "2024-01-01" }
                sde: { name: ouve, sigma_min: 5e-6 }
                train: { lr: 1e-5, max_steps: 4 }
                waive: { rate: "12:30" }
                """
        ).spec
        guard let output = try run("python3", ["-c", python], input: ResolvedRendering.yaml(spec)) else {
            print("skipped: there is no python3 with yaml")
            return
        }
        let read = try JSONDecoder().decode(SettingValue.self, from: output)
        func check(_ own: SettingValue, _ other: SettingValue?, _ path: String) {
            switch (own, other) {
            case (.section(let settings), .section(let found)?):
                for (name, value) in settings
                where !["incomplete", "sources", "extends", "sweep", "profiles"].contains(name) {
                    if value == .none, found[name] == nil { continue }
                    check(value, found[name], "\(path).\(name)")
                }
            case (.choice(let choice), .section(let found)?):
                #expect(found["name"] == .text(choice.name), "\(path)")
                check(.section(choice.settings), other, path)
            case (.choice(let choice), .text(let name)?): #expect(choice.name == name, "\(path)")
            case (.list(let values), .list(let found)?):
                #expect(values.count == found.count, "\(path)")
                for (value, other) in zip(values, found) { check(value, other, path) }
            case (.list(let values), SettingValue.none?) where values.isEmpty: break
            default: #expect(own == other, "\(path): \(own) was read as \(other.map { "\($0)" } ?? "nothing")")
            }
        }
        check(.section(spec.settings), read, "")
    }

    /// What a program writes, where it is installed and ends well.
    private func run(_ program: String, _ arguments: [String], input: String) throws -> Data? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let (stdin, stdout) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, FileHandle.nullDevice)
        guard (try? process.run()) != nil else { return nil }
        try? stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try? stdin.fileHandleForWriting.close()
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? output : nil
    }

    // MARK: What is read

    static func errors(_ text: String, _ overrides: [String] = [], environment: [String: String] = [:]) -> [SpecError] {
        do {
            let loader = SpecLoader(vocabulary: TestVocabulary.standard, files: .table([:])) { environment[$0] }
            _ = try loader.load(text: text, overrides: overrides)
            return []
        } catch { return error.all }
    }

    static let plain = "name: a\ndata: { path: x }\ntrain:\n  max_steps: 4\n"

    @Test(arguments: [
        ("title: !env X\n", "unknown tag '!env'"), ("title: !!binary aGk=\n", "unknown tag '!!binary'"),
        ("tags: !!set { a, b }\n", "unknown tag '!!set'"), ("title: !bang\n", "unknown tag '!bang'"),
        ("notes: !<tag:x.org,1:y> z\n", "unknown tag 'tag:x.org,1:y'"),
    ]) func unknownTagsAreErrors(line: String, message: String) {
        #expect(Self.errors(Self.plain + line).map(\.summary) == [message])
    }

    @Test func tagsOfTheCoreSchemaSayNothingNew() throws {
        let spec = try TestVocabulary.loader.load(
            text: "data: { path: !!str x }\ntrain: !!map { max_steps: !!int 4, seeds: !!seq [0] }\n"
        ).spec
        #expect(spec.data.path == "x" && spec.train.maxSteps == 4)
    }

    @Test(arguments: [
        ("train:\n\u{A0} max_steps: 4\n", "no-break space (U+00A0)"),
        ("train:\n  max_steps:\u{A0}4\n", "no-break space (U+00A0)"),
        ("train:\n  max_steps\u{200B}: 4\n", "zero width space (U+200B)"),
        ("train: {\u{2003}max_steps: 4 }\n", "em space (U+2003)"),
        ("tags: [a,\u{3000}b]\n", "ideographic space (U+3000)"),
    ]) func invisibleCharactersAreNamed(text: String, name: String) {
        let errors = Self.errors("data: { path: x }\n" + text)
        #expect(
            errors.count == 1 && errors[0].summary.contains(name) && errors[0].hint == "replace it by a plain space",
            "\(errors)")
    }

    @Test func invisibleCharactersInsideOfTextsAreTexts() throws {
        let spec = try TestVocabulary.loader.load(
            text: Self.plain + "title: 10\u{A0}kHz\nnotes: \"\u{A0}: \u{A0}\"  # \u{A0}: a\n"
        ).spec
        #expect(spec.title == "10\u{A0}kHz" && spec.notes == "\u{A0}: \u{A0}")
    }

    @Test(arguments: [
        ("lr: 1e\u{2212}4", "write 1e-4: there is a minus sign (U+2212) in the number"),
        ("lr: \u{FF11}e-4", "write 1e-4: there is a fullwidth digit one (U+FF11) in the number"),
        ("max_hours: 1:30", "numbers of base 60 are not read: write 1.5"),
        ("resume_minutes: 1:30", "numbers of base 60 are not read: write 1.5"),
        ("max_loss_growth: 1:30", "numbers of base 60 are not read: write 90"),
        ("batch_size: 1\u{A0}000", "write 1000: there is a no-break space (U+00A0) in the number"),
        ("lr: 0,001", "write '.' for the decimal point"),
    ]) func numbersThatAreNoneAreExplained(line: String, hint: String) {
        #expect(Self.errors(Self.plain + "  \(line)\n").map(\.hint) == [hint])
    }

    @Test func aLineThatIsSetInTooFarIsNamed() {
        let errors = Self.errors(Self.plain + "   lr: 1e-4\n")
        #expect(
            errors.map(\.hint) == [
                """
                this line begins with 3 spaces, the setting before it with 2: settings of one section begin with the \
                same number
                """
            ])
    }

    private static func lines(_ count: Int, _ line: (Int) -> String) -> String { (0..<count).map(line).joined() }
    private static func list(_ count: Int, _ element: (Int) -> String) -> String {
        (1...count).map(element).joined(separator: ", ")
    }

    /// Texts with as many mistakes as a program can write.
    private static func flood(_ number: Int) -> String {
        switch number {
        case 0: "train:\n" + lines(20_000) { "  key_\($0): 0\n" }
        case 1: "train: {" + list(20_000) { "key_\($0): 0" } + "}\n"
        case 2: "train:\n" + lines(20_000) { "  lr: \($0)\n" }
        case 3: "train:\n" + lines(10_000) { "  key_\($0): 1\n  key_\($0): 2\n" }
        case 4: "evaluate: { N: [" + list(40_000) { "\($0)" } + "] }\n"
        case 5: "evaluate: { N: [" + list(40_000) { "x\($0)" } + "] }\n"
        default: "incomplete: {" + list(20_000) { "a\($0): b" } + "}\n"
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: 0..<7) func manyMistakesAreRefusedAtOnce(number: Int) {
        let text = Self.flood(number)
        let start = ContinuousClock.now
        let errors = Self.errors("data: { path: x }\n" + text)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        #expect(!errors.isEmpty && errors.count < 300, "\(errors.count)")
        #expect(errors.map(\.description.utf8.count).reduce(0, +) < 200_000)
        #expect(seconds < 3, "\(seconds) s")
    }

    // MARK: Overrides

    @Test(arguments: [
        ("title=#tag", "#tag"), ("title=!bang", "!bang"), ("title=a # b", "a # b"), ("title=a: b", "a: b"),
        ("title=*x", "*x"), ("title=&x", "&x"),
        ("title=- a", "- a"), ("title=\"a # b\"", "a # b"), ("title='no'", "no"), ("title=[draft] x", "[draft] x"),
        ("title=it's", "it's"),
        ("title='a' and 'b'", "'a' and 'b'"), ("title=| x", "| x"), ("title=@x%", "@x%"),
    ]) func anOverrideIsTheWholeWord(option: String, title: String) throws {
        #expect(try TestVocabulary.loader.load(text: Self.plain, overrides: [option]).spec.title == title)
    }

    @Test func anOverrideOfAPathKeepsItsBlanks() throws {
        let spec = try TestVocabulary.loader.load(
            text: Self.plain, overrides: ["data.path=data/x #1", "train.seeds=[0, 1]", "train.max_epochs=none"]
        ).spec
        #expect(spec.data.path == "data/x #1" && spec.train.seeds == [0, 1] && spec.train.maxEpochs == nil)
    }

    // MARK: Paths

    static let environment = ["DATA": "/big/data", "HOME": "/home/ann"]

    @Test(arguments: [
        ("${env:DATA}/vb", "/big/data/vb"), ("~/vb", "/home/ann/vb"), ("a/~/b", "a/~/b"), ("$$DATA", "$DATA"),
        ("a$", "a$"), ("price $5", "price $5"),
    ]) func variablesInPathsAreReplaced(path: String, expected: String) throws {
        let loader = SpecLoader(vocabulary: TestVocabulary.standard, files: .table([:])) { Self.environment[$0] }
        let loaded = try loader.load(text: "data: { path: \"\(path)\" }\ntrain: { max_steps: 1 }\n")
        #expect(loaded.spec.data.path == expected)
        if path != expected { #expect(loaded.origins["data.path"]?.description == "spec.yaml:1, written \(path)") }
        // What is shown reads back as the same path.
        let again = try loader.load(text: ResolvedRendering.yaml(loaded.spec))
        #expect(again.spec == loaded.spec)
    }

    @Test(arguments: [
        (
            "$DATA/vb", "'$DATA' is not replaced by a variable's value",
            "write ${env:DATA}; a '$' itself is written '$$'"
        ),
        (
            "${DATA}/vb", "'${DATA}' is not replaced by a variable's value",
            "write ${env:DATA}; a '$' itself is written '$$'"
        ),
        ("~bob/vb", "'~bob' is not replaced by a folder", "write the folder out, or '~/' for your own"),
        (
            "${env:NONE}/x", "the environment has no variable 'NONE'",
            "export NONE=… before the command, or write the folder out"
        ),
    ]) func whatIsNotReplacedIsAnError(path: String, summary: String, hint: String) {
        let errors = Self.errors(
            "data: { path: \"\(path)\" }\ntrain: { max_steps: 1 }\n", environment: Self.environment)
        #expect(errors.map(\.summary) == [summary] && errors.map(\.hint) == [hint], "\(errors)")
    }

    @Test func aVariableInsideBracesMustBeQuoted() {
        let errors = Self.errors("data: { path: ${DATA} }\ntrain: { max_steps: 1 }\n", environment: Self.environment)
        #expect(errors.map(\.hint) == ["quote a text with '${': \"${env:NAME}/…\""])
    }
}
