import Backbones
public import Diffusion
public import Failures
import Foundation
import Kernels
public import Objectives
import Parallelism
import Tensors

/// Turns noisy speech into clean speech with a model and a sampler, under guidance where the model is conditioned.
///
/// A recording's result does not depend on the batch that it is sampled in, but for rounding on a device.
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
        /// Wall-clock time in s; of a batch, an equal share.
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
        /// Wall-clock time in s; of a batch, an equal share.
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
        try enhance(
            [Recording(noisy: MemorySamples(noisy), name: file, reference: reference)], seed: seed, states: states)[0]
            .get()
    }

    /// Enhances one recording as a whole with given noise: divided by its peak, transformed, padded, sampled, and back.
    ///
    /// - Throws: `EnhancementError` for a silent recording, or one too short to be transformed.
    public func enhance(
        _ noisy: [Float], noise: inout NoiseSource, reference: NoiseReference = .zero, states: Int = 0
    ) throws -> Output {
        let peak = try peak(of: MemorySamples(noisy), Interruption())
        let input = input(Stretch(noisy: noisy, peak: peak, reference: reference))
        return try outputs(of: [input], noise: &noise, states: states, Interruption())[0].get()
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
