import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

@Suite struct ClaimTests {
    let scratch: TestFolder

    init() throws { scratch = try TestFolder() }

    @Test func oneOfManyStoresGetsAStep() throws {
        let first = try RunStore(at: scratch.store)
        let second = try RunStore(at: scratch.store)
        guard case .acquired(let claim) = try first.claim("train:a") else {
            Issue.record("the first store did not get the step")
            return
        }
        guard case .held(let owner) = try second.claim("train:a") else {
            Issue.record("two stores got one step")
            return
        }
        #expect(owner.process == .current && owner.isAlive)
        try first.release(claim)
        guard case .acquired(let taken) = try second.claim("train:a") else {
            Issue.record("a released step stayed held")
            return
        }
        try second.complete(taken, output: "weights.bin")
        #expect(try first.claim("train:a") == .done(output: "weights.bin"))
        #expect(try first.output(ofStep: "train:a") == "weights.bin")
        try first.forget(step: "train:a")
        guard case .acquired = try first.claim("train:a") else {
            Issue.record("a forgotten step cannot be claimed")
            return
        }
    }

    @Test func aStepOfADeadOwnerIsTakenOver() throws {
        let survivor = try RunStore(at: scratch.store)
        try withExtendedLifetime(try RunStore(at: scratch.store)) { doomed in
            _ = try doomed.claim("train:a")
            #expect(try survivor.claims().map(\.step) == ["train:a"])
        }
        guard case .acquired = try survivor.claim("train:a") else {
            Issue.record("the step of an owner that is gone stayed held")
            return
        }
    }

    @Test func noRunStaysRunningWithoutItsProcess() throws {
        let run = try withExtendedLifetime(try RunStore(at: scratch.store)) { doomed in
            let run = try doomed.register(Sample.run())
            try doomed.begin(run.id, provenance: Sample.provenance)
            #expect(try RunStore(at: scratch.store).run(named: run.shortID).status == .running)
            return run
        }
        let reader = try RunStore(at: scratch.store, access: .readOnly)
        #expect(try reader.run(named: run.shortID).status == .interrupted)
        let start = ContinuousClock.now
        let store = try RunStore(at: scratch.store)
        #expect(ContinuousClock.now - start < .seconds(1))
        let found = try store.run(named: run.shortID)
        #expect(found.status == .interrupted && found.owner == nil && found.ended != nil)
        #expect(try store.events(of: run.id).last?.kind == "interrupted")
        try store.begin(run.id, provenance: Sample.provenance)
    }

    @Test func aRunInProgressCannotBeBegunByAnother() throws {
        let first = try RunStore(at: scratch.store)
        let second = try RunStore(at: scratch.store)
        let run = try first.register(Sample.run())
        try first.begin(run.id, provenance: Sample.provenance)
        let error = #expect(throws: StoreError.self) {
            try second.begin(run.id, provenance: Sample.provenance)
        }
        #expect(error?.kind == .inUse)
    }

    @Test func closingGivesEverythingUp() throws {
        let first = try RunStore(at: scratch.store)
        let run = try first.register(Sample.run())
        try first.begin(run.id, provenance: Sample.provenance)
        _ = try first.claim("train:a")
        try first.close()
        let second = try RunStore(at: scratch.store)
        #expect(try second.claims().isEmpty)
        #expect(try second.run(named: run.shortID).status == .interrupted)
    }
}
