/// A sweep as written: axes whose combinations are the points, and exclusions of points.
package struct Sweep {
    /// One value at one path.
    package struct Assignment {
        package var path: String
        package var mark: Mark
        package var value: SpecNode
        /// Distinguishes it from all others of its sweep.
        package var number = 0

        /// The tree with this assignment alone.
        package var tree: SpecNode {
            SpecComposer.tree(path.split(separator: ".").map { (String($0), mark) }, value.relabelled(.sweep))
        }
    }

    /// The alternatives along one direction; each sets one path or several together.
    package typealias Axis = [[Assignment]]

    package static let mostPoints = 100_000
    package static let modes = ["grid", "zip", "random", "points", "exclude"]

    package private(set) var axes: [Axis] = []
    package private(set) var exclusions: [[(path: String, mark: Mark, condition: SpecNode)]] = []
    package private(set) var errors: [SpecError] = []
    private let mark: Mark
    private let vocabulary: Vocabulary

    package init(_ node: SpecNode, _ vocabulary: Vocabulary) {
        mark = node.mark
        self.vocabulary = vocabulary
        guard let entries = node.entries else {
            if !node.isNull {
                fail(
                    node, "'sweep' wants a section, not \(node.noun)",
                    hint: "its keys are: " + Self.modes.joined(separator: ", "))
            }
            return
        }
        for entry in entries {
            switch entry.key {
            case "grid": grid(entry.value)
            case "zip": zip(entry.value)
            case "random": random(entry.value)
            case "points": points(entry.value)
            case "exclude": exclude(entry.value)
            default:
                var error = SpecError.unknown("key", entry.key, known: Self.modes, at: entry.mark, code: "unknown-key")
                error.summary += " in 'sweep'"
                if entry.key.contains(".") || vocabulary.schema[entry.key] != nil {
                    error.hint = "write it under 'grid'"
                }
                errors.append(error)
            }
        }
        if axes.isEmpty, errors.isEmpty, let exclude = node["exclude"] {
            fail(exclude, "'exclude' takes points out, and nothing is swept", hint: "grid: { train.lr: [1e-4, 3e-4] }")
        }
        number()
        checkPaths()
        var total = 1
        for axis in axes {
            total = min(Self.mostPoints + 1, total.multipliedReportingOverflow(by: max(1, axis.count)).partialValue)
        }
        if total > Self.mostPoints {
            fail(
                node, "the sweep has more than \(Self.mostPoints) points",
                hint: "use 'random', or exclude some by smaller lists")
            axes = []
        }
    }

    private mutating func number() {
        var next = 0
        for axis in axes.indices {
            for place in axes[axis].indices {
                for assignment in axes[axis][place].indices {
                    axes[axis][place][assignment].number = next
                    next += 1
                }
            }
        }
    }

    /// Checks that no point sets a path twice, or a key that is allowed in a whole file only.
    private mutating func checkPaths() {
        var axisOf: [String: Int] = [:]
        var reported: Set<String> = []
        for (number, axis) in axes.enumerated() {
            for point in axis {
                var own: Set<String> = []
                for assignment in point {
                    let section = vocabulary.schema.section(of: assignment.path)
                    if SpecComposer.separateKeys.contains(section), reported.insert(section).inserted {
                        errors.append(SpecError("sweep", at: assignment.mark, "'\(section)' cannot be swept"))
                    }
                    for path in paths(set: assignment.value, at: canonical(assignment.path)) {
                        let isTwice = !own.insert(path).inserted || axisOf[path, default: number] != number
                        axisOf[path] = axisOf[path] ?? number
                        guard isTwice, reported.insert(path).inserted else { continue }
                        errors.append(
                            SpecError(
                                "sweep", at: assignment.mark, "'\(path)' is swept twice",
                                hint: "only one of both can hold at a point"))
                    }
                }
            }
        }
    }

    private func canonical(_ path: String) -> String { vocabulary.schema.canonical(path) }

    /// A path with those that its value sets inside: `train: { lr: 1e-4 }` sets `train.lr`.
    private func paths(set value: SpecNode, at path: String) -> [String] {
        [path] + (value.entries ?? []).flatMap { paths(set: $0.value, at: canonical(path + "." + $0.key)) }
    }

    /// Entries and sections before their settings, so that the order of a sweep's keys means nothing.
    package static func wholesFirst(_ point: [Assignment]) -> [Assignment] {
        let depths = point.map { $0.path.utf8.count { $0 == UInt8(ascii: ".") } }
        guard Swift.zip(depths, depths.dropFirst()).contains(where: >) else { return point }
        return point.indices.sorted { (depths[$0], $0) < (depths[$1], $1) }.map { point[$0] }
    }

    /// All combinations, the last axis fastest.
    package var points: [[Assignment]] {
        axes.reduce([[]]) { points, axis in points.flatMap { point in axis.map { point + $0 } } }
    }

    /// Every path that some point sets.
    package var paths: [String] {
        var seen: Set<String> = []
        return axes.flatMap { $0.flatMap { $0.map(\.path) } }.filter { seen.insert($0).inserted }
    }

    private mutating func fail(_ node: SpecNode, _ summary: String, hint: String? = nil) {
        errors.append(SpecError("sweep", at: node.mark, summary, hint: hint))
    }

    // MARK: Modes

    private mutating func grid(_ node: SpecNode) {
        for (path, mark, value) in paths(in: node, "grid") {
            guard let values = value.elements, !values.isEmpty else {
                fail(value, "'\(path)' wants a list of values", hint: "\(path): [...]")
                continue
            }
            if let twice = Self.repeated(values) {
                fail(twice, "'\(path)' has a value twice: the same run twice says nothing new")
            }
            axes.append(values.map { [Assignment(path: path, mark: mark, value: $0)] })
        }
    }

    /// The first single value that stands before it in the list, too.
    private static func repeated(_ values: [SpecNode]) -> SpecNode? {
        var seen: Set<String> = []
        return values.first { value in
            guard let text = value.text else { return false }
            return !seen.insert(ScalarReading.number(text).map { "\($0)" } ?? text).inserted
        }
    }

    private mutating func zip(_ node: SpecNode) {
        var columns: [[Assignment]] = []
        for (path, mark, value) in paths(in: node, "zip") {
            guard let values = value.elements, !values.isEmpty else {
                fail(value, "'\(path)' wants a list of values", hint: "\(path): [...]")
                continue
            }
            if let first = columns.first, first.count != values.count {
                fail(
                    value, "'\(path)' has \(values.count) values, '\(first[0].path)' has \(first.count)",
                    hint: "zip takes the first of each, then the second of each, …")
                continue
            }
            columns.append(values.map { Assignment(path: path, mark: mark, value: $0) })
        }
        guard let count = columns.first?.count else { return }
        axes.append((0..<count).map { row in columns.map { $0[row] } })
    }

    private mutating func points(_ node: SpecNode) {
        guard let elements = node.elements else {
            return fail(node, "'points' wants a list, not \(node.noun)", hint: "each element holds paths with values")
        }
        guard !elements.isEmpty else {
            return fail(
                node, "'points' has no point: nothing would be run", hint: "each element holds paths with values")
        }
        let points = elements.map { element in
            paths(in: element, "points").map { Assignment(path: $0, mark: $1, value: $2) }
        }
        var seen: Set<[String]> = []
        for (element, point) in Swift.zip(elements, points) where !seen.insert(meaning(of: point)).inserted {
            fail(element, "this point is given twice: the same run twice says nothing new")
        }
        axes.append(points)
    }

    /// The canonical form of a point, independent of order and spelling.
    private func meaning(of point: [Assignment]) -> [String] {
        point.map { canonical($0.path) + "=" + Self.spelled($0.value) }.sorted()
    }

    private static func spelled(_ value: SpecNode) -> String {
        if let text = value.text { return ScalarReading.number(text).map { "\($0)" } ?? text }
        if let elements = value.elements { return "[" + elements.map(spelled).joined(separator: ", ") + "]" }
        return "{" + (value.entries ?? []).map { "\($0.key): \(spelled($0.value))" }.sorted().joined(separator: ", ")
            + "}"
    }

    private mutating func exclude(_ node: SpecNode) {
        for element in node.elements ?? [node] {
            let conditions = paths(in: element, "exclude").map { (path: canonical($0.0), mark: $0.1, condition: $0.2) }
            for condition in conditions.flatMap({ $0.condition.elements ?? [$0.condition] }) { checkBound(condition) }
            if !conditions.isEmpty { exclusions.append(conditions) }
        }
    }

    /// A comparison needs a number.
    private mutating func checkBound(_ condition: SpecNode) {
        guard let text = condition.text, let symbol = Self.comparisons.first(where: { text.hasPrefix($0.0) })?.0,
            symbol != "!="
        else { return }
        let operand = String(text.dropFirst(symbol.count).drop { $0 == " " })
        if ScalarReading.number(operand) == nil {
            fail(condition, "'\(text)' compares with no number", hint: "for instance \"\(symbol) 0.2\"")
        }
    }

    private mutating func random(_ node: SpecNode) {
        let known = ["count", "seed", "space"]
        for entry in node.entries ?? [] where !known.contains(entry.key) {
            var error = SpecError.unknown("key", entry.key, known: known, at: entry.mark, code: "unknown-key")
            error.summary += " in 'random'"
            errors.append(error)
        }
        let count = node["count"]?.text.flatMap(ScalarReading.integer).flatMap {
            (1...Self.mostPoints).contains($0) ? $0 : nil
        }
        if count == nil { fail(node["count"] ?? node, "'random' wants a 'count' from 1 to \(Self.mostPoints)") }
        let seed = ScalarReading.integer(node["seed"]?.text ?? "0").flatMap { $0 >= 0 ? $0 : nil }
        if seed == nil { fail(node["seed"] ?? node, "'seed' wants an integer of at least 0") }
        guard let space = node["space"] else { return fail(node, "'random' wants a 'space' of paths") }
        var columns: [[Assignment]] = []
        for (path, mark, value) in paths(in: space, "space", leaves: RandomRange.isRange) {
            do {
                let range = try RandomRange(
                    value, path: path, isWhole: vocabulary.takesWholeNumbers(at: canonical(path)))
                guard let count, let seed else { continue }
                let draws = (0..<count).map { range.draw($0, seed: seed, path: path) }
                columns.append(draws.map { Assignment(path: path, mark: mark, value: $0) })
            } catch {
                errors.append(error)
            }
        }
        guard let count, !columns.isEmpty else { return }
        var seen: Set<[String]> = []
        let drawn = (0..<count).map { row in columns.map { $0[row] } }.filter { seen.insert(meaning(of: $0)).inserted }
        if drawn.count < count {
            errors.append(
                SpecError(
                    "sweep", .warning, at: (node["count"] ?? node).mark, "only \(drawn.count) of \(count) draws differ",
                    hint: "the space has few values; 'grid' takes each once"))
        }
        axes.append(drawn)
    }

    /// The dotted paths of a map; nested maps are paths too.
    private mutating func paths(
        in node: SpecNode, _ noun: String, prefix: String = "", leaves isLeaf: (SpecNode) -> Bool = { _ in false }
    ) -> [(String, Mark, SpecNode)] {
        guard let entries = node.entries else {
            fail(
                node, "'\(noun)' wants paths with values, not \(node.noun)", hint: "for instance train.lr: [1e-4, 3e-4]"
            )
            return []
        }
        return entries.flatMap { entry -> [(String, Mark, SpecNode)] in
            let path = prefix + entry.key
            guard entry.key.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ !$0.isEmpty }) else {
                errors.append(SpecError("sweep", at: entry.mark, "'\(path)' is no path", hint: "for instance train.lr"))
                return []
            }
            let isNested = entry.value.entries != nil && !isLeaf(entry.value) && noun != "points"
            if isNested { return paths(in: entry.value, noun, prefix: path + ".", leaves: isLeaf) }
            return [(path, entry.mark, entry.value)]
        }
    }
}

