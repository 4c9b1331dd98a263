/// A plot as a value: what it shows, before any choice of size.
public struct Plot: Hashable, Sendable {
    /// Printed above the plot; nil for none.
    public var title: String?
    /// The horizontal axis.
    public var x: Axis
    /// The vertical axis.
    public var y: Axis
    /// Drawn in this order, the later ones on top.
    public var series: [Series]
    /// Horizontal lines, such as the noisy input's mean.
    public var levels: [Level] = []
    /// Whether the line y = x is drawn.
    public var hasDiagonal = false
    /// Explanations, printed below the plot.
    public var notes: [String] = []

    public init(title: String? = nil, x: Axis, y: Axis, series: [Series] = []) {
        (self.title, self.x, self.y, self.series) = (title, x, y, series)
    }

    /// How one coordinate is shown.
    public struct Axis: Hashable, Sendable {
        /// Printed beside the axis, with the unit.
        public var label: String
        /// Whether the scale is logarithmic; its range then comes from the positive values alone.
        public var isLogarithmic: Bool
        /// Names of the places 0, 1, …; empty for numbers.
        public var categories: [String]

        public init(_ label: String, isLogarithmic: Bool = false, categories: [String] = []) {
            (self.label, self.isLogarithmic, self.categories) = (label, isLogarithmic, categories)
        }
    }

    /// A horizontal line over the whole width.
    public struct Level: Hashable, Sendable {
        /// Printed at the line.
        public var label: String
        /// In the unit of the vertical axis.
        public var value: Double

        public init(_ label: String, _ value: Double) { (self.label, self.value) = (label, value) }
    }

    /// One value of a series.
    public struct Point: Hashable, Sendable {
        /// In the unit of the horizontal axis, or the place of a category.
        public var x: Double
        /// In the unit of the vertical axis; a NaN is not drawn.
        public var y: Double
        /// Drawn as an error bar, such as the 95 % interval of `y`; nil draws none.
        public var interval: ClosedRange<Double>?
        /// Whether it is far below both of its neighbours, as a collapsed run is.
        public var isSuspect: Bool

        public init(_ x: Double, _ y: Double, interval: ClosedRange<Double>? = nil, isSuspect: Bool = false) {
            (self.x, self.y, self.interval, self.isSuspect) = (x, y, interval, isSuspect)
        }
    }

    /// Points that are drawn alike and have one entry in the legend.
    public struct Series: Hashable, Sendable {
        /// How the points are drawn.
        public enum Form: Hashable, Sendable {
            /// A line without marks.
            case line
            /// A thin pale line behind the one of the same colour, left out of the legend.
            case shadow
            /// A line with a mark at each point.
            case markedLine
            /// Marks alone.
            case marks
            /// Bars from the axis.
            case bars
        }

        /// The text in the legend.
        public var label: String
        /// In the order in which a line joins them.
        public var points: [Point]
        /// As a line, marks or bars.
        public var form: Form
        /// Which colour, dashes and mark: series of one style belong together.
        public var style: Int

        public init(_ label: String, _ points: [Point], form: Form, style: Int) {
            (self.label, self.points, self.form, self.style) = (label, points, form, style)
        }
    }
}

/// Colours that colour-blind people can distinguish, and dashes and marks for those who print in black.
///
/// Okabe and Ito, *Color Universal Design*, 2008; yellow is left out, as it vanishes on white paper.
struct PlotStyle {
    private static let colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
    private static let dashes: [[Double]] = [
        [], [5, 2], [1.2, 1.8], [6, 2, 1.2, 2], [9, 3], [3, 1.5], [6, 1.5, 1.2, 1.5, 1.2, 1.5],
    ]

    let colour: String
    let dash: [Double]
    let mark: Int

    init(_ number: Int) {
        colour = Self.colours[number % Self.colours.count]
        dash = Self.dashes[(number + number / Self.colours.count) % Self.dashes.count]
        mark = number % 6
    }

    /// Draws the style's mark around a point.
    func draw(
        on svg: inout SVG, _ x: Double, _ y: Double, size: Double = 2.4, isFilled: Bool = true, opacity: Double = 1
    ) {
        let fill = isFilled ? colour : "#ffffff"
        let r = size
        switch mark {
        case 0: svg.circle(x, y, radius: r, fill: fill, stroke: colour, opacity: opacity)
        case 1:
            svg.polygon([(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)], fill: fill, stroke: colour)
        case 2:
            svg.polygon(
                [(x, y - 1.2 * r), (x + 1.1 * r, y + 0.9 * r), (x - 1.1 * r, y + 0.9 * r)], fill: fill, stroke: colour)
        case 3:
            svg.polygon(
                [(x, y - 1.4 * r), (x + 1.4 * r, y), (x, y + 1.4 * r), (x - 1.4 * r, y)], fill: fill, stroke: colour)
        case 4:
            svg.polygon(
                [(x, y + 1.2 * r), (x + 1.1 * r, y - 0.9 * r), (x - 1.1 * r, y - 0.9 * r)], fill: fill, stroke: colour)
        default:
            svg.line(x - r, y - r, x + r, y + r, .init(colour: colour, width: 1.2))
            svg.line(x - r, y + r, x + r, y - r, .init(colour: colour, width: 1.2))
        }
    }
}
