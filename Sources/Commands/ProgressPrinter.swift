import Enhancement
import Experiments
import Foundation
import Progress
import Synchronization
import SystemCalls
import Training

/// What the terminal is like.
enum Terminal {
    /// Whether a person watches messages that may be drawn anew; log entries between them would be erased.
    static let isInteractive = isatty(STDERR_FILENO) == 1 && !MessageLog.isDetailed

    /// Whether messages are coloured: on a terminal that can, unless NO_COLOR is set.
    static let hasColors: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return isInteractive && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }()

    /// Columns of standard output; 160 where it is no terminal.
    static var width: Int? { POSIX.terminalSize(STDOUT_FILENO)?.columns ?? 160 }

    /// Columns and rows of standard error.
    static var messages: (columns: Int, rows: Int) {
        POSIX.terminalSize(STDERR_FILENO) ?? (80, 24)
    }

    /// Takes the last lines of standard error back.
    static func eraseLines(_ count: Int) { try? Channel.messages.write("\u{1B}[\(count)A\u{1B}[J") }

    /// Replaces the last line of messages by a text; does nothing where standard error is no terminal.
    static func replaceLine(with text: String) {
        if isInteractive { try? Channel.messages.write("\r\u{1B}[K" + text.neutralized) }
    }
}

/// Prints events to standard error: a line for each run on a terminal, plain log lines elsewhere.
final class ProgressPrinter: Sendable {
    private struct State {
        var board: ProgressBoard
        /// Rows of the terminal that the board takes.
        var height = 0
        var lastDrawn = ContinuousClock.now - .seconds(10)
        /// By run: when a line was last written about its progress.
        var lastLine: [String: ContinuousClock.Instant] = [:]
        var printed: Set<String> = []
    }

    private let state: Mutex<State>
    private let isShared: Bool
    private let start = ContinuousClock.now

    /// Seconds between two plain lines about one long step.
    private static let lineInterval = Duration.seconds(15)

    /// - Parameter jobs: Processes whose events are shown.
    init(jobs: Int = 1) {
        state = Mutex(State(board: ProgressBoard(jobs: jobs)))
        isShared = jobs > 1
    }

    var board: ProgressBoard { state.withLock { $0.board } }

    /// The files of a folder are shown as those of an evaluation.
    @Sendable func show(_ progress: FolderProgress) {
        show(
            .evaluated(
                run: progress.work, label: progress.work, file: progress.file, done: progress.done, of: progress.total,
                secondsLeft: progress.secondsLeft))
    }

    @Sendable func show(_ event: ExperimentEvent) {
        state.withLock { state in
            if isShared, isRepeated(event, state.board) { return }
            state.board.update(with: event, at: (ContinuousClock.now - start) / .seconds(1))
            if Terminal.isInteractive { draw(event, &state) } else { log(event, &state) }
        }
    }

    /// Writes a message of another process above the board, once.
    @Sendable func message(_ text: String) {
        state.withLock { state in
            guard state.printed.insert(text).inserted else { return }
            clear(&state)
            printError(text)
        }
    }

    func finish() { state.withLock { clear(&$0) } }

    /// Whether another process has reported the event before, or it concerns only the reporting process.
    private func isRepeated(_ event: ExperimentEvent, _ board: ProgressBoard) -> Bool {
        switch event {
        case .waiting: true
        case .agenda, .corpus: !board.lines.isEmpty
        case .planned(let step): step.state == .cached && (board.done.contains(step.title))
        case .failed(let step, let reason): board.hasReported(failureOf: step, reason)
        default: false
        }
    }

    // MARK: Plain lines

    private func log(_ event: ExperimentEvent, _ state: inout State) {
        let (run, text): (String, String?) =
            switch event {
            case .trained(let run, let p):
                (run, isTime(run, &state) ? "  \(p.step)/\(p.of)  " + details(p) : nil)
            case .evaluated(let run, _, _, let done, let total, let left):
                (run, isTime(run, &state) ? "  \(done)/\(total)  files  ETA \(time(left))" : nil)
            case .trainingStarted(let run, _, _, _), .validated(let run, _, _), .noted(let run, _): (run, event.text)
            default: ("", event.text)
            }
        guard let text else { return }
        // Some messages come from each of several processes.
        if isShared, case .trained = event {} else if isShared, !state.printed.insert(text + run).inserted { return }
        printError(isShared && !run.isEmpty ? "[\(run)] " + text.trimmingCharacters(in: .whitespaces) : text)
    }

