import Foundation

/// The band model of PESQ: how short-time spectra become powers on the Bark scale, and those become loudness.
///
/// Spectra are those of 32 ms Hann frames, so bins lie 31.25 Hz apart at both rates: 49 bands up to 8 kHz at
/// 16 kHz, 42 up to 4 kHz at 8 kHz. Powers are in the scale of the standard's level alignment, where speech has a
/// mean power of 1e7. Band 0 is left out of all sums over bands.
///
/// ITU-T P.862 (2001), §10.2.3 and §10.2.6, and the tables that go with it. The differentiable form of the measure
/// uses the same numbers.
public struct BarkBands: Sendable, Hashable {
    /// Hz; 8000 or 16000.
    public let sampleRate: Int
    /// The number of bands, 42 or 49.
    public var count: Int { bins.count }
    /// The bins that each band sums, from bin 0.
    public let bins: [Range<Int>]
    /// Widths, in Bark.
    public let widths: [Float]
    /// Centres, in Bark.
    public let centres: [Float]
    /// Powers at the threshold of hearing.
    public let thresholds: [Float]
    /// What a band's summed bin powers are multiplied by to become its power.
    public let powerScales: [Float]
    /// The exponents of Zwicker's law, raised below 4 Bark.
    public let loudnessExponents: [Float]
    /// `S (P₀ / 0.5)^γ`
    private let loudnessFactors: [Float]
    /// What turns Zwicker's law into Sone.
    public static let loudnessScale: Float = 0.1866055
    /// The widths of all bands but the first, in Bark.
    public var totalWidth: Float { widths.dropFirst().reduce(0, +) }

    /// Samples per frame; the next begins half a frame later.
    public var frameLength: Int { sampleRate * 32 / 1000 }

    /// The periodic Hann window of a frame.
    public let window: [Float]

    /// - Precondition: 8000 or 16000 Hz, the rates P.862 is defined at.
    public init(sampleRate: Int) {
        precondition([8000, 16000].contains(sampleRate), "PESQ's bands at \(sampleRate) Hz")
        self.sampleRate = sampleRate
        let isWide = sampleRate == 16000
        let count = isWide ? 49 : 42
        var (binCounts, corrections) = (Array(Self.binCounts[..<count]), Array(Self.corrections[..<count]))
        if !isWide {  // the uppermost band ends at 4 kHz
            (binCounts[41], corrections[41]) = (11, 59.248363)
        }
        let spectrumScale: Double = isWide ? 6.910853e-6 : 2.764344e-5
        var firstBin = 0
        bins = binCounts.map { width in
            defer { firstBin += width }
            return firstBin..<firstBin + width
        }
        widths = Array(Self.widths[..<count])
        var edge = 0.0
        let centres = widths.map { width in
            defer { edge += Double(width) }
            return edge + Double(width) / 2
        }
        self.centres = centres.map { Float($0) }
        thresholds = Self.thresholdLevels[..<count].map { Float(pow(10, $0 / 10)) }
        powerScales = corrections.map { Float($0 * spectrumScale) }
        loudnessExponents = centres.map { centre in
            Float(0.23 * (centre < 4 ? pow(min(6 / (centre + 2), 2), 0.15) : 1))
        }
        loudnessFactors = zip(thresholds, loudnessExponents).map { Self.loudnessScale * pow($0 / 0.5, $1) }
        let length = sampleRate * 32 / 1000
        window = (0..<length).map { Float(0.5 - 0.5 * cos(2 * .pi * Double($0) / Double(length))) }
    }

    /// Loudness in Sone of the power in one band, Zwicker's law:
    ///
    ///     L = S (P₀ / 0.5)^γ [(0.5 + 0.5 P / P₀)^γ − 1],    0 below the threshold P₀.
    public func loudness(of power: Float, band: Int) -> Float {
        let (threshold, exponent) = (thresholds[band], loudnessExponents[band])
        guard power > threshold else { return 0 }
        return loudnessFactors[band] * (pow(0.5 + 0.5 * power / threshold, exponent) - 1)
    }
}

extension BarkBands {
    private static let binCounts = [
        1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2,
        3, 3, 3, 3, 4, 3, 4, 5, 4, 5, 6, 6, 7, 8, 9, 9, 12, 12, 15, 16, 18, 21, 25, 20,
    ]

    private static let widths: [Float] = [
        0.157344, 0.317994, 0.322441, 0.326934, 0.331474, 0.336061, 0.340697, 0.345381, 0.350114, 0.354897,
        0.359729, 0.364611, 0.369544, 0.374529, 0.379565, 0.384653, 0.389794, 0.394989, 0.400236, 0.405538,
        0.410894, 0.416306, 0.421773, 0.427297, 0.432877, 0.438514, 0.444209, 0.449962, 0.455774, 0.461645,
        0.467577, 0.473569, 0.479621, 0.485736, 0.491912, 0.498151, 0.504454, 0.510819, 0.517250, 0.523745,
        0.530308, 0.536934, 0.543629, 0.550390, 0.557220, 0.564119, 0.571085, 0.578125, 0.585232,
    ]

    /// Threshold of hearing, in dB.
    private static let thresholdLevels = [
        77.1, 63.9, 48.5, 36.9, 30.7, 25.9, 20.2, 16.6, 12.5, 9.9, 6.9, 4.9, 2.8, 1.0, -0.1, -1.4, -2.5, -3.4,
        -4.1, -4.8, -5.3, -5.7, -5.9, -6.0, -6.0, -6.0, -6.0, -5.8, -5.4, -5.1, -4.7, -4.3, -4.0, -3.6, -3.3,
        -3.1, -3.0, -3.0, -2.9, -2.8, -2.8, -2.8, -2.9, -3.2, -3.7, -4.3, -4.4, -3.8, -2.7,
    ]

    /// The width of a band on the Bark scale is not a whole number of bins; this makes up for it.
    private static let corrections = [
        100, 99.999992, 100, 100.000008, 100.000008, 100.000015, 99.999992, 99.999969, 50.000027, 100,
        99.999969, 100.000015, 99.999947, 100.000061, 53.047077, 110.000046, 117.991989, 65, 68.760147,
        69.999931, 71.428818, 75.000038, 76.843384, 80.968781, 88.646126, 63.864388, 68.15535, 72.547775,
        75.584831, 58.379192, 80.950836, 64.135651, 54.384785, 73.821884, 64.437073, 59.176456, 65.521278,
        61.399822, 58.144047, 57.004543, 64.126297, 54.311001, 61.114979, 55.077751, 56.849335, 55.628868,
        53.137054, 54.985844, 79.546974,
    ]
}
