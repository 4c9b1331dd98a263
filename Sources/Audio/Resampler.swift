import CSoxr
public import Failures
import Foundation

/// Converts signals from one sample rate to another with libsoxr's high quality: linear phase, 20 bits,
/// the pass band kept to 91.3 % of the lower Nyquist frequency.
///
/// The output has `⌈n · to / from⌉` samples and no delay or change of level, as `librosa.resample` gives with its
/// default `soxr_hq`. Equal rates return the signal itself.
public struct Resampler: Hashable, Sendable {
    /// The name that metric signatures and records use for this conversion.
    public static let name = "soxr-hq"

    /// The input's sample rate, in Hz.
    public let inputRate: Int
    /// The output's sample rate, in Hz.
    public let outputRate: Int

    /// - Precondition: both rates are positive.
    public init(from inputRate: Int, to outputRate: Int) {
        precondition(inputRate > 0 && outputRate > 0, "resampling from \(inputRate) to \(outputRate) Hz")
        self.inputRate = inputRate
        self.outputRate = outputRate
    }

    /// How many samples `count` samples become.
    public func outputCount(for count: Int) -> Int {
        (count * outputRate + inputRate - 1) / inputRate
    }

    /// One channel at the new rate.
    ///
    /// - Throws: `ResamplingError` if libsoxr refuses, for want of memory or because the ratio is too extreme.
    public func resample(_ signal: [Float]) throws(ResamplingError) -> [Float] {
        guard inputRate != outputRate, !signal.isEmpty else { return signal }
        // libsoxr rounds its length to the nearest, so one more place than the contract says.
        var output = [Float](repeating: 0, count: outputCount(for: signal.count) + 1)
        var written = 0
        let format = unsafe soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I)
        let quality = unsafe soxr_quality_spec(UInt(SOXR_20_BITQ), 0)
        let runtime = unsafe soxr_runtime_spec(1)
        let message = unsafe withUnsafePointer(to: format) { format in
            unsafe withUnsafePointer(to: quality) { quality in
                unsafe withUnsafePointer(to: runtime) { runtime in
                    unsafe soxr_oneshot(
                        Double(inputRate), Double(outputRate), 1, signal, signal.count, nil,
                        &output, output.count, &written, format, quality, runtime)
                }
            }
        }
        if let message = unsafe message {
            throw ResamplingError(
                inputRate: inputRate, outputRate: outputRate, reason: unsafe String(cString: message))
        }
        output.removeLast()
        return output
    }

    /// Every channel at the new rate; channels do not influence each other.
    public func resample(channels: [[Float]]) throws(ResamplingError) -> [[Float]] {
        var result: [[Float]] = []
        for channel in channels { result.append(try resample(channel)) }
        return result
    }
}

/// libsoxr refused a conversion.
public struct ResamplingError: Diagnostic, Hashable, Sendable {
    /// Hz, of the signal that was to be converted.
    public var inputRate: Int
    /// Hz, of the signal that was asked for.
    public var outputRate: Int
    /// The message of libsoxr.
    public var reason: String

    public var summary: String { "cannot resample from \(inputRate) to \(outputRate) Hz: \(reason)" }
    public var hint: String? { "convert the file to a usual rate" }
    public var category: FailureCategory { .work }
    public var description: String { line }
}
