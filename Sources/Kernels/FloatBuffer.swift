import CDevice
import CKernels
import Synchronization

/// Dense `Float` storage of a tensor: 64-byte aligned memory of the pool of buffers, a tensor of a ``Device``, or both.
///
/// The contents are written by the kernel that produces them and only read afterwards; the exceptions (`updateAdam`,
/// ``accumulate(_:into:)`` and ``copy(from:)``) belong to the one thread that trains. Each side is copied from the
/// other when it is first read, and then kept; a write on one side releases the other.
///
/// `@unchecked Sendable`: it is written before it is shared; a missing side is added atomically.
@safe
public final class FloatBuffer: @unchecked Sendable {
    /// The number of elements.
    public let count: Int
    private let host: Atomic<UnsafeMutablePointer<Float>?>
    private let handle: Atomic<OpaquePointer?>
    /// Where `handle` lives; set before it.
    private let device: Mutex<Device?>
    /// A number that no other handle has had; set before it.
    private let serial: Atomic<UInt>
    let packed = PackedFilters()

    /// A buffer whose contents are not yet defined.
    public init(count: Int) {
        precondition(count >= 0, "a buffer of \(count) elements")
        self.count = count
        unsafe host = Atomic(sg_alloc(Int64(max(count, 1))))
        unsafe handle = Atomic(nil)
        device = Mutex(nil)
        serial = Atomic(0)
    }

    /// The buffer of a device's tensor.
    init(_ handle: OpaquePointer, count: Int, on device: Device) {
        self.count = count
        unsafe host = Atomic(nil)
        unsafe self.handle = Atomic(handle)
        self.device = Mutex(device)
        serial = Atomic(device.nextSerial())
    }

    public convenience init(_ values: [Float]) {
        self.init(count: values.count)
        unsafe values.withUnsafeBufferPointer { values in
            if let from = values.baseAddress { unsafe base.update(from: from, count: count) }
        }
    }

    /// A buffer of equal elements, on the device in use.
    public convenience init(repeating value: Float, count: Int) {
        if count > 1, let device = Device.current, let handle = device.table.fill(value, Int64(count)) {
            unsafe self.init(handle, count: count, on: device)
            return
        }
        self.init(count: count)
        unsafe base.update(repeating: value, count: count)
    }

    deinit {
        forgetHost()
        forgetDevice()
    }

    /// A copy of the contents.
    public var values: [Float] {
        unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let to = buffer.baseAddress { unsafe to.initialize(from: base, count: count) }
            initialized = count
        }
    }

    /// One element, read from the host's side.
    public subscript(index: Int) -> Float {
        precondition(index >= 0 && index < count, "element \(index) of a buffer of \(count)")
        return unsafe base[index]
    }

    /// Reads the contents in place.
    public func withSpan<Result>(_ body: (Span<Float>) throws -> Result) rethrows -> Result {
        try unsafe body(Span(_unsafeStart: UnsafePointer(base), count: count))
    }

    /// Writes the contents in place, before the buffer is shared.
    public func withMutableSpan<Result>(_ body: (inout MutableSpan<Float>) throws -> Result) rethrows -> Result {
        var span = unsafe MutableSpan(_unsafeStart: base, count: count)
        forgetDevice()
        return try body(&span)
    }

    /// Replaces the contents, and discards the values derived from them.
    public func copy(from other: FloatBuffer) {
        precondition(other.count == count, "copy of \(other.count) elements into \(count)")
        if count > 0, let device = Device.current {
            device.run("copy") { unsafe $0.copy(on(device), other.on(device)) }
            forgetHost()
        } else {
            unsafe base.update(from: other.base, count: count)
            forgetDevice()
        }
        packed.forget()
    }
}

// MARK: The two sides

extension FloatBuffer {
    /// Copies the elements to the device in use, if there is one, before they are first needed there.
    package func upload() { if count > 0, let device = Device.current { _ = unsafe on(device) } }

    /// The elements in the memory of this machine, fetched from the device where they are there alone.
    var base: UnsafeMutablePointer<Float> {
        if let host = unsafe host.load(ordering: .acquiring) { return unsafe host }
        let made = unsafe fresh()
        if let handle = unsafe handle.load(ordering: .acquiring), let device = device.withLock({ $0 }) {
            unsafe device.download(handle, count, into: made)
        }
        let (isFirst, found) = unsafe host.compareExchange(
            expected: nil, desired: made, ordering: .acquiringAndReleasing)
        if isFirst { return unsafe made }
        unsafe sg_free(made, Int64(max(count, 1)))
        return unsafe found ?? made
    }

