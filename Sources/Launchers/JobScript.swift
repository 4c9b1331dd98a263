/// The script of a task, which is the same for every engine but for the lines at its top and the name of the task.
struct JobScript {
    var job: Job
    /// Lines for the engine, such as `#SBATCH --time=1:00:00`.
    var directives: [String] = []
    /// The shell's text for the task's name, and for its place among the tasks.
    var taskName: String
    var place: String

    /// A task takes the cores that it was given, and becomes the program itself, so that signals reach it.
    var text: String {
        """
        #!/bin/sh
        \(directives.map { $0 + "\n" }.joined())cd \(job.project.shellWord) || exit 5
        export SGMSE_TASK=\(taskName)
        export SGMSE_TASK_PLACE=\(place)
        export SGMSE_THREADS="${SGMSE_THREADS:-${SLURM_CPUS_PER_TASK:-$(nproc)}}"
        exec \(job.task.map(\.shellWord).joined(separator: " "))

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
