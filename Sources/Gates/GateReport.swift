public import Corpora
public import Failures
public import Specs

/// What the gates found, each finding once, and which of it stops the work.
public struct GateReport: Hashable, Sendable {
    /// All of them, in the order they were found, whether waived or not.
    public private(set) var findings: [Finding] = []
    /// The errors that no spec waived by name.
    public private(set) var refused: [Finding] = []
    private var seen: Set<Finding> = []
    private var seenRefused: Set<Finding> = []

    public init() {}

    /// Takes in what was found, as the spec judges it.
    public mutating func add(_ found: [Finding], of spec: ExperimentSpec) {
        findings += found.filter { seen.insert($0).inserted }
        refused += found.filter { finding in
            let isWaived = finding.code.isWaivable && spec.waive[finding.code.rawValue] != nil
            return finding.severity == .error && !isWaived && seenRefused.insert(finding).inserted
        }
    }

    /// Stops at errors that were not waived.
    public func enforce() throws(GateFailure) {
        guard refused.isEmpty else { throw GateFailure(findings: refused) }
    }
}

/// Errors that keep a spec from being run.
public struct GateFailure: Diagnostic, Hashable, Sendable {
    /// The errors that no spec waived, as ``GateReport/refused`` lists them.
    public var findings: [Finding]

    public var summary: String { findings.map(\.message).joined(separator: "; ") }
    public var category: FailureCategory { .data }

    public var description: String {
        var codes: [String] = []
        for finding in findings where finding.code.isWaivable && !codes.contains(finding.code.rawValue) {
            codes.append(finding.code.rawValue)
        }
        let found = findings.map(\.description).joined(separator: "\n")
        return codes.isEmpty
            ? found
            : found
                + """
                \n    a spec may waive a check by name, with a reason: waive: { \
                \(codes.map { $0 + ": ..." }.joined(separator: ", ")) }
                """
    }
}
