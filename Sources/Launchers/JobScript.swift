/// The script of a task, which is the same for every engine but for the lines at its top and the name of the task.
struct JobScript {
    var job: Job
    /// Lines for the engine, such as `#SBATCH --time=1:00:00`.
    var directives: [String] = []
    /// The shell's text for the task's name, and for its place among the tasks.
    var taskName: String
    var place: String
    /// The engine's own command that starts the processes of a task side by side, such as `srun --ntasks=4`; without
    /// one, the first process starts the others on its machine.
    var step: [String] = []

    /// A task takes the cores that it was given. One that is a single process becomes the program itself, so that
    /// signals reach it.
    var text: String {
        let isTeam = !step.isEmpty
        let processes = job.settings.processes ?? 1
        let task = job.task + (isTeam || processes == 1 ? [] : ["--processes", String(processes)])
        let command = (step + task).map(\.shellWord).joined(separator: " ")
        // The cores of a machine, or those of one process of several.
        let cores = isTeam ? "1" : "$(nproc)"
        return """
            #!/bin/sh
            \(directives.map { $0 + "\n" }.joined())cd \(job.project.shellWord) || exit 5
            export SGMSE_TASK=\(taskName)
            export SGMSE_TASK_PLACE=\(place)
            export SGMSE_THREADS="${SGMSE_THREADS:-${SLURM_CPUS_PER_TASK:-\(cores)}}"
            \(isTeam ? attempts(at: command) : "exec " + command)

            """
    }

    /// How often the processes of a task are started, one time after the other; then the task requests another start.
    /// One attempt more for each restart: steps of a restarted job have the numbers of earlier ones, whose remains may
    /// be in their way on a node.
    static let mostAttempts = 3

    /// Runs the step in the background and forwards the signal to stop to its processes: `srun` itself would kill them
    /// at a SIGTERM.
    ///
    /// A node that is busy, or has just come back, may not start all processes of a step, and `srun` may end with code
    /// 0 all the same. Processes that all started create the file `SGMSE_TASK_MET`; without it, the step is started
    /// again, and after the last attempt the program requests another start of the whole task. It does so too where all
    /// processes were killed, as MPI's launchers do when one of them is lost.
    private func attempts(at command: String) -> String {
        func ended(_ how: String) -> String { (job.task + [how]).map(\.shellWord).joined(separator: " ") }
        return """
            export SGMSE_TASK_MET=\(job.folder.shellWord)/$SGMSE_TASK.met
            attempt=1
            stopped=
            attempts=$((\(Self.mostAttempts) + ${SLURM_RESTART_COUNT:-0}))
            trap 'stopped=yes; kill -USR1 $step 2>/dev/null' USR1 TERM
            while true; do
                rm -f "$SGMSE_TASK_MET"
                \(command) &
                step=$!
                wait $step
                code=$?
                while kill -0 $step 2>/dev/null; do
                    wait $step
                    code=$?
                done
                if [ -e "$SGMSE_TASK_MET" ]; then
                    rm -f "$SGMSE_TASK_MET"
                    if [ $code = 137 ] && [ -z "$stopped" ]; then exec \(ended("--killed")); fi
                    exit $code
                fi
                echo "attempt $attempt of $attempts to start the processes of this task failed (code $code)" >&2
                if [ -n "$stopped" ] || [ $attempt -ge $attempts ]; then break; fi
                sleep 5 &
                step=$!
                wait $step
                if [ -n "$stopped" ]; then break; fi
                attempt=$((attempt + 1))
            done
            exec \(ended("--unstarted"))
            """
    }

    /// What merges the results after all tasks.
    static func collect(_ job: Job, directives: [String]) -> String {
        """
        #!/bin/sh
        \(directives.map { $0 + "\n" }.joined())cd \(job.project.shellWord) || exit 5
        exec \(job.collect.map(\.shellWord).joined(separator: " "))

        """
    }
}
