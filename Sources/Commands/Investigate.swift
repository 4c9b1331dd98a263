import ArgumentParser
import Foundation
import Investigations
import Reported
import Reports
import Runs

/// `sgmse investigate`: verdicts on declared hypotheses, or on what explains the gap between two runs.
struct Investigate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            """
            Say what figures and runs support: hypotheses of a file, or what explains the gap between two runs or \
            specs.
            """,
        discussion: """
            With one name: investigations are declared in experiments/investigations, as claims, the cells they stand \
            on, the test, and the effect that would matter. A verdict is supported, refuted, inconclusive (with the \
            number of files or trainings that would decide) or missing (with the commands that measure it).

            With two names, of runs or specs: the settings in which they differ are varied one at a time from the \
            first to the second. What changes the evaluation alone gets a full factorial on the first one's weights; \
            for the rest, the path that moves the score farthest at each step. What it costs is said first; --run \
            computes it.
            """)

    @Argument(help: "An investigation's name or file; or a run or spec, with another.")
    var subject: String

    @Argument(help: "The run or spec that the first one is compared with.")
    var target: String?

    @OptionGroup var store: StoreOptions
    @OptionGroup var corpora: CorpusOptions

    @Option(help: ArgumentHelp("Folder of the investigations.", valueName: "folder"))
    var investigations: String?

    @Option(help: ArgumentHelp("Folder of the reported figures.", valueName: "folder"))
    var reported: String?

    @Option(
        name: .customLong("cell"),
        help: ArgumentHelp(
            "Takes another run for a cell of the store, such as fork=my-run; may be repeated.", valueName: "cell=run"))
    var cells: [String] = []

    @Option(help: "The metric whose gap is explained.")
    var metric = "pesq"

    @Option(
        name: .customLong("test-set"),
        help: ArgumentHelp("The test set; the first of the spec if not given.", valueName: "set"))
    var testSet: String?

    @Option(
        parsing: .upToNextOption,
        help: """
            Seeds of each training; if not given, those that both sides have where there are two or more, else 0 1 2. \
            With one, no factor is supported, as the spread between trainings is unknown.
            """)
    var seeds: [Int] = []

    @Option(
        help: "The share of the gap that would matter, in the metric's unit; a tenth of the gap if not given.",
        in: 0...1e6)
    var effect: Double?

    @Option(help: "Stop before a step of the path that takes more trainings than this in all.", in: 0...1_000_000)
    var trainings: Int?

    @Option(help: "A profile of the specs, such as smoke.")
    var profile: String?

    @Flag(name: .customLong("run"), help: "Train and evaluate what is missing.")
    var computes = false

    @Flag(help: "The verdicts as JSON.")
    var json = false

    func validate() throws {
        if Set(seeds).count != seeds.count || seeds.contains(where: { $0 < 0 }) {
            throw ValidationError(
                """
                --seeds takes different whole numbers of 0 or more, and not \
                '\(seeds.map(String.init).joined(separator: " "))'
                """
            )
        }
        if target == nil, computes || testSet != nil || trainings != nil || profile != nil {
            throw ValidationError("--run, --test-set, --trainings and --profile are for two runs or specs")
        }
        if target != nil, !cells.isEmpty { throw ValidationError("--cell is for the file of an investigation") }
    }

    func run() throws {
        if let target { return try FactorSearch(self).explain(from: subject, to: target) }
        let investigation = try substituted(
            Investigation(
                named: subject, folder: investigations ?? Library.folder("investigations"), files: Library.files))
        let library = try ReportedLibrary(folder: reported ?? Library.folder("reported"), files: Library.files)
        let known = FileManager.default.fileExists(atPath: store.path) ? try store.open() : nil
        let report = try InvestigationReport(of: investigation, reporting: library, from: known)
        try json ? emit(report.json) : emit(report.text, terminator: "")
    }

    /// The investigation with the runs of `--cell`.
    private func substituted(_ investigation: Investigation) throws -> Investigation {
        try cells.reduce(investigation) { investigation, text in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, let taken = investigation.taking(parts[1], for: parts[0]) else {
                let stored = investigation.cells.filter { if case .stored = $0.value.origin { true } else { false } }
                    .keys.sorted()
                throw ValidationError(
                    """
                    --cell takes CELL=RUN and not '\(text)'; cells of \(investigation.name) that are runs: \
                    \(stored.joined(separator: ", "))
                    """
                )
            }
            return taken
        }
    }
}
