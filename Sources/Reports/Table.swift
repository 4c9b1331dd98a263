/// A table as a value, independent of the format in which it is written.
public struct Table: Hashable, Sendable {
    /// Stands above the table; nil for none.
    public var title: String?
    /// From left to right.
    public var columns: [Column]
    /// From top to bottom.
    public var rows: [Row]
    /// What a reader must know to read the cells.
    public var notes: [String]
    /// Whether the number of files is printed after each mean.
    public var showsCounts = true
    /// What LaTeX writes above the table.
    public var caption: String?
    /// The name that LaTeX refers to the table by; nil for none.
    public var label: String?

    public init(title: String? = nil, columns: [Column], rows: [Row] = [], notes: [String] = []) {
        (self.title, self.columns, self.rows, self.notes) = (title, columns, rows, notes)
    }

    /// How one column is headed and aligned.
    public struct Column: Hashable, Sendable {
        /// `trailing` for numbers, `leading` for words.
        public enum Alignment: Hashable, Sendable { case leading, trailing }

        /// The headings above the name, outermost first; neighbours share equal ones.
        public var groups: [String]
        /// The lowest heading.
        public var name: String
        /// Stands in brackets behind the name; nil or "" for none.
        public var unit: String?
        /// The side on which the texts of the column begin or end together.
        public var alignment: Alignment
        /// Whether the column identifies the rows; it is repeated when a wide table is split.
        public var isKey: Bool
        /// The name as papers print it, such as `SI-SDR`.
        public var symbol: String?
        /// For a metric, whether a higher value is a better one.
        public var higherIsBetter: Bool?

        public init(
            _ name: String, groups: [String] = [], unit: String? = nil, alignment: Alignment = .trailing,
            isKey: Bool = false
        ) {
            (self.name, self.groups, self.unit) = (name, groups, unit)
            (self.alignment, self.isKey) = (alignment, isKey)
        }

        var heading: String { Self.heading(name, unit) }

        /// `SI-SDR [dB] ↑`: as papers print it.
        var printedHeading: String {
            Self.heading(symbol ?? name, unit) + (higherIsBetter.map { $0 ? " ↑" : " ↓" } ?? "")
        }

        private static func heading(_ name: String, _ unit: String?) -> String {
            unit.map { $0.isEmpty ? name : "\(name) [\($0)]" } ?? name
        }
    }

    /// One line of cells.
    public struct Row: Hashable, Sendable {
        /// As many as the table has columns.
        public var cells: [Cell]
        /// Rows of another section than the row above are separated from it by a line, as anchors are.
        public var section: String

        public init(_ cells: [Cell], section: String = "") { (self.cells, self.section) = (cells, section) }
    }

    /// The value of one cell, before it is rounded.
    public enum Cell: Hashable, Sendable {
        case empty
        case text(String)
        case integer(Int)
        case number(Double, digits: Int)
        case statistic(Statistic, digits: Int, marks: Marks = [])
        /// A mean with the interval it lies in; nil where it has none.
        case estimate(Statistic, interval: ClosedRange<Double>?, digits: Int)
        /// A system's scores in one column of a comparison.
        case score(ScoreSummary)
    }

    /// How cells are written as text.
    public struct Style: Hashable, Sendable {
        /// Whether the number of files is printed after each mean.
        public var showsCounts: Bool
        /// Without blanks inside a number, and closer together.
        public var isDense: Bool

        public init(showsCounts: Bool = true, isDense: Bool = false) {
            (self.showsCounts, self.isDense) = (showsCounts, isDense)
        }
    }

    /// Marks that are printed beside a cell's number.
    public struct Marks: OptionSet, Hashable, Sendable {
        public let rawValue: Int

        public init(rawValue: Int) { self.rawValue = rawValue }

        /// Worse than the unprocessed input.
        public static let belowAnchor = Marks(rawValue: 1)
        /// Some files of the set are not in yet.
        public static let partial = Marks(rawValue: 2)
        /// The best of its column.
        public static let best = Marks(rawValue: 4)
        /// Not clearly worse than the best.
        public static let tied = Marks(rawValue: 8)
    }
}

