/// What is done with audio of another sample rate than the required one.
public enum RatePolicy: Hashable, Sendable {
    /// It is an error.
    case exact
    /// It is converted.
    case convert
    /// It is read as if it had that rate, so that every frequency means another one.
    case ignore
}

extension SoundFile {
    /// Reads a file that must have one channel, converted to `sampleRate` where it has another.
    ///
    /// - Throws: `SoundFileError`, or `ResamplingError`.
    public static func readMono(_ path: String, convertedTo sampleRate: Int) throws -> [Float] {
        let rate = try header(of: path).sampleRate
        let samples = try readMono(path)
        return rate == sampleRate ? samples : try Resampler(from: rate, to: sampleRate).resample(samples)
    }

    /// Reads a file that must have one channel.
    ///
    /// - Throws: `SoundFileError`, or `ResamplingError`.
    public static func readMono(_ path: String, at sampleRate: Int, _ policy: RatePolicy) throws -> [Float] {
        switch policy {
        case .exact: try readMono(path, sampleRate: sampleRate)
        case .convert: try readMono(path, convertedTo: sampleRate)
        case .ignore: try readMono(path)
        }
    }
}
