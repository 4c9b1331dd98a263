import Backbones
import Diffusion
import Dispatch
import Foundation
import Kernels
import Objectives
import Parallelism
import Tensors

extension Enhancer {
    /// A stretch of a recording that the network reads as a whole.
    struct Stretch {
        var noisy: [Float]
        /// The largest absolute sample of the recording.
        var peak: Float
        /// At the recording's own level.
        var reference: NoiseReference
    }

    /// A stretch as the network reads it.
    struct NetworkInput {
        /// `[1, F, N, 2]`, padded.
        let y: Tensor
        let condition: NoiseCondition
        /// Frames of the stretch; of those behind, the network alone takes notice.
        let frames: Int
        /// Samples of the stretch.
        let length: Int
        let peak: Float
        /// The time that it took to make, in s.
        let seconds: Double

        /// Inputs can be in one batch where these are equal.
        var shapes: [[Int]] {
            guard case .embedding(let embedding) = condition else { return [y.shape] }
            return [y.shape, embedding.shape]
        }
    }

    func input(_ stretch: Stretch) -> NetworkInput {
        let start = ContinuousClock.now
        return Gradients.off {
            let spectrogram = frontEnd.spectrogram([stretch.noisy.map { $0 / stretch.peak }])
            return NetworkInput(
                y: padding.pad(spectrogram, multiple: model.backbone.frameMultiple),
                condition: model.condition(of: stretch.reference, dividedBy: stretch.peak) { frontEnd.spectrogram($0) },
                frames: spectrogram.shape[2], length: stretch.noisy.count, peak: stretch.peak,
                seconds: start.secondsUntilNow)
        }
    }

    /// The places of inputs that are sampled in one batch; in order, by their first ones.
    func groups(of inputs: [NetworkInput], atMost together: Int) -> [[Int]] {
        let most = sampler.samplesAreIndependent ? max(1, together) : 1
        var groups: [[Int]] = []
        var open: [[[Int]]: Int] = [:]
        for (place, input) in inputs.enumerated() {
            let shapes = input.shapes
            if let group = open[shapes], groups[group].count < most {
                groups[group].append(place)
            } else {
                open[shapes] = groups.count
                groups.append([place])
            }
        }
        return groups
    }

    /// Samples inputs of equal shapes in one batch, and transforms the results to audio.
    ///
    /// - Returns: For each its audio, or `EnhancementError.notFinite`.
    /// - Throws: `Interrupted`.
    func outputs(
        of inputs: [NetworkInput], noise: inout NoiseSource, states count: Int, _ interruption: Interruption
    ) throws(Interrupted) -> [Result<Output, EnhancementError>] {
        let places = Device.current.map { _ in Self.places }
        places?.wait()
        defer { places?.signal() }
        let start = ContinuousClock.now
        var (nfe, kept) = (0, StateSelection(count: count, start: sampler.start))
        let outputs = Gradients.off { () -> [Output] in
            let y = inputs.count == 1 ? inputs[0].y : .stacked(inputs.map(\.y))
            let sample = sample(y, Self.condition(of: inputs), &noise, &nfe, &kept, interruption)
            return inputs.enumerated().map { place, input in
                let frames = model.backbone.usesFilledFrames ? y.shape[2] : input.frames
                func audio(_ x: Tensor) -> [Float] {
                    let own = inputs.count == 1 ? x : x.samples(place..<place + 1)
                    return frontEnd.audio(own.withFrames(frames), length: input.length).values.map { $0 * input.peak }
                }
                let states = kept.states.map { State(time: $0.time, audio: audio($0.state)) }
                return Output(audio: audio(sample), nfe: nfe, seconds: input.seconds, states: states)
            }
        }
        try interruption.check()
        let seconds = start.secondsUntilNow / Double(inputs.count)
        return outputs.map { output in
            guard output.audio.allSatisfy(\.isFinite) else { return .failure(.notFinite) }
            var output = output
            output.seconds += seconds
            return .success(output)
        }
    }

    /// A device samples at most two batches at a time, whatever the number of threads: while one is computed the other
    /// draws its noise on the host, and the memory in use is that of two, beside the inputs of every thread.
    private static let places = DispatchSemaphore(value: 2)

    /// Samples one batch, and counts the evaluations of networks.
    private func sample(
        _ y: Tensor, _ condition: NoiseCondition, _ noise: inout NoiseSource, _ nfe: inout Int,
        _ kept: inout StateSelection, _ interruption: Interruption
    ) -> Tensor {
        let estimate = model.regression.map { $0(y) }
        let seen = model.condition(y, estimate)
        // The regression is an evaluation of a network too.
        var evaluations = estimate == nil ? 0 : 1
        var states = kept
        let observe: ((IntermediateState) -> Void)? = kept.count > 0 ? { states.add($0) } : nil
        let sample = sample(estimate ?? y, &noise, observe) { x, _, t, r in
            // A sampler cannot stop between its steps: after an interruption it runs on without network calls.
            if interruption.isRequested { return .zeros(x.shape) }
            if let r {
                evaluations += 1
                let batch = x.shape[0]
                return model.average(
                    x, y, from: [Double](repeating: t, count: batch), until: [Double](repeating: r, count: batch))
            }
            let output = guidance.output(model, x, seen, t, under: condition)
            evaluations += output.evaluations
            return output.value
        }
        (nfe, kept) = (evaluations, states)
        return sample.x
    }

    /// The condition of a batch; all of its inputs have one, or none has.
    private static func condition(of inputs: [NetworkInput]) -> NoiseCondition {
        let embeddings = inputs.compactMap { input in
            if case .embedding(let embedding) = input.condition { embedding } else { nil }
        }
        guard embeddings.count == inputs.count else { return .none }
        return .embedding(embeddings.count == 1 ? embeddings[0] : .stacked(embeddings))
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
    let count: Int
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
