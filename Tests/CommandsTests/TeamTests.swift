import Foundation
import Runs
import Testing

/// Several processes that train one run together.
@Suite struct TeamTests {
    /// Four devices with two accumulated batches each, in seconds.
    private static let spec =
        tinySpec
        .replacingOccurrences(
            of: "batch_size: 1, max_steps: 6, num_eval_files: 1, validate_every: 3, validation_N: 2",
            with:
                "batch_size: 1, devices: 4, accumulate_grad_batches: 2, max_steps: 3, num_eval_files: 1, validate_every: 3, validation_N: 2"
        )
        .replacingOccurrences(of: "train: 4,", with: "train: 9,")
    /// A network with running statistics of batches.
    private static let complexSpec =
        spec
        .replacingOccurrences(
            of: "backbone: { name: ncsnpp_v2, nf: 8, ch_mult: [1, 1], num_res_blocks: 1, attn_resolutions: [] }",
            with: "backbone: { name: dcunet, dcunet_architecture: DCUNet-10, dcunet_norm_type: bN, embed_dim: 8 }"
        )
        .replacingOccurrences(of: "sde: sbve\nobjective: { loss_type: data_prediction }", with: "sde: ouve")
        .replacingOccurrences(of: "num_frames: 16", with: "num_frames: 17")
        .replacingOccurrences(of: "n_fft: 126", with: "n_fft: 512").replacingOccurrences(
            of: "hop_length: 63", with: "hop_length: 256")

    private func checkpoint(_ spec: String, _ arguments: [String], environment: [String: String] = [:]) throws -> (
        Data?, [StepRecord]
    ) {
        let scratch = try Scratch()
        let program = try Program(
            ["run", try scratch.spec(spec), "--no-table", "--threads", "2"] + arguments, in: scratch.folder,
            environment: environment)
        let end = program.wait()
        #expect(end.code == 0, "\(end.error)")
        let store = try RunStore(at: scratch.store, access: .readOnly)
        return (
            scratch.files("step-3.safetensors").first.flatMap(scratch.data),
            try store.steps(of: try #require(try store.runs().first).id)
        )
    }

    /// 4 devices on 1, 2, 3 and 4 processes: gradients are summed in the order of the batches, whoever made them.
    @Test(arguments: [spec, complexSpec])
    func aRunsBitsDoNotDependOnTheNumberOfProcesses(spec: String) throws {
        let (alone, steps) = try checkpoint(spec, [])
        #expect(alone != nil && steps.count == 3)
        for processes in [2, 3, 4] {
            let (together, same) = try checkpoint(spec, ["--processes", "\(processes)"])
            #expect(together == alone, "\(processes) processes")
            #expect(same.map(\.loss) == steps.map(\.loss) && same.map(\.gradientNorm) == steps.map(\.gradientNorm))
        }
    }

    /// Processes that a launcher starts find each other by its variables; rank 0 alone writes the store.
    @Test func processesOfALauncherTrainTogether() throws {
        let (alone, _) = try checkpoint(Self.spec, [])
        let scratch = try Scratch()
        let spec = try scratch.spec(Self.spec)
        let port = "\(20000 + Int(getpid()) % 20000)"
        let all = try (0..<2).map { rank in
            try Program(
                ["run", spec, "--no-table", "--threads", "1"], in: scratch.folder,
                environment: [
                    "RANK": "\(rank)", "WORLD_SIZE": "2", "LOCAL_RANK": "\(rank)", "MASTER_ADDR": "127.0.0.1",
                    "MASTER_PORT": port,
                ])
        }
        let ends = all.map { $0.wait() }
        #expect(ends.allSatisfy { $0.code == 0 }, "\(ends.map(\.error))")
        #expect(scratch.files("step-3.safetensors").first.flatMap(scratch.data) == alone)
    }

    private func stopped(by number: Int32, within limit: Double) throws {
        let scratch = try Scratch()
        let spec = try scratch.spec(
            Self.spec.replacingOccurrences(of: "max_steps: 3", with: "max_steps: 100000").replacingOccurrences(
                of: "validate_every: 3", with: "validate_every: 100000"))
        let program = try Program(
            ["run", spec, "--no-table", "--threads", "2", "--processes", "2"], in: scratch.folder)
        #expect(program.waitUntil { program.messages.contains("training steps") })
        usleep(500_000)
        let parent = program.process.processIdentifier
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(parent)/task")
        let child = tasks.compactMap {
            try? String(contentsOfFile: "/proc/\(parent)/task/\($0)/children", encoding: .utf8)
        }
        .joined(separator: " ").split(separator: " ").compactMap { Int32($0) }.first
        kill(try #require(child), number)
        let start = ContinuousClock.now
        let end = program.wait()
        #expect(ContinuousClock.now - start < .seconds(limit))
        #expect(end.code == 1 && end.error.contains("rank 1 (process \(child ?? 0) on "), "\(end.error)")
        // What was reached is kept, and goes on with another number of processes.
        let store = try RunStore(at: scratch.store)
        let run = try #require(try store.runs().first)
        let last = try #require(try store.checkpoint(of: run.id, kind: .last))
        let steps = try store.steps(of: run.id).count
        #expect(run.status == .interrupted && last.step == steps)
        try store.close()
    }

    @Test func aProcessThatIsKilledEndsTheStepAndIsNamed() throws { try stopped(by: SIGKILL, within: 10) }

    /// Takes half a minute, so that only the soak does it.
    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["SGMSE_SOAK"] != nil, "a process that hangs is given up after 30 s")
    )
    func aProcessThatHangsIsGivenUpAndNamed() throws { try stopped(by: SIGSTOP, within: 60) }

    @Test func moreProcessesThanBatchesAreRefused() throws {
        let scratch = try Scratch()
        let end = try Program.run("run", scratch.spec(tinySpec), "--processes", "2", in: scratch.folder)
        #expect(
            end.code == 1 && end.error.contains("2 processes share 1 batches in a step of 'tiny'; raise train.devices"),
            "\(end.error)")
    }
}
