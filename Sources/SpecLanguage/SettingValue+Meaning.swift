extension SettingValue {
    /// The value without parts that do not affect results: paths of folders, and parameters of how to compute.
    package func meant(as type: FieldType) -> SettingValue {
        switch (type, self) {
        case (.choice(let kind), .choice(var choice)):
            for name in kind.meaninglessParameters { choice.settings[name] = nil }
            return .choice(choice)
        case (.list(.section(let schema, _), _, _), .list(let values)):
            return .list(
                values.map { value in
                    guard case .section(var settings) = value else { return value }
                    for field in schema.fields where field.part == IdentityPart.none { settings[field.name] = nil }
                    return .section(settings)
                })
        default: return self
        }
    }
}
