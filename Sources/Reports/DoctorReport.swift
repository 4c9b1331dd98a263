import Foundation
public import JSONValues
import Kernels
public import Runs

/// Checks of this machine, of a store's file system, and of the store.
public struct DoctorReport: Sendable {
    /// How much a finding matters; the raw value is printed.
    public enum Verdict: String, Sendable {
        case good = "ok"
        case warning, problem
    }

    /// One fact about the machine or the store.
    public struct Finding: Sendable {
        /// What was looked at, such as `disk`.
        public var subject: String
        /// Whether a person should act on it.
        public var verdict: Verdict
        /// The fact in a sentence or less.
        public var text: String
    }

    /// In the order they were found.
    public private(set) var findings: [Finding] = []
    /// Whether anything keeps the program from working here; `sgmse doctor` then ends with a failure.
    public var hasProblem: Bool { findings.contains { $0.verdict == .problem } }

    /// Checks the machine and the store at `path`, if there is one; changes nothing.
    ///
    /// - Parameter isThorough: Reads the whole store for damage, however large it is.
    public init(storeAt path: String, journal: RunStore.Journal, isThorough: Bool) {
        sqlite()
        place(path, journal)
        store(path, journal, isThorough)
        machine()
    }

    private mutating func add(_ subject: String, _ verdict: Verdict = .good, _ text: String) {
        findings.append(Finding(subject: subject, verdict: verdict, text: text))
    }

    private mutating func sqlite() {
        do {
            let facts = try SQLiteFacts.current()
            add("SQLite", .good, facts.version)
            for fault in facts.faults {
                add("SQLite", .warning, "known fault of \(facts.version): \(fault)")
            }
            if !facts.faults.isEmpty {
                add("SQLite", .good, "guarded: writers and checkpoints of the log take turns under <store>-owners")
            }
        } catch {
            add("SQLite", .problem, "\(error)")
        }
    }

    private mutating func place(_ path: String, _ journal: RunStore.Journal) {
        let folder = (URL(fileURLWithPath: path).path as NSString).deletingLastPathComponent
        guard let system = FileSystem(holding: folder) else {
            return add("file system", .problem, "nothing is known of \(folder)")
        }
        if let network = system.networkName {
            let text = "\(network), a network file system: WAL loses data here and is refused"
            let fallback =
                journal == .rollback
                ? "the rollback journal is in use" : "use --journal rollback, or a local folder with --store"
            add("file system", journal == .rollback ? .warning : .problem, "\(text); \(fallback)")
        } else {
            add("file system", .good, "\(system.type ?? "of unknown type"), local: WAL is safe")
        }
        let gigabytes = Double(system.availableBytes) / 1e9
        add(
            "disk", gigabytes < 0.1 ? .problem : gigabytes < 2 ? .warning : .good,
            String(format: "%.1f GB free at %@", gigabytes, folder))
        var place = folder
        while !FileManager.default.fileExists(atPath: place), !["/", ""].contains(place) {
            place = (place as NSString).deletingLastPathComponent
        }
        if !FileManager.default.isWritableFile(atPath: place) { add("folder", .problem, "\(place) cannot be written") }
    }

    /// The size in bytes up to which a store is checked for damage without `--thorough`.
    private static let quickSize = 200_000_000

    private mutating func store(_ path: String, _ journal: RunStore.Journal, _ isThorough: Bool) {
        guard FileManager.default.fileExists(atPath: path) else {
            return add("store", .good, "none at \(path) yet; sgmse run makes one")
        }
        let bytes = ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int) ?? 0
        // Before the store is opened: SQLite's locks do not survive another look at its file.
        if isThorough || bytes <= Self.quickSize {
            let pages = RunStore.damagedPages(at: path)
            add(
                "pages", pages?.isDamage == true ? .problem : .good,
                pages?.text ?? "no checksums: the store is in use or large, or another program wrote to it last")
        }
        do {
            let store = try RunStore(at: path, access: .readOnly, journal: journal)
            let counts = try store.rowCounts()
            let numbers = ["run", "evaluation", "score"].map { "\(counts[$0] ?? 0) \($0)s" }.joined(separator: ", ")
            add(
                "store", .good,
                "\(path): \(numbers), \(bytes / 1_000_000) MB, schema: \(try store.appliedMigrations().last ?? "none")")
            let work = try store.claimedWork()
            if work.live > 0 { add("store", .good, "\(work.live) steps are being worked on") }
            if work.abandoned > 0 {
                add(
                    "store", .warning,
                    "\(work.abandoned) steps were left by processes that ended; the next sgmse run takes them over")
            }
            if isThorough || bytes <= Self.quickSize {
                let problems = try store.integrityProblems() + store.badRows()
                for problem in problems.prefix(10) { add("integrity", .problem, problem) }
                if problems.isEmpty { add("integrity", .good, "no damage found") }
                let scores = try store.scoreProblems()
                for problem in scores.problems.prefix(10) { add("scores", .problem, problem) }
                let unknown =
                    scores.unknown == 0 ? "" : "; \(scores.unknown) evaluations of an earlier version have no checksum"
                if scores.problems.isEmpty { add("scores", .good, "every checksum matches" + unknown) }
            } else {
                add("integrity", .good, "not read through; --thorough does")
            }
        } catch {
            add("store", .problem, "\(error)")
        }
    }

    private mutating func machine() {
        let info = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = info.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let cores = ProcessInfo.processInfo.processorCount
        add(
            "processor", .good,
            """
            \(model.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"), \(cores) cores, \
            \(Engine.instructionSet)
            """
        )
        add(
            "threads", Engine.threads > cores ? .warning : .good,
            "\(Engine.threads)" + (Engine.threads > cores ? ", more than cores: slower" : ""))
        let memory = Double(ProcessInfo.processInfo.physicalMemory) / 1e9
        add("memory", memory < 4 ? .warning : .good, String(format: "%.1f GB", memory))
    }

    /// Adds the devices of the library that one of some folders holds.
    public mutating func lookAtDevices(in folders: [String]) {
        do throws(DeviceError) {
            let library = try DeviceLibrary(in: folders)
            let isForCards = ["CUDA", "ROCm"].contains { library.version.contains($0) }
            let isMeasured = isForCards ? "; sgmse is not yet measured on a GPU" : ""
            add("device library", .good, "\(library.path): \(library.version)\(isMeasured)")
            for device in library.devices {
                let memory =
                    device.memory > 0
                    ? String(
                        format: ", %.1f GB, %.1f GB of it free", 1e-9 * Double(device.memory),
                        1e-9 * Double(device.freeMemory)) : ""
                add("device", .good, "\(device.name): \(device.model)\(memory)")
            }
        } catch {
            let isMissing = !folders.contains {
                FileManager.default.fileExists(atPath: $0 + "/" + DeviceLibrary.fileName)
            }
            add("device", isMissing ? .good : .warning, isMissing ? "cpu alone: \(error)" : "\(error)")
        }
    }

    /// A line for each finding.
    public var table: Table {
        Table(
            columns: ["subject", "", "finding"].map { Table.Column($0, alignment: .leading) },
            rows: findings.map { Table.Row([.text($0.subject), .text($0.verdict.rawValue), .text($0.text)]) })
    }

    /// An array of objects with `subject`, `verdict` and `finding`.
    public var json: JSON {
        .array(
            findings.map {
                ["subject": .string($0.subject), "verdict": .string($0.verdict.rawValue), "finding": .string($0.text)]
            })
    }
}
