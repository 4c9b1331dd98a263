import Audio
import Corpora
import Foundation
import Kernels
import TestFolders
import Testing

/// Synthetic speech has the marks of speech that metrics and networks rely on.
@Suite struct SpeechLikenessTests {
    private static let files: [(clean: [Float], noisy: [Float], noise: String)] = {
        guard let folder = try? TestFolder() else { return [] }
        let recipe = SyntheticCorpus {
            ($0.train, $0.valid, $0.test, $0.testOOD) = (0, 0, 18, 0)
            $0.seconds = 2.5...3
        }
        let base = folder.path + "/data"
        guard (try? recipe.write(to: base)) != nil, let set = try? Corpus(at: base).set("test") else { return [] }
        return set.files.compactMap { file in
            guard let clean = try? SoundFile.readMono(file.cleanPath),
                let noisy = try? SoundFile.readMono(file.noisyPath)
            else { return nil }
            return (clean, noisy, file.entry?.noise ?? "")
        }
    }()

    /// Power per Hz in a band, averaged over all files.
    private func density(_ band: Range<Double>, of signals: [[Float]], rate: Double) -> Double {
        let length = 1024
        let transform = RealFFT<Float>(length: length)
        var sum = 0.0
        var count = 0.0
        for signal in signals {
            for start in stride(from: 0, to: signal.count - length + 1, by: length / 2) {
                let frame = (0..<length).map { signal[start + $0] * Float(sin(.pi * Double($0) / Double(length))) }
                let spectrum = transform.forward(frame)
                for bin in 0..<transform.bins where band.contains(Double(bin) * rate / Double(length)) {
                    sum += Double(spectrum[2 * bin] * spectrum[2 * bin] + spectrum[2 * bin + 1] * spectrum[2 * bin + 1])
                    count += 1
                }
            }
        }
        return 10 * log10(sum / count)
    }

    @Test func theLongTermSpectrumFallsAsThatOfSpeech() {
        #expect(Self.files.count == 18)
        let clean = Self.files.map(\.clean)
        let middle = density(250..<500, of: clean, rate: 16_000)
        let falls = [60..<100, 1000..<2000, 2000..<4000, 4000..<7500].map { band in
            middle - density(Double(band.lowerBound)..<Double(band.upperBound), of: clean, rate: 16_000)
        }
        #expect(
            falls[0] > 3 && (6...18).contains(falls[1]) && (14...26).contains(falls[2]) && (20...38).contains(falls[3]))
    }

    /// Syllables: the envelope moves most at 2 to 8 Hz.
    @Test func theEnvelopeMovesAtTheRateOfSyllables() {
        let rate = 200.0
        let envelopes = Self.files.map { file in
            let envelope = stride(from: 0, to: file.clean.count - 80, by: 80).map { start in
                file.clean[start..<start + 80].reduce(0) { $0 + abs($1) }
            }
            let mean = envelope.reduce(0, +) / Float(envelope.count)
            return envelope.map { $0 - mean } + [Float](repeating: 0, count: max(0, 1024 - envelope.count))
        }
        let syllables = density(2..<8, of: envelopes, rate: rate)
        #expect(syllables > density(8..<16, of: envelopes, rate: rate) + 5)
        #expect(syllables > density(16..<60, of: envelopes, rate: rate) + 12)
    }

    /// A filter that only takes away the lows solves nothing: above 150 Hz the ratio stays within 2.5 dB.
    @Test func theNoisesLieInTheBandOfSpeech() {
        for family in Set(Self.files.map(\.noise)) {
            let files = Self.files.filter { $0.noise == family }
            let noise = files.map { file in zip(file.noisy, file.clean).map { $0 - $1 } }
            let clean = files.map(\.clean)
            func energy(_ signals: [[Float]], _ band: Range<Double>) -> Double {
                density(band, of: signals, rate: 16_000) + 10 * log10(band.upperBound - band.lowerBound)
            }
            let whole = energy(clean, 0..<8000) - energy(noise, 0..<8000)
            let above = energy(clean, 150..<8000) - energy(noise, 150..<8000)
            #expect(abs(above - whole) < 2.5, "\(family): \(above - whole) dB")
        }
    }

    @Test func theClassicalFilterHelpsInStationaryNoise() {
        func ratio(_ clean: [Float], _ estimate: [Float]) -> Double {
            let dot = zip(clean, estimate).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            let energy = clean.reduce(0) { $0 + Double($1) * Double($1) }
            let scale = dot / energy
            let error = zip(clean, estimate).reduce(0) { $0 + pow(Double($1.1) - scale * Double($1.0), 2) }
            return 10 * log10(scale * scale * energy / error)
        }
        let gains = Self.files.filter { $0.noise != "babble" }.map { file in
            ratio(file.clean, WienerFilter()(file.noisy, sampleRate: 16_000)) - ratio(file.clean, file.noisy)
        }
        #expect(gains.reduce(0, +) / Double(gains.count) > 3, "\(gains)")
    }
}
