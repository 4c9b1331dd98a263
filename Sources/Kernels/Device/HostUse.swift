import Synchronization

/// How often the calling thread brings numbers to a device or reads some, while something watches it. Other threads,
/// which prepare data or exchange gradients, do not count.
package final class HostUse: Sendable {
    @TaskLocal static var current: HostUse?

    private let transfers = Atomic(0)

    func add() { transfers.add(1, ordering: .relaxed) }

    /// The result of `body`, and the number of transfers in it.
    package static func counted<Result>(_ body: () throws -> Result) rethrows -> (result: Result, transfers: Int) {
        let use = HostUse()
        let result = try $current.withValue(use, operation: body)
        return (result, use.transfers.load(ordering: .relaxed))
    }
}
