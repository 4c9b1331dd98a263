import CKernels

/// Dense `Float` storage of a tensor, 64-byte aligned, taken from and given back to the pool of buffers.
///
/// The contents are written by the kernel that produces them and only read afterwards; the two exceptions
/// (`updateAdam` and `copy(from:)`) belong to the one thread that trains.
@safe
public final class FloatBuffer: @unchecked Sendable {  // written before it is shared, read-only afterwards
    public let count: Int
    let base: UnsafeMutablePointer<Float>
    let packed = PackedFilters()

    /// A buffer whose contents are not yet defined.
    public init(count: Int) {
        precondition(count >= 0, "a buffer of \(count) elements")
        self.count = count
        unsafe base = sg_alloc(Int64(max(count, 1)))
    }

    public convenience init(_ values: [Float]) {
        self.init(count: values.count)
        unsafe values.withUnsafeBufferPointer { values in
            if let from = values.baseAddress { unsafe base.update(from: from, count: count) }
        }
    }

    public convenience init(repeating value: Float, count: Int) {
        self.init(count: count)
        unsafe base.update(repeating: value, count: count)
    }

    deinit { unsafe sg_free(base, Int64(max(count, 1))) }

    /// A copy of the contents.
    public var values: [Float] {
        unsafe [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let to = buffer.baseAddress { unsafe to.initialize(from: base, count: count) }
            initialized = count
        }
    }

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
        return try body(&span)
    }

    /// Replaces the contents, and forgets what was derived from them.
    public func copy(from other: FloatBuffer) {
        precondition(other.count == count, "copy of \(other.count) elements into \(count)")
        unsafe base.update(from: other.base, count: count)
        packed.forget()
    }
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
    /// It concerns the calling thread and every thread and process that it starts from now on, and cannot be taken back.
    ///
    /// - Parameter level: The nice value, from 0 (none) to 19.
    public static func yield(to level: Int) { _ = sg_yield(Int32(level)) }

    /// Runs `body` with its kernels on the calling thread alone, for work that is parallel further out.
    public static func serially<Result>(_ body: () throws -> Result) rethrows -> Result {
        sg_set_serial(1)
        defer { sg_set_serial(0) }
        return try body()
    }

    /// Bytes of live buffers, now and at most since ``resetPeakBytes()``.
    public static var bytesInUse: Int { Int(sg_bytes_in_use()) }
    public static var peakBytes: Int { Int(sg_peak_bytes()) }
    public static func resetPeakBytes() { sg_reset_peak_bytes() }

    /// Ends the program with a message where live buffers would take more than so many bytes.
    public static func limitMemory(to bytes: Int) { sg_set_memory_limit(Int64(bytes)) }

    /// Gives idle buffers back to the system.
    public static func trim() { sg_trim() }

    /// The instruction set in use: `baseline`, `avx2` or `avx512`.
    public static var instructionSet: String { InstructionSet.allCases[Int(sg_level())].rawValue }

    /// The instruction sets that this processor has.
    public static var availableInstructionSets: [InstructionSet] { Array(InstructionSet.allCases.prefix(Int(sg_best_level()) + 1)) }

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
