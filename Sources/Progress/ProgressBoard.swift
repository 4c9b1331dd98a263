import Training

/// How far each run of a command is, and how long the rest takes, made from events.
public struct ProgressBoard: Sendable {
    /// A run is `done` with its last evaluation, and `failed` where its training failed.
    public enum Stage: Hashable, Sendable { case waiting, training, evaluating, done, failed }

    /// One run.
    public struct Line: Sendable, Identifiable {
        public var id: String { name }
        /// The name of the run, by which events are assigned to it.
        public let name: String
        /// What a person names the run by on the command line.
        public let shortID: String
        /// How far it is.
        public internal(set) var stage = Stage.waiting
        /// Steps of training made, and to be made.
        public internal(set) var step = 0
        /// Optimizer steps of the whole training; 0 for weights that are only evaluated.
        public internal(set) var steps: Int
        /// Evaluations that are done, those found done included.
        public internal(set) var evaluations = 0
        /// Evaluations that the run has in all.
        public let allEvaluations: Int
        /// Files of the current evaluation that are done, and all of them.
        public internal(set) var files = (done: 0, of: 0)
        /// The loss of the last step that was reported; nil before the first.
        public internal(set) var loss: Double?
        /// Until this run is done; nil while no run has shown its speed.
        public internal(set) var secondsLeft: Double?
        /// Wall-clock seconds of an optimizer step; nil before the first report.
        public internal(set) var secondsPerStep: Double?

        /// From 0 to 1: training and evaluations count by their numbers of steps and of evaluations, half each.
        public var fraction: Double {
            if stage == .done { return 1 }
            let trained = steps > 0 ? Double(step) / Double(steps) : 1
            let current = files.of > 0 ? Double(files.done) / Double(files.of) : 0
            let evaluated =
                allEvaluations > 0 ? min(1, (Double(evaluations) + current) / Double(allEvaluations)) : trained
            return stage == .waiting ? 0 : (trained + evaluated) / 2
        }
    }

    /// In the order of the agenda; empty before it.
    public private(set) var lines: [Line] = []
    /// Titles of the steps done now, and the reasons of those that failed.
    public private(set) var done: Set<String> = []
    /// The reason of each step that failed and was not done since.
    public private(set) var failed: [String: String] = [:]
    private var found: Set<String> = []
    /// How many steps were found done and not done now.
    public var cached: Int { found.subtracting(done).count }
    /// Seconds that finished evaluations took, and how many there were.
    private var evaluationTime = (seconds: 0.0, count: 0)
    private var begun: [String: Double] = [:]
    /// Processes that work side by side.
    private let jobs: Int

    public init(jobs: Int = 1) { self.jobs = jobs }

    /// - Parameter now: Seconds of any clock that only moves on.
    public mutating func update(with event: ExperimentEvent, at now: Double) {
        switch event {
        case .agenda(let runs) where lines.isEmpty:
            lines = runs.map { Line(name: $0.name, shortID: $0.id, steps: $0.steps, allEvaluations: $0.evaluations) }
        case .planned(let step):
            if step.state == .cached {
                if found.insert(step.title).inserted, !done.contains(step.title) { count(step) }
            } else {
                begun[step.title] = now
                change(step.subject) { $0.files = (0, 0) }
            }
        case .trainingStarted(let run, _, let step, let total):
            change(run) { ($0.stage, $0.step, $0.steps) = (.training, step, total) }
        case .trained(let run, let progress):
            change(run) { line in
                (line.stage, line.step, line.steps, line.loss) = (.training, progress.step, progress.of, progress.loss)
                if progress.stepsPerSecond > 0 { line.secondsPerStep = 1 / progress.stepsPerSecond }
            }
        case .evaluated(let run, _, _, let done, let total, _):
            change(run) { ($0.stage, $0.files) = (.evaluating, (done, total)) }
        case .finished(let step):
            guard done.insert(step.title).inserted else { return }
            failed[Self.address(step)] = nil
            if step.kind == .evaluate, let start = begun[step.title] {
                evaluationTime = (evaluationTime.seconds + now - start, evaluationTime.count + 1)
            }
            count(step)
        case .failed(let step, let reason):
            failed[Self.address(step)] = reason
            if step.kind == .train { change(step.subject) { $0.stage = .failed } }
        default: break
        }
        estimate()
    }

    /// What a failure is counted by: a run has one training, however it is worded.
    private static func address(_ step: PlanStep) -> String {
        step.kind == .train ? "train \(step.subject)" : step.title
    }

    /// Whether this very failure was reported before.
    public func hasReported(failureOf step: PlanStep, _ reason: String) -> Bool { failed[Self.address(step)] == reason }

    private mutating func count(_ step: PlanStep) {
        change(step.subject) { line in
            switch step.kind {
            case .train: (line.stage, line.step) = (.evaluating, line.steps)
            case .evaluate:
                line.evaluations += 1
                line.files = (0, 0)
            case .anchor, .corpus: return
            }
            if line.step == line.steps, line.evaluations == line.allEvaluations { line.stage = .done }
        }
    }

    private mutating func change(_ run: String, _ body: (inout Line) -> Void) {
        guard let index = lines.firstIndex(where: { $0.name == run }) else { return }
        body(&lines[index])
    }

    /// Runs not begun are assumed to go as fast as those that were.
    private mutating func estimate() {
        let speeds = lines.compactMap(\.secondsPerStep)
        let mean = speeds.isEmpty ? nil : speeds.reduce(0, +) / Double(speeds.count)
        let evaluation = evaluationTime.count > 0 ? evaluationTime.seconds / Double(evaluationTime.count) : 0
        for index in lines.indices {
            let line = lines[index]
            guard line.stage != .done, line.stage != .failed else {
                lines[index].secondsLeft = 0
                continue
            }
            let training =
                line.step < line.steps ? (line.secondsPerStep ?? mean).map { $0 * Double(line.steps - line.step) } : 0
            let current = line.files.of > 0 ? Double(line.files.done) / Double(line.files.of) : 0
            let rest = Double(line.allEvaluations - line.evaluations) - current
            lines[index].secondsLeft = training.map { $0 + max(0, rest) * evaluation }
        }
    }

    /// Evaluations to be made while none was measured: ``secondsLeft`` is without them.
    public var unmeasuredEvaluations: Int {
        guard evaluationTime.count == 0 else { return 0 }
        return lines.reduce(0) { $0 + ($1.stage == .failed ? 0 : $1.allEvaluations - $1.evaluations) }
    }

    /// Seconds until the whole plan is done; nil while no run has shown its speed.
    public var secondsLeft: Double? {
        let each = lines.map(\.secondsLeft)
        guard !each.contains(nil) else { return nil }
        let known = each.compactMap(\.self)
        return max(known.max() ?? 0, known.reduce(0, +) / Double(max(1, jobs)))
    }
}
