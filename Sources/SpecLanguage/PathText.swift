/// Paths of files and folders as people write them: `~/data`, `${env:DATA}/vb`.
///
/// Only `${env:NAME}` and a leading `~` are replaced, so that what a spec means does not depend on a shell; `$$` is a
/// `$`.
package enum PathText {
    /// Why a path cannot be used.
    struct Problem: Error {
        var summary: String
        var hint: String
    }

    /// The path with variables in their place.
    static func expanded(_ text: String, _ environment: (String) -> String?) throws(Problem) -> String {
        var rest = text[...]
        var result = ""
        if rest.first == "~" {
            let user = rest.dropFirst().prefix { $0 != "/" }
            guard user.isEmpty else {
                throw Problem(
                    summary: "'~\(user)' is not replaced by a folder",
                    hint: "write the folder out, or '~/' for your own")
            }
            result = try value(of: "HOME", environment)
            rest = rest.dropFirst()
        }
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.hasPrefix("{env:"), let close = rest.firstIndex(of: "}") {
                result += try value(of: String(rest[..<close].dropFirst(5)), environment)
                rest = rest[rest.index(after: close)...]
            } else if let name = variable(at: rest) {
                throw Problem(
                    summary: "'$\(name.shown)' is not replaced by a variable's value",
                    hint: "write ${env:\(name.name)}; a '$' itself is written '$$'")
            } else {
                result += "$"
            }
        }
        return result + rest
    }

    /// A path that reads back as itself.
    package static func escaped(_ text: String) -> String {
        var result = text.first == "~" ? "./" : ""
        for index in text.indices {
            let after = text[text.index(after: index)...]
            if text[index] == "$", after.first == "$" || variable(at: after) != nil { result += "$" }
            result.append(text[index])
        }
        return result
    }

    private static func value(of name: String, _ environment: (String) -> String?) throws(Problem) -> String {
        guard let value = environment(name), !value.isEmpty else {
            throw Problem(
                summary: "the environment has no variable '\(name)'",
                hint: "export \(name)=… before the command, or write the folder out")
        }
        return value
    }

    /// `NAME` or `{NAME}`, as a shell would read it after a `$`.
    private static func variable(at rest: Substring) -> (name: Substring, shown: Substring)? {
        func isPart(_ character: Character) -> Bool {
            character == "_" || character.isASCII && (character.isLetter || character.isNumber)
        }
        let inner = rest.first == "{" ? rest.dropFirst() : rest
        let name = inner.prefix(while: isPart)
        guard let first = name.first, !first.isNumber else {
            return rest.first == "{" ? (inner.prefix { $0 != "}" }, rest) : nil
        }
        return (name, rest.first == "{" ? Substring(String(rest.prefix { $0 != "}" }) + "}") : name)
    }
}

extension SettingValue {
    /// The value with its paths as they read back as themselves.
    package func escapingPaths(_ type: FieldType, isPath: Bool = false) -> SettingValue {
        switch (type, self) {
        case (.text, .text(let text)) where isPath: .text(PathText.escaped(text))
        case (.list(let element, _, _), .list(let values)):
            .list(values.map { $0.escapingPaths(element, isPath: isPath) })
        case (.section(let schema, _), .section(let settings)): .section(settings.escapingPaths(schema))
        case (.variant(let forms), .choice(let choice)):
            .choice(
                Choice(
                    choice.name,
                    forms.first { $0.name == choice.name }.map { choice.settings.escapingPaths($0.parameters) }
                        ?? choice.settings))
        default: self
        }
    }
}

extension Settings {
    fileprivate func escapingPaths(_ schema: Schema) -> Settings {
        Settings(
            map { name, value in (name, schema[name].map { value.escapingPaths($0.type, isPath: $0.isPath) } ?? value) }
        )
    }
}
