import Runs

/// Steps per second over the last 50 steps, without the time of validations.
struct StepRate {
    private var recent: [(step: Int, time: ContinuousClock.Instant)]

    init(step: Int) { recent = [(step, .now)] }

    mutating func add(_ step: Int) {
        recent.append((step, .now))
        if recent.count > 50 { recent.removeFirst() }
    }

    mutating func skipPause(at step: Int) {
        let speed = stepsPerSecond
        recent = speed > 0 ? [(step - 1, .now - .seconds(1 / speed)), (step, .now)] : [(step, .now)]
    }

    /// The progress of a training of `total` steps after its newest step.
    func progress(_ step: StepRecord, of total: Int) -> TrainingProgress {
        TrainingProgress(
            step: step.step, of: total, loss: step.loss, stepsPerSecond: stepsPerSecond,
            secondsLeft: Double(total - step.step) / max(stepsPerSecond, 1e-9))
    }

    var stepsPerSecond: Double {
        guard let first = recent.first, let last = recent.last, last.step > first.step else { return 0 }
        let passed = (last.time - first.time).components
        let seconds = Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
        return Double(last.step - first.step) / max(seconds, 1e-9)
    }
}
