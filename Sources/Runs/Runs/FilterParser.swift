/// Reads a ``RunFilter`` by recursive descent.
struct FilterParser {
    private let text: String
    private var tokens: [Token] = []
    private var next = 0
    private var depth = 0

    private struct Token {
        enum Kind: Equatable {
            case word(String)
            case quoted(String)
            case symbol(String)
        }
        var kind: Kind
        var offset: Int
    }

    init(_ text: String) throws(FilterError) {
        self.text = text
        let letters = Array(text)
        var place = 0
        while place < letters.count {
            let (letter, start) = (letters[place], place)
            if letter.isWhitespace {
                place += 1
            } else if letter == "\"" || letter == "'" {
                guard let end = letters[(start + 1)...].firstIndex(of: letter) else {
                    throw error("a quotation mark is never closed", at: start)
                }
                tokens.append(Token(kind: .quoted(String(letters[(start + 1)..<end])), offset: start))
                place = end + 1
            } else if Self.symbols.contains(letter) {
                let pair = String(letters[start..<min(start + 2, letters.count)])
                let symbol = Self.pairs[pair] ?? String(letter)
                place += Self.pairs[pair] == nil ? 1 : 2
                tokens.append(Token(kind: .symbol(symbol), offset: start))
            } else {
                while place < letters.count, !letters[place].isWhitespace, !Self.symbols.contains(letters[place]) {
                    place += 1
                }
                tokens.append(Token(kind: .word(String(letters[start..<place])), offset: start))
            }
        }
    }

    private static let symbols: Set<Character> = [
        "(", ")", "[", "]", ",", "=", "!", "<", ">", "~", "\"", "'", "&", "|",
    ]
    private static let pairs = [
        "!=": "!=", "<>": "!=", "<=": "<=", ">=": ">=", "==": "=", "&&": "and", "||": "or",
    ]

    /// The whole text as one expression.
    mutating func whole() throws(FilterError) -> RunFilter.Node {
        let node = try expression()
        guard next == tokens.count else { throw error("'and' or 'or' is missing here", at: tokens[next].offset) }
        return node
    }

    private mutating func expression() throws(FilterError) -> RunFilter.Node {
        var node = try term()
        while take("or") { node = .or(node, try term()) }
        return node
    }

    private mutating func term() throws(FilterError) -> RunFilter.Node {
        var node = try factor()
        while take("and") { node = .and(node, try factor()) }
        return node
    }

    /// The deepest nesting of 'not' and parentheses.
    private static let deepest = 100

    private mutating func factor() throws(FilterError) -> RunFilter.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw error("more than \(Self.deepest) of 'not' and '(' in each other") }
        if take("not") || take("!") { return .not(try factor()) }
        if take("(") {
            let node = try expression()
            try expect(")")
            return node
        }
        guard next < tokens.count, case .word(let field) = tokens[next].kind else {
            throw error("a field's name is missing here", hint: "such as: backbone=ncsnpp and N=50")
        }
        next += 1
        return try comparison(of: field)
    }

    private mutating func comparison(of field: String) throws(FilterError) -> RunFilter.Node {
        if take("in") {
            let closing = take("[") ? "]" : ")"
            if closing == ")" { try expect("(") }
            var values = [try value()]
            while take(",") { values.append(try value()) }
            try expect(closing)
            return .comparison(field: field, .among, values)
        }
        guard next < tokens.count, case .symbol(let symbol) = tokens[next].kind,
            let comparison = RunFilter.Comparison(rawValue: symbol)
        else {
            throw error("a comparison of '\(field)' is missing here", hint: "one of = != < <= > >= ~ in")
        }
        next += 1
        return .comparison(field: field, comparison, [try value()])
    }

    private mutating func value() throws(FilterError) -> RunFilter.Literal {
        guard next < tokens.count else { throw error("a value is missing here") }
        defer { next += 1 }
        switch tokens[next].kind {
        case .quoted(let text): return .text(text)
        case .word(let word): return Double(word).map { .number($0) } ?? .text(word)
        case .symbol: throw error("a value is missing here", hint: "put quotation marks around signs")
        }
    }

    // MARK: Tokens

    /// Passes over the keyword or sign, if it is next.
    private mutating func take(_ word: String) -> Bool {
        guard next < tokens.count else { return false }
        switch tokens[next].kind {
        case .word(let found) where found.lowercased() == word: break
        case .symbol(word): break
        default: return false
        }
        next += 1
        return true
    }

    private mutating func expect(_ word: String) throws(FilterError) {
        if !take(word) { throw error("'\(word)' is missing here") }
    }

    private func error(_ summary: String, at offset: Int? = nil, hint: String? = nil) -> FilterError {
        let place = next < tokens.count ? tokens[next].offset : text.count
        return FilterError(text: text, offset: offset ?? place, summary: summary, hint: hint)
    }
}
