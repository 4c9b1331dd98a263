/// The discrete Fourier transform of real signals of one length.
///
///     X_k = Σ_n x_n e^{−2πi kn/N},  k = 0…⌊N/2⌋        x_n = (1/N) Σ_k X_k e^{2πi kn/N}
///
/// Any length works; those with small prime factors are fastest. A spectrum holds `bins` complex
/// numbers, real and imaginary part in turn: `[re₀, im₀, re₁, im₁, …]`. `inverse` undoes `forward`.
///
/// A value is a handle on a plan that the process keeps, so making one twice costs a dictionary look-up. Any
/// number of threads may transform with it at once, and the same input gives the same bits each time.
public struct RealFFT<Scalar: FFTScalar>: Sendable {
    /// The number of samples `N`.
    public let length: Int
    /// The number of complex bins, `⌊N/2⌋ + 1`.
    public var bins: Int { length / 2 + 1 }

    private let forwardPlan: FFTPlan
    private let inversePlan: FFTPlan

    /// - Precondition: `length > 0`.
    public init(length: Int) {
        precondition(length > 0, "a transform of \(length) samples")
        self.length = length
        forwardPlan = FFTPlan.shared(.realForward, length, Scalar.self)
        inversePlan = FFTPlan.shared(.realInverse, length, Scalar.self)
    }

    /// The spectrum of one signal: `[N]` samples to `[2 · bins]` parts.
    public func forward(_ signal: Span<Scalar>, into spectrum: inout MutableSpan<Scalar>) {
        forward(frames: 1, of: signal, hop: length, into: &spectrum)
    }

    /// The spectra of `frames` signals that start `hop` samples apart: `[frames, 2 · bins]` parts.
    ///
    /// - Precondition: the last frame ends within `signal`, and `spectra` holds every frame.
    public func forward(
        frames: Int, of signal: Span<Scalar>, hop: Int, into spectra: inout MutableSpan<Scalar>
    ) {
        forwardPlan.run(
            frames: frames, from: signal, size: length, hop: hop, into: &spectra, size: 2 * bins)
    }

    /// The signal of one spectrum: `[2 · bins]` parts to `[N]` samples.
    ///
    /// The imaginary parts of bin 0, and of the last bin where `N` is even, do not count.
    public func inverse(_ spectrum: Span<Scalar>, into signal: inout MutableSpan<Scalar>) {
        inverse(frames: 1, of: spectrum, into: &signal)
    }

    /// The signals of `frames` spectra that lie one after another: `[frames, N]` samples.
    public func inverse(
        frames: Int, of spectra: Span<Scalar>, into signals: inout MutableSpan<Scalar>
    ) {
        inversePlan.run(
            frames: frames, from: spectra, size: 2 * bins, hop: 2 * bins, into: &signals, size: length)
        Scalar._scale(&signals, count: frames * length, by: 1 / Scalar(length))
    }

    /// The spectrum of `signal`, into an array of at least `2 · bins` parts.
    public func forward(_ signal: [Scalar], into spectrum: inout [Scalar]) {
        var parts = spectrum.mutableSpan
        forward(signal.span, into: &parts)
    }

    /// The signal of `spectrum`, into an array of at least `N` samples.
    public func inverse(_ spectrum: [Scalar], into signal: inout [Scalar]) {
        var samples = signal.mutableSpan
        inverse(spectrum.span, into: &samples)
    }

    /// The spectrum of `signal`, as a new array of `2 · bins` parts.
    public func forward(_ signal: [Scalar]) -> [Scalar] {
        var spectrum = [Scalar](repeating: 0, count: 2 * bins)
        forward(signal, into: &spectrum)
        return spectrum
    }

    /// The signal of `spectrum`, as a new array of `N` samples.
    public func inverse(_ spectrum: [Scalar]) -> [Scalar] {
        var signal = [Scalar](repeating: 0, count: length)
        inverse(spectrum, into: &signal)
        return signal
    }
}

/// The discrete Fourier transform of complex signals of one length.
///
///     X_k = Σ_n x_n e^{−2πi kn/N}        x_n = (1/N) Σ_k X_k e^{2πi kn/N}
///
/// Signals and spectra hold `N` complex numbers, real and imaginary part in turn.
public struct ComplexFFT<Scalar: FFTScalar>: Sendable {
    /// The number of complex samples `N`.
    public let length: Int

    private let forwardPlan: FFTPlan
    private let inversePlan: FFTPlan

    /// - Precondition: `length > 0`.
    public init(length: Int) {
        precondition(length > 0, "a transform of \(length) samples")
        self.length = length
        forwardPlan = FFTPlan.shared(.complexForward, length, Scalar.self)
        inversePlan = FFTPlan.shared(.complexInverse, length, Scalar.self)
    }

    /// The spectra of `frames` signals that lie one after another: `[frames, 2 · N]` parts.
    public func forward(
        frames: Int = 1, _ signals: Span<Scalar>, into spectra: inout MutableSpan<Scalar>
    ) {
        forwardPlan.run(
            frames: frames, from: signals, size: 2 * length, hop: 2 * length,
            into: &spectra, size: 2 * length)
    }

    /// The signals of `frames` spectra that lie one after another: `[frames, 2 · N]` parts.
    public func inverse(
        frames: Int = 1, _ spectra: Span<Scalar>, into signals: inout MutableSpan<Scalar>
    ) {
        inversePlan.run(
            frames: frames, from: spectra, size: 2 * length, hop: 2 * length,
            into: &signals, size: 2 * length)
        Scalar._scale(&signals, count: frames * 2 * length, by: 1 / Scalar(length))
    }
}
