public import JSONValues
public import Reports
import SpecLanguage
import Specs

/// The differences of two protocols, one a line, the most important first: of two specs before anything is trained, of
/// a run and a spec, or of either and a recipe.
public struct ProtocolComparison: Sendable {
    /// One line in which two protocols differ.
    public struct Item: Hashable, Sendable {
        /// What kind of fact a line is about.
        public enum Kind: String, Hashable, Sendable {
            /// A setting of the data, the training or the evaluation.
            case data, training, evaluation
            /// What follows from settings together.
            case derived
            /// What a check found in data or spec.
            case check
            /// What was measured of a run.
            case measured
        }

        /// What kind of fact it is.
        public var kind: Kind
        /// A setting's path, a check's name, or the name of a measured value.
        public var path: String
        /// The first protocol's value, as text; `none` or `not known` where it has none.
        public var first: String
        /// The second protocol's value, in the same form.
        public var second: String
        /// How much such a difference is known to matter, by which lines are sorted.
        public var effect: KnownEffect
    }

    /// The protocol whose values are in the left column.
    public let first: ProtocolSide
    /// The protocol whose values are in the right column.
    public let second: ProtocolSide
    /// What matters most comes first.
    public let items: [Item]
    /// Faults that cannot occur here, with the reason.
    public let impossible: [Recipe.Impossible]

    public init(_ first: ProtocolSide, _ second: ProtocolSide, impossible: [Recipe.Impossible] = []) {
        (self.first, self.second, self.impossible) = (first, second, impossible)
        let checks = Self.checks(first, second)
        // A waiver whose fault was found is one line with it.
        let settings = Self.settings(first, second).filter { item in
            !checks.contains { item.path == "waive.\($0.path)" }
        }
        let found = settings + Self.derived(first, second) + checks + Self.measured(first, second)
        items = found.enumerated().sorted {
            ($0.element.effect.weight, $0.offset) < ($1.element.effect.weight, $1.offset)
        }.map(\.element)
    }

    private static func settings(_ first: ProtocolSide, _ second: ProtocolSide) -> [Item] {
        let changes = second.spec.changes(from: first.spec).map { change in
            Item(
                kind: change.part == .data ? .data : change.part == .evaluation ? .evaluation : .training,
                path: change.path,
                first: Self.shown(change.from, beside: change.to), second: Self.shown(change.to, beside: change.from),
                effect: .of(change.path))
        }
        // Waivers decide nothing by themselves, and let everything through.
        let names = Set(first.spec.waive.keys).union(second.spec.waive.keys).sorted()
        return changes
            + names.filter { first.spec.waive[$0] != second.spec.waive[$0] }.map { name in
                Item(
                    kind: .check, path: "waive.\(name)", first: first.spec.waive[name] ?? "none",
                    second: second.spec.waive[name] ?? "none",
                    effect: .of("waive.\(name)"))
            }
    }

    private static func derived(_ first: ProtocolSide, _ second: ProtocolSide) -> [Item] {
        let (mine, yours) = (first.derived, second.derived)
        return Set(mine.keys).intersection(yours.keys).sorted().filter { mine[$0] != yours[$0] }.map { name in
            Item(kind: .derived, path: name, first: mine[name] ?? "", second: yours[name] ?? "", effect: .of(name))
        }
    }

    /// What checks found of either side; what both found of one subject is one line.
    private static func checks(_ first: ProtocolSide, _ second: ProtocolSide) -> [Item] {
        let mine = first.findings.filter { !second.findings.contains($0) }
        let yours = second.findings.filter { !first.findings.contains($0) }
        func texts(_ findings: [ProtocolSide.Finding], _ side: ProtocolSide) -> [String: String] {
            let texts = Dictionary(findings.map { ("\($0.gate)\n\($0.subject)", "\($0.subject): \($0.message)") }) {
                "\($0); \($1)"
            }
            return texts.reduce(into: [:]) { texts, one in
                let reason = side.spec.waive[String(one.key.prefix { $0 != "\n" })]
                texts[one.key] = one.value + (reason.map { " (waived: \($0))" } ?? "")
            }
        }
        let (here, there) = (texts(mine, first), texts(yours, second))
        return Set(here.keys).union(there.keys).sorted().map { key in
            let gate = String(key.prefix { $0 != "\n" })
            return Item(
                kind: .check, path: gate, first: here[key] ?? "none", second: there[key] ?? "none", effect: .of(gate))
        }
    }

