package import Runs

/// Everything in a store that is a result, and nothing that is a time or a place.
package struct ResultText {
    package let text: String

    package init(of path: String) throws {
        let store = try RunStore(at: path, access: .readOnly)
        defer { try? store.close() }
        try self.init(of: store)
    }

    package init(of store: RunStore) throws {
        var lines: [String] = []
        let names = Dictionary(try store.metrics().map { ($0.id, $0.name) }, uniquingKeysWith: { $1 })
        func scores(_ evaluation: Evaluation) throws -> [String] {
            let files = Dictionary(
                try store.files(of: evaluation.testSet).map { ($0.id!, $0.path) }, uniquingKeysWith: { $1 })
            let kept = try store.results(of: evaluation.id).map {
                "\(evaluation.identity) \(files[$0.file] ?? "") nfe \($0.nfe)"
            }
            return kept
                + (try store.scores(of: evaluation.id)).map {
                    """
                    \(evaluation.identity) \(evaluation.status) \(files[$0.file] ?? "") \(names[$0.metric] ?? "") \
                    \($0.outcome)
                    """
                }
        }
        for run in try store.runs() {
            lines.append("\(run.name) \(run.shortID) \(run.status)")
            lines += try store.steps(of: run.id).map {
                "\(run.name) \($0.step) \($0.loss) \($0.gradientNorm) \($0.learningRate)"
            }
            lines += try store.validations(of: run.id).map {
                "\(run.name) \($0.step) \($0.metric) \(String(describing: $0.value))"
            }
            lines += try store.checkpoints(of: run.id).map {
                "\(run.name) \($0.kind) \($0.step) \($0.sha256) \($0.isSuperseded)"
            }
            for evaluation in try store.evaluations(of: run.id) { lines += try scores(evaluation) }
        }
        for evaluation in try store.anchorEvaluations() { lines += try scores(evaluation) }
        text = lines.sorted().joined(separator: "\n")
    }
}
