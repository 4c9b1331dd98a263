extension Plot {
    /// The plot as an SVG file.
    ///
    /// - Parameters:
    ///   - width: In points. Letters keep their size of 8 points, so that a plot of a column's width needs no scaling.
    ///   - height: In points; the golden section of the width where nil.
    public func svg(width: Double = 252, height: Double? = nil) -> String {
        drawing(width: width, height: height).document
    }

    func drawing(width: Double, height: Double? = nil) -> SVG {
        let legend = PlotLegend(self, width: width - 12)
        let notes = self.notes.flatMap { Self.lines($0, width: width - 12, size: 6.5) }
        let top = title == nil ? 8.0 : 20.0
        let isCrowded = !x.categories.isEmpty && x.categories.map(\.count).reduce(0, +) * 5 > Int(width - 60)
        let below = 28.0 + (isCrowded ? 4 * Double(min(14, x.categories.map(\.count).max() ?? 0)) : 0)
        let plotHeight = height.map { max(40, $0 - top - below - legend.height) } ?? 0.55 * width
        let whole = top + plotHeight + below + legend.height + 8.5 * Double(notes.count) + 4
        var svg = SVG(width: width, height: whole)
        let area = PlotArea(left: 38, right: width - 14, top: top, bottom: top + plotHeight)
        let isBars = series.contains { $0.form == .bars }
        let xs = PlotScale(x, valuesOfX, from: area.left, to: area.right, most: max(3, Int(width / 55)))
        let ys = PlotScale(
            y, valuesOfY, from: area.bottom, to: area.top, most: max(3, Int(plotHeight / 26)), includesZero: isBars)
        title.map { svg.text($0, width / 2, 12, anchor: .middle, size: 9) }
        drawAxes(&svg, area, xs, ys, isCrowded: isCrowded, below: below)
        drawLevels(&svg, area, ys)
        if hasDiagonal { drawDiagonal(&svg, xs, ys) }
        drawBars(&svg, xs, ys, area)
        for one in series where one.form != .bars { draw(one, &svg, xs, ys) }
        legend.draw(on: &svg, x: 6, y: area.bottom + below)
        for (place, line) in notes.enumerated() {
            svg.text(
                line, 6, area.bottom + below + legend.height + 8 + 8.5 * Double(place), size: 6.5, colour: "#444444")
        }
        return svg
    }

    private struct PlotArea { var (left, right, top, bottom): (Double, Double, Double, Double) }

    /// The two axes of a diagonal have one range.
    private var valuesOfX: [Double] {
        series.flatMap { one in one.points.flatMap { hasDiagonal ? [$0.x, $0.y] : [$0.x] } }
    }

    private var valuesOfY: [Double] {
        var values = series.flatMap {
            $0.points.flatMap { [$0.y, $0.interval?.lowerBound ?? $0.y, $0.interval?.upperBound ?? $0.y] }
        }
        values += levels.map(\.value)
        if hasDiagonal { values += series.flatMap { $0.points.map(\.x) } }
        return values
    }

    private func drawAxes(
        _ svg: inout SVG, _ area: PlotArea, _ xs: PlotScale, _ ys: PlotScale, isCrowded: Bool, below: Double
    ) {
        for tick in ys.ticks {
            let place = ys.place(tick.value)
            guard place >= area.top - 0.5, place <= area.bottom + 0.5 else { continue }
            svg.line(area.left, place, area.right, place, .init(colour: "#dddddd", width: 0.4))
            svg.text(tick.label, area.left - 3, place + 2.6, anchor: .end, size: 7.5)
        }
        for tick in xs.ticks {
            let place = xs.place(tick.value)
            guard place >= area.left - 0.5, place <= area.right + 0.5 else { continue }
            svg.line(place, area.bottom, place, area.bottom + 2.5, .init(width: 0.5))
            if isCrowded {
                svg.text(
                    String(tick.label.prefix(16)), place + 2.6, area.bottom + 4, anchor: .end, size: 7, isUpright: true)
            } else {
                svg.text(tick.label, place, area.bottom + 10.5, anchor: .middle, size: 7.5)
            }
        }
        svg.path([(area.left, area.top), (area.left, area.bottom), (area.right, area.bottom)], .init(width: 0.6))
        svg.text(x.label, (area.left + area.right) / 2, area.bottom + below - 6, anchor: .middle)
        svg.text(y.label, 9, (area.top + area.bottom) / 2, anchor: .middle, isUpright: true)
    }

    private func drawLevels(_ svg: inout SVG, _ area: PlotArea, _ ys: PlotScale) {
        for (place, level) in levels.enumerated() {
            let y = ys.place(level.value)
            svg.line(
                area.left, y, area.right, y,
                .init(colour: "#555555", width: 0.8, dashes: place == 0 ? [3, 2] : [1, 1.5]))
            svg.text(level.label, area.right - 2, y - 2, anchor: .end, size: 6.5, colour: "#333333")
        }
    }

    private func drawDiagonal(_ svg: inout SVG, _ xs: PlotScale, _ ys: PlotScale) {
        let values = series.flatMap { $0.points.flatMap { [$0.x, $0.y] } }.filter(\.isFinite)
        guard let least = values.min(), let greatest = values.max() else { return }
        svg.line(
            xs.place(least), ys.place(least), xs.place(greatest), ys.place(greatest),
            .init(colour: "#555555", dashes: [3, 2]))
    }

    /// Bars of several series stand side by side in their category.
    private func drawBars(_ svg: inout SVG, _ xs: PlotScale, _ ys: PlotScale, _ area: PlotArea) {
        let bars = series.filter { $0.form == .bars }
        let slot = 0.8 / Double(max(1, bars.count))
        for (place, one) in bars.enumerated() {
            let style = PlotStyle(one.style)
            for point in one.points where point.y.isFinite {
                let left = xs.place(point.x - 0.4 + slot * Double(place))
                let right = xs.place(point.x - 0.4 + slot * Double(place + 1))
                let (zero, top) = (ys.place(0), ys.place(point.y))
                svg.rectangle(
                    x: left, y: min(zero, top), width: max(0.5, right - left - 0.6), height: max(0.3, abs(zero - top)),
                    fill: style.colour, stroke: "#000000",
                    opacity: place % 2 == 0 ? 0.85 : 0.45)
                drawInterval(point, at: (left + right) / 2, &svg, ys, colour: "#000000")
            }
        }
    }

    private func draw(_ one: Series, _ svg: inout SVG, _ xs: PlotScale, _ ys: PlotScale) {
        let style = PlotStyle(one.style)
        let points = one.points.filter { $0.y.isFinite && $0.x.isFinite }.sorted { $0.x < $1.x }
        let places = points.map { (x: xs.place($0.x), y: ys.place($0.y)) }
        switch one.form {
        case .shadow: svg.path(places, .init(colour: style.colour, width: 0.5, opacity: 0.3))
        case .line: svg.path(places, .init(colour: style.colour, width: 1.1, dashes: style.dash))
        case .markedLine: svg.path(places, .init(colour: style.colour, width: 1, dashes: style.dash))
        case .marks, .bars: break
        }
        guard one.form == .markedLine || one.form == .marks else { return }
        for (point, place) in zip(points, places) {
            drawInterval(point, at: place.x, &svg, ys, colour: style.colour)
            style.draw(
                on: &svg, place.x, place.y, size: points.count > 200 ? 1.4 : 2.4, isFilled: !point.isSuspect,
                opacity: points.count > 60 ? 0.55 : 1)
            if point.isSuspect { svg.text("?", place.x + 5, place.y + 3, size: 8, colour: style.colour) }
        }
    }

    private func drawInterval(_ point: Point, at x: Double, _ svg: inout SVG, _ ys: PlotScale, colour: String) {
        guard let interval = point.interval else { return }
        let (low, high) = (ys.place(interval.lowerBound), ys.place(interval.upperBound))
        svg.line(x, low, x, high, .init(colour: colour, width: 0.7))
        for end in [low, high] { svg.line(x - 1.6, end, x + 1.6, end, .init(colour: colour, width: 0.7)) }
    }

    /// The text in lines that fit, by the average width of a letter.
    static func lines(_ text: String, width: Double, size: Double) -> [String] {
        let most = max(10, Int(width / (0.5 * size)))
        var lines = [""]
        for word in text.split(separator: " ").map(String.init) {
            if lines[lines.count - 1].count + word.count + 1 > most, !lines[lines.count - 1].isEmpty {
                lines.append("")
            }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines
    }
}

/// The names of the series, in rows below the plot.
private struct PlotLegend {
    private var rows: [[Plot.Series]] = []

    init(_ plot: Plot, width: Double) {
        let shown = plot.series.filter { $0.form != .shadow && !$0.label.isEmpty }
        guard shown.count > 1 || plot.series.count > 1 || shown.first?.form == .marks else { return }
        var used = width
        for one in shown {
            let needed = Self.width(of: one)
            if used + needed > width { (rows, used) = (rows + [[]], 0) }
            rows[rows.count - 1].append(one)
            used += needed
        }
    }

    var height: Double { 10.5 * Double(rows.count) }

    private static func width(of one: Plot.Series) -> Double { 28 + 3.9 * Double(one.label.count) }

    func draw(on svg: inout SVG, x: Double, y: Double) {
        for (number, row) in rows.enumerated() {
            var left = x
            let base = y + 7.5 + 10.5 * Double(number)
            for one in row {
                let style = PlotStyle(one.style)
                switch one.form {
                case .bars:
                    svg.rectangle(
                        x: left + 5, y: base - 6, width: 8, height: 6, fill: style.colour, stroke: "#000000",
                        opacity: 0.85)
                case .marks: style.draw(on: &svg, left + 9, base - 2.6)
                default:
                    svg.line(
                        left, base - 2.6, left + 18, base - 2.6,
                        .init(colour: style.colour, width: 1.1, dashes: style.dash))
                    if one.form == .markedLine { style.draw(on: &svg, left + 9, base - 2.6) }
                }
                svg.text(one.label, left + 21, base, size: 7.5)
                left += Self.width(of: one)
            }
        }
    }
}
