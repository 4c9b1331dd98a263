public import Audio

/// Which clean and noisy file belongs to an enhanced one, by the rules of `NameIndex`.
public struct FileMatching: Sendable, Hashable {
    /// The files of one pair, as they were given.
    public struct Match: Sendable, Hashable {
        /// Path of the reference.
        public var clean: String
        /// Path of the unprocessed recording, where one is needed.
        public var noisy: String?
        /// Path of the recording that is scored.
        public var enhanced: String
    }

    /// In the order of the enhanced files.
    public var matches: [Match] = []
    /// Enhanced files without a clean one.
    public var withoutClean: [String] = []
    /// Enhanced files without a noisy one, if noisy files were given at all.
    public var withoutNoisy: [String] = []
    /// Clean files without an enhanced one.
    public var withoutEnhanced: [String] = []
    /// The pairs that another rule than the same name made: for each rule, the enhanced files and their partners.
    public var byRule: [PairingRule: [(enhanced: String, partner: String)]] {
        rules.mapValues { $0.map { ($0.enhanced, $0.partner) } }
    }
    private var rules: [PairingRule: [RulePair]] = [:]

    private struct RulePair: Sendable, Hashable { var enhanced, partner: String }

    /// - Parameters: file names or relative paths; a folder is part of the name.
    public init(enhanced: [String], clean: [String], noisy: [String]? = nil) {
        let cleanIndex = NameIndex(clean)
        let noisyIndex = noisy.map { NameIndex($0) }
        var used: Set<String> = []
        for name in enhanced {
            guard let found = cleanIndex.partner(of: name) else {
                withoutClean.append(name)
                continue
            }
            note(found, of: name)
            used.insert(found.name)
            let noisy = noisyIndex?.partner(of: name) ?? noisyIndex?.partner(of: found.name)
            if let noisy { note(noisy, of: name) }
            if noisyIndex != nil, noisy == nil { withoutNoisy.append(name) }
            matches.append(Match(clean: found.name, noisy: noisy?.name, enhanced: name))
        }
        withoutEnhanced = clean.filter { !used.contains($0) }
    }

    private mutating func note(_ found: (name: String, rule: PairingRule), of enhanced: String) {
        guard found.rule != .name else { return }
        rules[found.rule, default: []].append(RulePair(enhanced: enhanced, partner: found.name))
    }
}
