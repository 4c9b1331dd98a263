import CEBUR128

/// The perceived loudness of a signal: the integrated loudness of ITU-R BS.1770-4, in LUFS, as libebur128 computes it.
///
/// Blocks of 400 ms count where they are above −70 LUFS and at most 10 LU below the mean of those.
public enum Loudness {
    /// LUFS of one channel; `nil` where no block counts, as in silence and in signals below 400 ms, and at rates that
    /// libebur128 does not take.
    public static func integrated(_ samples: [Float], sampleRate: Int) -> Double? {
        guard (16...2_822_400).contains(sampleRate) else { return nil }
        var state = unsafe ebur128_init(1, UInt(sampleRate), Int32(EBUR128_MODE_I.rawValue))
        guard unsafe state != nil else { return nil }
        defer { unsafe ebur128_destroy(&state) }
        var loudness = 0.0
        guard unsafe ebur128_add_frames_float(state, samples, samples.count) == Int32(EBUR128_SUCCESS.rawValue),
            unsafe ebur128_loudness_global(state, &loudness) == Int32(EBUR128_SUCCESS.rawValue), loudness.isFinite
        else { return nil }
        return loudness
    }
}
