/// Names of tensors without the prefixes that wrappers of a training added.
///
/// `torch.compile` puts `_orig_mod.` before the names of what it compiled, data-parallel training `module.`, and
/// sharded training and activation checkpointing their own words; they may stand at any level.
package enum WrapperNames {
    private static let words: [Substring: String] = [
        "_orig_mod": "torch.compile", "module": "data-parallel training", "_fsdp_wrapped_module": "sharded training",
        "_checkpoint_wrapped_module": "activation checkpointing", "_forward_module": "Lightning Fabric",
    ]

    /// The names without these prefixes, and the prefixes found; the names unchanged where two would become equal.
    package static func stripped(_ names: [String]) -> (names: [String], words: [String]) {
        var found: Set<Substring> = []
        let stripped = names.map { name -> String in
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            let kept = parts.filter { words[$0] == nil }
            guard kept.count < parts.count, !kept.isEmpty else { return name }
            found.formUnion(parts.filter { words[$0] != nil })
            return kept.joined(separator: ".")
        }
        guard !found.isEmpty, Set(stripped).count == stripped.count else { return (names, []) }
        return (stripped, found.sorted().map { "'\($0).' of \(words[$0] ?? "")" })
    }
}
