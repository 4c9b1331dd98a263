import Foundation
public import Training

/// What happens while experiments run, reported to the observer and to the log of the run.
public enum ExperimentEvent: Sendable, Codable {
    /// All runs of a command, before anything is done.
    case agenda([RunAgenda])
    /// What the gates and the spec's checks found and let pass, as `sgmse check` words it.
    case found(String)
    /// A corpus was made, or found as it was.
    case corpus(name: String, folder: String, isNew: Bool)
    /// A step of the plan, before it is done or passed over.
    case planned(PlanStep)
    /// Another process works on a step; this one performs the others, and then waits.
    case waiting(PlanStep, holder: String)
    case trainingStarted(run: String, folder: String, step: Int, of: Int)
    case trained(run: String, TrainingProgress)
    case validated(run: String, step: Int, scores: [MetricValue])
    case checkpoint(run: String, step: Int, path: String)
    /// A remark about a run, such as that a file was converted.
    case noted(run: String, String)
    case evaluated(run: String, label: String, file: String, done: Int, of: Int, secondsLeft: Double)
    case finished(PlanStep)
    case failed(PlanStep, reason: String)
}

/// How many steps and evaluations one run has.
public struct RunAgenda: Sendable, Codable, Hashable {
    /// The name of the run, as it is in events.
    public var name: String
    /// Its short id.
    public var id: String
    /// Optimizer steps of its training.
    public var steps: Int
    /// How many evaluations the spec or the unit has, those that are done included.
    public var evaluations: Int

    public init(name: String, id: String, steps: Int, evaluations: Int) {
        (self.name, self.id, self.steps, self.evaluations) = (name, id, steps, evaluations)
    }
}

extension ExperimentEvent {
    /// What happens while a run is trained.
    package init(_ event: TrainingEvent, of run: String) {
        switch event {
        case .started(let folder, let step, let total):
            self = .trainingStarted(run: run, folder: folder, step: step, of: total)
        case .trained(let progress): self = .trained(run: run, progress)
        case .validated(let step, let scores): self = .validated(run: run, step: step, scores: scores)
        case .checkpoint(let step, let path): self = .checkpoint(run: run, step: step, path: path)
        case .noted(let text): self = .noted(run: run, text)
        }
    }

    /// The event as one line of JSON, sent from one process to another.
    public var line: String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) }
    }

    public init?(line: String) {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        guard let event = try? decoder.decode(Self.self, from: Data(line.utf8)) else { return nil }
        self = event
    }

    /// The event as one line of a log; `nil` for those of which there are many.
    public var text: String? {
        switch self {
        case .agenda, .checkpoint, .trained, .evaluated, .finished: return nil
        case .corpus(let name, let folder, let isNew): return "corpus \(name): \(isNew ? "made" : "found") in \(folder)"
        case .found(let text): return text
        case .planned(let step):
            let mark =
                switch step.state {
                case .cached: "="
                case .resumed: ">"
                case .new: "+"
                }
            return "\(mark) \(step.title): \(step.state.rawValue) — \(step.reason)"
        case .waiting(let step, let holder): return "~ \(step.title): waiting — \(holder) is at it"
        case .trainingStarted(_, let folder, let step, let total):
            return "  training steps \(step + 1) to \(total) in \(folder)"
        case .validated(_, let step, let scores):
            let text = scores.map { score in
                let noisy = score.noisy.map { String(format: " (noisy %.3f)", $0) } ?? ""
                return "\(score.metric) \(score.value.map { String(format: "%.3f", $0) } ?? "none")\(noisy)"
            }
            return "  step \(step): validation \(text.joined(separator: "  "))"
        case .noted(_, let text): return "  \(text)"
        case .failed(let step, let reason): return "✗ \(step.title): \(reason)"
        }
    }
}
