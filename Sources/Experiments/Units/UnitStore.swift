import Foundation
public import Runs

/// The store of one unit: its task writes to it, and its rows are merged into the store that planned the unit.
///
/// It is in the unit's folder, has one writer at a time and a rollback journal, so that it may be on a file system that
/// nodes share. The files of its runs are where the planning store expects them.
public enum UnitStore {
    private static func path(in work: String) -> String { work + "/store.sqlite" }

    /// Opens the store of a unit, which is made where this is the first attempt.
    ///
    /// - Parameters:
    ///   - work: The unit's folder.
    ///   - folder: The folder of the runs.
    public static func open(_ unit: WorkUnit, in work: String, folder: String) throws -> RunStore {
        let store = try RunStore(at: path(in: work), journal: .rollback, folder: folder)
        if let seed = unit.seed, try unit.seedRuns.contains(where: { try !store.knows($0) }) {
            try store.importRuns(from: folder + "/" + seed, only: unit.seedRuns, sharesFolder: true)
        }
        return store
    }

    /// Adds what a unit's store holds to the store that planned it, and removes the unit's store.
    ///
    /// A repeated call after an interruption adds nothing twice and loses nothing.
    ///
    /// - Returns: What was added; nil where the unit left no store, or it was collected before.
    @discardableResult
    public static func collect(from work: String, into store: RunStore) throws -> TransferSummary? {
        let path = path(in: work)
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let summary = try store.importRuns(from: path, sharesFolder: true)
        try store.finishScoredEvaluations(interruptedFor: WorkUnit.FileShare.reason)
        for ending in ["-journal", "-owners", ""] {
            try? FileManager.default.removeItem(atPath: path + ending)
        }
        return summary
    }
}

extension RunStore {
    fileprivate func knows(_ shortID: String) throws -> Bool {
        try runs().contains { $0.shortID == shortID }
    }
}
