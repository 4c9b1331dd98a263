/// A permutation test of "no difference": under it, each cluster's difference is as likely with the other sign.
///
/// Two-sided. All `2ᴷ` patterns of signs are taken for up to ``exactUnits`` units; otherwise `resamples` random ones
/// and the observed one (Phipson and Smyth, *Permutation P-values Should Never Be Zero*, 2010).
public struct SignFlipTest: Hashable, Sendable {
    /// The two-sided p value: the share of sign patterns whose sum is at least as far from 0 as the observed one.
    public var p: Double
    /// Whether all patterns were enumerated; otherwise `p` is estimated from random ones.
    public var isExact: Bool

    /// Up to so many units every pattern is taken: 2¹⁴ = 16,384.
    public static let exactUnits = 14

    /// Flips clusters; where there are enough seeds (``Bootstrap/fewestUnits``), seeds as well, and the larger of the
    /// two p values counts, since a difference must hold for other speakers and for other seeds.
    public init(_ sample: PairedSample, resamples: Int = 10_000, seed: UInt64 = 0) {
        self.init(sample.totals, resamples: resamples, seed: seed)
        guard sample.seeds >= Bootstrap.fewestUnits else { return }
        let overSeeds = SignFlipTest(sample.seedMeans, resamples: resamples, seed: ~seed)
        if overSeeds.p > p { self = overSeeds }
    }

    /// The test of a sum of independent `values`.
    public init(_ values: [Double], resamples: Int = 10_000, seed: UInt64 = 0) {
        // Sums of other orders differ by rounding; they are as far as the observed one.
        let bound = abs(values.reduce(0, +)) - 1e-12 * values.reduce(0) { $0 + abs($1) }
        isExact = values.count <= Self.exactUnits
        if isExact {
            p = Double(Self.patterns(values) { abs($0) >= bound }) / Double(1 << values.count)
        } else {
            var count = 1
            for resample in 0..<resamples
            where abs(Self.flipped(values, CounterStream(seed: seed, stream: resample))) >= bound {
                count += 1
            }
            p = Double(count) / Double(resamples + 1)
        }
    }

    /// How many of the sums under all patterns of signs satisfy `condition`; half of them mirror the other half.
    private static func patterns(_ values: [Double], _ condition: (Double) -> Bool) -> Int {
        guard let first = values.first else { return 1 }
        let rest = values.dropFirst()
        let half = (0..<1 << rest.count).count { pattern in
            condition(
                rest.enumerated().reduce(first) { $0 + (pattern >> $1.offset & 1 == 0 ? $1.element : -$1.element) })
        }
        return 2 * half
    }

    /// The sum with random signs, 64 to a word.
    private static func flipped(_ values: [Double], _ stream: CounterStream) -> Double {
        var (sum, word) = (0.0, UInt64(0))
        for (place, value) in values.enumerated() {
            if place & 63 == 0 { word = stream.word(at: place >> 6) }
            sum += Double(bitPattern: value.bitPattern ^ (word << 63))
            word >>= 1
        }
        return sum
    }
}
