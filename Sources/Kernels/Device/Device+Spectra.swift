import CDevice

/// How amplitudes of complex numbers are compressed: `factor |z|^alpha`, or `factor ln(1 + |z|)`; phases stay.
public enum AmplitudeLaw: Hashable, Sendable {
    case power(alpha: Double, factor: Double)
    case log(factor: Double)

    fileprivate var onDevice: sgd_compression {
        switch self {
        case .power(let alpha, let factor): sgd_compression(law: Int32(SGD_POWER), alpha: alpha, factor: factor)
        case .log(let factor): sgd_compression(law: Int32(SGD_LOG), alpha: 1, factor: factor)
        }
    }
}

/// A centred short-time transform of `batch` signals of `samples`: spectra `[B, F, frames, 2]`.
public struct ShortTimeShape: Hashable, Sendable {
    /// Signals; samples of each; frames; samples of a window, and between windows.
    public var batch, samples, frames, size, hop: Int
    /// The window, `size` values.
    public var window: [Float]
    /// What the inverse multiplies each sample by; 0 beyond.
    public var envelope: [Float]

    public init(batch: Int, samples: Int, frames: Int, size: Int, hop: Int, window: [Float], envelope: [Float] = []) {
        (self.batch, self.samples, self.frames, self.size, self.hop) = (batch, samples, frames, size, hop)
        (self.window, self.envelope) = (window, envelope)
    }

    fileprivate var spectraCount: Int { batch * (size / 2 + 1) * frames * 2 }

    fileprivate func withDevice<Result>(_ body: (UnsafePointer<sgd_stft>) -> Result) -> Result {
        unsafe window.withUnsafeBufferPointer { window in
            unsafe envelope.withUnsafeBufferPointer { envelope in
                var c = unsafe sgd_stft(
                    batch: Int64(batch), samples: Int64(samples), frames: Int64(frames), size: Int64(size),
                    hop: Int64(hop),
                    window: window.baseAddress, envelope: envelope.baseAddress, envelope_count: Int64(envelope.count))
                return unsafe body(&c)
            }
        }
    }
}

extension Device {
    /// Complex numbers with compressed amplitudes.
    public func compress(_ z: FloatBuffer, _ law: AmplitudeLaw) -> FloatBuffer {
        var c = law.onDevice
        return made("compress", z.count) { unsafe $0.compress(&c, z.on(self)) }
    }

    /// The inverse of ``compress(_:_:)``.
    public func expand(_ z: FloatBuffer, _ law: AmplitudeLaw) -> FloatBuffer {
        var c = law.onDevice
        return made("expand", z.count) { unsafe $0.expand(&c, z.on(self)) }
    }

    /// The gradient of ``expand(_:_:)``.
    public func expandGradient(_ z: FloatBuffer, _ law: AmplitudeLaw, dy: FloatBuffer) -> FloatBuffer {
        var c = law.onDevice
        return made("expand gradient", z.count) { unsafe $0.expand_backward(&c, z.on(self), dy.on(self)) }
    }

    /// Spectra of signals `[B, L]`.
    public func shortTimeTransform(_ signals: FloatBuffer, _ shape: ShortTimeShape) -> FloatBuffer {
        made("short-time transform", shape.spectraCount) { table in
            unsafe shape.withDevice { unsafe table.stft($0, signals.on(self)) }
        }
    }

    /// Signals `[B, L]` of spectra, by overlap-add.
    public func inverseShortTimeTransform(_ spectra: FloatBuffer, _ shape: ShortTimeShape) -> FloatBuffer {
        made("inverse short-time transform", shape.batch * shape.samples) { table in
            unsafe shape.withDevice { unsafe table.inverse_stft($0, spectra.on(self)) }
        }
    }

    /// The gradient of ``inverseShortTimeTransform(_:_:)``.
    public func inverseShortTimeTransformGradient(_ dy: FloatBuffer, _ shape: ShortTimeShape) -> FloatBuffer {
        made("inverse short-time transform gradient", shape.spectraCount) { table in
            unsafe shape.withDevice { unsafe table.inverse_stft_backward($0, dy.on(self)) }
        }
    }
}
