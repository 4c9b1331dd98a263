import ArgumentParser
import Reported
import Runs

/// `sgmse import reported`: the reported figures as rows of the store.
struct ImportReported: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reported", abstract: "Copy the figures that papers report into the store, for queries in SQL.",
        discussion:
            """
            Figures lie in experiments/reported, or in the library that came with the program; sgmse table reads them \
            there. Repeated, a figure takes the earlier one's place.
            """
    )

    @Option(help: ArgumentHelp("Folder of the reported figures.", valueName: "folder"))
    var reported: String?

    @OptionGroup var store: StoreOptions

    func run() throws {
        let figures = try ReportedLibrary(folder: reported ?? Library.folder("reported"), files: Library.files).figures
            .flatMap { one in
                one.values.sorted { $0.key < $1.key }.map { metric, value in
                    ReportedFigure(
                        paper: one.paper, row: one.system, testSet: one.set, metric: metric,
                        conditions: [one.steps.map { "N = \($0)" }, one.conditions.isEmpty ? nil : one.conditions]
                            .compactMap { $0 }.joined(separator: ", "),
                        value: value.value, std: value.std,
                        mark: ReportedFigure.Mark(rawValue: one.mark.rawValue) ?? .reported, source: one.source)
                }
            }
        let store = try store.open(.readWrite)
        try store.record(figures)
        printError("\(figures.count) figures")
        try store.close()
    }
}
