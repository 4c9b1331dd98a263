import Foundation

/// The embeddings in the plane of most variance, as a picture: one colour for each noise type.
public struct EmbeddingPlot: Sendable {
    private let points: [EmbeddingStatistics.Point]
    private let types: [String]

    public init(_ statistics: EmbeddingStatistics) {
        points = statistics.points
        types = Set(points.map { $0.noise ?? "unknown" }).sorted()
    }

    /// Colours that stay apart for colour-blind readers. Okabe & Ito, *Color Universal Design*, 2008.
    private static let colours = [
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442",
    ]

    private func type(of point: EmbeddingStatistics.Point) -> Int {
        types.firstIndex(of: point.noise ?? "unknown") ?? 0
    }

    private var bounds: (x: ClosedRange<Double>, y: ClosedRange<Double>) {
        func range(_ values: [Double]) -> ClosedRange<Double> {
            let (low, high) = (values.min() ?? 0, values.max() ?? 0)
            return high > low ? low...high : low - 1...high + 1
        }
        return (range(points.map(\.x)), range(points.map(\.y)))
    }

    /// A picture of 640 × 480 units with a legend.
    public var svg: String {
        let (bounds, width, height, margin) = (bounds, 640.0, 480.0, 30.0)
        func place(_ value: Double, in range: ClosedRange<Double>, _ size: Double) -> Double {
            margin + (value - range.lowerBound) / (range.upperBound - range.lowerBound) * (size - 2 * margin)
        }
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" \
            font-family="sans-serif" font-size="12">
            """,
            "<title>Noise embeddings in the plane of most variance</title>",
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        for point in points {
            lines.append(
                String(
                    format:
                        """
                        <circle cx="%.1f" cy="%.1f" r="4" fill="%@" \
                        fill-opacity="0.8"><title>%@</title></circle>
                        """,
                    place(point.x, in: bounds.x, width), height - place(point.y, in: bounds.y, height),
                    Self.colours[type(of: point) % Self.colours.count], Self.escaped(point.file)))
        }
        for (index, type) in types.enumerated() {
            let y = 16 + 16 * index
            lines.append("<circle cx=\"12\" cy=\"\(y)\" r=\"4\" fill=\"\(Self.colours[index % Self.colours.count])\"/>")
            lines.append("<text x=\"22\" y=\"\(y + 4)\">\(Self.escaped(type))</text>")
        }
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    /// A picture of letters, with a legend below.
    public func text(width: Int = 60, height: Int = 18) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        var cells = [[Character]](repeating: [Character](repeating: "·", count: width), count: height)
        let bounds = bounds
        func place(_ value: Double, in range: ClosedRange<Double>, _ size: Int) -> Int {
            Int(((value - range.lowerBound) / (range.upperBound - range.lowerBound) * Double(size - 1)).rounded())
        }
        for point in points {
            let row = height - 1 - place(point.y, in: bounds.y, height)
            cells[row][place(point.x, in: bounds.x, width)] = letters[type(of: point) % letters.count]
        }
        let legend = types.enumerated().map { "\(letters[$0 % letters.count]) \($1)" }.joined(separator: "   ")
        return (cells.map { String($0) } + [legend]).joined(separator: "\n")
    }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    }
}
