import Audio
import Corpora
import Foundation
import SpeechMetrics

/// Enhances and scores the files of a set, several at once, with results that do not depend on how many.
struct FileEvaluator: Sendable {
    let sampleRate: Int
    let rates: RatePolicy
    let metrics: [any SpeechMetric]
    let noiseSeed: UInt64

    /// What a system makes of a file.
    struct Processed: Sendable {
        var audio: [Float]
        var nfe = 0
        var seconds = 0.0
        /// Where the noise reference came from, if there was one.
        var reference: ReferenceRecord?
    }

    /// The scores of one file.
    struct Outcome: Sendable {
        var file: PairedFile
        var processed: Processed
        var metrics: [MetricOutcome]
        var duration: Double

        func score(of metric: String) -> Double? { metrics.first { $0.name == metric }?.value }
    }

    typealias Process = @Sendable (ReferenceChooser.Recording) throws -> Processed

    /// The files as an enhancer hears them.
    ///
    /// - Parameter references: How a conditioned model's noise references are chosen.
    func enhancing(_ enhancer: Enhancer, references: ReferenceChooser? = nil) -> Process {
        { recording in
            // A recording of silence has no peak to be divided by; what is made of it is silence.
            guard recording.noisy.contains(where: { $0 != 0 }) else { return Processed(audio: recording.noisy) }
            let chosen = try references?.reference(for: recording)
            let output = try enhancer.enhance(
                recording.noisy, file: recording.id, seed: noiseSeed, reference: chosen?.reference ?? .zero)
            return Processed(audio: output.audio, nfe: output.nfe, seconds: output.seconds, reference: chosen?.record)
        }
    }

    /// Draws are addressed by the file's name alone, so that sets of one speech at several levels meet the same noise.
    /// - Parameter done: Called for every file as it is ready, one at a time, with the number of files done so far.
    /// - Throws: The first error of any file, or of `done`; files that were ready before it have been handed over.
    @discardableResult
    func evaluate(
        _ files: [PairedFile], interruption: Interruption, process: @escaping Process,
        done: (Outcome, Int) throws -> Void
    ) throws -> [Outcome] {
        var outcomes: [Int: Outcome] = [:]
        let order = longestFirst(files)
        try WorkQueue.run(count: files.count, interruption: interruption) { place in
            try evaluate(files[order[place]], process)
        } done: { place, outcome in
            outcomes[order[place]] = outcome
            try done(outcome, outcomes.count)
        }
        return files.indices.compactMap { outcomes[$0] }
    }

    /// Files of like length meet, so that they fit each other's buffers, and no core is left with a long one at the end.
    private func longestFirst(_ files: [PairedFile]) -> [Int] {
        let lengths = files.map { (try? SoundFile.header(of: $0.noisyPath).duration) ?? 0 }
        return files.indices.sorted { (lengths[$0], $1) > (lengths[$1], $0) }
    }

    private func evaluate(_ file: PairedFile, _ process: Process) throws -> Outcome {
        let (clean, noisy) = (try read(file.cleanPath), try read(file.noisyPath))
        let processed = try process(.init(id: file.name, noisy: noisy, clean: clean, file: file))
        let analysis = PairAnalysis(
            SpeechPair(clean: clean, noisy: noisy, enhanced: processed.audio, sampleRate: sampleRate))
        return Outcome(
            file: file, processed: processed, metrics: metrics.map { $0.evaluate(analysis, allowing: .resampling) },
            duration: Double(noisy.count) / Double(sampleRate))
    }

    func read(_ path: String) throws -> [Float] {
        try SoundFile.readMono(path, at: sampleRate, rates)
    }
}
