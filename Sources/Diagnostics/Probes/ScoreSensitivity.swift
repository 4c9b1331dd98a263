import SpeechMetrics
import Tensors

/// How far a model's score moves when its noise reference is exchanged, over times and files.
public struct ScoreSensitivity: Hashable, Sendable, Codable {
    /// `‖s(oracle) − s(other)‖/‖s(oracle)‖` at one time, the mean over files.
    public struct AtTime: Hashable, Sendable, Codable {
        /// The process time t.
        public var time: Double
        /// Other = zeros: the difference between conditional and unconditional score.
        public var toZero: Double
        /// Other = another file's noise, and white noise of equal level.
        public var toMismatched, toRandom: Double
    }

    /// From the least time of training to the end of the process.
    public var times: [AtTime]
    /// The conditioning-sensitivity index: the relative change of the score when the right reference gives way to that
    /// of another noise, over all times; its interval is over files.
    public var index: ProbeEstimate

    public init(_ subject: ProbeSubject, _ states: [ProbeState], times: [Double], seed: UInt64 = 0) {
        precondition(!states.isEmpty && !times.isEmpty, "sensitivity over \(states.count) states, \(times.count) times")
        let changes = states.map { state in times.map { Self.changes(subject, state, $0) } }
        let count = Double(states.count)
        self.times = times.indices.map { index in
            func mean(_ other: KeyPath<Changes, Double>) -> Double {
                changes.reduce(0) { $0 + $1[index][keyPath: other] } / count
            }
            return AtTime(
                time: times[index], toZero: mean(\.toZero), toMismatched: mean(\.toMismatched),
                toRandom: mean(\.toRandom))
        }
        index = ProbeEstimate(changes.map { $0.reduce(0) { $0 + $1.toMismatched } / Double(times.count) }, seed: seed)
    }

    private struct Changes {
        var toZero, toMismatched, toRandom: Double
    }

    private static func changes(_ subject: ProbeSubject, _ state: ProbeState, _ t: Double) -> Changes {
        Gradients.off { () -> Changes in
            let x = state.state(of: subject.model, at: t)
            let embeddings = [state.oracle, .zeros(state.oracle.shape), state.mismatched, state.random]
            let scores = subject.score(
                .stacked(embeddings.map { _ in x }), .stacked(embeddings.map { _ in state.noisy }), t,
                .stacked(embeddings))
            let right = scores.samples(0..<1)
            let norm = right.squaredNorm
            func change(_ other: Int) -> Double {
                norm > 0 ? ((right - scores.samples(other..<other + 1)).squaredNorm / norm).squareRoot() : 0
            }
            return Changes(toZero: change(1), toMismatched: change(2), toRandom: change(3))
        }
    }
}

extension ProbeEstimate {
    /// The mean of some values with its bootstrap interval.
    init(_ values: [Double], seed: UInt64) {
        let interval = MetricSummary.bootstrapInterval(values, seed: seed)
        self.init(
            mean: values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count), lower: interval?.lowerBound,
            upper: interval?.upperBound, n: values.count)
    }
}
