import Foundation
import Launchers
import Synchronization
import TestFolders
import Testing

@Suite struct UnitQueueTests {
    let scratch: TestFolder

    init() throws { scratch = try TestFolder() }

    private func queue(_ count: Int, mover: FileMover = .system) throws -> UnitQueue {
        let queue = UnitQueue(at: scratch.path, mover: mover)
        try queue.add((0..<count).map { (String(format: "u%05d", $0), Data("content \($0)".utf8)) })
        return queue
    }

    private func units(_ queue: UnitQueue, _ state: UnitQueue.State) throws -> [String] {
        try queue.entries([state]).map(\.unit)
    }

    @Test func aUnitGoesFromTaskToTaskUntilItIsDone() throws {
        let queue = try queue(2)
        var first = UnitWorker(queue, task: "7_0-0")
        let held = try #require(try first.next())
        #expect(held.unit == "u00000" && held.content == Data("content 0".utf8))
        #expect(try queue.entries([.running]) == [.init(unit: "u00000", state: .running, task: "7_0-0")])
        try queue.giveBack(held)
        var second = UnitWorker(queue, task: "7_1-0")
        let again = try #require(try second.next())
        #expect(again.unit == "u00000")
        try queue.complete(again)
        try queue.fail(try #require(try second.next()), reason: "no audio")
        #expect(try second.next() == nil)
        #expect(try units(queue, .done) == ["u00000"] && units(queue, .failed) == ["u00001"])
        #expect(queue.failure(of: "u00001") == "no audio")
        #expect(queue.attempts(of: "u00000").map(\.end) == [.givenBack(task: "7_0-0")])
    }

    /// The server renames, and the reply is lost: asked again, it says that there is no such file.
    @Test func aLostReplyLosesNoUnit() throws {
        let calls = Mutex(0)
        let queue = try queue(
            20,
            mover: FileMover { from, to in
                let done = unsafe rename(from, to) == 0
                return calls.withLock {
                    $0 += 1
                    return $0 % 3 == 0
                } || !done ? ENOENT : 0
            })
        var (a, b) = (UnitWorker(queue, task: "1_0-0"), UnitWorker(queue, task: "1_1-0"))
        var taken: [String] = []
        var turn = 0
        while let held = try turn % 2 == 0 ? a.next() : b.next() {
            taken.append(held.unit)
            try queue.complete(held)
            turn += 1
        }
        #expect(taken.count == 20 && Set(taken).count == 20)
        #expect(try units(queue, .done).count == 20 && units(queue, .running).isEmpty)
    }

    @Test func aTaskThatIsStartedAgainTakesUpWhatItHeldAndItsEarlierLifeStops() throws {
        let queue = try queue(3)
        var earlier = UnitWorker(queue, task: "9_2-0")
        let lost = try #require(try earlier.next())
        #expect(queue.confirm(lost))
        var later = UnitWorker(queue, task: "9_2-1")
        let found = try #require(try later.next())
        #expect(found.unit == lost.unit && found.content == lost.content)
        #expect(!queue.confirm(lost) && queue.confirm(found))
        var other = UnitWorker(queue, task: "9_22-0")
        #expect(try other.next()?.unit == "u00001")
    }

    @Test func whatDeadTasksLeftIsGivenBackAndFailsWhenItKeepsEndingThem() throws {
        let queue = try queue(1)
        for turn in 0..<3 {
            var worker = UnitWorker(queue, task: "\(turn)_0-0")
            _ = try #require(try worker.next())
            #expect(try queue.reclaim(isAlive: { _ in true }, retries: { _ in 2 }, logTail: { _ in "" }) == ([], []))
            let outcome = try queue.reclaim(
                isAlive: { _ in false }, retries: { _ in 2 }, logTail: { "\($0): out of memory" })
            #expect(turn < 2 ? outcome == (["u00000"], []) : outcome == ([], ["u00000"]), "turn \(turn)")
        }
        #expect(
            queue.failure(of: "u00000")
                == "3 tasks ended while they were at it; the last one wrote:\n2_0-0: out of memory")
    }

    /// A task that loses a process says so itself; that counts like a death.
    @Test func aTaskThatLosesAProcessLeavesItsUnitForAnother() throws {
        let queue = try queue(1)
        let most = UnitQueue.attemptsAtLosses
        for turn in 1...most {
            var worker = UnitWorker(queue, task: "1_0-\(turn)")
            let held = try #require(try worker.next())
            try queue.recordLostProcess(held, retries: 0, reason: "rank 1 has ended")
            #expect(try queue.entries().map(\.state) == [turn < most ? .todo : .failed], "turn \(turn)")
        }
        #expect(
            queue.failure(of: "u00000")
                == "\(most) tasks ended while they were at it; the last one lost a process: rank 1 has ended")
    }

    @Test func addingAgainAddsOnlyWhatIsNotThereAndWhatFailedOrWasCollected() throws {
        let queue = try queue(4)
        var worker = UnitWorker(queue, task: "1_0-0")
        let held = try (0..<3).map { _ in try #require(try worker.next()) }
        try queue.complete(held[0])
        try queue.markCollected(held[0].unit)
        try queue.fail(held[1], reason: "no audio")
        let again = try queue.add((0..<5).map { (String(format: "u%05d", $0), Data("new".utf8)) })
        #expect(again == ["u00000", "u00001", "u00004"])
        #expect(try units(queue, .todo) == ["u00000", "u00001", "u00003", "u00004"])
        #expect(try units(queue, .running) == ["u00002"] && queue.failure(of: "u00001") == nil)
    }

    @Test func silenceIsMeasuredByTheClockOfTheFileSystem() throws {
        let queue = try queue(1)
        var worker = UnitWorker(queue, task: "1_0-0")
        let held = try #require(try worker.next())
        let entry = try #require(try queue.entries([.running]).first)
        #expect(try #require(queue.idleSeconds(of: entry)) < 5)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -1000)],
            ofItemAtPath: scratch.path + "/running/u00000.1_0-0")
        #expect(abs(try #require(queue.idleSeconds(of: entry)) - 1000) < 10)
        #expect(queue.confirm(held) && queue.idleSeconds(of: entry)! < 5)
    }

    /// Ten thousand units, planned by one process and done by fifty tasks at once: each once, in less than ten seconds
    /// of the processor, whatever else it does meanwhile.
    @Test func fiftyTasksTakeTenThousandUnitsOnce() throws {
        let spent = Mutex(0.0)
        let start = Self.processorSeconds()
        let done: [String]
        do {
            let queue = UnitQueue(at: scratch.path)
            let content = Data(repeating: UInt8(ascii: "x"), count: 6000)
            try queue.add((0..<10_000).map { (String(format: "u%05d", $0), content) })
            let taken = Mutex<[String]>([])
            let group = DispatchGroup()
            for index in 0..<50 {
                group.enter()
                Thread.detachNewThread {
                    var worker = UnitWorker(queue, task: "1_\(index)-0", place: Double(index) / 50)
                    var own: [String] = []
                    while let held = try? worker.next() {
                        own.append(held.unit)
                        try? queue.complete(held)
                    }
                    taken.withLock { [own] in $0 += own }
                    spent.withLock { $0 += Self.processorSeconds() }
                    group.leave()
                }
            }
            group.wait()
            done = taken.withLock(\.self)
        }
        #expect(done.count == 10_000 && Set(done).count == 10_000)
        let time = spent.withLock(\.self) + Self.processorSeconds() - start
        #expect(time < 10, "\(time)")
    }

    /// Of this thread.
    private static func processorSeconds() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
