import Foundation

/// A rule that finds the partner of a sound file by its name.
public enum PairingRule: String, Hashable, Sendable, CaseIterable {
    /// The same name; the endings `.wav` and `.flac` may differ.
    case name
    /// The same number behind `fileid_`, as in the DNS challenge, `clean_fileid_1.wav` and `book_…_fileid_1.wav`, or
    /// behind `clnsp`, as in MS-SNSD, `clnsp1.wav` and `noisy3_SNRdb_10.0_clnsp1.wav`.
    case fileID
    /// The same name once words such as `clean`, `noisy` and `enhanced` at its ends are left out.
    case role
    /// A name that continues its partner's behind or before one of `_`, `-`, `.` and space: `p232_001_m5.wav` and
    /// `p232_001.wav`. The longest partner is taken.
    case part

    /// The rule as a person reads it.
    public var title: String {
        switch self {
        case .name: "the same name"
        case .fileID: "the number behind 'fileid_'"
        case .role: "the name without words such as 'clean', 'noisy' and 'enhanced'"
        case .part: "the longest name that the file's name begins or ends with"
        }
    }
}

/// Names of sound files, found by the names of their partners.
///
/// Names that are equal in Unicode are the same, whatever their bytes: `é` may be one character or two, as copies
/// between systems make it. What is returned is the name as it was given, whose bytes open the file.
public struct NameIndex: Sendable {
    private let rules: [PairingRule]
    private var names: [String: String] = [:]
    private var stems: [String: [String]] = [:]
    private var fileIDs: [String: [String]] = [:]
    private var roles: [String: [String]] = [:]

    /// - Parameters:
    ///   - names: File names or relative paths; a folder is part of the name.
    ///   - rules: The rules that may be used, in the order in which they are tried.
    public init(_ names: [String], by rules: [PairingRule] = PairingRule.allCases) {
        self.rules = rules
        for name in names.sorted() {
            let name = SoundName(name)
            self.names[name.text] = self.names[name.text] ?? name.text
            stems[name.stem, default: []].append(name.text)
            if rules.contains(.fileID), let id = name.fileID { fileIDs[id, default: []].append(name.text) }
            if rules.contains(.role) { roles[name.withoutRoles, default: []].append(name.text) }
        }
    }

    /// The partner of a file, by the first rule that gives exactly one.
    public func partner(of name: String) -> (name: String, rule: PairingRule)? {
        let name = SoundName(name)
        for rule in rules {
            if let found = partner(of: name, by: rule) { return (found, rule) }
        }
        return nil
    }

    private func partner(of name: SoundName, by rule: PairingRule) -> String? {
        func only(_ found: [String]?) -> String? { found?.count == 1 ? found?.first : nil }
        switch rule {
        case .name: return names[name.text] ?? stems[name.stem]?.first
        case .fileID: return only(name.fileID.flatMap { fileIDs[$0] })
        case .role: return only(roles[name.withoutRoles])
        case .part: return name.parts.lazy.compactMap { only(stems[$0]) }.first
        }
    }
}

/// The parts of a sound file's name that partners share.
private struct SoundName {
    let text: String
    /// Without the ending.
    let stem: String
    private let folder: String
    private let base: Substring

    private static let separators: Set<Character> = ["_", "-", ".", " "]
    private static let roleWords: Set<String> = [
        "clean", "noisy", "enhanced", "enh", "denoised", "est", "estimate", "estimated", "processed", "output", "out",
        "anechoic", "reverb", "reverberant", "dereverberated", "dereverbed", "target", "reference", "ref", "degraded",
        "mix", "mixture",
    ]

    init(_ text: String) {
        self.text = text
        let start = text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex
        let end = text[start...].lastIndex(of: ".") ?? text.endIndex
        (stem, folder, base) = (String(text[..<end]), String(text[..<start]), text[start..<end])
    }

    /// The folder, and the number behind `fileid_` without leading zeros.
    var fileID: String? {
        guard let found = base.lowercased().firstMatch(of: #/(?:fileid[_-]?|clnsp)0*([0-9]+)/#) else { return nil }
        return folder + found.1
    }

    /// The stem without words of a role at its ends, in lower case.
    var withoutRoles: String {
        var words = base.lowercased().split(whereSeparator: Self.separators.contains)
        while let word = words.last, words.count > 1, Self.roleWords.contains(String(word)) { words.removeLast() }
        while let word = words.first, words.count > 1, Self.roleWords.contains(String(word)) { words.removeFirst() }
        return folder + words.joined(separator: "_")
    }

    /// What the stem begins and ends with at its separators, the longest first.
    var parts: [String] {
        let breaks = base.indices.filter { Self.separators.contains(base[$0]) }
        let parts = breaks.map { base[..<$0] } + breaks.map { base[base.index(after: $0)...] }
        let ordered = parts.filter { !$0.isEmpty }.enumerated().sorted { one, other in
            (other.element.count, one.offset) < (one.element.count, other.offset)
        }
        return ordered.map { folder + $0.element }
    }
}
