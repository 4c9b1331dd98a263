import Foundation
import Glibc
import Runs
import TestFolders
import Testing

/// Signals that ask a command to end: its state is saved, and it exits 130.
@Suite struct InterruptTests {
    /// A training of about a minute, in steps of some milliseconds.
    private static let long = tinySpec.replacingOccurrences(of: "max_steps: 6", with: "max_steps: 20000")
        .replacingOccurrences(of: "validate_every: 3", with: "validate_every: 20000")

    private func send(_ signal: Int32, to program: Program) { Glibc.kill(program.process.processIdentifier, signal) }

    private func steps(in scratch: TestFolder) -> Int {
        guard let store = try? RunStore(at: scratch.store, access: .readOnly), let run = try? store.runs().first else {
            return 0
        }
        return (try? store.steps(of: run.id).count) ?? 0
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU])
    func aTrainingSavesItsStateAndExits130(signal: Int32) throws {
        let scratch = try TestFolder()
        let program = try Program(["run", scratch.spec(Self.long), "--no-table", "--threads", "1"], in: scratch.path)
        #expect(program.waitUntil { steps(in: scratch) > 0 })
        let start = ContinuousClock.now
        send(signal, to: program)
        // What a scheduler repeats every second ends nothing early.
        if signal == SIGXCPU { for _ in 0..<3 { send(signal, to: program) } }
        let end = program.wait()
        #expect(end.code == 130 && !end.isSignal && ContinuousClock.now - start < .seconds(2), "\(end)")
        let store = try RunStore(at: scratch.store, access: .readOnly)
        let run = try #require(try store.runs().first)
        #expect(run.status == .interrupted)
        let last = try #require(try store.checkpoint(of: run.id, kind: .last))
        #expect(last.step == (try store.steps(of: run.id).count), "the checkpoint is that of the last step")
    }

    /// In a crash, the Swift runtime stops the other threads by signals of its own, which ask for no end.
    @Test func aCrashIsNoInterruption() throws {
        let scratch = try TestFolder()
        let program = try Program(
            ["run", scratch.spec(Self.long), "--no-table", "--threads", "1"], in: scratch.path,
            environment: ["SWIFT_BACKTRACE": "enable=yes,symbolicate=off,threads=crashed,images=none"])
        #expect(program.waitUntil { steps(in: scratch) > 0 })
        // The first one is taken for a fault of the program, the second ends it.
        for _ in 0..<60 where program.process.isRunning {
            send(SIGSEGV, to: program)
            usleep(500_000)
        }
        let end = program.wait()
        #expect(end.isSignal && end.code == SIGSEGV, "\(end)")
    }

    @Test func processesSideBySideSaveTheirStates() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(Self.long + "sweep: { grid: { train.lr: [1.0e-3, 2.0e-3] } }\n")
        let program = try Program(["run", spec, "--no-table", "--jobs", "2"], in: scratch.path)
        #expect(program.waitUntil { steps(in: scratch) > 0 })
        send(SIGHUP, to: program)
        let end = program.wait()
        #expect(end.code == 130 && !end.isSignal, "\(end)")
        let store = try RunStore(at: scratch.store, access: .readOnly)
        for run in try store.runs() { #expect([.interrupted, .planned].contains(run.status)) }
    }

    /// A worker whose parent is killed saves its state, and ends quietly.
    @Test func workersEndWithTheirParent() throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(Self.long + "sweep: { grid: { train.lr: [1.0e-3, 2.0e-3] } }\n")
        let program = try Program(["run", spec, "--no-table", "--jobs", "2"], in: scratch.path)
        #expect(program.waitUntil { steps(in: scratch) > 0 })
        let workers = children(of: program.process.processIdentifier)
        #expect(workers.count == 2)
        #expect(program.kill())
        let start = ContinuousClock.now
        while workers.contains(where: { Glibc.kill($0, 0) == 0 && !isZombie($0) }),
            ContinuousClock.now - start < .seconds(10)
        { usleep(10_000) }
        #expect(ContinuousClock.now - start < .seconds(4))
        let store = try RunStore(at: scratch.store)
        for run in try store.runs() {
            #expect([.interrupted, .planned].contains(run.status) && run.reason?.contains("ended") != true, "\(run)")
            guard let last = try store.checkpoint(of: run.id, kind: .last) else { continue }
            #expect(last.step == (try store.steps(of: run.id).count))
        }
    }

    private func children(of parent: Int32) -> [Int32] {
        let text = (try? String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)) ?? ""
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(parent)/task")) ?? []
        let all =
            tasks.compactMap { try? String(contentsOfFile: "/proc/\(parent)/task/\($0)/children", encoding: .utf8) }
            .joined() + text
        return Array(Set(all.split(separator: " ").compactMap { Int32($0) }))
    }

    private func isZombie(_ process: Int32) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ") Z"
        return text.contains(") Z")
    }

    @Test func aHangUpThatIsIgnoredStaysIgnored() throws {
        let scratch = try TestFolder()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = [
            "-c",
            "trap '' HUP; '\(Program.path)' registry | (sleep 1; cat > /dev/null) & sleep 0.1; kill -HUP %1; wait %1",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    /// Making a corpus ends soon, and leaves nothing half made.
    @Test(arguments: [["check"], ["run"], ["run", "--jobs", "2"]])
    func aCorpusThatIsBeingMadeIsGivenUp(command: [String]) throws {
        let scratch = try TestFolder()
        let spec = try scratch.spec(tinySpec.replacingOccurrences(of: "train: 4,", with: "train: 20000,"))
        let program = try Program([command[0], spec] + command.dropFirst(), in: scratch.path)
        #expect(program.waitUntil { !scratch.files(".wav").isEmpty })
        let start = ContinuousClock.now
        send(SIGTERM, to: program)
        let end = program.wait()
        #expect(end.code == 130 && ContinuousClock.now - start < .seconds(2.5), "\(end)")
        #expect(scratch.files(".wav").isEmpty)
    }

    @Test(arguments: [
        ["bench", "forward", "--repetitions", "1000"], ["bench", "store", "--runs", "100000"],
        ["bench", "metrics", "--pairs", "1000"],
    ])
    func whatHasNothingToSaveEndsAtOnce(command: [String]) throws {
        let scratch = try TestFolder()
        let program = try Program(command, in: scratch.path, environment: ["TMPDIR": scratch.path])
        usleep(500_000)
        let start = ContinuousClock.now
        send(SIGTERM, to: program)
        let end = program.wait()
        #expect(end.code == 130 && !end.isSignal && ContinuousClock.now - start < .seconds(2), "\(end)")
        if command[1] == "store" { #expect(scratch.files("store.sqlite").isEmpty) }
    }

    /// A validation that is interrupted is made by the next command: what a run holds does not depend on interruptions.
    @Test func anInterruptedValidationIsMadeLater() throws {
        let spec = tinySpec.replacingOccurrences(of: "valid: 1", with: "valid: 2")
            .replacingOccurrences(
                of: "max_steps: 6, num_eval_files: 1, validate_every: 3, validation_N: 2",
                with: "max_steps: 4, num_eval_files: 2, validate_every: 2, validation_N: 30")
        let (whole, broken) = (try TestFolder(), try TestFolder())
        let first = try Program(["run", broken.spec(spec), "--no-table", "--threads", "1"], in: broken.path)
        #expect(first.waitUntil { first.messages.contains("training steps") })
        usleep(300_000)
        send(SIGUSR1, to: first)
        #expect(first.wait().code == 130)
        let interrupted = try RunStore(at: broken.store, access: .readOnly)
        let run = try #require(try interrupted.runs().first)
        #expect(
            try interrupted.steps(of: run.id).count == 2 && interrupted.validations(of: run.id).isEmpty,
            "inside the first validation")
        for scratch in [whole, broken] {
            #expect(try Program.run("run", scratch.spec(spec), "--no-table", in: scratch.path).code == 0)
        }
        let results = try [whole, broken].map { scratch -> ([String], Data?) in
            let store = try RunStore(at: scratch.store, access: .readOnly)
            let rows = try store.validations(of: try #require(try store.runs().first).id)
            return (
                rows.map { "\($0.step) \($0.metric) \($0.value ?? .nan)" },
                scratch.files("step-4.safetensors").first.flatMap(scratch.data)
            )
        }
        #expect(results[0].0 == results[1].0 && results[0].1 == results[1].1)
    }
}