// MARK: Conditions

extension Sweep {
    /// The exclusions that hold of a point's settings, by number; all conditions of one must hold together.
    package func exclusions(of settings: Settings) -> [Int] {
        exclusions.indices.filter {
            exclusions[$0].allSatisfy { Self.holds($0.condition, of: settings.value(at: $0.path) ?? .none) }
        }
    }

    /// A value, a list of values, or a comparison such as `> 0.2`.
    private static func holds(_ condition: SpecNode, of value: SettingValue) -> Bool {
        if let alternatives = condition.elements { return alternatives.contains { holds($0, of: value) } }
        guard let text = condition.text else { return false }
        for (symbol, test) in comparisons where text.hasPrefix(symbol) {
            let operand = text.dropFirst(symbol.count).drop { $0 == " " }
            if let bound = ScalarReading.number(String(operand)), let number = value.number {
                return test(number, bound)
            }
            if symbol == "!=" { return !equals(String(operand), value) }
            return false
        }
        return equals(text, value)
    }

    private static let comparisons: [(String, @Sendable (Double, Double) -> Bool)] = [
        (">=", { $0 >= $1 }), ("<=", { $0 <= $1 }), ("!=", { $0 != $1 }), (">", { $0 > $1 }), ("<", { $0 < $1 }),
    ]

    private static func equals(_ text: String, _ value: SettingValue) -> Bool {
        switch value {
        case .none: ["", "none", "null", "~"].contains(text)
        case .bool(let value): ScalarReading.bool(text) == value
        case .integer, .number: ScalarReading.number(text) == value.number
        case .text(let value): text == value
        case .choice(let choice): text == choice.name
        case .list(let values): values.count == 1 && equals(text, values[0])
        case .section: false
        }
    }
}
