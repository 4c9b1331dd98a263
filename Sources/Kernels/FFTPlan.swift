import CFFTW
import Synchronization

/// A precision in which FFTW transforms: `Float` or `Double`.
public protocol FFTScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
    /// A new plan between the two buffers, which planning does not change; nil if FFTW cannot make one.
    ///
    /// Called with the planner's lock held.
    static func _plan(
        _ kind: FFTKind, _ length: Int, _ input: UnsafeMutablePointer<Self>,
        _ output: UnsafeMutablePointer<Self>
    ) -> OpaquePointer?

    /// Runs a plan on other buffers of the same alignment; may overwrite `input`.
    static func _execute(
        _ plan: OpaquePointer, _ kind: FFTKind, _ input: UnsafeMutablePointer<Self>,
        _ output: UnsafeMutablePointer<Self>)

    /// Multiplies the first `count` values.
    static func _scale(_ values: inout MutableSpan<Self>, count: Int, by factor: Self)
}

/// The four transforms a plan can be made for.
public enum FFTKind: Hashable, Sendable {
    case realForward, realInverse, complexForward, complexInverse
}

/// A transform that FFTW has planned, kept until the process ends.
///
/// Plans are estimated, never measured, so that two runs use the same algorithm and agree to the bit. For the
/// same reason every call runs the one plan made for aligned memory (16 bytes, as Swift's arrays have): what lies
/// elsewhere is copied first.
///
/// `@unchecked Sendable`: the plan is immutable once made, and FFTW's `execute_dft` calls are thread-safe.
/// Only planning is not, and it happens under `lock`.
@safe
final class FFTPlan: @unchecked Sendable {
    private struct Key: Hashable {
        var kind: FFTKind
        var length: Int
        var scalar: ObjectIdentifier
    }

    private static let lock = Mutex<[Key: FFTPlan]>([:])

    private let kind: FFTKind
    private let plan: OpaquePointer

    private init(kind: FFTKind, plan: OpaquePointer) {
        self.kind = kind
        unsafe self.plan = plan
    }

    /// The process's plan for `kind`, made if this is the first request.
    static func shared<Scalar: FFTScalar>(
        _ kind: FFTKind, _ length: Int, _: Scalar.Type
    ) -> FFTPlan {
        let key = Key(kind: kind, length: length, scalar: ObjectIdentifier(Scalar.self))
        return lock.withLock { plans in
            if let known = plans[key] { return known }
            let made = unsafe withAlignedScratch(of: Scalar.self, 2 * length + 2) { input in
                unsafe withAlignedScratch(of: Scalar.self, 2 * length + 2) { output in
                    unsafe Scalar._plan(kind, length, input, output)
                }
            }
            guard let made = unsafe made else {
                preconditionFailure("no memory for a transform of \(length) samples")
            }
            let plan = unsafe FFTPlan(kind: kind, plan: made)
            plans[key] = plan
            return plan
        }
    }

    /// Transforms frame `k` at `input[k · hop]` into `output[k · outputSize]`.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func run<Scalar: FFTScalar>(
        frames: Int, from input: Span<Scalar>, size inputSize: Int, hop: Int,
        into output: inout MutableSpan<Scalar>, size outputSize: Int
    ) {
        precondition(frames >= 0 && hop >= 0, "\(frames) frames, \(hop) apart")
        guard frames > 0 else { return }
        let needed = (frames - 1) * hop + inputSize
        precondition(input.count >= needed, "\(frames) frames need \(needed) values, not \(input.count)")
        precondition(
            output.count >= frames * outputSize,
            "\(frames) frames give \(frames * outputSize) values, not \(output.count)")
        unsafe input.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in  // checked above; neither escapes
                guard let source = input.baseAddress, let target = output.baseAddress else { return }
                for frame in 0..<frames {
                    unsafe run(source + frame * hop, inputSize, target + frame * outputSize, outputSize)
                }
            }
        }
    }

    /// Transforms one frame, by way of aligned copies where its memory is not aligned.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    private func run<Scalar: FFTScalar>(
        _ source: UnsafePointer<Scalar>, _ inputSize: Int,
        _ target: UnsafeMutablePointer<Scalar>, _ outputSize: Int
    ) {
        // FFTW overwrites the input of real inverses only, so other aligned inputs can be passed as mutable pointers.
        let lent = unsafe UnsafeMutablePointer(mutating: source)
        let inputIsReady = kind != .realInverse && Self.isAligned(Int(bitPattern: lent))
        let outputIsReady = Self.isAligned(Int(bitPattern: target))
        if inputIsReady && outputIsReady { return unsafe Scalar._execute(plan, kind, lent, target) }
        unsafe withAlignedScratch(of: Scalar.self, inputIsReady ? 0 : inputSize) { copy in
            unsafe withAlignedScratch(of: Scalar.self, outputIsReady ? 0 : outputSize) { result in
                if !inputIsReady { unsafe copy.update(from: source, count: inputSize) }
                unsafe Scalar._execute(
                    plan, kind, inputIsReady ? lent : copy, outputIsReady ? target : result)
                if !outputIsReady { unsafe target.update(from: result, count: outputSize) }
            }
        }
    }

    private static func isAligned(_ address: Int) -> Bool { address % 16 == 0 }
}

