import CCollective
public import Foundation
import Synchronization

/// Processes that work together, through an engine behind one table: TCP, which is built in, or a library such as MPI.
///
/// Every process makes the same calls in the same order. Where one has ended, or sends nothing for the timeout of the
/// others, the calls of all others fail.
///
/// `@unchecked Sendable`: the table is constant; its functions are called by one thread at a time, the training's
/// or that of a `PieceExchange` while the training's makes no call.
@safe
public final class ProcessGroup: @unchecked Sendable {
    /// Seconds without a message after which a process counts as lost, where no other timeout is given.
    public static let timeout = 30.0
    /// The file of an engine's library, such as `libsgmse-mpi.so`.
    public static func libraryName(_ engine: String) -> String { "libsgmse-\(engine).so" }

    /// A port of this machine that no process listens on; 0 where there is none.
    public static var freePort: Int { Int(sgc_free_port()) }

    private let table: sgc_table
    private let waited = Mutex(Duration.zero)
    private let broken = Atomic(false)

    /// The number of this process, 0 to `count` − 1.
    public var rank: Int { Int(table.rank()) }
    public var count: Int { Int(table.count()) }
    /// Whether a process of the group was lost.
    public var isBroken: Bool { broken.load(ordering: .relaxed) }
    /// What carries the messages, such as `TCP`.
    public var engine: String { unsafe table.name().map { unsafe String(cString: $0) } ?? "" }
    /// Time spent in calls, waiting for slower processes included.
    public var timeInCalls: Duration { waited.withLock { $0 } }

    private init(_ table: sgc_table, at place: GroupPlace, timeout: Double) throws(GroupFailure) {
        self.table = table
        let code = unsafe place.address.withCString { address in
            var c = unsafe sgc_place(
                rank: Int32(place.rank), count: Int32(place.count), port: Int32(place.port), address: address,
                patience: timeout,
                card: Int32(
                    place.card(amongVisible: ProcessInfo.processInfo.environment["CUDA_VISIBLE_DEVICES"])))
            return unsafe table.open(&c)
        }
        if code != 0 { throw failure }
    }

    /// Joins the others by TCP, at the address of rank 0.
    ///
    /// - Throws: `GroupFailure` where one of them does not connect within a minute.
    public convenience init(tcp place: GroupPlace, timeout: Double = timeout) throws(GroupFailure) {
        try unsafe self.init(sgc_tcp().pointee, at: place, timeout: timeout)
    }

    /// Joins the others through a library.
    ///
    /// - Throws: `GroupFailure` where it cannot be opened, has another version of the table, or does not join.
    public convenience init(
        library path: String, at place: GroupPlace, timeout: Double = timeout
    ) throws(GroupFailure) {
        let rebuild = "build it again with scripts/collective-plugin"
        // MPI looks for its own parts by name among what the process has loaded.
        guard let library = unsafe dlopen(path, RTLD_NOW | RTLD_GLOBAL) else {
            throw GroupFailure("\(path) cannot be opened: \(unsafe String(cString: dlerror())); \(rebuild)")
        }
        guard let symbol = unsafe dlsym(library, "sgmse_collective_table"),
            let table = unsafe unsafeBitCast(symbol, to: sgc_entry.self)()
        else { throw GroupFailure("\(path) is no collective of sgmse; \(rebuild)") }
        guard unsafe table.pointee.abi == UInt32(SGC_ABI),
            unsafe Int(table.pointee.size) == MemoryLayout<sgc_table>.size
        else {
            throw GroupFailure("\(path) was built for another version of sgmse; \(rebuild)")
        }
        try unsafe self.init(table.pointee, at: place, timeout: timeout)
    }

    private var failure: GroupFailure {
        GroupFailure(unsafe table.error().map { unsafe String(cString: $0) } ?? "the processes have lost each other")
    }

    private func timed(_ body: () -> Int32) throws(GroupFailure) {
        let start = ContinuousClock.now
        let code = body()
        waited.withLock { $0 += ContinuousClock.now - start }
        guard code != 0 else { return }
        broken.store(true, ordering: .relaxed)
        throw failure
    }

    func run(_ call: (borrowing sgc_table) -> Int32) throws(GroupFailure) { try timed { call(table) } }

    /// Leaves the group. Does nothing where a process was lost: MPI would wait for that process.
    public func close() { if !isBroken { table.close() } }

    // MARK: Calls

    /// Gathers an array of each process on every process, by rank; all have one length.
    public func gather<Number: BitwiseCopyable>(_ mine: [Number], filler: Number) throws(GroupFailure) -> [[Number]] {
        var all = [Number](repeating: filler, count: mine.count * count)
        let bytes = Int64(mine.count * MemoryLayout<Number>.stride)
        try timed { unsafe table.gather(mine, &all, bytes) }
        return (0..<count).map { Array(all[$0 * mine.count..<($0 + 1) * mine.count]) }
    }

    /// Gathers the bytes of each process on every process, by rank; lengths may differ.
    public func gather(_ mine: Data) throws(GroupFailure) -> [Data] {
        let lengths = try gather([mine.count], filler: 0).map { $0[0] }
        let longest = lengths.max() ?? 0
        guard longest > 0 else { return lengths.map { _ in Data() } }
        let padded = [UInt8](mine) + [UInt8](repeating: 0, count: longest - mine.count)
        let all = try gather(padded, filler: 0)
        return zip(all, lengths).map { Data($0.prefix($1)) }
    }

    /// Sends the bytes of rank 0 to all processes, which returns them on each.
    ///
    /// - Parameter data: Of rank 0; other processes give nil.
    public func broadcast(_ data: Data?) throws(GroupFailure) -> Data {
        var length = Int64(data?.count ?? 0)
        try timed { unsafe table.broadcast(&length, 8) }
        var bytes = data.map { [UInt8]($0) } ?? [UInt8](repeating: 0, count: Int(length))
        if length > 0 { try timed { unsafe table.broadcast(&bytes, length) } }
        return Data(bytes)
    }

    /// Replaces the numbers of every process by those of rank 0.
    public func broadcast(_ values: inout [Float]) throws(GroupFailure) {
        let bytes = Int64(4 * values.count)
        try timed { unsafe values.withUnsafeMutableBytes { unsafe table.broadcast($0.baseAddress, bytes) } }
    }
}
