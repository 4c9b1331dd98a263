import SpecLanguage

/// From samples to the network's input: the short-time Fourier transform and the compression of magnitudes.
public struct TransformSpec: Hashable, Sendable {
    /// Samples of a frame; `n_fft / 2 + 1` bins.
    public var nFFT: Int
    /// Samples between frames.
    public var hopLength: Int
    /// `hann` or `sqrthann`, periodic.
    public var window: String
    /// `exponent` for `factor · |z|^e · e^{i∠z}`, `log` for `factor · log(1 + |z|) · e^{i∠z}`, or `none`.
    public var transformType: String
    public var specFactor: Double
    public var specAbsExponent: Double

    /// Frequency bins, `n_fft / 2 + 1`.
    public var bins: Int { nFFT / 2 + 1 }

    static let schema = Schema([
        .integer("n_fft", default: 510, in: .between(2, 65536), unit: "samples", "Length of a frame; n_fft/2 + 1 bins."),
        .integer("hop_length", default: 128, in: .between(1, 65536), unit: "samples", "Step from frame to frame."),
        .oneOf("window", ["hann", "sqrthann"], default: "hann", "The window, periodic."),
        .oneOf("transform_type", ["exponent", "log", "none"], default: "exponent", "The compression of magnitudes."),
        .number("spec_factor", default: 0.15, in: .positive, "What compressed coefficients are multiplied by."),
        .number("spec_abs_exponent", default: 0.5, in: .positive, "The exponent of magnitudes."),
    ])

    init(_ settings: Settings) {
        nFFT = settings.integer("n_fft")
        hopLength = settings.integer("hop_length")
        window = settings.text("window")
        transformType = settings.text("transform_type")
        specFactor = settings.number("spec_factor")
        specAbsExponent = settings.number("spec_abs_exponent")
    }
}