/// Memory for the length of a call, aligned for every vector unit.
private func withAlignedScratch<Scalar: FFTScalar, Result>(
    of _: Scalar.Type, _ count: Int, _ body: (UnsafeMutablePointer<Scalar>) -> Result
) -> Result {
    unsafe withUnsafeTemporaryAllocation(
        byteCount: max(1, count) * MemoryLayout<Scalar>.stride, alignment: 64
    ) { bytes in
        let values = unsafe bytes.bindMemory(to: Scalar.self)
        guard let base = values.baseAddress else {
            preconditionFailure("no scratch memory for \(count) values")
        }
        return unsafe body(base)
    }
}

extension Float: FFTScalar {
    /// A plan in single precision; `nil` where FFTW cannot make one. FFTW's planner is not thread-safe: the caller
    /// locks.
    public static func _plan(
        _ kind: FFTKind, _ length: Int, _ input: UnsafeMutablePointer<Float>,
        _ output: UnsafeMutablePointer<Float>
    ) -> OpaquePointer? {
        let (x, y) = unsafe (complex(input), complex(output))
        let n = Int32(length)
        let flags = UInt32(FFTW_ESTIMATE)
        return switch kind {
        case .realForward: unsafe fftwf_plan_dft_r2c_1d(n, input, y, flags)
        case .realInverse: unsafe fftwf_plan_dft_c2r_1d(n, x, output, flags)
        case .complexForward: unsafe fftwf_plan_dft_1d(n, x, y, FFTW_FORWARD, flags)
        case .complexInverse: unsafe fftwf_plan_dft_1d(n, x, y, FFTW_BACKWARD, flags)
        }
    }

    /// Runs a plan on arrays of the alignment that it was made for; real inverses overwrite their input.
    public static func _execute(
        _ plan: OpaquePointer, _ kind: FFTKind, _ input: UnsafeMutablePointer<Float>,
        _ output: UnsafeMutablePointer<Float>
    ) {
        switch kind {
        case .realForward: unsafe fftwf_execute_dft_r2c(plan, input, complex(output))
        case .realInverse: unsafe fftwf_execute_dft_c2r(plan, complex(input), output)
        case .complexForward, .complexInverse:
            unsafe fftwf_execute_dft(plan, complex(input), complex(output))
        }
    }

    /// Multiplies the first `count` values in place.
    public static func _scale(_ values: inout MutableSpan<Float>, count: Int, by factor: Float) {
        for index in 0..<count { values[index] *= factor }
    }

    private static func complex(
        _ values: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<fftwf_complex> {
        unsafe UnsafeMutableRawPointer(values).assumingMemoryBound(to: fftwf_complex.self)
    }
}

extension Double: FFTScalar {
    /// A plan in double precision; `nil` where FFTW cannot make one. FFTW's planner is not thread-safe: the caller
    /// locks.
    public static func _plan(
        _ kind: FFTKind, _ length: Int, _ input: UnsafeMutablePointer<Double>,
        _ output: UnsafeMutablePointer<Double>
    ) -> OpaquePointer? {
        let (x, y) = unsafe (complex(input), complex(output))
        let n = Int32(length)
        let flags = UInt32(FFTW_ESTIMATE)
        return switch kind {
        case .realForward: unsafe fftw_plan_dft_r2c_1d(n, input, y, flags)
        case .realInverse: unsafe fftw_plan_dft_c2r_1d(n, x, output, flags)
        case .complexForward: unsafe fftw_plan_dft_1d(n, x, y, FFTW_FORWARD, flags)
        case .complexInverse: unsafe fftw_plan_dft_1d(n, x, y, FFTW_BACKWARD, flags)
        }
    }

    /// Runs a plan on arrays of the alignment that it was made for; real inverses overwrite their input.
    public static func _execute(
        _ plan: OpaquePointer, _ kind: FFTKind, _ input: UnsafeMutablePointer<Double>,
        _ output: UnsafeMutablePointer<Double>
    ) {
        switch kind {
        case .realForward: unsafe fftw_execute_dft_r2c(plan, input, complex(output))
        case .realInverse: unsafe fftw_execute_dft_c2r(plan, complex(input), output)
        case .complexForward, .complexInverse:
            unsafe fftw_execute_dft(plan, complex(input), complex(output))
        }
    }

    /// Multiplies the first `count` values in place.
    public static func _scale(_ values: inout MutableSpan<Double>, count: Int, by factor: Double) {
        for index in 0..<count { values[index] *= factor }
    }

    private static func complex(
        _ values: UnsafeMutablePointer<Double>
    ) -> UnsafeMutablePointer<fftw_complex> {
        unsafe UnsafeMutableRawPointer(values).assumingMemoryBound(to: fftw_complex.self)
    }
}
