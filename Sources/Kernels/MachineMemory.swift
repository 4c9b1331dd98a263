import Foundation

/// How much memory this process may take.
public enum MachineMemory {
    /// Bytes: those of the machine, of the control group, or of the limits of the process, whichever are the fewest.
    public static var bytes: Int {
        ([Int(clamping: ProcessInfo.processInfo.physicalMemory)] + controlGroups + limits).min() ?? .max
    }

    /// `memory.max` of cgroups 2 and `memory.limit_in_bytes` of cgroups 1, where they state a number.
    private static var controlGroups: [Int] {
        ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"].compactMap { path in
            let text = try? String(contentsOfFile: path, encoding: .utf8)
            return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
    }

    /// Of address space and of data, as `ulimit` sets them.
    private static var limits: [Int] {
        [RLIMIT_AS, RLIMIT_DATA].compactMap { kind in
            var limit = rlimit()
            guard unsafe getrlimit(__rlimit_resource_t(kind.rawValue), &limit) == 0, limit.rlim_cur < UInt64(Int.max)
            else { return nil }
            return Int(limit.rlim_cur)
        }
    }
}
