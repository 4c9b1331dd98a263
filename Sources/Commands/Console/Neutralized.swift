extension String {
    /// The text with every control character and every change of direction written out, as `\u{1B}`.
    ///
    /// Names and messages come from files, stores and checkpoints of others; a terminal would obey the escape sequences
    /// in them, and show a reordered text. Line ends and tabulators stay.
    var neutralized: String {
        guard unicodeScalars.contains(where: \.isObeyed) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            if scalar.isObeyed {
                text += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
    }
}

extension Unicode.Scalar {
    /// Whether a terminal does something at this character, other than show it or begin a line.
    fileprivate var isObeyed: Bool {
        switch value {
        case 0x09, 0x0A: false
        case 0x00...0x1F, 0x7F...0x9F: true
        case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
