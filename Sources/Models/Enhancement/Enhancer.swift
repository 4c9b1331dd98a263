import Backbones
public import Diffusion
public import Failures
import Foundation
import Kernels
public import Objectives
package import Parallelism
import Tensors

/// Turns noisy speech into clean speech with a model and a sampler, under guidance where the model is conditioned.
public struct Enhancer: Sendable {
    /// The networks, with the weights that enhancement uses.
    public let model: ScoreModel
    /// Solves the reverse process; decides the number of network calls.
    public let sampler: any Sampler
    /// STFT and amplitude compression, and their inverses.
    public let frontEnd: FrontEnd
    /// How spectrograms are padded to the multiple of frames that the backbone takes.
    public let padding: FramePadding
    /// The guidance scale; without effect where the model is not conditioned.
    public let guidance: Guidance
    /// How long recordings are cut into segments; `nil` to never cut them.
    public let segments: Segments?

    public init(
        model: ScoreModel, sampler: any Sampler, frontEnd: FrontEnd, padding: FramePadding,
        guidance: Guidance = Guidance(),
        segments: Segments? = nil
    ) {
        self.model = model
        self.sampler = sampler
        self.frontEnd = frontEnd
        self.padding = padding
        self.guidance = guidance
        self.segments = segments
    }

    /// An enhanced recording with its cost.
    public struct Output: Sendable {
        /// As many samples as the input, at its level.
        public var audio: [Float]
        /// Evaluations of the network, counted; two at each step that needs the conditional and the unconditional
        /// score. Of a recording in segments, those of all segments.
        public var nfe: Int
        /// Wall-clock time in s.
        public var seconds: Double
        /// In how many segments the recording was enhanced.
        public var segments = 1
        /// Intermediate states, if they were asked for.
        public var states: [State] = []
    }

    /// An intermediate state of the reverse process, transformed to audio.
    public struct State: Sendable {
        /// The diffusion time `t`.
        public var time: Double
        /// The state's inverse transform, at the level of the input.
        public var audio: [Float]
    }

    /// The next enhanced samples of a recording that is enhanced in segments.
    public struct Chunk: Sendable {
        /// Samples that follow those of the previous chunk.
        public var audio: [Float]
        /// The same samples in the intermediate states, if they were asked for.
        public var states: [State]
    }

    /// The cost of an enhancement; see ``Output``.
    public struct Effort: Sendable {
        /// Evaluations of the network, counted over all segments.
        public var nfe: Int
        /// Wall-clock time in s.
        public var seconds: Double
        /// Segments that the recording was cut into.
        public var segments: Int

        public init(nfe: Int = 0, seconds: Double = 0, segments: Int = 0) {
            (self.nfe, self.seconds, self.segments) = (nfe, seconds, segments)
        }
    }

    /// Enhances one recording with the noise of an evaluation.
    ///
    /// - Parameters:
    ///   - file: The file's name, which with the seed decides every random draw.
    ///   - reference: The noise reference of a conditioned model, at the recording's own level.
    ///   - states: At how many times, evenly spaced from the start to the last step, the state is kept.
    public func enhance(
        _ noisy: [Float], file: String, seed: UInt64, reference: NoiseReference = .zero, states: Int = 0
    ) throws -> Output {
        var output = Output(audio: [], nfe: 0, seconds: 0)
        let effort = try enhance(MemorySamples(noisy), file: file, seed: seed, reference: reference, states: states) {
            chunk in
            output.audio += chunk.audio
            if output.states.isEmpty { output.states = chunk.states.map { State(time: $0.time, audio: []) } }
            for (index, state) in chunk.states.enumerated() { output.states[index].audio += state.audio }
        }
        (output.nfe, output.seconds, output.segments) = (effort.nfe, effort.seconds, effort.segments)
        return output
    }

    /// Enhances a recording of any length in the memory of one segment, and emits each chunk when it is finished.
    ///
    /// - Parameters:
    ///   - interruption: Checked before each call of the network.
    ///   - emit: Receives the chunks in order.
    /// - Throws: `EnhancementError`; `Interrupted`; what reading and `emit` throw.
    package func enhance(
        _ noisy: some SampleSource, file: String, seed: UInt64, reference: NoiseReference = .zero, states: Int = 0,
        interruption: Interruption = Interruption(), emit: (Chunk) throws -> Void
    ) throws -> Effort {
        let peak = try self.peak(of: noisy, interruption)
        let ranges = segments?.ranges(of: noisy.count) ?? [0..<noisy.count]
        let joiner = SegmentJoiner(ranges: ranges, overlap: segments?.overlap ?? 0)
        var (audio, kept) = (joiner, [SegmentJoiner]())
        var (effort, times) = (Effort(segments: ranges.count), [Double]())
        let start = ContinuousClock.now
        for (number, range) in ranges.enumerated() {
            var noise = NoiseSource.addressed(seed: seed, files: [number == 0 ? file : "\(file) segment \(number)"])
            let part = try enhance(
                noisy.samples(in: range), peak, noise: &noise, reference: reference, states: states,
                interruption: interruption)
            effort.nfe += part.nfe
            if number == 0 { (kept, times) = (part.states.map { _ in joiner }, part.states.map(\.time)) }
            // A sampler that chooses its steps may give a later segment fewer states: its last one replaces the missing
            // ones.
            let chunk = Chunk(
                audio: audio.add(part.audio),
                states: times.indices.map { index in
                    State(
                        time: times[index], audio: kept[index].add(part.states[min(index, part.states.count - 1)].audio)
                    )
                })
            try emit(chunk)
        }
        effort.seconds = start.secondsUntilNow
        return effort
    }

