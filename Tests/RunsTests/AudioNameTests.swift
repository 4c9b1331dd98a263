import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

/// Audio that an earlier version named, and its standard name.
@Suite struct AudioNameTests {
    private let scratch: TestFolder
    init() throws { scratch = try TestFolder() }

    private func draft(_ data: String) -> RunDraft {
        var draft = Sample.run("run-\(data)")
        draft.key = RunKey(identity: "id", seed: 0, dataFingerprint: data)
        return draft
    }

    private func evaluate(_ run: Run, _ identity: String, _ audio: String, in store: RunStore) throws {
        let set = try store.register(
            testSet: "test", fingerprint: audio, folder: "data", sampleRate: 16_000, files: Sample.files(2))
        _ = try store.register(
            EvaluationDraft(
                identity: identity, subject: .run(run.id, checkpoint: nil), testSet: set.set.id, point: .init(),
                provenance: Sample.provenance))
    }

    @Test func earlierNamesBecomeStandardOnesInRunsSetsAndEvaluationsAlone() throws {
        let store = try RunStore(at: scratch.store)
        defer { try? store.close() }
        let run = try store.register(draft("old-t"))
        try evaluate(run, "point|old-t|old-a|old-r", "old-a", in: store)
        try evaluate(run, "point|old-t|other", "other", in: store)
        try store.adoptStandardNames(ofAudio: ["old-t": "s:t", "old-a": "s:a", "old-r": "s:r", "unknown": "s:u"])
        #expect(try store.run(key: RunKey(identity: "id", seed: 0, dataFingerprint: "s:t"))?.shortID == run.shortID)
        #expect(try store.testSets().map(\.fingerprint) == ["s:a", "other"])
        #expect(try store.evaluations(of: run.id).map(\.identity).sorted() == ["point|s:t|other", "point|s:t|s:a|s:r"])
        #expect("s:t".audioDigits == "t" && "old".audioDigits == "old")
    }

    @Test func whereBothNamesAreThereNothingIsLost() throws {
        let store = try RunStore(at: scratch.store)
        defer { try? store.close() }
        let (old, new) = (try store.register(draft("old-t")), try store.register(draft("s:t")))
        try evaluate(old, "point|old-t|old-a", "old-a", in: store)
        try evaluate(new, "point|s:t|s:a", "s:a", in: store)
        try store.adoptStandardNames(ofAudio: ["old-t": "s:t", "old-a": "s:a"])
        #expect(try store.runs().count == 2 && store.testSets().map(\.fingerprint) == ["old-a", "s:a"])
        #expect(try store.evaluations(of: new.id).map(\.identity) == ["point|s:t|s:a"])
        #expect(try store.evaluations(of: old.id).count == 1)
    }
}
