/// A drawing in Scalable Vector Graphics 1.1; lengths in points, 72 an inch.
struct SVG {
    let width: Double
    let height: Double
    private var elements: [String] = []

    init(width: Double, height: Double) { (self.width, self.height) = (width, height) }

    /// Where a text is held.
    enum Anchor: String { case start, middle, end }

    /// How a line is drawn.
    struct Stroke {
        var colour = "#000000"
        var width = 0.75
        /// Lengths of strokes and gaps; none for a whole line.
        var dashes: [Double] = []
        var opacity = 1.0

        fileprivate var attributes: String {
            " stroke=\"\(colour)\" stroke-width=\"\(width.svg)\" fill=\"none\" stroke-linejoin=\"round\""
                + (dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes.map(\.svg).joined(separator: " "))\"")
                + (opacity < 1 ? " stroke-opacity=\"\(opacity.svg)\"" : "")
        }
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ stroke: Stroke = Stroke()) {
        elements.append("<path d=\"M\(x1.svg) \(y1.svg)L\(x2.svg) \(y2.svg)\"\(stroke.attributes)/>")
    }

    mutating func path(_ points: [(x: Double, y: Double)], _ stroke: Stroke) {
        guard points.count > 1 else { return }
        elements.append(
            "<path d=\"M" + points.map { "\($0.x.svg) \($0.y.svg)" }.joined(separator: "L") + "\"\(stroke.attributes)/>"
        )
    }

    mutating func rectangle(
        x: Double, y: Double, width: Double, height: Double, fill: String, stroke: String? = nil, opacity: Double = 1
    ) {
        elements.append(
            "<rect x=\"\(x.svg)\" y=\"\(y.svg)\" width=\"\(width.svg)\" height=\"\(height.svg)\" fill=\"\(fill)\""
                + (opacity < 1 ? " fill-opacity=\"\(opacity.svg)\"" : "")
                + (stroke.map { " stroke=\"\($0)\" stroke-width=\"0.5\"" } ?? "") + "/>")
    }

    /// A closed shape.
    mutating func polygon(_ points: [(x: Double, y: Double)], fill: String, stroke: String, width: Double = 0.75) {
        let list = points.map { "\($0.x.svg),\($0.y.svg)" }.joined(separator: " ")
        elements.append(
            "<polygon points=\"\(list)\" fill=\"\(fill)\" stroke=\"\(stroke)\" stroke-width=\"\(width.svg)\"/>")
    }

    mutating func circle(_ x: Double, _ y: Double, radius: Double, fill: String, stroke: String, opacity: Double = 1) {
        elements.append(
            """
            <circle cx="\(x.svg)" cy="\(y.svg)" r="\(radius.svg)" fill="\(fill)" stroke="\(stroke)" \
            stroke-width="0.75"
            """
                + (opacity < 1 ? " fill-opacity=\"\(opacity.svg)\" stroke-opacity=\"\(opacity.svg)\"" : "") + "/>")
    }

    mutating func text(
        _ text: String, _ x: Double, _ y: Double, anchor: Anchor = .start, size: Double = 8, isUpright: Bool = false,
        colour: String = "#000000"
    ) {
        let turn = isUpright ? " transform=\"rotate(-90 \(x.svg) \(y.svg))\"" : ""
        elements.append(
            """
            <text x="\(x.svg)" y="\(y.svg)" font-size="\(size.svg)" text-anchor="\(anchor.rawValue)" \
            fill="\(colour)"\(turn)>\(text.xmlText)</text>
            """
        )
    }

    /// A PNG file as a part of the drawing.
    mutating func image(_ png: [UInt8], x: Double, y: Double, width: Double, height: Double) {
        elements.append(
            "<image x=\"\(x.svg)\" y=\"\(y.svg)\" width=\"\(width.svg)\" height=\"\(height.svg)\" "
                + "preserveAspectRatio=\"none\" href=\"data:image/png;base64,\(png.base64)\"/>")
    }

    /// The drawing as an element of a page.
    var element: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(width.svg)pt" height="\(height.svg)pt" \
        viewBox="0 0 \(width.svg) \(height.svg)" \
        font-family="Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif">
        <rect width="100%" height="100%" fill="#ffffff"/>
        \(elements.joined(separator: "\n"))
        </svg>

        """
    }

    /// The drawing as a file.
    var document: String { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + element }
}

extension Double {
    /// With two decimals at most, so that equal drawings are equal texts.
    fileprivate var svg: String {
        let text = fixed(2)
        guard text.contains(".") else { return text }
        let whole = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
        return String(whole.reversed())
    }
}

extension String {
    /// The text in XML and HTML: what they read is escaped, and controls and changes of direction are shown as their
    /// numbers.
    package var xmlText: String {
        unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            case "\n", "\t": text.unicodeScalars.append(scalar)
            default:
                if scalar.isHidden {
                    text += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }
    }
}

extension Unicode.Scalar {
    /// Whether it is a control, or changes the direction of what follows.
    var isHidden: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFFFE, 0xFFFF: true
        default: false
        }
    }
}

extension [UInt8] {
    /// RFC 4648.
    package var base64: String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        text.reserveCapacity((count + 2) / 3 * 4)
        for start in stride(from: 0, to: count, by: 3) {
            let (a, b, c) = (
                Int(self[start]), start + 1 < count ? Int(self[start + 1]) : 0,
                start + 2 < count ? Int(self[start + 2]) : 0
            )
            let word = a << 16 | b << 8 | c
            text.append(alphabet[word >> 18])
            text.append(alphabet[word >> 12 & 63])
            text.append(start + 1 < count ? alphabet[word >> 6 & 63] : UInt8(ascii: "="))
            text.append(start + 2 < count ? alphabet[word & 63] : UInt8(ascii: "="))
        }
        return String(decoding: text, as: UTF8.self)
    }
}
