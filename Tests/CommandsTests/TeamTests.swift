import Foundation
import Runs
import StoreSamples
import TestFolders
import Testing

/// Several processes that train one run together.
@Suite struct TeamTests {
    /// Four devices with two accumulated batches each, in seconds.
    private static let spec =
        tinySpec
        .replacingOccurrences(
            of: "batch_size: 1, max_steps: 6, num_eval_files: 1, validate_every: 3, validation_N: 2",
            with:
                """
                batch_size: 1, devices: 4, accumulate_grad_batches: 2, max_steps: 3, num_eval_files: 1, \
                validate_every: 3, validation_N: 2
                """
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

    /// A network whose passes in training normalise the weights.
    private static let magnitudeSpec =
        spec
        .replacingOccurrences(
            of: "backbone: { name: ncsnpp_v2, nf: 8, ch_mult: [1, 1], num_res_blocks: 1, attn_resolutions: [] }",
            with: """
                backbone: { name: edm2, model_channels: 8, channel_mult: [1, 2], num_blocks: 1, attn_resolutions: [], \
                channels_per_head: 8, logvar_channels: 8 }
                """
        )
        .replacingOccurrences(
            of: "sde: sbve\nobjective: { loss_type: data_prediction }",
            with: "sde: sbve_edm2\nobjective: { loss_type: uncertainty }")

    private func checkpoint(_ spec: String, _ arguments: [String], environment: [String: String] = [:]) throws -> (
        Data?, [StepRecord]
    ) {
        let scratch = try TestFolder()
        let program = try Program(
            ["run", try scratch.spec(spec), "--no-table", "--threads", "2"] + arguments, in: scratch.path,
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
    @Test(arguments: [spec, complexSpec, magnitudeSpec])
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
        let scratch = try TestFolder()
        let spec = try scratch.spec(Self.spec)
        let port = "\(20000 + Int(getpid()) % 20000)"
        let all = try (0..<2).map { rank in
            try Program(
                ["run", spec, "--no-table", "--threads", "1"], in: scratch.path,
                environment: [
                    "RANK": "\(rank)", "WORLD_SIZE": "2", "LOCAL_RANK": "\(rank)", "MASTER_ADDR": "127.0.0.1",
                    "MASTER_PORT": port,
                ])
        }
        let ends = all.map { $0.wait() }
        #expect(ends.allSatisfy { $0.code == 0 }, "\(ends.map(\.error))")
        #expect(scratch.files("step-3.safetensors").first.flatMap(scratch.data) == alone)
    }

    /// The same step by two processes, timed, with the share of its exchanges.
    @Test func aStepOfSeveralProcessesIsTimed() throws {
        let command = ["bench", "train", "--size", "quickstart", "--frames", "16", "--repetitions", "1", "--json"]
        let end = try Program(command + ["--processes", "2"]).wait()
        let one = try #require(try JSONSerialization.jsonObject(with: Data(end.out.utf8)) as? [String: Any], "\(end)")
        let figures = ["median_s", "in_calls_share", "exchange_s", "exchange_share"].map { one[$0] as? Double ?? -1 }
        #expect((0...1).contains(one["hidden_share"] as? Double ?? -1) && one["waited_share"] as? Double ?? -1 > 0)
        #expect(one["processes"] as? Double == 2 && figures.allSatisfy { $0 > 0 } && figures[1] < 1, "\(end.out)")
        #expect((one["work"] as? String)?.hasSuffix("of 2 batches") == true)
        let none = try Program(command + ["--processes", "2", "--batches", "1"]).wait()
        #expect(none.code == 2 && none.error.contains("2 processes need one each"), "\(none.error)")
    }

    // MARK: Evaluations

    private static let scoringSpec =
        spec.replacingOccurrences(of: "test: 2, test_ood: 2", with: "test: 7, test_ood: 4")
        .replacingOccurrences(of: "anchors: [noisy]", with: "anchors: [noisy, wiener]")
        .replacingOccurrences(of: "metrics: [si_sdr]", with: "metrics: [si_sdr, estoi, pesq]")

    private func audio(_ scratch: TestFolder) -> [String: Data] {
        let names = scratch.files(".wav").filter { $0.contains("/audio/") || $0.contains("anchors/") }
        let pairs = names.map { name in
            (name.replacing(/^[^\/]*-[a-z0-9]{8}\//, with: ""), scratch.data(name) ?? Data())
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    /// The files of each evaluation that the processes scored, by rank.
    private func shares(_ scratch: TestFolder) throws -> [[Int]] {
        let store = try RunStore(at: scratch.store, access: .readOnly)
        let events = try store.events(of: try #require(try store.runs().first).id)
        return events.compactMap { $0.message.firstMatch(of: /files by rank: ([\d, ]+)/) }.map { match in
            match.1.split(separator: ", ").compactMap { Int($0) }
        }
    }

    /// Files of evaluations of the run that the store has results of.
    private func scored(_ scratch: TestFolder) -> Int {
        guard let store = try? RunStore(at: scratch.store, access: .readOnly) else { return 0 }
        defer { try? store.close() }
        let evaluations = (try? store.runs().first.map { try store.evaluations(of: $0.id) }) ?? []
        return evaluations.reduce(0) { $0 + ((try? store.results(of: $1.id).count) ?? 0) }
    }

    /// Scores and audio are those of one process, to the last digit, files in batches or not; every process scored some
    /// of the files.
    @Test(arguments: ["all", "examples"])
    func processesShareTheFilesOfAnEvaluation(keep: String) throws {
        let (alone, together) = (try TestFolder(), try TestFolder())
        let text = Self.scoringSpec.replacingOccurrences(of: "keep_audio: all", with: "keep_audio: \(keep)")
        let batches = keep == "all" ? [] : ["--batch-files", "2"]
        for (scratch, options) in [(alone, []), (together, ["--processes", "3"] + batches)] {
            let command = ["run", try scratch.spec(text), "--no-table", "--threads", "3"] + options
            let end = try Program(command, in: scratch.path).wait()
            #expect(end.code == 0, "\(end.error)")
        }
        #expect(try ResultText(of: together.store).text == ResultText(of: alone.store).text)
        let (kept, expected) = (audio(together), audio(alone))
        #expect(kept == expected && expected.count == (keep == "all" ? 22 + 11 : 16 + 8), "\(expected.count)")
        #expect(try shares(alone).isEmpty)
        #expect(
            try shares(together).map { $0.sorted() }.sorted { $0[0] < $1[0] } == [
                [1, 1, 2], [1, 1, 2], [2, 2, 3], [2, 2, 3],
            ])
    }

    /// What was scored before a process was lost is kept, and the others are scored by whoever goes on.
    @Test func aProcessLostDuringAnEvaluationLosesNothing() throws {
        let (alone, together) = (try TestFolder(), try TestFolder())
        let text = Self.scoringSpec.replacingOccurrences(of: "N: [2, 3]", with: "N: [60]")
        #expect(try Program.run("run", alone.spec(text), "--no-table", in: alone.path).code == 0)
        let spec = try together.spec(text)
        let program = try Program(
            ["run", spec, "--no-table", "--threads", "2", "--processes", "2"], in: together.path)
        #expect(program.waitUntil { scored(together) > 0 })
        let follower = try #require(LongTraining.children(of: program.process.processIdentifier).first)
        kill(follower, SIGKILL)
        let end = program.wait()
        #expect(end.code == 1 && end.error.contains("rank 1 (process \(follower) on "), "\(end.error)")
        #expect((1..<11).contains(scored(together)))
        let rest = try Program.run("run", spec, "--no-table", in: together.path)
        #expect(rest.code == 0, "\(rest.error)")
        #expect(try ResultText(of: together.store).text == ResultText(of: alone.store).text)
        #expect(audio(together) == audio(alone))
    }

    // MARK: Processes that are lost

    private static let mpiPlugin =
        URL(fileURLWithPath: Program.path).deletingLastPathComponent().path + "/../../plugins/libsgmse-mpi.so"
    private static let hasMPI =
        FileManager.default.isExecutableFile(atPath: "/usr/bin/mpirun")
        && FileManager.default.fileExists(atPath: mpiPlugin)

    /// A training without end by several processes.
    private struct LongTraining {
        let scratch: TestFolder
        let program: Program
        /// The processes, by rank.
        let ranks: [Int32]

        /// - Parameter transport: That of MPI; without one, the program's own TCP.
        init(_ count: Int, patience: Double = 30, transport: String? = nil) throws {
            scratch = try TestFolder()
            let spec = try scratch.spec(
                TeamTests.spec.replacingOccurrences(of: "max_steps: 3", with: "max_steps: 100000").replacingOccurrences(
                    of: "validate_every: 3", with: "validate_every: 100000"))
            var environment = ["SGMSE_PATIENCE": "\(patience)"]
            var command = ["run", spec, "--no-table", "--threads", "1"]
            if let transport {
                environment["OMPI_MCA_btl"] = transport
                command =
                    ["--allow-run-as-root", "--oversubscribe", "-np", "\(count)", Program.path] + command
                    + ["--collective", "mpi"]
            } else {
                command += ["--processes", "\(count)"]
            }
            let started = try Program(
                command, in: scratch.path, environment: environment,
                program: transport == nil ? Program.path : "/usr/bin/mpirun")
            program = started
            #expect(program.waitUntil { started.messages.contains("training steps") }, "\(program.messages)")
            let first = program.process.processIdentifier
            let all = [first] + Self.children(of: first)
            let names = transport == nil ? ["RANK="] : ["OMPI_COMM_WORLD_RANK="]
            var found: [Int: Int32] = transport == nil ? [0: first] : [:]
            for process in all {
                if let rank = Self.number(names[0], of: process) { found[rank] = process }
            }
            ranks = (0..<count).compactMap { found[$0] }
            try #require(ranks.count == count, "\(found)")
            usleep(500_000)
        }

        static func children(of process: Int32) -> [Int32] {
            let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
            return tasks.flatMap { task in
                let list = try? String(contentsOfFile: "/proc/\(process)/task/\(task)/children", encoding: .utf8)
                return (list ?? "").split(separator: " ").compactMap { Int32($0) }
            }
        }

        private static func number(_ name: String, of process: Int32) -> Int? {
            let variables = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
            return variables.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
                .first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) }
        }

        /// The ranks that messages name as lost.
        var named: Set<String> {
            Set(program.messages.matches(of: /rank (\d+) \(process (\d+) on/).map { "\($0.1) \($0.2)" })
        }

        /// What was reached is kept, and goes on with another number of processes.
        func expectAllIsKept() throws {
            let store = try RunStore(at: scratch.store)
            let run = try #require(try store.runs().first)
            let last = try #require(try store.checkpoint(of: run.id, kind: .last))
            let steps = try store.steps(of: run.id).count
            #expect(run.status == .interrupted && last.step == steps && steps > 0)
            try store.close()
        }
    }

    @Test func aProcessThatIsKilledEndsTheStepAndIsNamed() throws {
        let training = try LongTraining(2)
        kill(training.ranks[1], SIGKILL)
        let start = ContinuousClock.now
        let end = training.program.wait()
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(end.code == 1 && training.named == ["1 \(training.ranks[1])"], "\(end.error)")
        try training.expectAllIsKept()
    }

    /// With the patience of 30 s that a process has unless told otherwise, all others have ended after 60 s.
    @Test(arguments: [1, 2])
    func aProcessThatHangsIsGivenUpAndNamedByAll(rank: Int) throws {
        let training = try LongTraining(3, patience: 3)
        kill(training.ranks[rank], SIGSTOP)
        let start = ContinuousClock.now
        let end = training.program.wait()
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(end.code == 1 && training.named == ["\(rank) \(training.ranks[rank])"], "\(end.error)")
        try training.expectAllIsKept()
    }

    @Test func whereRankZeroHangsTheOthersNameIt() throws {
        let training = try LongTraining(3, patience: 3)
        kill(training.ranks[0], SIGSTOP)
        let start = ContinuousClock.now
        while training.program.messages.matches(of: /rank 0 \(process/).count < 2,
            ContinuousClock.now - start < .seconds(30)
        { usleep(100_000) }
        #expect(training.named == ["0 \(training.ranks[0])"], "\(training.program.messages)")
        #expect(training.program.kill())
    }

    /// By MPI too, in shared memory and by TCP, whichever of three it is.
    @Test(
        .enabled(if: hasMPI, "there is no mpirun, or no plugin: scripts/collective-plugin"), .serialized,
        arguments: ["self,vader", "self,tcp"], [0, 1, 2])
    func aProcessOfMPIThatHangsIsGivenUpAndNamed(transport: String, rank: Int) throws {
        let training = try LongTraining(3, patience: 3, transport: transport)
        kill(training.ranks[rank], SIGSTOP)
        let start = ContinuousClock.now
        let end = training.program.wait()
        // mpirun ends the one that hangs as well.
        #expect(ContinuousClock.now - start < .seconds(30))
        #expect(end.code != 0 && training.named == ["\(rank) \(training.ranks[rank])"], "\(end.error)")
        if rank > 0 { try training.expectAllIsKept() }
    }

    /// A scheduler that suspends a job suspends all its processes; nobody is given up for that.
    @Test(arguments: [nil, "self,vader"] as [String?])
    func aTrainingThatIsSuspendedAsAWholeGoesOn(transport: String?) throws {
        guard transport == nil || Self.hasMPI else { return }
        let training = try LongTraining(3, patience: 2, transport: transport)
        for process in training.ranks { kill(process, SIGSTOP) }
        sleep(5)
        for process in training.ranks { kill(process, SIGCONT) }
        sleep(5)
        #expect(training.program.process.isRunning && training.named.isEmpty, "\(training.program.messages)")
        kill(training.ranks[0], SIGINT)
        let end = training.program.wait()
        #expect(end.code == 130, "\(end.code) \(end.error)")
        try training.expectAllIsKept()
    }

    /// A training has a batch for each process; what is trained is evaluated by any number of them.
    @Test func moreProcessesThanBatchesAreRefusedWhereThereIsATrainingToDo() throws {
        let scratch = try TestFolder()
        let end = try Program.run("run", scratch.spec(tinySpec), "--processes", "2", in: scratch.path)
        #expect(
            end.code == 1 && end.error.contains("2 processes share 1 batches in a step of 'tiny'; raise train.devices"),
            "\(end.error)")
        #expect(try Program.run("run", scratch.spec(tinySpec), "--no-table", in: scratch.path).code == 0)
        let command = ["run", try scratch.spec(tinySpec), "--processes", "2", "--set", "evaluate.N=[4]", "--no-table"]
        let more = try Program(command, in: scratch.path).wait()
        #expect(more.code == 0, "\(more.error)")
        #expect(try shares(scratch) == [[1, 1], [1, 1]])
    }
}