    /// A value in short: of another entry of a registry its name and what it alone has, of a list of sections their
    /// names.
    private static func shown(_ value: SettingValue, beside other: SettingValue) -> String {
        switch (value, other) {
        case (.choice(let mine), .choice(let yours)):
            let own = mine.settings.filter { yours.settings[$0.name] != $0.value }.map { "\($0.name): \($0.value)" }
            return own.isEmpty ? mine.name : "\(mine.name) (\(own.joined(separator: ", ")))"
        case (.list(let values), .list(let others)):
            let (mine, yours) = (values.map(name), others.map(name))
            return mine == yours ? "\(value)" : "[\(mine.joined(separator: ", "))]"
        default: return "\(value)"
        }
    }

    /// The name of a section or entry of a list; the whole value where it has none.
    private static func name(_ value: SettingValue) -> String {
        switch value {
        case .section(let section): if case .text(let name)? = section["name"] { name } else { "\(value)" }
        case .choice(let choice): choice.settings.isEmpty ? choice.name : "\(value)"
        default: "\(value)"
        }
    }

    /// Before anything is trained there is nothing to measure.
    private static func measured(_ first: ProtocolSide, _ second: ProtocolSide) -> [Item] {
        guard !first.measured.isEmpty, !second.measured.isEmpty else { return [] }
        return Set(first.measured.keys).union(second.measured.keys).sorted().compactMap { name in
            let (mine, yours) = (first.measured[name], second.measured[name])
            guard mine != yours else { return nil }
            return Item(
                kind: .measured, path: name, first: mine ?? "not known", second: yours ?? "not known", effect: .of(name)
            )
        }
    }
}

extension ProtocolComparison {
    /// A line for each item.
    public var table: Table {
        var table = Table(
            columns: [
                .init("matters", alignment: .leading, isKey: true), .init("", alignment: .leading),
                .init("line", alignment: .leading),
                .init(first.label, alignment: .leading), .init(second.label, alignment: .leading),
                .init("known of it", alignment: .leading),
            ])
        table.rows = items.map { item in
            .init([
                .text(item.effect.weight.text), .text(item.kind.rawValue), .text(item.path), .text(item.first),
                .text(item.second),
                .text(item.effect.reason),
            ])
        }
        let deciding = items.count(where: isOfItsOwn)
        table.notes = [
            deciding == 0
                ? "nothing that decides a score differs"
                : deciding == 1
                    ? "one thing differs" : "\(deciding) things differ: scores would not show which of them matters"
        ]
        table.notes += impossible.map { "cannot occur here: \($0.what): \($0.because)" }
        return table
    }

    /// Whether a line counts as a difference: values that follow from settings, and findings about settings, do not.
    private func isOfItsOwn(_ item: Item) -> Bool {
        let isOfSettings = item.kind == .check && [item.first, item.second].contains { $0.hasPrefix("protocol: ") }
        return item.kind != .derived && !isOfSettings
    }

    /// The lines, and the faults that cannot occur here.
    public var json: JSON {
        [
            "first": .string(first.label), "second": .string(second.label),
            "differences": .array(
                items.map {
                    [
                        "kind": .string($0.kind.rawValue), "path": .string($0.path), "first": .string($0.first),
                        "second": .string($0.second),
                        "matters": .string($0.effect.weight.text), "known": .string($0.effect.reason),
                    ]
                }),
            "cannot_occur": .array(impossible.map { ["what": .string($0.what), "because": .string($0.because)] }),
        ]
    }
}
