package import SpecLanguage

extension Settings {
    /// The path of the first setting that is not there as the schema has it.
    fileprivate func firstMismatch(with schema: Schema, prefix: String = "") -> String? {
        for field in schema.fields {
            let path = prefix + field.name
            guard let value = self[field.name] else {
                if field.isSilentWhenAbsent { continue }
                if case .absent = field.standard, case .raw = field.type { continue }
                return path
            }
            if case .section(let inner, _) = field.type, case .section(let settings) = value {
                if let found = settings.firstMismatch(with: inner, prefix: path + ".") { return found }
            } else if !field.accepts(value) {
                return path
            }
        }
        return nil
    }
}

extension Field {
    fileprivate func accepts(_ value: SettingValue) -> Bool {
        if case .none = value {
            // Whatever is derived has been, except what does not apply.
            switch standard {
            case .absent: return true
            case .derived: return ["validation_N", "num_frames"].contains(name)
            case .required, .value: return false
            }
        }
        return type.accepts(value)
    }
}

extension FieldType {
    fileprivate func accepts(_ value: SettingValue) -> Bool {
        switch (self, value) {
        case (.oneOf(let names), .text(let name)): names.contains(name)
        case (.bool, .bool), (.integer, .integer), (.number, .number), (.number, .integer), (.text, .text),
            (.choice, .choice), (.table, .section), (.raw, _):
            true
        case (.variant(let forms), .choice(let choice)):
            forms.first { $0.name == choice.name }?.parameters.fields.allSatisfy { field in
                choice.settings[field.name].map { $0 == .none || field.type.accepts($0) } ?? true
            } ?? false
        case (.list(let element, _, _), .list(let values)): values.allSatisfy { element.accepts($0) }
        case (.section(let schema, _), .section(let settings)): settings.firstMismatch(with: schema) == nil
        default: false
        }
    }
}

extension Settings {
    /// The settings of an earlier version as this one has them: without those that are retired, and with what an
    /// absence of later ones means.
    fileprivate func renewed(by schema: Schema) -> Settings {
        var settings = self
        for retired in schema.retired { settings[retired.name] = nil }
        for field in schema.fields {
            switch (field.type, self[field.name]) {
            case (.section(let inner, _), .section(let values)?):
                settings[field.name] = .section(values.renewed(by: inner))
            case (_, nil) where field.silentValue != nil: settings[field.name] = field.silentValue
            default: break
            }
        }
        return settings
    }
}

extension ExperimentSpec: Codable {
    /// - Throws: `DecodingError` where a setting is missing or has another type, as after a change of the language.
    public convenience init(from decoder: any Decoder) throws {
        try self.init(checking: try Settings(from: decoder), at: decoder.codingPath)
    }

    /// - Throws: As ``init(from:)``.
    package convenience init(checking settings: Settings, at path: [any CodingKey] = []) throws {
        if let setting = settings.firstMismatch(with: ExperimentSchema.root) {
            throw DecodingError.dataCorrupted(
                .init(codingPath: path, debugDescription: "no usable '\(setting)' in the kept spec"))
        }
        self.init(settings.renewed(by: ExperimentSchema.root))
    }

    public func encode(to encoder: any Encoder) throws { try settings.encode(to: encoder) }
}
