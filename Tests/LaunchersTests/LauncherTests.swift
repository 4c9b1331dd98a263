import Foundation
import Launchers
import SpecLanguage
import Testing

@Suite struct LauncherTests {
    private func job(_ tasks: Int, _ settings: LaunchSettings, project: String = "/home/me/my project") -> Job {
        Job(
            name: "sgmse-x-1", tasks: tasks, project: project, folder: "/home/me/queue",
            task: ["/bin/sgmse", "task", "--store", "a b.sqlite"],
            collect: ["/bin/sgmse", "collect"], settings: settings)
    }

    private func settings(_ text: String) throws -> LaunchSettings {
        try LaunchSettings(text: "launcher: " + text, file: "sgmse.yaml")
    }

    @Test func theScriptOfSlurmSaysWhatWasAskedFor() throws {
        let settings = try settings(
            """
            { name: slurm, partition: gpu, gpus_per_task: 2, cpus_per_task: 8, time: 1-00, account: lab, sbatch: { \
            mem: 16G, comment: two words, exclusive: } }
            """
        )
        let text = SlurmLauncher.script(job(7, settings), 4..<7)
        #expect(
            text.split(separator: "\n").map(String.init) == [
                "#!/bin/sh", "#SBATCH --job-name=sgmse-x-1", "#SBATCH --partition=gpu", "#SBATCH --account=lab",
                "#SBATCH --array=0-2",
                "#SBATCH --output=/home/me/queue/%A_%a.log", "#SBATCH --open-mode=append", "#SBATCH --requeue",
                "#SBATCH --signal=B:USR1@120",
                "#SBATCH --cpus-per-task=8", "#SBATCH --ntasks=1", "#SBATCH --gpus-per-task=2", "#SBATCH --time=1-00",
                "#SBATCH --comment=\"two words\"", "#SBATCH --exclusive", "#SBATCH --mem=16G",
                "cd '/home/me/my project' || exit 5",
                "export SGMSE_TASK=\"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}-${SLURM_RESTART_COUNT:-0}\"",
                "export SGMSE_TASK_PLACE=\"$((4 + SLURM_ARRAY_TASK_ID))/7\"",
                "export SGMSE_THREADS=\"${SGMSE_THREADS:-${SLURM_CPUS_PER_TASK:-$(nproc)}}\"",
                "exec /bin/sgmse task --store 'a b.sqlite'",
            ])
    }

    /// Processes that train together are a step of the job, on whatever nodes it has; elsewhere the first starts the
    /// others.
    @Test func aTaskOfSeveralProcessesIsAStepOfSlurm() throws {
        let settings = try settings("{ name: slurm, gpus_per_task: 1, cpus_per_task: 8, processes: 4 }")
        let lines = SlurmLauncher.script(job(2, settings), 0..<2).split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        #expect(lines.contains("#SBATCH --ntasks=4") && lines.contains("#SBATCH --gpus-per-task=1"))
        #expect(lines.contains("export SGMSE_THREADS=\"${SGMSE_THREADS:-${SLURM_CPUS_PER_TASK:-1}}\""))
        #expect(
            lines.contains(
                """
                srun --ntasks=4 --kill-on-bad-exit=0 --cpus-per-task=8 --mpi=none /bin/sgmse task --store 'a b.sqlite' \
                &
                """
            ))
        // Processes of MPI find each other by what the site has for that.
        var mpi = job(2, settings)
        mpi.task += ["--collective", "mpi"]
        #expect(
            SlurmLauncher.script(mpi, 0..<2).contains("=8 /bin/sgmse task --store 'a b.sqlite' --collective mpi &\n"))
        // One that did not come to its end, and whose processes did not meet, is tried again, and then asked for anew.
        #expect(lines.contains("if [ -e \"$SGMSE_TASK_MET\" ]; then"))
        #expect(lines.last == "exec /bin/sgmse task --store 'a b.sqlite' --unstarted")
        #expect(lines.contains { $0.contains("$code = 137") && $0.hasSuffix("'a b.sqlite' --killed; fi") })
        #expect(
            LocalLauncher().preview(job(2, settings)).contains(
                "exec /bin/sgmse task --store 'a b.sqlite' --processes 4\n"))
    }

    @Test(arguments: [
        (1, 1001, [0..<1]), (1001, 1001, [0..<1001]), (2500, 1000, [0..<1000, 1000..<2000, 2000..<2500]),
    ])
    func arraysAreSplitWhereTheClusterEndsThem(tasks: Int, largest: Int, expected: [Range<Int>]) {
        #expect(SlurmLauncher.arrays(of: tasks, largest: largest) == expected)
    }

    @Test(
        arguments: [
            ("30", 1800), ("2:30", 150), ("1:00:00", 3600), ("1-00", 86_400), ("2-03:04", 183_840),
            ("1-02:03:04", 93_784), ("soon", nil),
            ("1:2:3:4", nil), ("", nil), ("--", nil),
        ] as [(String, Int?)])
    func timesAreReadAsSlurmWritesThem(text: String, seconds: Int?) {
        #expect(SlurmLauncher.seconds(of: text) == seconds)
    }

    /// The signal comes two minutes before the end, or at three quarters of a shorter time.
    @Test(
        arguments: [(nil, 120), ("24:00:00", 120), ("8", 120), ("4", 60), ("1", 15), ("0:20", 10)] as [(String?, Int)])
    func theSignalComesEarlyEnough(limit: String?, seconds: Int) {
        #expect(SlurmLauncher.warning(before: limit) == seconds)
    }

    @Test func linesOfSqueueAreStates() throws {
        let lines = [
            "12|3|RUNNING|node7|None|sgmse-x-1", "12|4|PENDING||Resources|sgmse-x-1",
            "12|5|CANCELLED|node7|None|sgmse-x-1",
            "13|N/A|PENDING||Dependency|sgmse-x-1-collect", "nonsense",
        ]
        let states = lines.compactMap { SlurmLauncher.state(Substring($0)) }
        #expect(
            states == [
                TaskState(job: "12_3", state: "RUNNING", isLive: true, host: "node7"),
                TaskState(job: "12_4", state: "PENDING", isLive: true, reason: "Resources"),
                TaskState(job: "12_5", state: "CANCELLED", isLive: false, host: "node7"),
                TaskState(job: "13", state: "PENDING", isLive: true, reason: "collects"),
            ])
        let slurm = SlurmLauncher()
        #expect(
            slurm.isAlive(task: "12_3-2", idleSeconds: nil, among: states)
                && !slurm.isAlive(task: "12_5-0", idleSeconds: nil, among: states))
        #expect(!slurm.isAlive(task: "12_33-0", idleSeconds: nil, among: states))
    }

    @Test func aCommandTakesTheScriptAndIsHeardOfByTheQueueAlone() throws {
        let launcher = CommandLauncher(submit: "qsub -N {name} -t 1-{tasks} -o {log} {script}")
        #expect(
            launcher.command(job(5, LaunchSettings()))
                == "qsub -N sgmse-x-1 -t 1-5 -o /home/me/queue/tasks.log /home/me/queue/tasks.sh")
        #expect(
            launcher.isAlive(task: "n1_7-0", idleSeconds: 30, among: [])
                && !launcher.isAlive(task: "n1_7-0", idleSeconds: 700, among: []))
        #expect(launcher.isAlive(task: "n1_7-0", idleSeconds: nil, among: []))
    }

    /// A job that the engine does not know any more keeps no other from being ended.
    @Test func whatTheEngineDoesNotEndIsTold() throws {
        let launcher = CommandLauncher(submit: "true", cancel: "test {id} != 7 || { echo no job 7 >&2; exit 3; }")
        var submission = Submission(name: "x", settings: LaunchSettings(), spec: "x.yaml", tasks: 2)
        submission.ids = ["7", "8"]
        let refusals = try launcher.cancel(submission)
        #expect(refusals.count == 1 && refusals[0].contains("exit code 3") && refusals[0].contains("no job 7"))
    }

    @Test func anUpperLayerOfSettingsWinsKeyByKey() throws {
        let user = try settings("{ name: slurm, partition: cpu, account: lab, sbatch: { mem: 8G, constraint: avx2 } }")
        let spec = try settings("{ partition: gpu, jobs: 8, sbatch: { mem: 32G } }")
        var flags = LaunchSettings()
        flags.jobs = 2
        let all = flags.over(spec).over(user)
        #expect(all.name == "slurm" && all.partition == "gpu" && all.account == "lab" && all.jobs == 2)
        #expect(all.sbatch == ["mem": "32G", "constraint": "avx2"])
        #expect(
            try settings("local").name == "local" && LaunchSettings(text: "", file: "sgmse.yaml") == LaunchSettings())
    }

    /// Units wait for tasks on machines of one kind; how many tasks there are is no kind.
    @Test func aPoolIsWhatTheMachinesAre() throws {
        let a = try settings("{ name: slurm, partition: gpu, jobs: 4 }")
        let b = try settings("{ name: slurm, partition: gpu, jobs: 9 }")
        let c = try settings("{ name: slurm, partition: cpu }")
        #expect(a.pool == b.pool && a.pool.count == 6 && a.pool != c.pool)
    }

    @Test(arguments: [
        ("slrum", "sgmse.yaml:1:11: error: unknown launcher 'slrum'"),
        ("{ name: slurm, job: 3 }", "sgmse.yaml:1:26: error: unknown setting 'job'"),
        ("{ jobs: many }", "'jobs' wants a whole number from 1 to 100000, not 'many'"),
        ("{ sbatch: { array: 0-9 } }", "sgmse sets --array itself"),
        ("{ sbatch: { ntasks: 4 } }", "sgmse sets --ntasks itself"),
        ("{ processes: 256 }", "'processes' wants a whole number from 1 to 255, not '256'"),
        ("{ sbatch: { -x: 1 } }", "'-x' is no long option of sbatch"),
        ("[slurm]", "'launcher' wants a name or a section, not a list"),
    ])
    func aMistakeHasItsPlace(text: String, message: String) throws {
        let error = #expect(throws: SpecErrors.self) { try settings(text) }
        #expect("\(try #require(error))".contains(message), "\(String(describing: error))")
    }
}