extension Table {
    /// Leaves out the columns in which the rows of a section all say the same.
    mutating func keepDifferingColumns(section: String) {
        let some = rows.filter { $0.section == section }
        guard some.count > 1 else { return }
        let kept = columns.indices.filter { column in
            column == 0 || Set(some.map { column < $0.cells.count ? $0.cells[column].text : "" }).count > 1
        }
        columns = kept.map { columns[$0] }
        for row in rows.indices {
            rows[row].cells = kept.filter { $0 < rows[row].cells.count }.map { rows[row].cells[$0] }
        }
    }
}

extension Table.Cell {
    /// The cell as plain text: `2.93 ± 0.62 (824)`.
    public var text: String {
        switch self {
        case .empty: ""
        case .text(let text): text
        case .integer(let value): String(value)
        case .number(let value, let digits): value.fixed(digits)
        case .statistic(let statistic, let digits, let marks): statistic.text(digits) + marks.text
        case .estimate(let statistic, let interval, let digits): statistic.text(digits, interval)
        case .score(let one): one.text()
        }
    }

    /// The cell in a style, which bears on scores alone.
    func text(_ style: Table.Style) -> String {
        if case .score(let one) = self { return one.text(style) }
        return text
    }
}

extension Table.Marks {
    /// The signs of the marks in a fixed order: `●` best, `○` tied, `▼` below the noisy input, `*` partial.
    public var text: String {
        let signs: [(Self, String)] = [(.best, "●"), (.tied, "○"), (.belowAnchor, "▼"), (.partial, "*")]
        return signs.filter { contains($0.0) }.map(\.1).joined()
    }
}

extension Statistic {
    /// With the mean's interval: `1.96 ± 0.40 [1.93, 1.99] (823, 1 inf)`; `inf` where every score is `+∞`.
    func text(_ digits: Int, _ interval: ClosedRange<Double>?) -> String {
        let isInfinite = n == 0 && positiveInfinities > 0
        let range = interval.map { " [\($0.lowerBound.fixed(digits)), \($0.upperBound.fixed(digits))]" } ?? ""
        return (isInfinite ? "inf" : number(digits)) + range + " (\(countText("inf")))"
    }

    func text(_ digits: Int) -> String {
        "\(number(digits)) (\(countText))"
    }

    /// Mean and spread; the mean alone for one score, which has no spread.
    private func number(_ digits: Int) -> String {
        mean.fixed(digits) + (n > 1 ? " ± \(std.fixed(digits))" : "")
    }

    /// The number of scores, and of those left out of the mean: `823, 1 ∞`.
    var countText: String { countText("∞") }

    private func countText(_ infinity: String) -> String {
        var parts = [String(n)]
        if positiveInfinities > 0 { parts.append("\(positiveInfinities) \(infinity)") }
        if negativeInfinities > 0 { parts.append("\(negativeInfinities) −\(infinity)") }
        if missing > 0 { parts.append("\(missing) missing") }
        return parts.joined(separator: ", ")
    }
}

extension Double {
    /// With `digits` decimals; minus as a hyphen, so that numbers can be copied.
    package func fixed(_ digits: Int) -> String {
        if isNaN { return "–" }
        if isInfinite { return self > 0 ? "∞" : "-∞" }
        let scale = (0..<digits).reduce(1.0) { power, _ in power * 10 }
        guard abs(self) * scale < 9e15 else { return String(self) }
        let scaled = (self * scale).rounded(.toNearestOrEven)
        let (whole, rest) = Int64(abs(scaled)).quotientAndRemainder(dividingBy: Int64(scale))
        let sign = scaled < 0 ? "-" : ""
        guard digits > 0 else { return sign + String(whole) }
        let decimals = String(rest)
        return sign + String(whole) + "." + String(repeating: "0", count: digits - decimals.count) + decimals
    }

    package func signed(_ digits: Int) -> String {
        let text = fixed(digits)
        return text.hasPrefix("-") || isNaN ? text : "+" + text
    }
}
