/// How the text of a scalar is read once its type is known.
///
/// Numbers are what a researcher means by them: `1e-4` and `1.e-4` are numbers, `010` is ten, `50_000` and
/// `5e4` are whole. Truth is `true`/`false`, and also `yes`/`no` and `on`/`off`, but only where a truth value is
/// expected, so that a speaker called `no` stays a name.
package enum ScalarReading {
    package static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    /// A finite decimal number.
    package static func number(_ text: String) -> Double? {
        guard let digits = plainDigits(text), let value = Double(digits), value.isFinite else { return nil }
        return value == 0 ? 0 : value
    }

    /// A whole number, also written like `5e4` or `8.0`.
    package static func integer(_ text: String) -> Int? {
        guard let digits = plainDigits(text) else { return nil }
        if let value = Int(digits) { return value }
        guard let value = Double(digits), value.isFinite, abs(value) < 0x1p53 else { return nil }
        return Int(exactly: value)
    }

    /// The text without `_` between digits, if it has only what decimal numbers are made of.
    private static func plainDigits(_ text: String) -> String? {
        var digits = ""
        var previous: Character?
        for character in text {
            if character == "_" {
                guard let previous, previous.isASCII, previous.isNumber else { return nil }
            } else {
                guard character.isASCII, character.isNumber || "+-.eE".contains(character) else { return nil }
                digits.append(character)
            }
            previous = character
        }
        guard let first = digits.first, let last = digits.last, previous != "_" else { return nil }
        guard last.isNumber || last == ".", first != "e", first != "E", digits.contains(where: \.isNumber) else {
            return nil
        }
        // "1.e-4" and "1." are numbers to every other tool of the trade.
        var complete = digits
        if let dot = complete.firstIndex(of: ".") {
            let after = complete.index(after: dot)
            if after == complete.endIndex || !complete[after].isNumber { complete.insert("0", at: after) }
            if dot == complete.startIndex || !complete[complete.index(before: dot)].isNumber {
                complete.insert("0", at: dot)
            }
        }
        return complete
    }
}