    /// Whether no other process has reported it; a validation is compared for each run.
    private func isUnreported(_ event: ExperimentEvent, _ text: String, _ state: inout State) -> Bool {
        if case .validated(let run, _, _) = event { return !isShared || state.printed.insert(text + run).inserted }
        return !isShared || state.printed.insert(text).inserted
    }

    private func isTime(_ run: String, _ state: inout State) -> Bool {
        if let last = state.lastLine[run], ContinuousClock.now - last < Self.lineInterval { return false }
        state.lastLine[run] = .now
        return true
    }

    private func details(_ p: TrainingProgress) -> String {
        String(format: "loss %.4g  %.2f steps/s  ETA %@", p.loss, p.stepsPerSecond, time(p.secondsLeft))
    }

    // MARK: The board

    private func draw(_ event: ExperimentEvent, _ state: inout State) {
        switch event {
        case .planned, .validated, .failed, .noted, .corpus, .found:
            guard let text = event.text, isUnreported(event, text, &state) else { break }
            clear(&state)
            printError(text)
        case .trained, .evaluated:
            guard ContinuousClock.now - state.lastDrawn > .milliseconds(100) else { return }
        default: break
        }
        let (columns, rows) = Terminal.messages
        let board = state.board.lines.isEmpty ? text(of: event) : text(of: state.board, rows: rows, columns: columns)
        guard !board.isEmpty else { return }
        let lines = board.map { String($0.prefix(columns - 1)) }
        clear(&state)
        printError(lines.joined(separator: "\n"))
        state.height = lines.count
        state.lastDrawn = .now
    }

    private func clear(_ state: inout State) {
        guard state.height > 0 else { return }
        Terminal.eraseLines(state.height)
        state.height = 0
    }

    /// The line of a work without runs, such as the files of a folder.
    private func text(of event: ExperimentEvent) -> [String] {
        guard case .evaluated(let name, _, _, let done, let total, let left) = event else { return [] }
        return ["\(name)  \(bar(Double(done) / Double(max(1, total))))  \(done)/\(total) files  ETA \(time(left))"]
    }

    private func bar(_ fraction: Double, cells: Int = 20) -> String {
        let filled = Int((fraction * Double(cells)).rounded(.down))
        return String(repeating: "█", count: filled) + String(repeating: "░", count: cells - filled)
    }

    /// A line for each run, or only for the active ones where there are more runs than rows, and one for the plan.
    private func text(of board: ProgressBoard, rows: Int, columns: Int) -> [String] {
        let active = board.lines.filter { $0.stage == .training || $0.stage == .evaluating || $0.stage == .failed }
        let shown = board.lines.count + 2 <= rows ? board.lines : Array(active.prefix(max(1, rows - 2)))
        // The longest stage, with loss, speed and ETA, takes about 60 columns.
        let cells = columns < 110 ? 10 : 20
        let width = min(max(12, columns - cells - 66), shown.map(\.name.count).max() ?? 0)
        let finished = board.lines.count { $0.stage == .done }
        let unmeasured = board.unmeasuredEvaluations
        let eta =
            (board.secondsLeft.map(time) ?? "unknown")
            + (unmeasured > 0 ? " and \(unmeasured) evaluations, of which none was measured yet" : "")
        return shown.map { line($0, width, cells) } + ["\(finished) of \(board.lines.count) runs done  ETA \(eta)"]
    }

    private func line(_ one: ProgressBoard.Line, _ width: Int, _ cells: Int) -> String {
        let stage =
            switch one.stage {
            case .waiting: "waiting"
            case .training:
                "step \(one.step)/\(one.steps)" + (one.loss.map { String(format: "  loss %.4g", $0) } ?? "")
                    + (one.secondsPerStep.map { String(format: "  %.2f steps/s", 1 / $0) } ?? "")
            case .evaluating:
                "evaluation \(min(one.evaluations + 1, one.allEvaluations))/\(one.allEvaluations)"
                    + (one.files.of > 0 ? "  file \(one.files.done)/\(one.files.of)" : "")
            case .done: "done"
            case .failed: "failed"
            }
        let left = one.secondsLeft.flatMap { $0 > 0 ? "  ETA \(time($0))" : nil } ?? ""
        return one.name.padding(toLength: max(width, 1), withPad: " ", startingAt: 0)
            + "  \(bar(one.fraction, cells: cells))  \(stage)\(left)"
    }

    private func time(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e7 else { return "unknown" }
        let whole = Int(seconds.rounded())
        return whole < 3600
            ? String(format: "%d:%02d", whole / 60, whole % 60)
            : String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    }
}
