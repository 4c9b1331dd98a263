import Digests
public import SpecLanguage

/// A hash of the resolved settings: equal for specs with the same meaning, different for all others.
public struct Identity: Hashable, Sendable, Codable, CustomStringConvertible {
    /// 32 hexadecimal digits.
    public let hex: String

    public init(hex: String) { self.hex = hex }

    init(of canonical: String) { hex = SHA256.hex(canonical, digits: 32) }

    /// The identity of any text.
    package init(ofText text: String) { self.init(of: text) }

    /// The identity of this combined with another one.
    func joined(to other: Identity) -> Identity { Identity(of: other.hex + hex) }

    /// The first digits, for messages and folder names.
    public var short: String { String(hex.prefix(8)) }
    public var description: String { hex }

    public init(from decoder: any Decoder) throws { hex = try decoder.singleValueContainer().decode(String.self) }

    public func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        try single.encode(hex)
    }
}

extension ExperimentSpec {
    /// The identity of the data; everything that is computed depends on it.
    public var dataIdentity: Identity { Identity(of: canonicalForm([.data])) }

    /// The identity of one training. Each seed of a spec is a training, so the seed is an argument.
    public func trainingIdentity(seed: Int) -> Identity { SectionIdentities(self).training(seed: seed) }

    /// The identity of the whole experiment: data, training, seeds, evaluations, and metrics.
    public var identity: Identity {
        let seeds = CanonicalForm.set(settings.section("train").list("seeds"))
        return Identity(of: canonicalForm([.data, .training, .evaluation]) + "seeds=\(seeds)\n")
    }

    /// The settings of some parts, one `path=value` a line, sorted, in one spelling for each value.
    public func canonicalForm(_ parts: Set<IdentityPart> = [.data, .training, .evaluation]) -> String {
        var form = CanonicalForm(parts: parts)
        form.add(settings, ExperimentSchema.root, prefix: "", part: .none)
        return form.text
    }
}

/// The identities of a training's sections, stored separately so that a sweep computes only those it changes.
struct SectionIdentities {
    private static let sections = ExperimentSchema.root.fields.filter { $0.part == .data || $0.part == .training }
    /// Sections that derived settings may change when another one changes.
    private static let dependent: Set<String> = ["conditioning", "train"]

    private var forms: [SectionForm]

    init(_ spec: ExperimentSpec) { forms = Self.sections.map { SectionForm($0, spec.settings[$0.name]) } }

    /// - Parameter touched: The sections in which `spec` may differ from the one these are of.
    mutating func update(for spec: ExperimentSpec, touched: Set<String>) {
        for (place, section) in Self.sections.enumerated()
        where touched.contains(section.name) || Self.dependent.contains(section.name) {
            forms[place].update(to: spec.settings[section.name])
        }
    }

    /// The training of all sections with one seed.
    func training(seed: Int) -> Identity { trainings(seeds: [seed])[0] }

    func trainings(seeds: [Int]) -> [Identity] {
        let whole = Identity(of: forms.filter { !$0.isLeftOut }.map(\.identity.hex).joined(separator: "\n"))
        return seeds.map { Identity(of: "\(whole.hex) seed=\($0)") }
    }
}

/// The canonical form of one section, of which a change of a setting spells only that setting anew.
private struct SectionForm {
    private static let parts: Set<IdentityPart> = [.data, .training]

    private(set) var identity: Identity
    /// Whether the section is empty, so that identities leave it out.
    var isLeftOut: Bool { section.isSilentWhenAbsent && lines.isEmpty }
    private let section: Field
    private var value: SettingValue?
    /// Sorted.
    private var lines: [String]

    init(_ section: Field, _ value: SettingValue?) {
        self.section = section
        self.value = value
        lines = Self.lines(section, value).sorted()
        identity = Identity(of: lines.joined())
    }

    mutating func update(to new: SettingValue?) {
        guard new != value else { return }
        if case .section(let schema, _) = section.type, case .section(let now)? = new,
            case .section(let before)? = value
        {
            for field in schema.fields where now[field.name] != before[field.name] {
                let old = lines(of: field, before[field.name])
                lines.removeAll(where: old.contains)
                lines += lines(of: field, now[field.name])
            }
            lines.sort()
        } else {
            lines = Self.lines(section, new).sorted()
        }
        value = new
        identity = Identity(of: lines.joined())
    }

    /// Of one setting inside the section.
    private func lines(of field: Field, _ value: SettingValue?) -> [String] {
        Self.lines(field, value, prefix: section.name + ".", part: section.part ?? .none)
    }

    private static func lines(_ field: Field, _ value: SettingValue?, prefix: String = "", part: IdentityPart = .none)
        -> [String]
    {
        var form = CanonicalForm(parts: parts)
        if let value { form.add(value, of: field, prefix: prefix, part: part) }
        return form.lines
    }
}

/// The canonical text of a value: equal meanings give equal texts.
struct CanonicalForm {
    let parts: Set<IdentityPart>
    private(set) var lines: [String] = []

    init(parts: Set<IdentityPart>) { self.parts = parts }

    var text: String { lines.sorted().joined() }

    mutating func add(_ settings: Settings, _ schema: Schema, prefix: String, part: IdentityPart) {
        for field in schema.fields {
            if let written = settings[field.name] { add(written, of: field, prefix: prefix, part: part) }
        }
        guard parts.contains(part) else { return }
        for retired in schema.retired {
            if let value = retired.lastDefault { lines.append("\(prefix)\(retired.name)=\(Self.spelled(value))\n") }
        }
    }

    mutating func add(_ written: SettingValue, of field: Field, prefix: String, part: IdentityPart) {
        let path = prefix + field.name
        guard path != "train.seeds", !(field.isSilentWhenAbsent && (written == .none || written == field.silentValue))
        else { return }
        let part = field.part ?? part
        let isMeant = part != .none && parts.contains(part)
        let value = written.meant(as: field.type)
        if case .section(let schema, _) = field.type, case .section(let values) = value {
            if isMeant { lines.append("\(path)=present\n") }
            add(values, schema, prefix: path + ".", part: part)
        } else if isMeant, part == .evaluation, case .list(let values) = value {
            // The factors of an evaluation and its metrics are sets: their order does not count.
            lines.append("\(path)=\(Self.set(values))\n")
        } else if isMeant {
            lines.append("\(path)=\(Self.spelled(value))\n")
        }
    }

    static func set(_ values: [SettingValue]) -> String {
        "{" + Set(values.map(spelled)).sorted().joined(separator: ",") + "}"
    }

    static func spelled(_ value: SettingValue) -> String {
        switch value {
        case .none: "~"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): Int(exactly: value).map(String.init) ?? value.description
        case .text(let value): quoted(value)
        case .list(let values): "[" + values.map(spelled).joined(separator: ",") + "]"
        case .choice(let choice): quoted(choice.name) + spelled(choice.settings)
        case .section(let settings): spelled(settings)
        }
    }

    static func spelled(_ settings: Settings) -> String {
        "(" + settings.map { "\($0.name)=\(spelled($0.value))" }.sorted().joined(separator: ",") + ")"
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") || $0 < 0x20 }) else {
            return "\"\(text)\""
        }
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\", "\"": "\\\(scalar)"
            case _ where scalar.value < 0x20: "\\\(scalar.value);"
            default: String(scalar)
            }
        }
        return "\"\(escaped.joined())\""
    }
}
