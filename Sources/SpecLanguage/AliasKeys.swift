/// Keys that are aliases, or hold some: the parser hashes keys, which takes exponential time for aliases of aliases.
///
/// Found in the text, before it is parsed. A text without anchors has none, so that `*` and `?` in titles and remarks
/// mean nothing there; where there are anchors, what looks like such a key is refused.
enum AliasKeys {
    /// The first line with such a key.
    static func firstLine(of lines: [String]) -> Int? {
        let anchors = Set(lines.flatMap { names(after: "&", in: Array($0.unicodeScalars)).map(\.name) })
        guard !anchors.isEmpty else { return nil }
        return lines.firstIndex { line in
            let scalars = Array(line.unicodeScalars)
            let aliases = names(after: "*", in: scalars).filter { anchors.contains($0.name) }
            return aliases.contains { beginsNode($0.place, in: scalars) && colon(after: $0.end, in: scalars) }
                || hasExplicitKey(scalars) || aliases.contains { hasCollectionKey(scalars[$0.end...], of: scalars) }
        }
    }

    /// `&name` or `*name` outside a word, and where it begins and ends.
    private static func names(after sign: Unicode.Scalar, in scalars: [Unicode.Scalar]) -> [(
        name: String, place: Int, end: Int
    )] {
        scalars.indices.filter {
            scalars[$0] == sign && ($0 == 0 || " \t:[{,?-".unicodeScalars.contains(scalars[$0 - 1]))
        }.compactMap { place in
            let name = scalars[(place + 1)...].prefix {
                $0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "-" || $0 == "_"
            }
            return name.isEmpty ? nil : (String(String.UnicodeScalarView(name)), place, name.endIndex)
        }
    }

    /// Whether nothing but an indicator stands before a place.
    private static func beginsNode(_ place: Int, in scalars: [Unicode.Scalar]) -> Bool {
        guard let before = scalars[..<place].last(where: { $0 != " " }) else { return true }
        return "{[,-?".unicodeScalars.contains(before)
    }

    private static func colon(after end: Int, in scalars: [Unicode.Scalar]) -> Bool {
        scalars[end...].first { $0 != " " } == ":"
    }

    /// `? key`, whatever the key is.
    private static func hasExplicitKey(_ scalars: [Unicode.Scalar]) -> Bool {
        scalars.indices.contains { place in
            scalars[place] == "?" && beginsNode(place, in: scalars)
                && (place + 1 == scalars.count || scalars[place + 1] == " ")
        }
    }

    /// `[*a, *b]: value` and `{x: *a}: value`.
    private static func hasCollectionKey(_ rest: ArraySlice<Unicode.Scalar>, of scalars: [Unicode.Scalar]) -> Bool {
        rest.indices.contains { (scalars[$0] == "]" || scalars[$0] == "}") && colon(after: $0 + 1, in: scalars) }
    }
}
