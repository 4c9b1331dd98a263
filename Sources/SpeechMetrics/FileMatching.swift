/// Which clean and noisy file belongs to an enhanced one.
///
/// A file belongs to the one of the same name; failing that, to the one whose name without extension is the same;
/// failing that, to the one whose name is the part before the first `_`: `p232_5dB.wav` belongs to `p232.wav`.
public struct FileMatching: Sendable, Hashable {
    /// The files of one pair, as they were given.
    public struct Match: Sendable, Hashable {
        public var clean: String
        public var noisy: String?
        public var enhanced: String
    }

    /// In the order of the enhanced files.
    public var matches: [Match] = []
    /// Enhanced files without a clean one.
    public var withoutClean: [String] = []
    /// Enhanced files without a noisy one, if noisy files were given at all.
    public var withoutNoisy: [String] = []

    /// - Parameters: file names or relative paths; a folder is part of the name.
    public init(enhanced: [String], clean: [String], noisy: [String]? = nil) {
        let cleanIndex = FileIndex(clean)
        let noisyIndex = noisy.map { FileIndex($0) }
        for name in enhanced {
            guard let clean = cleanIndex.match(name) else {
                withoutClean.append(name)
                continue
            }
            let noisy = noisyIndex?.match(name)
            if noisyIndex != nil, noisy == nil { withoutNoisy.append(name) }
            matches.append(Match(clean: clean, noisy: noisy, enhanced: name))
        }
    }
}

/// Names by themselves and by what they are without extension.
private struct FileIndex {
    private let names: Set<String>
    private var stems: [Substring: String] = [:]

    init(_ names: [String]) {
        self.names = Set(names)
        for name in names.sorted(by: >) { stems[Self.stem(of: name)] = name }
    }

    func match(_ name: String) -> String? {
        if names.contains(name) { return name }
        let stem = Self.stem(of: name)
        return stems[stem] ?? stems[Self.firstField(of: stem)]
    }

    private static func stem(of name: String) -> Substring {
        guard let dot = name.lastIndex(of: "."), !name[dot...].contains("/") else { return name[...] }
        return name[..<dot]
    }

    /// Up to the first `_` of the last path component.
    private static func firstField(of stem: Substring) -> Substring {
        let start = stem.lastIndex(of: "/").map { stem.index(after: $0) } ?? stem.startIndex
        return stem[..<(stem[start...].firstIndex(of: "_") ?? stem.endIndex)]
    }
}
