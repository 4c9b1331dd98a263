/// One setting of a section or of a registry's entry: the property that holds it, and all that the language says of it.
///
///     public struct TransformSpec: SettingsSection {
///         public var nFFT = 510
///         public static let declaration = Declaration<Self>([
///             Setting(\.nFFT, "n_fft", in: .between(2, 65536), unit: "samples", "Length of a frame."),
///         ])
///     }
///
/// The type and the default are the property's, so that nothing is said twice.
public struct Setting<Holder>: Sendable {
    /// Its key in a spec.
    public let name: String
    /// What the language knows of it, where the defaults are a holder's values.
    private var field: @Sendable (Holder) -> Field
    /// Sets the property; `false` where the value is of another type.
    let read: @Sendable (SettingValue, inout Holder) -> Bool

    /// - Parameters:
    ///   - path: The property.
    ///   - type: The type in the language, where the property's own does not say enough.
    ///   - standard: What an absent value means, where it is not the property's initial value.
    ///   - bounds: Of a number, or of each number of a list.
    public init<Value: SettingType>(
        _ path: any WritableKeyPath<Holder, Value> & Sendable, _ name: String, as type: FieldType? = nil,
        default standard: Field.Standard? = nil, in bounds: Bounds = .any, unit: String? = nil, _ doc: String,
        aliases: [String] = [], part: IdentityPart? = nil
    ) {
        self.name = name
        field = { holder in
            let initial = holder[keyPath: path].written
            return Field(
                name, type ?? Value.type(in: bounds),
                default: standard ?? (initial == .none ? .absent : .value(initial)), unit: unit, doc, aliases: aliases,
                part: part)
        }
        read = { value, holder in
            guard let value = Value(value) else { return false }
            holder[keyPath: path] = value
            return true
        }
    }

    /// An entry of a registry.
    public init<Value: SettingType>(
        _ path: any WritableKeyPath<Holder, Value> & Sendable, _ name: String, of kind: RegistryKind,
        default standard: Field.Standard? = nil, _ doc: String, aliases: [String] = [], part: IdentityPart? = nil
    ) {
        self.init(path, name, as: .choice(of: kind), default: standard, doc, aliases: aliases, part: part)
    }

    /// A list that is not empty, as one whose elements are factors.
    ///
    /// - Parameter element: The type of its elements in the language, where their own does not say enough.
    public init<Element: SettingType>(
        _ path: any WritableKeyPath<Holder, [Element]> & Sendable, _ name: String, ofAtLeast count: Int,
        as element: FieldType? = nil, spreads: Bool = false, default standard: Field.Standard? = nil,
        in bounds: Bounds = .any,
        _ doc: String, aliases: [String] = [], part: IdentityPart? = nil
    ) {
        let type = FieldType.list(of: element ?? Element.type(in: bounds), atLeast: count, spreads: spreads)
        self.init(path, name, as: type, default: standard, doc, aliases: aliases, part: part)
    }

    /// One of a few values by the names that a spec gives them.
    public init<Value: Equatable & Sendable>(
        _ path: any WritableKeyPath<Holder, Value> & Sendable, _ name: String,
        oneOf names: [(name: String, value: Value)],
        _ doc: String
    ) {
        self.name = name
        field = { holder in
            let initial = names.first { $0.value == holder[keyPath: path] }
            return Field(
                name, .oneOf(names.map(\.name)), default: initial.map { .value(.text($0.name)) } ?? .required, doc)
        }
        read = { value, holder in
            guard case .text(let chosen) = value, let named = names.first(where: { $0.name == chosen }) else {
                return false
            }
            holder[keyPath: path] = named.value
            return true
        }
    }

    /// The setting of a part, as one of the whole.
    public func within<Whole>(_ part: any WritableKeyPath<Whole, Holder> & Sendable) -> Setting<Whole> {
        Setting<Whole>(
            name: name, field: { [field] in field($0[keyPath: part]) },
            read: { [read] in read($0, &$1[keyPath: part]) })
    }

    private init(
        name: String, field: @escaping @Sendable (Holder) -> Field,
        read: @escaping @Sendable (SettingValue, inout Holder) -> Bool
    ) {
        (self.name, self.field, self.read) = (name, field, read)
    }

    /// What the language knows of it, where the defaults are the values of `standard`.
    public func field(of standard: Holder) -> Field { field(standard) }

    /// The same setting with a change of its field.
    private func with<Value: Sendable>(_ path: any WritableKeyPath<Field, Value> & Sendable, _ value: Value) -> Setting
    {
        var copy = self
        copy.field = { [field] holder in
            var changed = field(holder)
            changed[keyPath: path] = value
            return changed
        }
        return copy
    }

    /// The same setting, whose absence changes no identity: for settings added after runs were stored.
    public var silentWhenAbsent: Setting { with(\.isSilentWhenAbsent, true) }
    /// The same setting, which changes no identity where it is absent or has this value.
    public func silent(at value: some SettingType) -> Setting { silentWhenAbsent.with(\.silentValue, value.written) }
    /// The same setting as a path, in which `~/` and `${env:NAME}` are replaced.
    public var asPath: Setting { with(\.isPath, true) }
}

/// A section of the language that fills a value of Swift.
public protocol SettingsSection: SettingType, Hashable {
    /// Every setting at its default.
    init()
    static var declaration: Declaration<Self> { get }
}

/// The settings of a section or of a registry's entry, in the order in which they are shown.
public struct Declaration<Holder>: Sendable {
    public let schema: Schema
    /// The key that a single value in place of the section stands for.
    public let shorthand: String?
    private let settings: [Setting<Holder>]

    /// - Parameters:
    ///   - standard: Its properties are the defaults.
    ///   - retired: What earlier versions had here.
    public init(
        of standard: Holder, shorthand: String? = nil, _ settings: [Setting<Holder>], retired: [RetiredSetting] = []
    ) {
        self.settings = settings
        self.shorthand = shorthand
        schema = Schema(settings.map { $0.field(of: standard) }, retired: retired)
    }

    /// Reads resolved settings into the properties.
    ///
    /// What is absent keeps its initial value, as does what is required and was not given: a spec with that mistake is
    /// refused afterwards.
    public func fill(_ holder: inout Holder, from values: Settings) {
        for (setting, field) in zip(settings, schema.fields) {
            // A spec that was kept before there was such a setting has its default.
            guard let value = values[setting.name] ?? (field.isSilentWhenAbsent ? nil : SettingValue.none)
            else { continue }
            if setting.read(value, &holder) { continue }
            if value == .none {
                switch field.standard {
                case .absent, .required: continue
                case .value, .derived: break
                }
            }
            preconditionFailure("setting '\(setting.name)' is \(value), which \(Holder.self) cannot hold")
        }
    }
}

extension Declaration where Holder: SettingsSection {
    /// - Parameter retired: What earlier versions had here.
    public init(shorthand: String? = nil, _ settings: [Setting<Holder>], retired: [RetiredSetting] = []) {
        self.init(of: Holder(), shorthand: shorthand, settings, retired: retired)
    }
}

extension SettingsSection {
    public static var schema: Schema { declaration.schema }

    public static func type(in bounds: Bounds) -> FieldType { .section(schema, shorthand: declaration.shorthand) }

    /// Reads resolved settings, all of them present and checked.
    public init(_ settings: Settings) {
        self.init()
        Self.declaration.fill(&self, from: settings)
    }

    public init?(_ setting: SettingValue) {
        guard case .section(let settings) = setting else { return nil }
        self.init(settings)
    }

    /// A section that is not written holds its defaults.
    public var written: SettingValue { .section(Settings()) }
}
