import CDevice

/// What a device needs to compute the differentiable PESQ of `batch` pairs; its equations stand in `Objectives`.
public struct PerceptualTables: Sendable {
    /// Number of pairs, and samples of each waveform at its own rate.
    public var batch, samples: Int
    /// Samples at 16 kHz.
    public var length: Int
    /// Conversion to 16 kHz: for each output within a period of `phases.count` its first input within one of `from`,
    /// and its weights; without phases there is none.
    public var from = 0
    /// First input sample of each phase of the resampling filter.
    public var starts: [Int] = []
    /// Filter weights of each phase; empty at 16 kHz, where nothing is resampled.
    public var phases: [[Double]] = []
    /// The first `length` samples of the impulse responses of the level filter and of the high-pass.
    public var levelResponse, emphasisResponse, taper: [Double]
    /// The mean power that each waveform is scaled to, and the factor from spectral power to that of the standard.
    public var level, powerScale: Double
    /// Samples of a frame, samples from frame to frame, and number of frames.
    public var size, hop, frames: Int
    /// The analysis window, ``size`` values.
    public var window: [Double]
    /// `[bands, bins]`: the scale of a bin in a band, or 0.
    public var bandOfBin: [Double]
    /// Per Bark band: hearing threshold, exponent and factor of the loudness, and width in Bark.
    public var thresholds, exponents, factors, widths: [Double]
    /// Sum of the widths, and the weights of the two disturbances in the loss.
    public var totalWidth, symmetricWeight, asymmetricWeight: Double

    public init(
        batch: Int, samples: Int, length: Int, levelResponse: [Double], emphasisResponse: [Double], taper: [Double],
        level: Double,
        powerScale: Double, size: Int, hop: Int, frames: Int, window: [Double], bandOfBin: [Double],
        thresholds: [Double],
        exponents: [Double], factors: [Double], widths: [Double], totalWidth: Double, symmetricWeight: Double,
        asymmetricWeight: Double
    ) {
        (self.batch, self.samples, self.length, self.level, self.powerScale) = (
            batch, samples, length, level, powerScale
        )
        (self.levelResponse, self.emphasisResponse, self.taper) = (levelResponse, emphasisResponse, taper)
        (self.size, self.hop, self.frames, self.window, self.bandOfBin) = (size, hop, frames, window, bandOfBin)
        (self.thresholds, self.exponents, self.factors, self.widths) = (thresholds, exponents, factors, widths)
        (self.totalWidth, self.symmetricWeight, self.asymmetricWeight) = (totalWidth, symmetricWeight, asymmetricWeight)
    }

    /// Every phase's weights, with zeros behind those that are fewer.
    private var evenPhases: (taps: Int, values: [Double]) {
        let taps = phases.map(\.count).max() ?? 0
        return (taps, phases.flatMap { $0 + [Double](repeating: 0, count: taps - $0.count) })
    }

    fileprivate func withDevice<Result>(_ body: (UnsafePointer<sgd_perceptual>) -> Result) -> Result {
        let (taps, phaseValues) = evenPhases
        let places = starts.map(Int64.init)
        let arrays = [
            phaseValues, levelResponse, emphasisResponse, taper, window, bandOfBin, thresholds, exponents, factors,
            widths,
        ]
        let firsts = arrays.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
        let whole = Array(arrays.joined())
        return unsafe whole.withUnsafeBufferPointer { whole in
            unsafe places.withUnsafeBufferPointer { places in
                func part(_ index: Int) -> UnsafePointer<Double>? {
                    unsafe whole.baseAddress.map { unsafe $0 + firsts[index] }
                }
                var c = unsafe sgd_perceptual(
                    batch: Int64(batch), samples: Int64(samples), length: Int64(length), from: Int64(from),
                    to: Int64(phases.count),
                    taps: Int64(taps), phases: part(0), starts: places.baseAddress, level_response: part(1),
                    emphasis_response: part(2), taper: part(3), level: level, power_scale: powerScale,
                    size: Int64(size),
                    hop: Int64(hop), frames: Int64(frames), bands: Int64(thresholds.count), window: part(4),
                    band_of_bin: part(5),
                    thresholds: part(6), exponents: part(7), factors: part(8), widths: part(9), total_width: totalWidth,
                    symmetric_weight: symmetricWeight, asymmetric_weight: asymmetricWeight)
                return unsafe body(&c)
            }
        }
    }
}

/// The perceptual distances of a batch of pairs.
public struct PerceptualOutcomes: Sendable {
    /// NaN for a pair that has none.
    public var values: [Double]
    /// Whether one of the two waveforms is silent.
    public var isSilent: [Bool]
    /// Gradients of each value with respect to its waveforms, `[B, L]`.
    public var clean, estimate: FloatBuffer
}

extension Device {
    /// The weighted disturbances of every pair and their gradients, computed on the device.
    ///
    /// - Precondition: Both buffers hold `batch · samples` values.
    public func perceptualDistances(_ clean: FloatBuffer, _ estimate: FloatBuffer, _ tables: PerceptualTables)
        -> PerceptualOutcomes
    {
        var values = [Double](repeating: 0, count: tables.batch)
        var silent = [Int32](repeating: 0, count: tables.batch)
        let count = tables.batch * tables.samples
        precondition(
            clean.count == count && estimate.count == count,
            "perceptual distances of \(clean.count) and \(estimate.count)")
        let d = made("perceptualDistances", [count, count]) { table, d in
            unsafe tables.withDevice {
                unsafe table.perceptual($0, clean.on(self), estimate.on(self), &values, &silent, d)
            }
        }
        return PerceptualOutcomes(values: values, isSilent: silent.map { $0 != 0 }, clean: d[0], estimate: d[1])
    }
}