    /// The elements on a device, copied there where they are on the host alone.
    func on(_ device: Device) -> OpaquePointer {
        if let handle = unsafe handle.load(ordering: .acquiring) { return unsafe handle }
        let made = unsafe device.upload(base, count)
        self.device.withLock { $0 = device }
        serial.store(device.nextSerial(), ordering: .relaxed)
        let (isFirst, found) = unsafe handle.compareExchange(
            expected: nil, desired: made, ordering: .acquiringAndReleasing)
        if isFirst { return unsafe made }
        unsafe device.table.release(made)
        return unsafe found ?? made
    }

    /// A number for where a device has the elements, which a recording refers to; another one once they were written on
    /// the host, even where the same memory is taken again.
    package func place(on device: Device) -> UInt {
        _ = unsafe on(device)
        return serial.load(ordering: .relaxed)
    }

    /// Releases the host's elements, which are out of date after a write on the device.
    func forgetHost() {
        if let old = unsafe host.exchange(nil, ordering: .acquiringAndReleasing) {
            unsafe sg_free(old, Int64(max(count, 1)))
        }
    }

    /// Releases the device's elements, which are out of date after a write on the host.
    func forgetDevice() {
        guard let old = unsafe handle.exchange(nil, ordering: .acquiringAndReleasing) else { return }
        device.withLock { unsafe $0?.table.release(old) }
    }

    private func fresh() -> UnsafeMutablePointer<Float> { unsafe sg_alloc(Int64(max(count, 1))) }
}

/// Vector instructions that kernels are compiled for: sums are made in another order with each, so results differ in
/// their last digits.
public enum InstructionSet: String, CaseIterable, Sendable { case baseline, avx2, avx512 }

/// Workers and memory of the engine.
public enum Engine {
    /// The number of threads that share the work of a kernel. Results do not depend on it.
    public static var threads: Int {
        get { Int(sg_get_threads()) }
        set { sg_set_threads(Int32(newValue)) }
    }

    /// Yields to other programs: processor time and, on Linux, disk access go to those of a smaller nice value first.
    ///
    /// It concerns the calling thread and every thread and process that it starts from now on, and cannot be taken
    /// back.
    ///
    /// - Parameter level: The nice value, from 0 (none) to 19.
    public static func yield(to level: Int) { _ = sg_yield(Int32(level)) }

    /// Runs `body` with its kernels on the calling thread alone, for work whose caller is already parallel.
    public static func serially<Result>(_ body: () throws -> Result) rethrows -> Result {
        sg_set_serial(1)
        defer { sg_set_serial(0) }
        return try body()
    }

    /// Bytes of live buffers, now and at most since ``resetPeakBytes()``.
    public static var bytesInUse: Int { Int(sg_bytes_in_use()) }
    /// The largest ``bytesInUse`` since ``resetPeakBytes()``.
    public static var peakBytes: Int { Int(sg_peak_bytes()) }
    /// Starts ``peakBytes`` again from what is in use now.
    public static func resetPeakBytes() { sg_reset_peak_bytes() }

    /// Sets a limit in bytes; an allocation of buffers beyond it ends the program with a message.
    public static func limitMemory(to bytes: Int) { sg_set_memory_limit(Int64(bytes)) }

    /// Gives idle buffers back to the system.
    public static func trim() { sg_trim() }

    /// The instruction set in use: `baseline`, `avx2` or `avx512`.
    public static var instructionSet: String { InstructionSet.allCases[Int(sg_level())].rawValue }

    /// The instruction sets that this processor has.
    public static var availableInstructionSets: [InstructionSet] {
        Array(InstructionSet.allCases.prefix(Int(sg_best_level()) + 1))
    }

    /// Computes with the instructions of a set, in all threads; with the best there is after `nil`.
    ///
    /// - Returns: Whether the processor has it; where not, nothing changes.
    public static func use(_ set: InstructionSet?) -> Bool {
        guard let level = set.map({ InstructionSet.allCases.firstIndex(of: $0) ?? 0 }) else {
            sg_set_process_level(-1)
            return true
        }
        guard level <= Int(sg_best_level()) else { return false }
        sg_set_process_level(Int32(level))
        return true
    }

    /// Chooses a lower instruction set (0, 1, 2; −1 for the best) for the calling thread; returns the one in force.
    @discardableResult
    public static func useInstructionSet(_ level: Int) -> Int { Int(sg_set_level(Int32(level))) }
}
