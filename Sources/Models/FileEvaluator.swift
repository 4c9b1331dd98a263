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
    /// Files that are enhanced together, and those of like length in one batch.
    package let filesPerBatch: Int

    package init(
        sampleRate: Int, rates: RatePolicy, metrics: [any SpeechMetric], noiseSeed: UInt64,
        filesPerBatch: Int = SamplingBatch.files
    ) {
        (self.sampleRate, self.rates, self.metrics, self.noiseSeed) = (sampleRate, rates, metrics, noiseSeed)
        self.filesPerBatch = filesPerBatch
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

    /// Makes the enhanced signals of recordings, each by itself or all together; one that fails fails alone.
    ///
    /// - Throws: `Interrupted`.
    package typealias Process =
        @Sendable ([ReferenceChooser.Recording], Interruption) throws -> [Result<Processed, any Error>]

    /// The files as input of an enhancer.
    ///
    /// - Parameter references: How a conditioned model's noise references are chosen.
    package func enhancing(_ enhancer: Enhancer, references: ReferenceChooser? = nil) -> Process {
        { recordings, interruption in
            // A silent recording has no peak to divide by; its result is silence.
            var processed = recordings.map { Result<Processed, any Error>.success(Processed(audio: $0.noisy)) }
            let places = recordings.indices.filter { recordings[$0].noisy.contains { $0 != 0 } }
            let chosen = places.map { place in
                Result { (recordings[place], try references?.reference(for: recordings[place])) }
            }
            let enhanced = try chosen.mapTogether { chosen in
                let inputs = chosen.map { recording, chosen in
                    Enhancer.Recording(
                        noisy: MemorySamples(recording.noisy), name: recording.id,
                        reference: chosen?.reference ?? .zero)
                }
                let outputs = try enhancer.enhance(
                    inputs, seed: noiseSeed, together: filesPerBatch, interruption: interruption)
                return zip(chosen, outputs).map { chosen, output in
                    output.map {
                        Processed(audio: $0.audio, nfe: $0.nfe, seconds: $0.seconds, reference: chosen.1?.record)
                    }
                }
            }
            for (place, result) in zip(places, enhanced) { processed[place] = result }
            return processed
        }
    }

    /// A process that makes each signal by itself.
    package static func each(
        _ make: @escaping @Sendable (ReferenceChooser.Recording) throws -> Processed
    ) -> Process {
        { recordings, _ in recordings.map { recording in Result { try make(recording) } } }
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
        return each { recording in
            let start = ContinuousClock.now
            let audio = try filter(recording.noisy, sampleRate: rate)
            return Processed(audio: audio, seconds: start.secondsUntilNow)
        }
    }

    /// Draws are addressed by the file's name alone, so that sets with the same speech at several SNRs get the same
    /// noise.
    /// - Parameter done: Called for every file when it is finished, one call at a time, with the number of finished
    ///   files.
    /// - Throws: The first error of any file, or of `done`, or `Interrupted`; files that were ready before it have been
    ///   handed over.
    @discardableResult
    package func evaluate(
        _ files: [PairedFile], interruption: Interruption, process: @escaping Process,
        done: (Outcome, Int) throws -> Void
    ) throws -> [Outcome] {
        var outcomes: [Int: Outcome] = [:]
        let batches = Self.longestFirst(files).inBatches(of: filesPerBatch)
        try WorkQueue.run(count: batches.count, interruption: interruption) { number in
            try evaluate(batches[number].map { files[$0] }, interruption, process)
        } done: { number, results in
            for case (let place, .success(let outcome)) in zip(batches[number], results) {
                outcomes[place] = outcome
                try done(outcome, outcomes.count)
            }
            for result in results { _ = try result.get() }
        }
        return files.indices.compactMap { outcomes[$0] }
    }

    /// The longest files come first: similar lengths reuse buffers, and no core processes a long file alone at the end.
    package static func longestFirst(_ files: [PairedFile]) -> [Int] {
        let lengths = files.map { (try? SoundFile.header(of: $0.noisyPath).duration) ?? 0 }
        return files.indices.sorted { (lengths[$0], $1) > (lengths[$1], $0) }
    }

    private func evaluate(
        _ files: [PairedFile], _ interruption: Interruption, _ process: Process
    ) throws -> [Result<Outcome, any Error>] {
        let pairs = files.map { file in
            Result { (file: file, clean: try read(file.cleanPath), noisy: try read(file.noisyPath)) }
        }
        return try pairs.mapTogether { pairs in
            let recordings = pairs.map {
                ReferenceChooser.Recording(id: $0.file.name, noisy: $0.noisy, clean: $0.clean, file: $0.file)
            }
            return zip(pairs, try process(recordings, interruption)).map { pair, processed in
                processed.map { outcome(of: pair.file, clean: pair.clean, noisy: pair.noisy, $0) }
            }
        }
    }

    private func outcome(of file: PairedFile, clean: [Float], noisy: [Float], _ processed: Processed) -> Outcome {
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
