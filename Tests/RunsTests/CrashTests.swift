import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// This test binary once more, as a process that writes to a store until it is killed or its disk is full.
///
/// It appends a line to `<store>.log` after each commit, so that what was promised is known.
private struct StoreChild {
    let process = Process()
    let log: String

    init(_ task: String, store: String, limit: Int = 0) throws {
        log = store + ".log"
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--testing-library", "swift-testing", "--filter", "StoreChildTests"]
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["SGMSE_STORE_CHILD": task, "SGMSE_STORE_PATH": store, "SGMSE_STORE_LIMIT": String(limit)]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// What the child has said so far.
    var lines: [String] {
        ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    func kill() {
        _ = Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

@Suite(.serialized) struct CrashTests {
    /// Twenty kills of a process that trains: nothing promised is lost, nothing doubled, nothing left running.
    @Test func aKilledWriterLosesNothingThatItCommitted() throws {
        let scratch = try TestFolder()
        var generator = SystemRandomNumberGenerator()
        for round in 0..<20 {
            let child = try StoreChild("train", store: scratch.store)
            let promised = child.lines.count
            let deadline = Date(timeIntervalSinceNow: 60)
            while child.lines.count == promised, Date() < deadline { usleep(1000) }
            usleep(UInt32.random(in: 0..<30_000, using: &generator))
            #expect(child.process.isRunning, "the child ended before it was killed in round \(round)")
            child.kill()
            let batches = child.lines.compactMap { Int($0) }
            #expect(batches.count > promised)
            let start = ContinuousClock.now
            let store = try RunStore(at: scratch.store)
            let run = try #require(try store.runs().first)
            #expect(run.status == .interrupted && ContinuousClock.now - start < .seconds(1))
            let steps = try store.steps(of: run.id).map(\.step)
            let last = try #require(batches.max())
            #expect(steps == Array(0..<steps.count), "a step is missing or doubled")
            #expect(steps.count % 10 == 0 && steps.count >= (last + 1) * 10)
            #expect(try store.claims().isEmpty || store.claims().allSatisfy { !$0.owner.isAlive })
            #expect(try store.integrityProblems().isEmpty)
        }
    }

    /// A limit on the size of files stands for a full disk at many points.
    @Test(arguments: [1000, 60_000, 120_000, 200_000, 250_000, 300_000, 400_000, 700_000])
    func aProcessThatMeetsAFullDiskSaysSoAndTheNextOneGoesOn(limit: Int) throws {
        let scratch = try TestFolder()
        let child = try StoreChild("fill", store: scratch.store, limit: limit)
        child.process.waitUntilExit()
        #expect(child.lines.last == "full", "\(child.lines.suffix(3))")
        let batches = child.lines.compactMap { Int($0) }
        let store = try RunStore(at: scratch.store)
        if let last = batches.max() {
            let run = try #require(try store.runs().first)
            let steps = try store.steps(of: run.id).map(\.step)
            #expect(steps == Array(0..<steps.count) && steps.count >= (last + 1) * 10)
            try store.begin(run.id, provenance: Sample.provenance)
        }
        _ = try store.register(Sample.run("next"))
        #expect(try store.integrityProblems().isEmpty)
    }
}

/// Does nothing unless a test above has started it.
@Suite struct StoreChildTests {
    private static let task = ProcessInfo.processInfo.environment["SGMSE_STORE_CHILD"]

    @Test(.enabled(if: task != nil))
    func child() throws {
        let environment = ProcessInfo.processInfo.environment
        let path = try #require(environment["SGMSE_STORE_PATH"])
        let log = unsafe open(path + ".log", O_WRONLY | O_CREAT | O_APPEND, 0o644)
        func say(_ line: String) { _ = unsafe (line + "\n").withCString { unsafe write(log, $0, strlen($0)) } }
        if Self.task == "fill" {
            signal(SIGXFSZ, SIG_IGN)
            let bytes = rlim_t(environment["SGMSE_STORE_LIMIT"].flatMap { Int($0) } ?? 0)
            var limit = rlimit(rlim_cur: bytes, rlim_max: bytes)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        }
        do {
            try Self.train(path, say)
        } catch let error as StoreError {
            // The log itself may lie beyond the limit; a pipe of the parent would not.
            say(error.kind.rawValue)
        }
        exit(0)
    }

    /// Appends batches of ten steps to the one run, for ever.
    private static func train(_ path: String, _ say: (String) -> Void) throws {
        let store = try RunStore(at: path)
        let run = try store.register(Sample.run())
        _ = try store.claim("train:\(run.shortID)")
        try store.begin(run.id, provenance: Sample.provenance)
        var batch = (try store.lastStep(of: run.id)?.step ?? -1) / 10
        if try store.lastStep(of: run.id) != nil { batch += 1 }
        while true {
            let steps = (0..<10).map {
                StepRecord(
                    step: batch * 10 + $0, loss: 1, terms: ["mse": 0.5], gradientNorm: 1, learningRate: 1, seconds: 1)
            }
            try store.record(TrainingBatch(steps: steps), of: run.id)
            say(String(batch))
            batch += 1
        }
    }
}
