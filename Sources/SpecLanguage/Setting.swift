/// One setting of a section: the property that holds it, and all that the language says of it.
///
///     public struct TransformSpec: SettingsSection {
///         public var nFFT = 510
///         public static let declaration = Declaration<Self>([
///             Setting(\.nFFT, "n_fft", in: .between(2, 65536), unit: "samples", "Length of a frame."),
///         ])
///     }
///
/// The type and the default are the property's, so that nothing is said twice.
public struct Setting<Section: SettingsSection>: Sendable {
    /// What the language knows of it.
    public private(set) var field: Field
    /// Sets the property; `false` where the value is of another type.
    let read: @Sendable (SettingValue, inout Section) -> Bool

    /// - Parameters:
    ///   - path: The property.
    ///   - type: The type in the language, where the property's own does not say enough.
    ///   - standard: What an absent value means, where it is not the property's initial value.
    ///   - bounds: Of a number, or of each number of a list.
    public init<Value: SettingType>(
        _ path: any WritableKeyPath<Section, Value> & Sendable, _ name: String, as type: FieldType? = nil,
        default standard: Field.Standard? = nil, in bounds: Bounds = .any, unit: String? = nil, _ doc: String,
        aliases: [String] = [], part: IdentityPart? = nil
    ) {
        let initial = Section()[keyPath: path].written
        field = Field(
            name, type ?? Value.type(in: bounds), default: standard ?? (initial == .none ? .absent : .value(initial)),
            unit: unit,
            doc, aliases: aliases, part: part)
        read = { value, section in
            guard let value = Value(value) else { return false }
            section[keyPath: path] = value
            return true
        }
    }

    /// An entry of a registry.
    public init<Value: SettingType>(
        _ path: any WritableKeyPath<Section, Value> & Sendable, _ name: String, of kind: RegistryKind,
        default standard: Field.Standard? = nil, _ doc: String, aliases: [String] = [], part: IdentityPart? = nil
    ) {
        self.init(path, name, as: .choice(of: kind), default: standard, doc, aliases: aliases, part: part)
    }

    /// A list that is not empty, as one whose elements are factors.
    ///
    /// - Parameter element: The type of its elements in the language, where their own does not say enough.
    public init<Element: SettingType>(
        _ path: any WritableKeyPath<Section, [Element]> & Sendable, _ name: String, ofAtLeast count: Int,
        as element: FieldType? = nil, spreads: Bool = false, default standard: Field.Standard? = nil,
        in bounds: Bounds = .any,
        _ doc: String, aliases: [String] = [], part: IdentityPart? = nil
    ) {
        let type = FieldType.list(of: element ?? Element.type(in: bounds), atLeast: count, spreads: spreads)
        self.init(path, name, as: type, default: standard, doc, aliases: aliases, part: part)
    }

    /// The same setting with a change of its field.
    private func with<Value>(_ path: WritableKeyPath<Field, Value>, _ value: Value) -> Setting {
        var copy = self
        copy.field[keyPath: path] = value
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

/// The settings of a section, in the order in which they are shown.
public struct Declaration<Section: SettingsSection>: Sendable {
    public let schema: Schema
    /// The key that a single value in place of the section stands for.
    public let shorthand: String?
    private let settings: [Setting<Section>]

    /// - Parameter retired: What earlier versions had here.
    public init(shorthand: String? = nil, _ settings: [Setting<Section>], retired: [RetiredSetting] = []) {
        self.settings = settings
        self.shorthand = shorthand
        schema = Schema(settings.map(\.field), retired: retired)
    }

    /// Reads resolved settings into a section's properties.
    ///
    /// What is absent keeps its initial value, as does what is required and was not given: a spec with that mistake is
    /// refused afterwards.
    func fill(_ section: inout Section, from values: Settings) {
        for setting in settings {
            // A spec that was kept before there was such a setting has its default.
            guard let value = values[setting.field.name] ?? (setting.field.isSilentWhenAbsent ? nil : SettingValue.none)
            else { continue }
            if setting.read(value, &section) { continue }
            if value == .none {
                switch setting.field.standard {
                case .absent, .required: continue
                case .value, .derived: break
                }
            }
            preconditionFailure("setting '\(setting.field.name)' is \(value), which \(Section.self) cannot hold")
        }
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
