/// Characters that look like a space, are invisible, or look like another character that a parser treats differently.
extension Unicode.Scalar {
    /// Whether it is invisible or looks like a space, and is no white space of YAML.
    var isInvisible: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: self != "\t"
        case .spaceSeparator: self != " "
        default: false
        }
    }

    /// The character in words: "no-break space (U+00A0)".
    var inWords: String {
        let digits = String(value, radix: 16, uppercase: true)
        let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        let name =
            value == 0xFEFF ? "byte order mark" : value == 0xA0 ? "no-break space" : properties.name?.lowercased()
        return name.map { "\($0) (\(code))" } ?? code
    }

    /// The ASCII character that it looks like in a number; `nil` for ASCII.
    fileprivate var plainDigit: String? {
        if isInvisible { return "" }
        switch self {
        case "\u{2010}", "\u{2011}", "\u{2012}", "\u{2013}", "\u{2014}", "\u{2212}", "\u{FE63}", "\u{FF0D}": return "-"
        case "\u{FF0E}": return "."
        case "\u{FF0B}": return "+"
        default: break
        }
        guard !isASCII, properties.numericType == .decimal, let value = properties.numericValue else { return nil }
        return String(Int(value))
    }
}

enum LookAlikes {
    /// The number that a text would be with ASCII digits and signs, and the characters to replace.
    static func number(in text: String) -> (plain: String, strange: Unicode.Scalar)? {
        guard let strange = text.unicodeScalars.first(where: { $0.plainDigit != nil }) else { return nil }
        let plain = text.unicodeScalars.map { $0.plainDigit ?? String($0) }.joined()
        return ScalarReading.number(plain).map { _ in (plain, strange) }
    }

    /// Where a line has an invisible character that YAML does not take for a space: in its indentation, or beside a
    /// `:`, `-`, bracket, or comma, outside quotes and comments. Counted from 0, in Unicode scalars.
    static func misplacedBlank(in line: String) -> (place: Int, scalar: Unicode.Scalar)? {
        guard line.utf8.contains(where: { $0 >= 0x7F }) else { return nil }
        let scalars = Array(line.unicodeScalars)
        var quote: Unicode.Scalar?
        for place in scalars.indices {
            let scalar = scalars[place]
            if let open = quote {
                if scalar == open { quote = nil }
                continue
            }
            let before = scalars[..<place].last { $0 != " " && !$0.isInvisible }
            let isStart = before.map { ":-[{,".unicodeScalars.contains($0) } ?? true
            if scalar == "#", place == 0 || scalars[place - 1] == " " { return nil }
            if isStart, scalar == "\"" || scalar == "'" { quote = scalar }
            guard scalar.isInvisible else { continue }
            let after = scalars[(place + 1)...].first { $0 != " " && !$0.isInvisible }
            if isStart || after == ":" { return (place, scalar) }
        }
        return nil
    }
}
