import Foundation
public import Models

/// Runs the cases of a folder of reference values.
public struct ConformanceRunner: Sendable {
    /// Backbones, diffusions and samplers that cases name.
    public let catalog: Catalog
    /// The first one of a case's kind is taken.
    public let checkers: [ConformanceChecker]

    public init(catalog: Catalog = .standard, checkers: [ConformanceChecker] = ConformanceChecker.standard) {
        self.catalog = catalog
        self.checkers = checkers
    }

    /// The ids of all cases under `root`, sorted; those that start with `prefix` if one is given.
    public func cases(in root: String, only prefix: String? = nil) throws -> [String] {
        let manager = FileManager.default
        guard let walker = manager.enumerator(atPath: root) else {
            throw ConformanceError(id: root, reason: "is not a folder that can be read")
        }
        return walker.compactMap { $0 as? String }
            .filter { $0 == "case.json" || $0.hasSuffix("/case.json") }
            .map { String($0.dropLast("/case.json".count)) }
            .filter { id in prefix.map { id.hasPrefix($0) } ?? true }
            .sorted()
    }

    /// All checks of one case; what cannot be run is a failed check with its reason.
    public func run(_ id: String, in root: String) -> [ConformanceCheck] {
        var report = ConformanceReport(id: id)
        do {
            let one = try ConformanceCase(folder: root + "/" + id, id: id)
            guard let checker = checkers.first(where: { $0.kind == one.kind }) else {
                throw ConformanceError(
                    id: id, reason: "unknown kind '\(one.kind)'; known: \(checkers.map(\.kind).joined(separator: ", "))"
                )
            }
            try CaseRules(one: one).check()
            try checker.check(one, catalog, &report)
            if report.checks.isEmpty { throw ConformanceError(id: id, reason: "compared nothing") }
        } catch {
            let reason = (error as? ConformanceError)?.reason ?? "\(error)"
            report.require("case", false, reason)
        }
        return report.checks
    }
}

extension ConformanceChecker {
    /// One checker for each kind of case.
    public static let standard: [ConformanceChecker] = [
        .transform, .padding, .resampling, .sde, .backbone, .noiseEncoder, .modelForward, .loss, .sampler, .training,
        .checkpoint, .pipeline, .metrics, .perceptual, .flowMatching,
        .edm2, .storm,
    ]
}
