package import Audio
package import Corpora
import Foundation
package import Parallelism
package import SpecLanguage
package import Specs
package import SpeechMetrics

/// Enhances and scores the files of a set, several at once, with results that do not depend on how many.
package struct FileEvaluator: Sendable {
    package let sampleRate: Int
    package let rates: RatePolicy
    package let metrics: [any SpeechMetric]
    package let noiseSeed: UInt64

    package init(sampleRate: Int, rates: RatePolicy, metrics: [any SpeechMetric], noiseSeed: UInt64) {
        (self.sampleRate, self.rates, self.metrics, self.noiseSeed) = (sampleRate, rates, metrics, noiseSeed)
    }

    /// The result of a system for one file.
    package struct Processed: Sendable {
        package var audio: [Float]
        package var nfe = 0
        package var seconds = 0.0
        /// Where the noise reference came from, if there was one.
        package var reference: ReferenceRecord?

        package init(audio: [Float], nfe: Int = 0, seconds: Double = 0, reference: ReferenceRecord? = nil) {
            (self.audio, self.nfe, self.seconds, self.reference) = (audio, nfe, seconds, reference)
        }
    }

    /// The scores of one file.
    package struct Outcome: Sendable {
        package var file: PairedFile
        package var processed: Processed
        package var metrics: [MetricOutcome]
        package var duration: Double

        package init(file: PairedFile, processed: Processed, metrics: [MetricOutcome], duration: Double) {
            (self.file, self.processed, self.metrics, self.duration) = (file, processed, metrics, duration)
        }

        package func score(of metric: String) -> Double? { metrics.first { $0.name == metric }?.value }
    }

    package typealias Process = @Sendable (ReferenceChooser.Recording) throws -> Processed

    /// The files as input of an enhancer.
    ///
    /// - Parameter references: How a conditioned model's noise references are chosen.
    package func enhancing(_ enhancer: Enhancer, references: ReferenceChooser? = nil) -> Process {
        { recording in
            // A silent recording has no peak to divide by; its result is silence.
            guard recording.noisy.contains(where: { $0 != 0 }) else { return Processed(audio: recording.noisy) }
            let chosen = try references?.reference(for: recording)
            let output = try enhancer.enhance(
                recording.noisy, file: recording.id, seed: noiseSeed, reference: chosen?.reference ?? .zero)
            return Processed(audio: output.audio, nfe: output.nfe, seconds: output.seconds, reference: chosen?.record)
        }
    }

    /// The files as input of a model at a point of evaluation.
    ///
    /// - Parameter set: All files of the set, which references may be taken from.
    package func enhancing(
        _ model: ScoreModel, _ builder: ModelBuilder, _ point: EvaluationPoint, _ set: [PairedFile]
    ) throws -> Process {
        enhancing(try builder.enhancer(model, point), references: builder.references(point, set))
    }

    /// The files as input of a filter.
    package static func filtering(_ anchor: Choice, at rate: Int, _ catalog: Catalog) throws -> Process {
        let filter = try catalog.anchors.make(anchor)
        return { recording in
            let start = ContinuousClock.now
            let audio = try filter(recording.noisy, sampleRate: rate)
            return Processed(audio: audio, seconds: start.secondsUntilNow)
        }
    }

    /// Draws are addressed by the file's name alone, so that sets with the same speech at several SNRs get the same
    /// noise.
    /// - Parameter done: Called for every file when it is finished, one call at a time, with the number of finished
    ///   files.
    /// - Throws: The first error of any file, or of `done`; files that were ready before it have been handed over.
    @discardableResult
    package func evaluate(
        _ files: [PairedFile], interruption: Interruption, process: @escaping Process,
        done: (Outcome, Int) throws -> Void
    ) throws -> [Outcome] {
        var outcomes: [Int: Outcome] = [:]
        let order = Self.longestFirst(files)
        try WorkQueue.run(count: files.count, interruption: interruption) { place in
            try evaluate(files[order[place]], process)
        } done: { place, outcome in
            outcomes[order[place]] = outcome
            try done(outcome, outcomes.count)
        }
        return files.indices.compactMap { outcomes[$0] }
    }

    /// The longest files come first: similar lengths reuse buffers, and no core processes a long file alone at the end.
    package static func longestFirst(_ files: [PairedFile]) -> [Int] {
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

    package func read(_ path: String) throws -> [Float] {
        try SoundFile.readMono(path, at: sampleRate, rates)
    }
}
