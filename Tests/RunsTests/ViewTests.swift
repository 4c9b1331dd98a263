import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

/// Programs of others read the store through these views; their columns stay as they are.
@Suite struct ViewTests {
    let scratch: TestFolder
    let store: RunStore

    init() throws {
        scratch = try TestFolder()
        store = try RunStore(at: scratch.store)
    }

    @Test(arguments: [
        (
            "v_run",
            """
            run_id name seed status reason origin identity data_fingerprint created started ended git_commit dirty \
            version machine threads command_line spec_file last_step tags notes
            """
        ),
        ("v_setting", "run_id name path position value"),
        ("v_step", "run_id name step loss gradient_norm learning_rate seconds terms"),
        (
            "v_evaluation",
            """
            evaluation_id run_id system anchor seed checkpoint checkpoint_step test_set set_fingerprint N sampler \
            predictor corrector corrector_steps corrector_snr guidance reference weights noise_seed other status \
            reason started ended git_commit
            """
        ),
        (
            "v_score",
            """
            evaluation_id run_id system anchor seed checkpoint checkpoint_step test_set set_fingerprint N guidance \
            reference weights noise_seed metric signature unit higher_is_better file speaker noise snr file_seconds \
            value reason nfe real_time_factor output
            """
        ),
        ("v_reported", "paper system test_set metric conditions value std mark source"),
    ])
    func theColumnsOfAViewStayAsTheyAre(view: String, columns: String) throws {
        let found = try store.query("SELECT name FROM pragma_table_info('\(view)') ORDER BY cid").map { $0[0] ?? "" }
        #expect(found.joined(separator: " ") == columns)
    }

    @Test func theViewsShowWhatTheStoreHolds() throws {
        let run = try store.register(Sample.run("a", resolved: #"{"train":{"lr":1e-3},"evaluate":{"N":[30,50]}}"#))
        try store.add(tag: "x", to: run.id)
        let set = try Sample.set(files: 2, in: store)
        let metric = try Sample.siSDR(in: store)
        try Sample.evaluation(of: .anchor("noisy"), on: set, metric, [1, 2], in: store)
        try Sample.evaluation(
            of: .run(run.id, checkpoint: nil), on: set, at: EvaluationPoint(steps: 30, snr: 0.5), metric, [3, nil],
            in: store)
        #expect(
            try store.query("SELECT name, seed, git_commit, spec_file, tags FROM v_run") == [
                ["a", "0", "0123abc", "a.yaml", "x"]
            ])
        #expect(
            try store.query("SELECT path, position, value FROM v_setting ORDER BY path, position")
                == [["evaluate.N", "0", "30"], ["evaluate.N", "1", "50"], ["train.lr", "0", "0.001"]])
        #expect(
            try store.query("SELECT system, N, corrector_snr, status FROM v_evaluation ORDER BY evaluation_id")
                == [["noisy", nil, nil, "finished"], ["a", "30", "0.5", "finished"]])
        #expect(
            try store.query(
                "SELECT system, file, speaker, metric, value, reason FROM v_score WHERE N = 30 ORDER BY file")
                == [
                    ["a", "f0.wav", "s0", "si_sdr", "3.0", nil],
                    ["a", "f1.wav", "s1", "si_sdr", nil, "silent clean file"],
                ])
        #expect(try store.query("SELECT created FROM v_run")[0][0]?.hasSuffix("Z") == true)
    }
}
