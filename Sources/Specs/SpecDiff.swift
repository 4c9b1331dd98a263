public import SpecLanguage

/// One setting in which two specs differ.
public struct SettingChange: Hashable, Sendable, Codable {
    /// The setting's path, such as `train.lr`.
    public var path: String
    /// The old spec's value; `none` where it has no such setting.
    public var from: SettingValue
    /// The new spec's value; `none` where it has no such setting.
    public var to: SettingValue
    /// What the change changes.
    public var part: IdentityPart

    public init(path: String, from: SettingValue, to: SettingValue, part: IdentityPart) {
        self.path = path
        self.from = from
        self.to = to
        self.part = part
    }
}

extension SettingChange: CustomStringConvertible {
    public var description: String { "\(path) changed from \(from) to \(to)" }
}

extension ExperimentSpec {
    /// The settings in which this spec means something else than `other`, in the order of the language.
    ///
    /// Another entry of a registry is one change, with all its parameters; other parameters of the same entry are
    /// one change each. Lists of evaluation factors are compared as sets.
    ///
    /// - Parameter parts: The kinds of change that count; `.none` adds names, notes, and tags.
    public func changes(
        from other: ExperimentSpec, parts: Set<IdentityPart> = [.data, .training, .evaluation]
    ) -> [SettingChange] {
        var changes: [SettingChange] = []
        func compare(_ old: SettingValue, _ new: SettingValue, _ path: String, _ part: IdentityPart, _ type: FieldType?)
        {
            guard old != new else { return }
            switch (old, new) {
            case (.section(let old), .section(let new)):
                var inner: Schema?
                if case .section(let schema, _)? = type { inner = schema }
                compareSettings(old, new, path + ".", part, inner)
            case (.choice(let old), .choice(let new)) where old.name == new.name:
                var silent: Set<String> = []
                if case .choice(let kind)? = type { silent = kind.meaninglessParameters }
                compareSettings(old.settings, new.settings, path + ".", part, nil, silent: silent)
            default:
                if part == .evaluation, case .list(let old) = old, case .list(let new) = new, Set(old) == Set(new) {
                    return
                }
                let part = type.map { old.meant(as: $0) == new.meant(as: $0) } ?? false ? .none : part
                if parts.contains(part) { changes.append(SettingChange(path: path, from: old, to: new, part: part)) }
            }
        }
        func compareSettings(
            _ old: Settings, _ new: Settings, _ prefix: String, _ part: IdentityPart, _ schema: Schema?,
            silent: Set<String> = []
        ) {
            let added = new.map(\.name).filter { old[$0] == nil }
            for name in old.map(\.name) + added {
                let field = schema?[name]
                let inner = silent.contains(name) ? .none : field?.part ?? part
                compare(old[name] ?? .none, new[name] ?? .none, prefix + name, inner, field?.type)
            }
        }
        compareSettings(other.settings, settings, "", .none, ExperimentSchema.root)
        return changes
    }
}
