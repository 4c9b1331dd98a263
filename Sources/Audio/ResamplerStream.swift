import CSoxr
import Foundation

/// A ``Resampler`` for a signal that is given in blocks, in bounded memory.
///
/// The blocks' results, joined, equal the result of the whole signal: `⌈n · to / from⌉` samples.
@safe public final class ResamplerStream {
    private let resampler: Resampler
    private let handle: OpaquePointer  // made, used and freed here alone
    private var taken = 0
    private var given = 0

    /// - Throws: `ResamplingError` if libsoxr refuses.
    public init(_ resampler: Resampler) throws(ResamplingError) {
        self.resampler = resampler
        var message: soxr_error_t?
        var format = unsafe soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I)
        var quality = unsafe soxr_quality_spec(UInt(SOXR_20_BITQ), 0)
        var runtime = unsafe soxr_runtime_spec(1)
        let made = unsafe soxr_create(
            Double(resampler.inputRate), Double(resampler.outputRate), 1, &message, &format, &quality, &runtime)
        guard let made = unsafe made, unsafe message == nil else { throw unsafe Self.error(resampler, message) }
        unsafe handle = made
    }

    deinit { unsafe soxr_delete(handle) }

    /// The output samples that no later input changes.
    public func process(_ samples: [Float]) throws(ResamplingError) -> [Float] {
        taken += samples.count
        return samples.isEmpty ? [] : try run(samples)  // none at all would mean the end
    }

    /// The rest of the output, once all samples were given.
    public func finish() throws(ResamplingError) -> [Float] {
        let rest = try run(nil)
        let missing = resampler.outputCount(for: taken) - given
        given += missing
        // libsoxr rounds its length to the nearest; the contract is the next whole number.
        return missing >= 0 ? rest + [Float](repeating: 0, count: missing) : Array(rest.dropLast(-missing))
    }

    private func run(_ samples: [Float]?) throws(ResamplingError) -> [Float] {
        var output: [Float] = []
        var consumed = 0
        var block = [Float](repeating: 0, count: max(4096, resampler.outputCount(for: samples?.count ?? 0) + 64))
        while true {
            var (read, written) = (0, 0)
            let message: soxr_error_t? =
                if let samples {
                    unsafe samples.withUnsafeBufferPointer { input in
                        unsafe soxr_process(
                            handle, input.baseAddress.map { unsafe $0 + consumed }, samples.count - consumed, &read,
                            &block,
                            block.count,
                            &written)
                    }
                } else {
                    unsafe soxr_process(handle, nil, 0, nil, &block, block.count, &written)
                }
            if unsafe message != nil { throw unsafe Self.error(resampler, message) }
            consumed += read
            output += block[..<written]
            if written < block.count, consumed == samples?.count ?? 0 { break }
        }
        given += output.count
        return output
    }

    private static func error(_ resampler: Resampler, _ message: soxr_error_t?) -> ResamplingError {
        ResamplingError(
            inputRate: resampler.inputRate, outputRate: resampler.outputRate,
            reason: unsafe message.map { unsafe String(cString: $0) } ?? "no memory")
    }
}
