import Foundation

/// The energy decay curve of an impulse response: Schroeder, *New method of measuring reverberation time*, JASA 37,
/// 1965.
package enum EnergyDecay {
    /// The time in which the energy falls by 60 dB, from the straight line through the decay between −5 and −35 dB (T30
    /// of ISO 3382); `nil` where the response does not fall so far.
    package static func t60(of response: [Float], sampleRate: Int) -> Double? {
        var remaining = [Double](repeating: 0, count: response.count)
        var sum = 0.0
        for index in response.indices.reversed() {
            sum += Double(response[index]) * Double(response[index])
            remaining[index] = sum
        }
        guard sum > 0 else { return nil }
        let levels = remaining.map { 10 * log10(max($0 / sum, 1e-30)) }
        guard let start = levels.firstIndex(where: { $0 <= -5 }), let end = levels.firstIndex(where: { $0 <= -35 }),
            end > start + 1
        else {
            return nil
        }
        // Least squares of level over time.
        let count = Double(end - start)
        let meanTime = Double(start + end - 1) / 2
        let meanLevel = levels[start..<end].reduce(0, +) / count
        var (product, square) = (0.0, 0.0)
        for index in start..<end {
            product += (Double(index) - meanTime) * (levels[index] - meanLevel)
            square += (Double(index) - meanTime) * (Double(index) - meanTime)
        }
        let slope = product / square * Double(sampleRate)
        return slope < 0 ? -60 / slope : nil
    }
}
