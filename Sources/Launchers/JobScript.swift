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
            \(isTeam ? Self.signalled(command) : "exec " + command)

            """
    }

    /// A step in the background, to whose processes the shell hands on the signal to stop: `srun` itself would kill
    /// them at a SIGTERM.
    private static func signalled(_ command: String) -> String {
        """
        \(command) &
        step=$!
        trap 'kill -USR1 $step' USR1 TERM
        wait $step
        code=$?
        while kill -0 $step 2>/dev/null; do
            wait $step
            code=$?
        done
        exit $code
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
