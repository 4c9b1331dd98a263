import Audio
import Corpora
import Dispatch
import Foundation
import Kernels
import SpeechMetrics
import Synchronization

/// Enhances and scores the files of a set, several at once, with results that do not depend on how many.
struct FileEvaluator: Sendable {
    let sampleRate: Int
    let resamples: Bool
    let metrics: [any SpeechMetric]
    let noiseSeed: UInt64

    /// What a system makes of a file.
    struct Processed: Sendable {
        var audio: [Float]
        var nfe = 0
        var seconds = 0.0
    }

    /// The scores of one file.
    struct Outcome: Sendable {
        var file: PairedFile
        var processed: Processed
        var metrics: [MetricOutcome]
        var duration: Double

        func score(of metric: String) -> Double? { metrics.first { $0.name == metric }?.value }
    }

    typealias Process = @Sendable (_ noisy: [Float], _ id: String) throws -> Processed

    /// The files as an enhancer hears them.
    func enhancing(_ enhancer: Enhancer) -> Process {
        { noisy, id in
            let output = try enhancer.enhance(noisy, file: id, seed: noiseSeed)
            return Processed(audio: output.audio, nfe: output.nfe, seconds: output.seconds)
        }
    }

    /// - Parameters:
    ///   - set: The set's name, part of the address of every file's noise.
    ///   - done: Called for every file as it is ready, one at a time, with the number of files done so far.
    /// - Throws: The first error of any file, or of `done`; files that were ready before it have been handed over.
    @discardableResult
    func evaluate(
        _ files: [PairedFile], set: String, interruption: Interruption, process: @escaping Process,
        done: (Outcome, Int) throws -> Void
    ) throws -> [Outcome] {
        let workers = min(Engine.threads, files.count)
        let shared = Mutex(Shared())
        let ready = DispatchSemaphore(value: 0)
        let queue = DispatchQueue(label: "sgmse.evaluate", attributes: .concurrent)
        for _ in 0..<workers {
            queue.async {
                while let index = shared.withLock({ $0.take(of: files.count) }) {
                    let result = Result {
                        try interruption.check()
                        guard workers > 1 else { return try evaluate(files[index], set, process) }
                        return try Engine.serially { try evaluate(files[index], set, process) }
                    }
                    shared.withLock { $0.put(result, at: index) }
                    ready.signal()
                }
            }
        }
        var outcomes: [Int: Outcome] = [:]
        var failure: (any Error)?
        while failure == nil, outcomes.count < files.count {
            ready.wait()
            guard let (index, result) = shared.withLock({ $0.results.popLast() }) else { continue }
            do {
                let outcome = try result.get()
                outcomes[index] = outcome
                try done(outcome, outcomes.count)
            } catch {
                failure = error
                shared.withLock { $0.isStopped = true }
            }
        }
        queue.sync(flags: .barrier) {}
        if let failure { throw failure }
        return files.indices.compactMap { outcomes[$0] }
    }

    /// What the workers share: the next file, and the results not yet handed over.
    private struct Shared {
        var next = 0
        var results: [(Int, Result<Outcome, any Error>)] = []
        var isStopped = false

        mutating func take(of count: Int) -> Int? {
            guard !isStopped, next < count else { return nil }
            next += 1
            return next - 1
        }

        mutating func put(_ result: Result<Outcome, any Error>, at index: Int) { results.append((index, result)) }
    }

    private func evaluate(_ file: PairedFile, _ set: String, _ process: Process) throws -> Outcome {
        let (clean, noisy) = (try read(file.cleanPath), try read(file.noisyPath))
        let processed = try process(noisy, set + "/" + file.name)
        let analysis = PairAnalysis(
            SpeechPair(clean: clean, noisy: noisy, enhanced: processed.audio, sampleRate: sampleRate))
        return Outcome(
            file: file, processed: processed, metrics: metrics.map { $0.evaluate(analysis, allowing: .resampling) },
            duration: Double(noisy.count) / Double(sampleRate))
    }

    func read(_ path: String) throws -> [Float] {
        guard resamples else { return try SoundFile.readMono(path, sampleRate: sampleRate) }
        let rate = try SoundFile.header(of: path).sampleRate
        let samples = try SoundFile.readMono(path)
        return rate == sampleRate ? samples : try Resampler(from: rate, to: sampleRate).resample(samples)
    }
}
