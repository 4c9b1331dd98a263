import Diffusion
import Foundation
import Objectives
package import Parallelism

extension Enhancer {
    /// A recording of any length under the name that, with the seed, decides its random draws.
    package struct Recording {
        package var noisy: any SampleSource
        package var name: String
        /// The noise reference of a conditioned model, at the recording's own level.
        package var reference: NoiseReference

        package init(noisy: any SampleSource, name: String, reference: NoiseReference = .zero) {
            (self.noisy, self.name, self.reference) = (noisy, name, reference)
        }
    }

    /// Enhances whole recordings; see ``enhance(_:seed:states:together:interruption:emit:)``.
    package func enhance(
        _ recordings: [Recording], seed: UInt64, states: Int = 0, together: Int = 1,
        interruption: Interruption = Interruption()
    ) throws -> [Result<Output, any Error>] {
        var outputs = recordings.map { _ in Output(audio: [], nfe: 0, seconds: 0) }
        let efforts = try enhance(
            recordings, seed: seed, states: states, together: together, interruption: interruption
        ) { place, chunk in
            outputs[place].audio += chunk.audio
            if outputs[place].states.isEmpty {
                outputs[place].states = chunk.states.map { State(time: $0.time, audio: []) }
            }
            for (index, state) in chunk.states.enumerated() { outputs[place].states[index].audio += state.audio }
        }
        return zip(efforts, outputs).map { effort, output in
            effort.map { effort in
                var output = output
                (output.nfe, output.seconds, output.segments) = (effort.nfe, effort.seconds, effort.segments)
                return output
            }
        }
    }

    /// Enhances recordings segment by segment, and emits each chunk when it is finished: first that of the first
    /// segment of every recording, then those of the second ones, and so on.
    ///
    /// - Parameters:
    ///   - states: At how many times, evenly spaced from the start to the last step, the state is kept.
    ///   - together: How many segments of one shape are sampled in one batch, at most; the memory grows with it. A
    ///     sampler whose samples depend on each other takes them one by one.
    ///   - interruption: Checked before each call of the network.
    ///   - emit: Receives the place of the recording, and the next chunk of it.
    /// - Returns: What each recording took, or the error that ended it: an `EnhancementError`, or what reading it
    ///   threw. The others are enhanced all the same.
    /// - Throws: `Interrupted`; what `emit` throws.
    package func enhance(
        _ recordings: [Recording], seed: UInt64, states: Int = 0, together: Int = 1,
        interruption: Interruption = Interruption(), emit: (Int, Chunk) throws -> Void
    ) throws -> [Result<Effort, any Error>] {
        var courses = recordings.map { recording in
            Result { try Course(recording, peak: peak(of: recording.noisy, interruption), segments) }
        }
        try interruption.check()
        var segment = 0
        while true {
            var (places, inputs): ([Int], [NetworkInput]) = ([], [])
            for (place, course) in courses.enumerated() {
                guard case .success(let course) = course, segment < course.ranges.count else { continue }
                do {
                    inputs.append(try input(course.stretch(segment)))
                    places.append(place)
                } catch {
                    courses[place] = .failure(error)
                }
            }
            guard !inputs.isEmpty else { break }
            for group in groups(of: inputs, atMost: together) {
                var noise = NoiseSource.addressed(
                    seed: seed, files: group.map { Self.address(recordings[places[$0]].name, segment) })
                let outputs = try outputs(of: group.map { inputs[$0] }, noise: &noise, states: states, interruption)
                for (index, output) in zip(group, outputs) {
                    let place = places[index]
                    guard case .success(var course) = courses[place] else { continue }
                    switch output {
                    case .success(let output):
                        try emit(place, course.add(output))
                        courses[place] = .success(course)
                    case .failure(let error): courses[place] = .failure(error)
                    }
                }
            }
            segment += 1
        }
        return courses.map { $0.map(\.effort) }
    }

    private static func address(_ name: String, _ segment: Int) -> String {
        segment == 0 ? name : "\(name) segment \(segment)"
    }

    /// The largest absolute sample, by which a recording is divided.
    ///
    /// - Throws: `EnhancementError` for a silent recording, or one too short to be transformed; errors of reading it.
    func peak(of noisy: any SampleSource, _ interruption: Interruption) throws -> Float {
        guard noisy.count >= frontEnd.stft.shortestSignal else {
            throw EnhancementError.tooShort(samples: noisy.count, needed: frontEnd.stft.shortestSignal)
        }
        let peak = try noisy.peak(interruption)
        guard peak > 0 else { throw EnhancementError.silent }
        return peak
    }
}

/// A recording on its way through the enhancer.
private struct Course {
    let recording: Enhancer.Recording
    let peak: Float
    let ranges: [Range<Int>]
    var effort: Enhancer.Effort
    private var audio: SegmentJoiner
    private var states: [(time: Double, audio: SegmentJoiner)]?

    init(_ recording: Enhancer.Recording, peak: Float, _ segments: Segments?) {
        (self.recording, self.peak) = (recording, peak)
        ranges = segments?.ranges(of: recording.noisy.count) ?? [0..<recording.noisy.count]
        effort = Enhancer.Effort(segments: ranges.count)
        audio = SegmentJoiner(ranges: ranges, overlap: segments?.overlap ?? 0)
    }

    func stretch(_ segment: Int) throws -> Enhancer.Stretch {
        Enhancer.Stretch(
            noisy: try recording.noisy.samples(in: ranges[segment]), peak: peak, reference: recording.reference)
    }

    /// The samples that are finished with the next segment.
    mutating func add(_ output: Enhancer.Output) -> Enhancer.Chunk {
        effort.nfe += output.nfe
        effort.seconds += output.seconds
        let joiner = audio
        var known = states ?? output.states.map { ($0.time, joiner) }
        // A sampler that chooses its steps may give a later segment fewer states: its last one replaces the missing
        // ones.
        let kept = known.indices.map { index in
            Enhancer.State(
                time: known[index].time,
                audio: known[index].audio.add(output.states[min(index, output.states.count - 1)].audio))
        }
        states = known
        return Enhancer.Chunk(audio: audio.add(output.audio), states: kept)
    }
}
