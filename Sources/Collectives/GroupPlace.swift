public import Failures
import Foundation

/// The rank of a process among those that a launcher has started to work together, and the address of rank 0.
public struct GroupPlace: Hashable, Sendable {
    /// The number of this process, from 0, and how many processes there are; rank 0 writes the results.
    public var rank, count: Int
    /// The process's number among those of its machine, which chooses its card.
    public var localRank: Int
    /// The address of rank 0.
    public var address: String
    /// The TCP port at ``address`` on which rank 0 accepts the others.
    public var port: Int

    public init(rank: Int, count: Int, localRank: Int? = nil, address: String = "127.0.0.1", port: Int) {
        (self.rank, self.count, self.localRank, self.address, self.port) = (
            rank, count, localRank ?? rank, address, port
        )
    }

    /// The place that a launcher gave to this process: `RANK`, `WORLD_SIZE`, `LOCAL_RANK`, `MASTER_ADDR` and
    /// `MASTER_PORT` as torchrun sets them; `mpirun`'s; or those of a job step of Slurm. `nil` for a process by itself.
    ///
    /// - Throws: `GroupFailure` where a variable is missing or is no number.
    public init?(_ environment: [String: String]) throws(GroupFailure) {
        let names: (rank: String, count: String, local: String)
        if environment["WORLD_SIZE"] != nil {
            names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        } else if environment["OMPI_COMM_WORLD_SIZE"] != nil {
            names = ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK")
        } else if environment["SLURM_STEP_NUM_TASKS"] != nil {
            // Of `srun` alone: in a batch script outside of it there is one process.
            names = ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID")
        } else {
            return nil
        }
        let count = try Self.number(names.count, in: environment)
        guard count > 1 else { return nil }
        let rank = try Self.number(names.rank, in: environment)
        guard rank < count else {
            throw GroupFailure("\(names.rank) is \(rank), and \(names.count) is \(count); ranks count from 0")
        }
        let local = environment[names.local] == nil ? rank : try Self.number(names.local, in: environment)
        let job = environment["SLURM_JOB_ID"].flatMap { Int($0) } ?? 0
        let port =
            environment["MASTER_PORT"] == nil ? 20000 + job % 20000 : try Self.number("MASTER_PORT", in: environment)
        let node = environment["SLURM_STEP_NODELIST"].map(Self.firstNode)
        self.init(
            rank: rank, count: count, localRank: local, address: environment["MASTER_ADDR"] ?? node ?? "127.0.0.1",
            port: port)
    }

    private static func number(_ name: String, in environment: [String: String]) throws(GroupFailure) -> Int {
        guard let text = environment[name] else { throw GroupFailure("\(name) is not set; the launcher must set it") }
        guard let number = Int(text), (0..<65_536).contains(number) else {
            throw GroupFailure("\(name) is '\(text)', which is no number")
        }
        return number
    }

    /// `node01` of `node[01-04,07]`, `a` of `a,b`.
    static func firstNode(_ list: String) -> String {
        guard let open = list.firstIndex(of: "["), !list[..<open].contains(",") else {
            return String(list.prefix { $0 != "," })
        }
        return String(list[..<open] + list[list.index(after: open)...].prefix { !",-]".contains($0) })
    }

    /// The number of the process's GPU among the visible ones: Slurm may make only its own GPU visible to each process.
    ///
    /// - Parameter list: The value of `CUDA_VISIBLE_DEVICES`; `nil` where all GPUs of the machine are visible.
    public func card(amongVisible list: String?) -> Int {
        let seen = list?.split(separator: ",").count ?? 0
        return seen > 0 ? localRank % seen : localRank
    }

    /// The environment of another process of this machine's group.
    public func environment(rank: Int) -> [String: String] {
        [
            "RANK": "\(rank)", "WORLD_SIZE": "\(count)", "LOCAL_RANK": "\(rank)", "MASTER_ADDR": address,
            "MASTER_PORT": "\(port)",
        ]
    }
}

/// Why processes cannot work together; where one rank caused it, the text names the rank.
public struct GroupFailure: Diagnostic, Hashable, Sendable {
    public var summary: String
    public init(_ summary: String) { self.summary = summary }

    public var category: FailureCategory { .team }
    public var description: String { summary }
}
