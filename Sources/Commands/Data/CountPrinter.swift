import Foundation
import Synchronization

/// Shows on standard error how many of some things are done: in one line on a terminal, now and then a line elsewhere.
final class CountPrinter: Sendable {
    private struct State {
        var first: Int?
        var latest = 0
        var lastShown = ContinuousClock.now
        var isDrawn = false
    }

    private let noun: String
    private let count: Int
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    init(_ noun: String, of count: Int) { (self.noun, self.count) = (noun, count) }

    @Sendable func show(_ done: Int) {
        state.withLock { state in
            // Workers may report out of order.
            guard done >= state.latest else { return }
            state.latest = done
            if state.first == nil { state.first = done }
            let wait: Duration = Terminal.isInteractive ? .milliseconds(100) : .seconds(15)
            guard ContinuousClock.now - state.lastShown > wait else { return }
            state.lastShown = .now
            let made = done - (state.first ?? 0)
            let seconds = Double(count - done) * ((ContinuousClock.now - start) / .seconds(1)) / Double(max(1, made))
            let text = "  \(done) of \(count) \(noun), about \(Int(seconds.rounded(.up))) s left"
            if Terminal.isInteractive { Terminal.replaceLine(with: text) } else { printError(text) }
            state.isDrawn = Terminal.isInteractive
        }
    }

    func finish() {
        state.withLock { state in
            if state.isDrawn { Terminal.replaceLine(with: "") }
            state.isDrawn = false
        }
    }
}
