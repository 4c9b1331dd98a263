import Experiments
import Foundation
import Synchronization

/// What the terminal is like.
enum Terminal {
    static let isInteractive = isatty(STDERR_FILENO) == 1
    static let isColored = isInteractive && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

    /// Columns of standard output; 160 where it is no terminal.
    static var width: Int? {
        var size = winsize()
        guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return 160
        }
        return Int(size.ws_col)
    }
}

/// Shows what happens on standard error: a bar on a terminal, plain lines elsewhere.
final class ProgressPrinter: Sendable {
    private let state = Mutex(State())

    private struct State {
        var barIsShown = false
        var lastBar = ContinuousClock.now - .seconds(10)
        var lastLine = ContinuousClock.now - .seconds(100)
    }

    /// Seconds between two plain lines of one long step.
    private static let lineInterval = Duration.seconds(15)

    @Sendable func show(_ event: ExperimentEvent) {
        switch event {
        case .corpus(let name, let folder, let isNew): line("corpus \(name): \(isNew ? "made" : "found") in \(folder)")
        case .planned(let step):
            let mark = switch step.state { case .cached: "="; case .resumed: ">"; case .new: "+" }
            line("\(mark) \(step.kind.rawValue) \(step.subject)\(step.detail.isEmpty ? "" : " [\(step.detail)]"): \(step.state.rawValue) — \(step.reason)")
        case .trainingStarted(_, let folder, let step, let total): line("  training steps \(step + 1) to \(total) in \(folder)")
        case .trained(_, let p):
            let text = String(format: "loss %.4g  %.2f steps/s  ETA %@", p.loss, p.stepsPerSecond, time(p.secondsLeft))
            progress(p.step, of: p.of, text)
        case .validated(_, let step, let scores):
            let text = scores.map { "\($0.metric) \($0.value.map { String(format: "%.3f", $0) } ?? "none")" }
            line("  step \(step): validation \(text.joined(separator: "  "))")
        case .checkpoint: break
        case .evaluated(_, _, let done, let total, let left): progress(done, of: total, "files  ETA \(time(left))")
        case .finished: clearBar()
        case .failed(let step, let reason): line("✗ \(step.kind.rawValue) \(step.subject): \(reason)")
        }
    }

    func finish() { clearBar() }

    private func line(_ text: String) {
        clearBar()
        printError(text)
    }

    private func progress(_ done: Int, of total: Int, _ text: String) {
        let (showsBar, showsLine) = state.withLock { state -> (Bool, Bool) in
            let now = ContinuousClock.now
            if Terminal.isInteractive {
                guard now - state.lastBar > .milliseconds(100) || done == total else { return (false, false) }
                state.lastBar = now
                state.barIsShown = true
                return (true, false)
            }
            guard now - state.lastLine > Self.lineInterval else { return (false, false) }
            state.lastLine = now
            return (false, true)
        }
        if showsBar {
            let width = 24
            let filled = total > 0 ? width * done / total : 0
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
            FileHandle.standardError.write(Data("\r\u{1B}[K  \(bar) \(done)/\(total)  \(text)".utf8))
        }
        if showsLine { printError("  \(done)/\(total)  \(text)") }
    }

    private func clearBar() {
        let wasShown = state.withLock { state in
            defer { state.barIsShown = false }
            return state.barIsShown
        }
        if wasShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
    }

    private func time(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e7 else { return "unknown" }
        let whole = Int(seconds.rounded())
        return whole < 3600
            ? String(format: "%d:%02d", whole / 60, whole % 60)
            : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    }
}