    /// Enhances one recording as a whole: divided by its peak, transformed, padded, sampled, and back.
    ///
    /// - Throws: `EnhancementError` for a silent recording, or one too short to be transformed.
    public func enhance(
        _ noisy: [Float], noise: inout NoiseSource, reference: NoiseReference = .zero, states: Int = 0
    ) throws -> Output {
        try enhance(noisy, peak(of: MemorySamples(noisy)), noise: &noise, reference: reference, states: states)
    }

    private func peak(of noisy: some SampleSource, _ interruption: Interruption = Interruption()) throws -> Float {
        guard noisy.count >= frontEnd.stft.shortestSignal else {
            throw EnhancementError.tooShort(samples: noisy.count, needed: frontEnd.stft.shortestSignal)
        }
        let peak = try noisy.peak(interruption)
        guard peak > 0 else { throw EnhancementError.silent }
        return peak
    }

    private func enhance(
        _ noisy: [Float], _ peak: Float, noise: inout NoiseSource, reference: NoiseReference, states: Int,
        interruption: Interruption = Interruption()
    ) throws -> Output {
        let start = ContinuousClock.now
        let output = Gradients.off {
            let spectrogram = frontEnd.spectrogram([noisy.map { $0 / peak }])
            let y = padding.pad(spectrogram, multiple: model.backbone.frameMultiple)
            let condition = model.condition(of: reference, dividedBy: peak) { frontEnd.spectrogram($0) }
            let estimate = model.regression.map { $0(y) }
            let seen = model.condition(y, estimate)
            // The regression is an evaluation of a network too.
            var evaluations = estimate == nil ? 0 : 1
            var kept = StateSelection(count: states, start: sampler.start)
            let observe: ((IntermediateState) -> Void)? = states > 0 ? { kept.add($0) } : nil
            let sample = sample(estimate ?? y, &noise, observe) { x, _, t, r in
                // A sampler cannot stop between its steps: after an interruption it runs on without network calls.
                if interruption.isRequested { return .zeros(x.shape) }
                if let r {
                    evaluations += 1
                    return model.average(x, y, from: [t], until: [r])
                }
                let output = guidance.output(model, x, seen, t, under: condition)
                evaluations += output.evaluations
                return output.value
            }
            let frames = model.backbone.usesFilledFrames ? y.shape[2] : spectrogram.shape[2]
            func audio(_ x: Tensor) -> [Float] {
                frontEnd.audio(x.withFrames(frames), length: noisy.count).values.map { $0 * peak }
            }
            let states = kept.states.map { State(time: $0.time, audio: audio($0.state)) }
            return Output(audio: audio(sample.x), nfe: evaluations, seconds: start.secondsUntilNow, states: states)
        }
        try interruption.check()
        guard output.audio.allSatisfy(\.isFinite) else { throw EnhancementError.notFinite }
        return output
    }

    /// Samples with a model of one time, or of two times if both model and sampler support them.
    ///
    /// - Parameter predict: Takes a state, noisy speech, a time, and the end of the interval if there are two times.
    private func sample(
        _ y: Tensor, _ noise: inout NoiseSource, _ observe: ((IntermediateState) -> Void)?,
        _ predict: @escaping (Tensor, Tensor, Double, Double?) -> Tensor
    ) -> Sample {
        guard let sampler = sampler as? any IntervalSampler, model.backbone is any IntervalBackbone else {
            return sampler.sample(given: y, noise: &noise, observe: observe) { x, y, t in predict(x, y, t, nil) }
        }
        return sampler.sample(given: y, noise: &noise, observe: observe) { x, y, t, r in predict(x, y, t, r) }
    }
}

/// Selects the states at evenly spaced times: after the first step that reaches each time, and after the last step.
private struct StateSelection {
    private let start: Double
    private let count: Int
    private var kept: [IntermediateState] = []
    private var last: IntermediateState?

    init(count: Int, start: Double) { (self.count, self.start) = (count, start) }

    mutating func add(_ state: IntermediateState) {
        last = state
        // The tolerance of 0.01 is for grids that end slightly above 0.
        let reached = Int((Double(count) * (1 - state.time / start) + 0.01).rounded(.down))
        if kept.count < min(reached, count - 1) { kept.append(state) }
    }

    var states: [IntermediateState] {
        guard let last else { return [] }
        return kept.last?.step == last.step ? kept : kept + [last]
    }
}

/// Why a recording cannot be enhanced.
public enum EnhancementError: Diagnostic, Hashable, Sendable {
    case silent
    case tooShort(samples: Int, needed: Int)
    case notFinite

    public var category: FailureCategory { .work }
    public var description: String { summary }

    public var summary: String {
        switch self {
        case .silent: "the noisy recording is silent, so it has no level to be normalised by"
        case .tooShort(let samples, let needed):
            "the noisy recording has \(samples) samples; the transform needs \(needed)"
        case .notFinite: "the sampler left the numbers; check the checkpoint and the sampler's settings"
        }
    }
}
