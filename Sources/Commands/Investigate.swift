import ArgumentParser
import Foundation
import Investigations
import Reported
import Reports
import Runs

/// `sgmse investigate`: verdicts on declared hypotheses.
struct Investigate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say of each hypothesis of a file whether figures and runs support it, and what is missing.",
        discussion: """
            Investigations are declared in experiments/investigations: claims, the cells they stand on, the test, the effect \
            that would matter. A verdict is supported, refuted, inconclusive (with the number of files or trainings that would \
            decide) or missing (with the commands that measure it).
            """)

    @Argument(help: "The investigation's name, or its file.")
    var subject: String

    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("Folder of the investigations.", valueName: "folder"))
    var investigations: String?

    @Option(help: ArgumentHelp("Folder of the reported figures.", valueName: "folder"))
    var reported: String?

    @Flag(help: "The verdicts as JSON.")
    var json = false

    func run() throws {
        let investigation = try Investigation(named: subject, folder: investigations ?? Library.folder("investigations"), files: Library.files)
        let library = try ReportedLibrary(folder: reported ?? Library.folder("reported"), files: Library.files)
        let known = FileManager.default.fileExists(atPath: store.path) ? try store.open() : nil
        let report = try InvestigationReport(of: investigation, reporting: library, from: known)
        try json ? emit(report.json) : emit(report.text, terminator: "")
    }
}
