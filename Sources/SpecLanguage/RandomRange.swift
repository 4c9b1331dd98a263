import Digests
import Foundation

/// Where a random sweep draws a setting from: a range, even or logarithmic, or a list.
///
///     { from: 1e-5, to: 1e-3, log: true }      [0.0, 0.1, 0.2]
struct RandomRange {
    private enum Source {
        case list([SpecNode])
        case range(from: Double, to: Double, isLog: Bool, isWhole: Bool)
    }

    private let source: Source
    private let mark: Mark

    static func isRange(_ node: SpecNode) -> Bool { node["from"] != nil || node["to"] != nil }

    /// - Parameter isWhole: Whether the setting takes whole numbers; taken from the bounds if `nil`.
    init(_ node: SpecNode, path: String, isWhole: Bool?) throws(SpecError) {
        mark = node.mark
        if let elements = node.elements, !elements.isEmpty {
            source = .list(elements)
            return
        }
        func fail(_ place: SpecNode, _ summary: String) -> SpecError {
            SpecError(
                "sweep", at: place.mark, summary, hint: "\(path): { from: 1e-5, to: 1e-3, log: true } or [a, b, c]")
        }
        let known = ["from", "to", "log"]
        if let entry = node.entries?.first(where: { !known.contains($0.key) }) {
            throw SpecError.unknown("key", entry.key, known: known, at: entry.mark, code: "unknown-key")
        }
        guard let from = node["from"]?.text, let to = node["to"]?.text else {
            throw fail(node, "'\(path)' wants 'from' and 'to', or a list")
        }
        guard let low = ScalarReading.number(from), let high = ScalarReading.number(to), low < high else {
            throw fail(node, "'\(path)' wants a number 'from' below 'to'")
        }
        var isLog = false
        if let log = node["log"] {
            guard let value = log.text.flatMap(ScalarReading.bool) else { throw fail(log, "'log' wants true or false") }
            isLog = value
        }
        guard !isLog || low > 0 else { throw fail(node["from"] ?? node, "a logarithmic range begins above 0") }
        let drawsWhole = isWhole ?? (Int(from) != nil && Int(to) != nil)
        guard !drawsWhole || low.rounded(.up) <= high.rounded(.down) else {
            throw fail(node, "there is no whole number from \(from) to \(to)")
        }
        source = .range(from: low, to: high, isLog: isLog, isWhole: drawsWhole)
    }

    /// The value of draw `index`: the same for the same seed, path, and index, whatever else is swept.
    func draw(_ index: Int, seed: Int, path: String) -> SpecNode {
        let u = Self.uniform(seed: seed, path: path, index: index)
        switch source {
        case .list(let elements):
            return elements[min(elements.count - 1, Int(u * Double(elements.count)))]
        case .range(let from, let to, let isLog, let isWhole):
            let value = isLog ? exp(log(from) + u * (log(to) - log(from))) : from + u * (to - from)
            let (least, most) = (from.rounded(.up), to.rounded(.down))
            let whole = isLog ? value.rounded() : least + (u * (most - least + 1)).rounded(.down)
            let text =
                isWhole
                ? SettingValue.number(min(most, max(least, whole))).description : Self.rounded(value).description
            return SpecNode(.scalar(text, isQuoted: false), at: mark)
        }
    }

    /// Six digits are enough for a setting, keep draws distinct, and keep names short.
    private static func rounded(_ value: Double) -> Double {
        guard value != 0 else { return 0 }
        let scale = pow(10, 5 - floor(log10(abs(value))))
        return (value * scale).rounded() / scale
    }

    /// A number in `[0, 1)` from the first bytes of a hash of its address.
    private static func uniform(seed: Int, path: String, index: Int) -> Double {
        let digest = SHA256.digest(of: Array("sweep \(seed) \(path) \(index)".utf8))
        let bits = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Double(bits >> 11) * 0x1p-53
    }
}
