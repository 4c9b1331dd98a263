import Foundation

/// The envelope of a signal where it holds speech, in windows of 4 ms (P.862 §10.1.3).
///
/// A window is speech if its power exceeds a noise threshold found by iteration; bursts of up to 16 ms are
/// dropped, pauses of up to 200 ms bridged, and the edges of what is left softened.
struct SpeechActivity {
    /// The power of each window of speech, 0 elsewhere.
    let levels: [Double]
    /// `ln(power / threshold)` where positive: what crude delays are found by.
    let logLevels: [Float]

    private static let longestBurst = 4  // windows
    private static let longestPause = 50

    init(_ signal: PESQSignal) {
        var powers = Self.windowPowers(of: signal)
        let loudest = powers.max() ?? 0
        let floor = loudest > 0 ? loudest * 1e-4 : 1
        let start = powers.reduce(0, +) / Double(powers.count)
        for index in powers.indices { powers[index] = max(powers[index], floor) }
        let noise = NoiseThreshold(powers, start: start)

        // From here on a level is positive in speech and negated elsewhere.
        var levels = powers.map { $0 > noise.threshold ? $0 : -$0 }
        levels[0] = -floor
        levels[levels.count - 1] = -floor
        for run in Self.runs(of: levels) where run.count <= Self.longestBurst { Self.silence(run, in: &levels) }
        if noise.speechMean >= 1000 * noise.noiseMean {
            for run in Self.runs(of: levels)
            where levels[run].reduce(0, +) < 3 * noise.threshold * Double(run.count) {
                Self.silence(run, in: &levels)
            }
        }
        let runs = Self.runs(of: levels)
        for (run, next) in zip(runs, runs.dropFirst())
        where next.lowerBound - run.upperBound <= Self.longestPause {
            for index in run.upperBound..<next.lowerBound { levels[index] = floor }
        }
        if runs.isEmpty {  // no speech stands out, so all of it counts
            for index in 1..<levels.count - 1 { levels[index] = abs(levels[index]) }
        }
        Self.softenEdges(of: &levels)

        self.levels = levels.map { max($0, 0) }
        let reference = noise.threshold > 0 ? noise.threshold : floor
        logLevels = self.levels.map { $0 <= reference ? 0 : Float(log($0 / reference)) }
    }

    private static func windowPowers(of signal: PESQSignal) -> [Double] {
        let width = signal.timing.window
        return (0..<signal.windows).map { window in
            var sum = 0.0
            for index in window * width..<(window + 1) * width {
                sum += Double(signal.samples[index]) * Double(signal.samples[index])
            }
            return sum / Double(width)
        }
    }

    /// The stretches of positive levels.
    static func runs(of levels: [Double]) -> [Range<Int>] {
        var (runs, start): ([Range<Int>], Int?) = ([], nil)
        for (index, level) in levels.enumerated() {
            if level > 0 {
                start = start ?? index
            } else if let first = start {
                runs.append(first..<index)
                start = nil
            }
        }
        if let first = start { runs.append(first..<levels.count) }
        return runs
    }

    private static func silence(_ run: Range<Int>, in levels: inout [Double]) {
        for index in run { levels[index].negate() }
    }

    /// Speech begins two windows early, at a tenth and three tenths of its level, and ends two windows late.
    private static func softenEdges(of levels: inout [Double]) {
        var index = 3
        while index < levels.count - 2 {
            if levels[index] > 0 && levels[index - 2] <= 0 {
                levels[index - 2] = 0.1 * levels[index]
                levels[index - 1] = 0.3 * levels[index]
                index += 1
            }
            if levels[index] <= 0 && levels[index - 1] > 0 {
                levels[index] = 0.3 * levels[index - 1]
                levels[index + 1] = 0.1 * levels[index - 1]
                index += 3
            }
            index += 1
        }
    }
}

/// The power threshold between speech and noise: twelve times, two standard deviations above the mean of what lies
/// below it.
private struct NoiseThreshold {
    /// −1 where nothing lies above.
    var threshold: Double
    var speechMean = 0.0
    var noiseMean = 1.0

    init(_ powers: [Double], start: Double) {
        threshold = start
        for _ in 0..<12 {
            let noise = powers.filter { $0 <= threshold }
            var (mean, deviation) = (0.0, 0.0)
            if !noise.isEmpty {
                mean = noise.reduce(0, +) / Double(noise.count)
                let squares = noise.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                deviation = (squares / Double(noise.count)).squareRoot()
            }
            threshold = 1.001 * (mean + 2 * deviation)
        }
        let speech = powers.filter { $0 > threshold }
        let noise = powers.filter { $0 <= threshold }
        if !speech.isEmpty { speechMean = speech.reduce(0, +) / Double(speech.count) }
        if !noise.isEmpty { noiseMean = noise.reduce(0, +) / Double(noise.count) }
        if speech.isEmpty { threshold = -1 }
    }
}
