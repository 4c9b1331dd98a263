public import SpecLanguage

/// How sure a reported figure is.
///
/// Figures that were not read in a source are not accepted, and have no mark here.
public enum ReportedMark: String, Hashable, Sendable, CaseIterable {
    /// Read in a primary source.
    case verified = "V"
    /// Read where another work quotes it.
    case quoted = "V2"
    /// Computed from such figures.
    case computed = "C"
}

/// What one source reports of one system on one test set.
public struct PaperFigures: Hashable, Sendable {
    /// What tables call the source, such as `[2]`.
    public var paper: String
    /// What the source calls it.
    public var system: String
    /// What the source calls the test set.
    public var set: String
    /// The number of reverse steps, where it is known.
    public var steps: Int?
    /// What further distinguishes figures of one system, such as `w = 3`.
    public var conditions: String
    /// How many files the means are over, where it is known.
    public var count: Int?
    /// How the value was obtained; it is printed beside the value.
    public var mark: ReportedMark
    /// Where the source has it: page, table, file and commit.
    public var source: String
    /// By metric.
    public var values: [String: ReportedValue]
    /// Settings with which the system was trained and evaluated, by path of the spec language or another name.
    public var settings: [String: String]
    public var place: Mark
}

/// A file of `experiments/reported`: what one source reports.
public struct ReportedFile: Hashable, Sendable {
    /// What tables call the source, such as `[2]`.
    public var paper: String
    /// The title of the source; `paper` where the file gives none.
    public var title: String
    /// In the order of the file.
    public var figures: [PaperFigures]

    /// Reads a file.
    ///
    /// - Throws: `SpecErrors` with every mistake in its place.
    public init(text: String, file: String) throws(SpecErrors) {
        let (node, errors) = YAMLReader.read(text, file: file)
        guard let node else { throw SpecErrors(errors) }
        var section = SectionReader(node, "the file", errors: errors)
        let paper = section.text("paper") ?? ""
        title = section.optionalText("title") ?? paper
        let shared = Shared(reading: &section)
        let configurations = section.tables("configurations")
        let list = section.list("figures")
        section.finish()
        var mistakes = section.errors
        figures = list.compactMap { Self.figures($0, paper: paper, shared, configurations, &mistakes) }
        self.paper = paper
        if !mistakes.isEmpty { throw SpecErrors(mistakes) }
    }

    /// The keys that a file may give once for all its figures.
    private struct Shared {
        var set: String?
        var mark: ReportedMark?
        var source: String?
        var steps: Int?
        var count: Int?
        var conditions: String?

        init(reading section: inout SectionReader) {
            set = section.optionalText("set")
            mark = section.optionalText("mark").flatMap { text in section.mark(text, at: "mark") }
            source = section.optionalText("source")
            steps = section.optionalInteger("N", above: 0)
            count = section.optionalInteger("n", above: 0)
            conditions = section.optionalText("conditions", mayBeEmpty: true)
        }
    }

    private static func figures(
        _ node: SpecNode, paper: String, _ shared: Shared, _ configurations: [String: [String: String]],
        _ errors: inout [SpecError]
    ) -> PaperFigures? {
        var section = SectionReader(node, "a figure", errors: [])
        let system = section.text("system")
        let own = Shared(reading: &section)
        let values = section.values("values")
        var settings = Self.settings(of: &section, configurations)
        settings.merge(section.table("settings")) { $1 }
        section.finish()
        let set = own.set ?? shared.set ?? section.missing("set")
        let source = own.source ?? shared.source ?? section.missing("source")
        let mark = own.mark ?? shared.mark
        if mark == nil, section.errors.isEmpty { _ = section.missing("mark") }
        errors += section.errors
        guard let system, let set, let source, let mark, section.errors.isEmpty else { return nil }
        return PaperFigures(
            paper: paper, system: system, set: set, steps: own.steps ?? shared.steps,
            conditions: own.conditions ?? shared.conditions ?? "", count: own.count ?? shared.count, mark: mark,
            source: source, values: values, settings: settings, place: node.mark)
    }

    /// The settings of the configurations that a figure names, the later ones before the earlier.
    private static func settings(
        of section: inout SectionReader, _ configurations: [String: [String: String]]
    ) -> [String: String] {
        var settings: [String: String] = [:]
        for name in section.texts("of") {
            if let found = configurations[name] {
                settings.merge(found) { $1 }
            } else {
                section.fail(
                    "unknown-name", at: "of", "'\(name)' is no configuration of this file",
                    hint: "known: \(configurations.keys.sorted().joined(separator: ", "))")
            }
        }
        return settings
    }
}

extension SectionReader {
    /// The mark that `text` names; a mistake where it is none.
    mutating func mark(_ text: String, at key: String) -> ReportedMark? {
        if let mark = ReportedMark(rawValue: text) { return mark }
        let recalled = text == "R"
        fail(
            "unknown-name", at: key,
            recalled ? "a figure that was only recalled is not reported as a fact" : "unknown mark '\(text)'",
            hint: recalled ? "read it in a source, or leave the cell out" : "V, V2 or C")
        return nil
    }
}
