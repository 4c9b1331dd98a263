extension SoundFile {
    /// Reads a file that must have one channel, converted to `sampleRate` where it has another.
    ///
    /// - Throws: `SoundFileError`, or `ResamplingError`.
    public static func readMono(_ path: String, convertedTo sampleRate: Int) throws -> [Float] {
        let rate = try header(of: path).sampleRate
        let samples = try readMono(path)
        return rate == sampleRate ? samples : try Resampler(from: rate, to: sampleRate).resample(samples)
    }
}
