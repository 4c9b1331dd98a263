import ArgumentParser
import Reports

/// `sgmse doctor`: whether machine and store are fit for work.
struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Look at SQLite, the file system, the disk, the store, processor, threads and devices. Exit 5 on a problem."
    )

    @OptionGroup var store: StoreOptions
    @OptionGroup var threads: ThreadOptions

    @Flag(help: "Read the whole store for damage, however large it is.")
    var thorough = false

    @Flag(help: "Print a JSON document.")
    var json = false

    func run() throws {
        try threads.apply()
        var report = DoctorReport(storeAt: store.path, journal: store.journal, isThorough: thorough)
        report.lookAtDevices(in: DeviceOptions.folders)
        try json ? emit(report.json) : emit(report.table.terminal(), terminator: "")
        if report.hasProblem { throw ExitCode(5) }
    }
}
