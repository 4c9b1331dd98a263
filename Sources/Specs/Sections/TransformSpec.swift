public import SpecLanguage

/// From samples to the network's input: the short-time Fourier transform and the compression of magnitudes.
public struct TransformSpec: SettingsSection {
    /// A periodic window.
    public enum Window: String, SettingName { case hann, sqrthann }

    /// `factor · |z|^e · e^{i∠z}`, `factor · log(1 + |z|) · e^{i∠z}`, or `z`.
    public enum Compression: String, SettingName { case exponent, log, none }

    /// Samples of a frame; `n_fft / 2 + 1` bins.
    public var nFFT = 510
    /// Samples between frames.
    public var hopLength = 128
    /// The analysis and synthesis window, periodic.
    public var window = Window.hann
    /// The compression of magnitudes: `|c|^e`, `log(1 + |c|)`, or none.
    public var transformType = Compression.exponent
    /// The factor of compressed coefficients.
    public var specFactor = 0.15
    /// The exponent `e` of magnitudes.
    public var specAbsExponent = 0.5

    public init() {}

    /// Frequency bins, `n_fft / 2 + 1`.
    public var bins: Int { nFFT / 2 + 1 }

    public static let declaration = Declaration<Self>([
        Setting(\.nFFT, "n_fft", in: .between(2, 65536), unit: "samples", "Length of a frame; n_fft/2 + 1 bins."),
        Setting(\.hopLength, "hop_length", in: .between(1, 65536), unit: "samples", "Step from frame to frame."),
        Setting(\.window, "window", "The window, periodic."),
        Setting(\.transformType, "transform_type", "The compression of magnitudes."),
        Setting(\.specFactor, "spec_factor", in: .positive, "What compressed coefficients are multiplied by."),
        Setting(\.specAbsExponent, "spec_abs_exponent", in: .positive, "The exponent of magnitudes."),
    ])
}
