import Foundation
public import Parallelism
public import Progress
import Synchronization

/// Several processes of one command side by side, which share its work through the claims of the store.
///
/// A worker writes its events to standard output, a line each, and stops when its standard input ends: when its parent
/// closes it, and also when its parent has ended. A worker that a signal killed is started again, while the others take
/// over its step.
public final class WorkerPool: Sendable {
    private let executable: String
    private let arguments: @Sendable (_ threads: Int) -> [String]
    private let jobs: Int
    private let threads: Int
    private let interruption: Interruption
    private let observe: @Sendable (ExperimentEvent) -> Void
    private let report: @Sendable (String) -> Void

    /// How often one worker is started again.
    private static let restarts = 2

    /// - Parameters:
    ///   - arguments: The command-line arguments of a worker, given its number of threads.
    ///   - threads: Shared out among the workers; each gets at least one.
    ///   - observe: Called with the events of all workers, on their threads.
    ///   - report: Called with every line that a worker writes to standard error.
    public init(
        executable: String, jobs: Int, threads: Int, interruption: Interruption,
        arguments: @escaping @Sendable (_ threads: Int) -> [String],
        observe: @escaping @Sendable (ExperimentEvent) -> Void, report: @escaping @Sendable (String) -> Void
    ) {
        precondition(jobs > 0, "\(jobs) workers")
        (self.executable, self.jobs, self.threads) = (executable, jobs, threads)
        (self.arguments, self.interruption) = (arguments, interruption)
        (self.observe, self.report) = (observe, report)
    }

    /// How many threads worker `index` gets.
    static func share(of threads: Int, worker index: Int, jobs: Int) -> Int {
        max(1, threads / jobs + (index < threads % jobs ? 1 : 0))
    }

    /// Runs all workers to their ends.
    ///
    /// - Returns: The exit code of each; 128 plus the signal's number for one that a signal killed at every start.
    public func run() -> [Int32] {
        let codes = Mutex([Int32](repeating: 0, count: jobs))
        let group = DispatchGroup()
        for index in 0..<jobs {
            group.enter()
            Thread.detachNewThread {
                let code = self.work(index)
                codes.withLock { $0[index] = code }
                group.leave()
            }
        }
        group.wait()
        return codes.withLock { $0 }
    }

    private func work(_ index: Int) -> Int32 {
        let arguments = arguments(Self.share(of: threads, worker: index, jobs: jobs))
        for attempt in 0... {
            switch once(arguments) {
            case .failure(let error):
                report("worker \(index + 1) cannot be started: \(error.localizedDescription)")
                return 4
            case .success(.exit(let code)): return code
            case .success(.signal(let number)):
                guard attempt < Self.restarts, !interruption.isRequested else { return 128 + number }
                report("worker \(index + 1) was ended by signal \(number); it is started anew")
            }
        }
        return 4
    }

    private enum End {
        case exit(Int32)
        case signal(Int32)
    }

    private func once(_ arguments: [String]) -> Result<End, any Error> {
        let process = Process()
        let (input, events, messages) = (Pipe(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = events
        process.standardError = messages
        // No other worker may inherit these pipes: this one would not see the end of its input.
        for end in [input.fileHandleForWriting, events.fileHandleForReading, messages.fileHandleForReading] {
            _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        do { try process.run() } catch { return .failure(error) }
        let readers = DispatchGroup()
        readers.enter()
        Thread.detachNewThread { [observe] in
            Self.lines(of: events.fileHandleForReading) { line in
                if let event = ExperimentEvent(line: line) { observe(event) }
            }
            readers.leave()
        }
        readers.enter()
        Thread.detachNewThread { [report] in
            Self.lines(of: messages.fileHandleForReading, report)
            readers.leave()
        }
        while process.isRunning {
            if interruption.isRequested { try? input.fileHandleForWriting.close() }
            Thread.sleep(forTimeInterval: 0.05)
        }
        process.waitUntilExit()
        readers.wait()
        try? input.fileHandleForWriting.close()
        let status = process.terminationStatus
        return .success(process.terminationReason == .uncaughtSignal ? .signal(status) : .exit(status))
    }

    /// Hands over each line until the file ends.
    private static func lines(of file: FileHandle, _ body: (String) -> Void) {
        var rest = Data()
        while true {
            let data = file.availableData
            rest += data
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                body(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                rest = Data(rest[rest.index(after: end)...])
            }
            guard !data.isEmpty else {
                if !rest.isEmpty { body(String(decoding: rest, as: UTF8.self)) }
                return
            }
        }
    }
}
