import CDevice
import CKernels
import Synchronization

/// A device that computes in place of the host: a table of functions in a library that is opened at run time.
///
/// The functions of this module call the device's function where ``current`` has one. Buffers stay where they were
/// made, and are copied when the other side reads them; ``counts`` holds how often.
///
/// `@unchecked Sendable`: the table is constant, and its functions may be called from any thread.
@safe
public final class Device: @unchecked Sendable {
    /// Counters of the work of a device since it was opened.
    public struct Counts: Hashable, Sendable {
        /// Operations computed on the device.
        public var operations = 0
        /// Buffers of more than one element that host code read: operations that the device does not have.
        public var hostFallbacks = 0
        /// Sums and other scalars that were read.
        public var scalars = 0
        /// Buffers made on the host and copied to the device: inputs, draws, and tables.
        public var uploads = 0
        /// Recordings that were replayed, each in place of many operations.
        public var replays = 0
    }

    /// As a command line names it, such as `torch-cpu` or `cuda:1`.
    public let name: String
    let table: sgd_table
    private let operations = Atomic(0), fallbacks = Atomic(0), scalars = Atomic(0), uploads = Atomic(0),
        replays = Atomic(0)
    private let handles = Atomic<UInt>(0)

    init(name: String, table: sgd_table) {
        self.name = name
        self.table = table
    }

    /// A snapshot of the counters; they only grow.
    public var counts: Counts {
        Counts(
            operations: operations.load(ordering: .relaxed), hostFallbacks: fallbacks.load(ordering: .relaxed),
            scalars: scalars.load(ordering: .relaxed), uploads: uploads.load(ordering: .relaxed),
            replays: replays.load(ordering: .relaxed))
    }

    /// The library that computes, such as `LibTorch 2.13.0`.
    public var version: String { unsafe table.version().map { unsafe String(cString: $0) } ?? "" }

    /// Bytes in tensors, now and at most since the last reset.
    public func memory(resettingPeak: Bool = false) -> (inUse: Int, peak: Int) {
        var (inUse, peak): (Int64, Int64) = (0, 0)
        _ = unsafe table.memory(&inUse, &peak, resettingPeak ? 1 : 0)
        return (Int(inUse), Int(peak))
    }

    /// Waits until all operations are finished.
    public func synchronize() { check("synchronize", table.synchronize()) }

    /// The number of a new handle, from 1.
    func nextSerial() -> UInt { handles.add(1, ordering: .relaxed).newValue }

    // MARK: Precision

    /// Whether products are computed in a precision.
    func computes(in precision: Precision) -> Bool { table.has_precision(precision.onDevice) != 0 }

    /// The precisions of products, in words.
    var precisions: String { Precision.allCases.filter(computes).map(\.rawValue).joined(separator: ", ") }

    /// Sets the precision of products.
    func compute(in precision: Precision) { check("precision", table.set_precision(precision.onDevice)) }

    // MARK: The device in use

    @TaskLocal private static var scoped: Device??
    private static let chosen = Mutex<Device?>(nil)
    /// One relaxed load decides where no device was ever opened.
    private static let exists = Atomic(false)

    /// What operations run on; `nil` for the host.
    public static var current: Device? {
        guard exists.load(ordering: .relaxed) else { return nil }
        if let scoped { return scoped }
        return chosen.withLock { $0 }
    }

    /// Computes on a device in all threads from now on, or on the host again.
    public static func use(_ device: Device?) {
        chosen.withLock { $0 = device }
        exists.store(true, ordering: .relaxed)
    }

    /// Runs `body` on a device, or on the host, independently of the rest of the process.
    public static func with<Result>(_ device: Device?, _ body: () throws -> Result) rethrows -> Result {
        exists.store(true, ordering: .relaxed)
        return try $scoped.withValue(.some(device), operation: body)
    }

    // MARK: Results

    /// The buffer of a tensor that `body` makes on the device.
    @safe func made(_ operation: StaticString, _ count: Int, _ body: (borrowing sgd_table) -> OpaquePointer?)
        -> FloatBuffer
    {
        operations.add(1, ordering: .relaxed)
        guard let handle = unsafe body(table) else { end(operation) }
        return unsafe FloatBuffer(handle, count: count, on: self)
    }

    /// The buffers of the tensors that `body` makes on the device.
    @safe func made(
        _ operation: StaticString, _ counts: [Int],
        _ body: (borrowing sgd_table, UnsafeMutablePointer<OpaquePointer?>) -> Int32
    ) -> [FloatBuffer] {
        operations.add(1, ordering: .relaxed)
        var handles = unsafe [OpaquePointer?](repeating: nil, count: counts.count)
        let code = unsafe handles.withUnsafeMutableBufferPointer { handles in
            unsafe handles.baseAddress.map { unsafe body(table, $0) } ?? 1
        }
        check(operation, code)
        return unsafe zip(handles, counts).map { handle, count in
            guard let handle = unsafe handle else { end(operation) }
            return unsafe FloatBuffer(handle, count: count, on: self)
        }
    }

    /// A scalar that `body` computes on the device.
    @safe func scalar(_ operation: StaticString, _ body: (borrowing sgd_table, UnsafeMutablePointer<Double>) -> Int32)
        -> Double
    {
        operations.add(1, ordering: .relaxed)
        scalars.add(1, ordering: .relaxed)
        HostUse.current?.add()
        var value = 0.0
        check(operation, unsafe body(table, &value))
        return value
    }

    /// An operation in place.
    func run(_ operation: StaticString, _ body: (borrowing sgd_table) -> Int32) {
        operations.add(1, ordering: .relaxed)
        check(operation, body(table))
    }

    // MARK: Copies

    func upload(_ values: UnsafePointer<Float>, _ count: Int) -> OpaquePointer {
        uploads.add(1, ordering: .relaxed)
        HostUse.current?.add()
        guard let handle = unsafe table.upload(values, Int64(count)) else { end("upload") }
        return unsafe handle
    }

    func download(_ handle: OpaquePointer, _ count: Int, into values: UnsafeMutablePointer<Float>) {
        if count > 1 { fallbacks.add(1, ordering: .relaxed) } else { scalars.add(1, ordering: .relaxed) }
        HostUse.current?.add()
        check("download", unsafe table.download(handle, values, Int64(count)))
    }

    func replay(_ recording: OpaquePointer) {
        replays.add(1, ordering: .relaxed)
        check("replay", unsafe table.replay(recording))
    }

    private func check(_ operation: StaticString, _ code: Int32) { if code != 0 { end(operation) } }

    /// Ends the program: nothing can be computed after a device has failed.
    private func end(_ operation: StaticString) -> Never {
        let reason = unsafe table.error().map { unsafe String(cString: $0) } ?? "unknown"
        let hint =
            reason.contains("out of memory")
            ? "; use fewer frames, smaller batches, fewer --batch-files, or backbone.recompute" : ""
        unsafe sg_end("device \(name), \(operation): \(reason)\(hint)")
    }
}

extension Precision {
    fileprivate var onDevice: Int32 {
        switch self {
        case .fp32: Int32(SGD_FP32)
        case .tf32: Int32(SGD_TF32)
        case .bf16: Int32(SGD_BF16)
        }
    }
}
