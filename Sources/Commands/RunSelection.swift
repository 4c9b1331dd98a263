import ArgumentParser
import Runs

/// The runs that the options select: those that are named, or else those that a filter selects, or else all.
struct RunSelection {
    private let names: [String]
    private let filter: RunFilter?
    private let condition: String?

    /// What `--where` takes.
    static let help = ArgumentHelp(
        "Only runs for which a condition holds, such as \"backbone=ncsnpp_v2 and train.lr<1e-3\".",
        discussion: """
            Fields are columns of runs (name, status, seed, tag, created, ...), paths of the spec or their ends, \
            factors of evaluations (N, set, sampler, ...), and metrics, which stand for an evaluation's mean \
            (pesq>1.2). They are compared by = != < <= > >= ~ (contains; * for any letters) and in (a, b), and joined \
            by and, or, not and parentheses.
            """, valueName: "condition")

    init(_ names: [String], where condition: String? = nil) throws(FilterError) {
        (self.names, self.condition) = (names, condition)
        filter = if let condition { try RunFilter(condition) } else { nil }
    }

    /// The runs, each once, in the order of their names; the oldest first where none is named.
    func runs(in store: RunStore) throws -> [Run] {
        guard !names.isEmpty else {
            let found = try store.runs(where: filter)
            if let condition, found.isEmpty { printError("no run matches '\(condition)'") }
            return found.reversed()
        }
        var seen: Set<Run.ID> = []
        return try names.flatMap { try store.runs(called: $0) }.filter { seen.insert($0.id).inserted }
    }
}
