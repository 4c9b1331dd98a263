import ArgumentParser
import Foundation
import Models
import Reports
import Runs
import SpeechMetrics

/// `sgmse report`: runs as one page for a browser.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract:
            "Write one self-contained page of runs: tables, plots, findings, differences, and files to listen to.",
        discussion: """
            The page holds everything it shows, spectrograms and audio too, and asks for nothing on the network. Audio \
            is there as far as evaluations kept it (evaluate.keep_audio); a button switches the system at the same \
            position.
            """)

    @Argument(help: "Names or ids of runs, or a sweep's name; all finished ones if none is given.")
    var runs: [String] = []

    @OptionGroup var store: StoreOptions

    @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
    var html: String

    @Option(help: "The page's title.")
    var title: String?

    @Option(name: .customLong("sets"), parsing: .upToNextOption, help: "Only these test sets.")
    var sets: [String] = []

    @Option(name: .customLong("metrics"), parsing: .upToNextOption, help: "Only these metrics.")
    var metrics: [String] = []

    @Option(help: "How many of the worst and of the best files have audio players; 0 leaves audio out.", in: 0...50)
    var examples = 3

    func validate() throws {
        if !(0...50).contains(examples) {
            throw ValidationError("--examples \(examples): 0 to 50 files can have players")
        }
    }

    func run() throws {
        let store = try store.open()
        let selected = try store.selected(runs)
        let title = title ?? "sgmse: " + (selected.count == 1 ? selected[0].name : "\(selected.count) runs")
        let page = try ReportPage(
            of: selected, in: store,
            options: .init(
                title: title, sets: sets.isEmpty ? nil : Set(sets), metrics: metrics.isEmpty ? nil : Set(metrics),
                examples: examples,
                unfloored: Catalog.standard.metrics.unfloored))
        do {
            try Data(page.html.utf8).write(to: URL(fileURLWithPath: html), options: .atomic)
        } catch {
            throw StoreError(cannotWrite: html, error)
        }
        printError("\(html): \(selected.count) runs")
    }
}
