public import SpecLanguage

/// A test set: one of the training corpus's, or one of another corpus or folder.
public struct TestSetSpec: SettingsSection {
    /// The name in tables, and for a set of the training's corpus the name of its folder.
    public var name = ""
    /// Another corpus than the training's; `nil` for a set of the training's corpus, or of `path`.
    public var corpus: Choice?
    /// A folder in place of a corpus; `nil` for a set of a corpus.
    public var path: String?
    /// The folder layouts that are accepted at `path`.
    public var format = DataSpec.Layout.standard
    /// The split that is read.
    public var subset = "test"

    public init() {}

    /// A set of the training's corpus.
    public init(_ name: String) { (self.name, subset) = (name, name) }

    public static let declaration = Declaration<Self>(
        shorthand: "name",
        [
            Setting(\.name, "name", default: .required, "What tables call it."),
            Setting(\.corpus, "corpus", of: .corpus, "Another corpus than the training's."),
            Setting(\.path, "path", "A folder instead of a corpus.", part: IdentityPart.none).asPath,
            Setting(\.format, "format", "The layout of 'path'."),
            Setting(
                \.subset, "subset", default: .derived("the name, in the training's corpus, else test"),
                "The split that is read."),
        ])
}
