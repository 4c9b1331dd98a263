import Foundation
import Glibc

/// A Slurm cluster of one node on this machine, as root and on loopback alone, for as long as the object lives.
final class SlurmCluster {
    let folder: String
    /// What every command that talks to the cluster needs.
    var environment: [String: String] { ["SLURM_CONF": folder + "/slurm.conf"] }

    private static let daemons = ["/usr/sbin/munged", "/usr/sbin/slurmctld", "/usr/sbin/slurmd"]

    /// Whether the daemons are installed, and may be started.
    static let isInstalled = geteuid() == 0 && daemons.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }

    init() throws {
        folder = NSTemporaryDirectory() + "sgmse-slurm-" + UUID().uuidString.prefix(8)
        for name in ["run", "state", "spool", "log"] {
            try FileManager.default.createDirectory(atPath: folder + "/" + name, withIntermediateDirectories: true)
        }
        unsafe chmod(folder, 0o755)
        try Data((0..<1024).map { _ in UInt8.random(in: 0...255) }).write(
            to: URL(fileURLWithPath: folder + "/munge.key"))
        unsafe chmod(folder + "/munge.key", 0o400)
        let port = Int.random(in: 20_000..<40_000)
        try Data(configuration(port).utf8).write(to: URL(fileURLWithPath: folder + "/slurm.conf"))
        try call(
            "/usr/sbin/munged",
            [
                "--force", "--key-file=\(folder)/munge.key", "--socket=\(folder)/run/munge.socket",
                "--pid-file=\(folder)/run/munged.pid",
                "--log-file=\(folder)/log/munged.log", "--seed-file=\(folder)/run/munge.seed",
            ])
        try startController(["-c"])
        try startNode()
        for _ in 0..<100 where !(try call("sinfo", ["-h", "-o", "%T"]).contains("idle")) { usleep(200_000) }
    }

    deinit {
        _ = try? call("scancel", ["--user=root"])
        for _ in 0..<50 where (try? call("squeue", ["-h"]))?.isEmpty == false { usleep(200_000) }
        for name in ["slurmd", "slurmctld", "munged"] { stop(name, SIGTERM) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// - Parameter options: `-c` to forget what an earlier controller knew.
    func startController(_ options: [String] = []) throws { try call("/usr/sbin/slurmctld", ["-i"] + options) }

    func startNode() throws { try call("/usr/sbin/slurmd", ["-N", "localhost"]) }

    /// Ends a daemon, and waits until it has ended.
    func stop(_ daemon: String, _ signal: Int32) {
        let file = folder + "/run/\(daemon).pid"
        guard
            let number = (try? String(contentsOfFile: file, encoding: .utf8)).flatMap({
                Int32($0.trimmingCharacters(in: .whitespacesAndNewlines))
            })
        else { return }
        kill(number, signal)
        for _ in 0..<50 where isRunning(number) { usleep(100_000) }
        // A daemon that was started with the signal blocked does not take it.
        if isRunning(number) { kill(number, SIGKILL) }
    }

    /// When jobs were first seen to wait for their time.
    private var waiting: [Substring: Date] = [:]

    /// Starts jobs that were requeued, which would wait for two minutes; to be called again and again.
    ///
    /// Not at once: a node that ended a job refuses its new credential within the same second, and the job fails.
    func startRequeued() throws {
        let jobs = try call("squeue", ["-h", "-t", "PENDING", "-o", "%F %r"]).split(separator: "\n")
        let found = Set(jobs.filter { $0.hasSuffix("BeginTime") }.map { $0.prefix { $0 != " " } })
        waiting = waiting.filter { found.contains($0.key) }
        for job in found {
            let since = waiting[job, default: Date()]
            waiting[job] = since
            guard Date().timeIntervalSince(since) > 3 else { continue }
            try call("scontrol", ["update", "JobId=\(job)", "StartTime=now"])
        }
    }

    private func isRunning(_ number: Int32) -> Bool {
        guard let state = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8) else { return false }
        return state.split(separator: ")").last?.contains(" Z ") == false
    }

    /// Calls a command of Slurm, and returns what it prints.
    @discardableResult
    func call(_ tool: String, _ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        for end in [output.fileHandleForReading, output.fileHandleForWriting] {
            _ = fcntl(end.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        // A daemon that inherits files of this process would be waited for until it ends.
        let clean =
            "for f in /proc/self/fd/*; do n=${f##*/}; [ $n -gt 2 ] && eval \"exec $n>&-\"; done; exec \"$0\" \"$@\""
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", clean, tool] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = tool.hasPrefix("/usr/sbin/") ? Data() : output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    private func configuration(_ port: Int) -> String {
        """
        ClusterName=one
        SlurmctldHost=localhost(127.0.0.1)
        SlurmUser=root
        SlurmdUser=root
        AuthType=auth/munge
        AuthInfo=socket=\(folder)/run/munge.socket
        CredType=cred/munge
        StateSaveLocation=\(folder)/state
        SlurmdSpoolDir=\(folder)/spool
        SlurmctldPidFile=\(folder)/run/slurmctld.pid
        SlurmdPidFile=\(folder)/run/slurmd.pid
        SlurmctldLogFile=\(folder)/log/slurmctld.log
        SlurmdLogFile=\(folder)/log/slurmd.log
        SlurmctldPort=\(port)
        SlurmdPort=\(port + 1)
        ProctrackType=proctrack/linuxproc
        TaskPlugin=task/none
        JobAcctGatherType=jobacct_gather/none
        AccountingStorageType=accounting_storage/none
        SelectType=select/cons_tres
        SelectTypeParameters=CR_Core
        MpiDefault=none
        ReturnToService=2
        MinJobAge=300
        MessageTimeout=60
        KillWait=5
        PreemptType=preempt/partition_prio
        PreemptMode=REQUEUE
        SlurmctldParameters=preempt_send_user_signal
        MaxArraySize=4
        SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=1,sched_min_interval=100000
        SlurmdParameters=config_overrides
        NodeName=localhost NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 State=UNKNOWN
        PartitionName=low Nodes=localhost Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE \
        GraceTime=20
        PartitionName=high Nodes=localhost MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF

        """
    }
}
