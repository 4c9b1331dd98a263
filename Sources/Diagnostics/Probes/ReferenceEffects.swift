import Corpora
import Specs
import SpeechMetrics

/// What the reference does to the enhanced speech: the same files and noise draws under several references.
public struct ReferenceEffects: Hashable, Sendable, Codable {
    /// The mean paired difference of one metric, over the files of one noise type or of all.
    public struct Contrast: Hashable, Sendable, Codable {
        /// Such as `oracle − zero`.
        public var name: String
        /// The metric's name.
        public var metric: String
        /// `nil` for all files.
        public var noise: String?
        /// Oracle minus other, in the unit of the metric.
        public var difference: ProbeEstimate
    }

    /// The mean of one metric under one reference.
    public struct Level: Hashable, Sendable, Codable {
        /// The mode of the reference, such as `oracle`.
        public var reference: String
        /// The metric's name.
        public var metric: String
        /// Over all files, in the unit of the metric.
        public var mean: ProbeEstimate
    }

    /// One for each reference and metric.
    public var levels: [Level]
    /// The oracle reference against every other one, for all files and for each type of noise.
    public var contrasts: [Contrast]

    /// - Parameter scores: By reference, then one dictionary of metrics for each file.
    public init(
        _ scores: [(reference: String, files: [[String: Double]])], noises: [String?], metrics: [String],
        seed: UInt64 = 0
    ) {
        func values(_ files: [[String: Double]], _ metric: String) -> [Double] {
            files.compactMap { $0[metric] }.filter(\.isFinite)
        }
        levels = scores.flatMap { entry in
            metrics.map {
                Level(reference: entry.reference, metric: $0, mean: ProbeEstimate(values(entry.files, $0), seed: seed))
            }
        }
        contrasts = []
        guard let right = scores.first(where: { $0.reference == "oracle" }) else { return }
        let groups: [String?] = [nil] + Set(noises.compactMap(\.self)).sorted().map(Optional.some)
        for other in scores where other.reference != "oracle" {
            for metric in metrics {
                for group in groups {
                    let members = noises.indices.filter { group == nil || noises[$0] == group }
                    let differences = members.compactMap { index -> Double? in
                        guard let a = right.files[index][metric], let b = other.files[index][metric] else { return nil }
                        return (a - b).isFinite ? a - b : nil
                    }
                    guard !differences.isEmpty else { continue }
                    contrasts.append(
                        Contrast(
                            name: "oracle − \(other.reference)", metric: metric, noise: group,
                            difference: ProbeEstimate(differences, seed: seed)))
                }
            }
        }
    }

    /// The difference that exchanging the reference for another noise makes to all files.
    public func cost(of metric: String) -> ProbeEstimate? {
        contrasts.first { $0.metric == metric && $0.noise == nil && $0.name.contains("mismatched") }?.difference
    }
}
