extension String {
    /// How many columns of a terminal the text takes.
    ///
    /// Combining marks take none, East Asian wide and full-width signs and emoji take two (Unicode Annex 11).
    public var displayWidth: Int {
        // Almost every cell of a table: a column for each byte.
        if utf8.allSatisfy({ 0x20...0x7E ~= $0 }) { return utf8.count }
        return reduce(0) { $0 + $1.displayWidth }
    }

    func padded(to width: Int, _ alignment: Table.Column.Alignment) -> String {
        let blank = String(repeating: " ", count: max(0, width - displayWidth))
        return alignment == .leading ? self + blank : blank + self
    }

    func centred(in width: Int) -> String {
        let room = max(0, width - displayWidth)
        return String(repeating: " ", count: room / 2) + self + String(repeating: " ", count: room - room / 2)
    }
}

extension Character {
    fileprivate var displayWidth: Int {
        guard let first = unicodeScalars.first else { return 0 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: return 0
        default: break
        }
        let isEmoji = first.properties.isEmojiPresentation || unicodeScalars.contains("\u{FE0F}")
        return isEmoji || Self.wide.contains { $0.contains(first.value) } ? 2 : 1
    }

    /// The blocks whose signs are wide, from EastAsianWidth.txt, without their few narrow exceptions.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
        0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,
        0x20000...0x3FFFD,
    ]
}
