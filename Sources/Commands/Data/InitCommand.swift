import ArgumentParser
import AtomicFiles
import CorpusRecipes
import Foundation
import JSONValues
import Reports
import SpecLanguage

/// `sgmse init`: from a person's own folders to a recipe and a spec.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Begin an experiment with your own recordings.",
        discussion: """
            Looks at a folder of clean and noisy recordings, whatever its folders and files are called, WAV or FLAC, \
            at any rate, and proposes pairs, sets and a rate. Writes recipe.yaml, pairs.csv and experiment.yaml into \
            DIR, where nothing of that name may lie, and prints the commands that follow. The recordings are left as \
            they are.
            """)

    @Argument(help: "The folder of the experiment.")
    var folder = "."

    @Option(help: "The folder of your recordings.")
    var data: String

    @Option(help: "The experiment's name; that of its folder, if not given.")
    var name: String?

    @Option(
        help: "The sample rate of the experiment in Hz; what the recordings suggest, if not given.", in: 8000...192_000)
    var rate: Int?

    @Flag(help: "Print a JSON document.")
    var json = false

    func run() throws {
        let home = URL(fileURLWithPath: folder).standardizedFileURL.path
        let title = name ?? (home as NSString).lastPathComponent
        guard !title.isEmpty, !title.contains("/") else {
            throw ValidationError("'\(title)' cannot be the name of an experiment; give --name")
        }
        let files = ["recipe.yaml", "pairs.csv", "experiment.yaml"]
        for file in files where FileManager.default.fileExists(atPath: "\(home)/\(file)") {
            throw ValidationError("\(folder)/\(file) is there already; remove it, or name another folder")
        }
        let proposal = try FolderProposal(of: URL(fileURLWithPath: data).standardizedFileURL.path)
        let rate = rate ?? proposal.rate
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let texts = [Self.recipe(title, proposal, rate), proposal.table, Self.spec(title, proposal, rate, home)]
        for (file, text) in zip(files, texts) { try PendingFile.write(text, to: "\(home)/\(file)") }
        try report(proposal, rate, title)
    }

    private func report(_ proposal: FolderProposal, _ rate: Int, _ title: String) throws {
        let commands = Self.commands(in: folder, title)
        if json {
            return try emit(
                .object([
                    .init("folder", .string(folder)), .init("rate", .integer(rate)),
                    .init(
                        "pairs",
                        .object(
                            proposal.sets.map { set in .init(set, .integer(proposal.pairs.count { $0.set == set })) })),
                    .init("unpaired", .array(proposal.unpaired.map(Reports.JSON.string))),
                    .init("remarks", .array(proposal.remarks.map(Reports.JSON.string))),
                    .init("commands", .array(commands.map { .string($0.0) })),
                ]))
        }
        let counts = proposal.sets.map { set in "\(set) \(proposal.pairs.count { $0.set == set })" }.joined(
            separator: ", ")
        try emit("\(proposal.pairs.count) pairs: \(counts); the experiment works at \(rate) Hz")
        let rates = proposal.rates.sorted { $0.key < $1.key }.map { "\($0.value) files at \($0.key) Hz" }.joined(
            separator: ", ")
        for remark in [rates] + proposal.remarks { try emit("  \(remark)") }
        if !proposal.unpaired.isEmpty {
            let shown = proposal.unpaired.prefix(5).joined(separator: ", ") + (proposal.unpaired.count > 5 ? ", …" : "")
            printError(
                """
                warning: \(proposal.unpaired.count) files have no partner: \(shown); add rows for them to pairs.csv, \
                or leave them out
                """
            )
        }
        try emit("wrote recipe.yaml, pairs.csv and experiment.yaml in \(folder); next:\n")
        for (command, meaning) in commands { try emit("  \(command)  # \(meaning)") }
    }

    private static func commands(in folder: String, _ title: String) -> [(String, String)] {
        let place = folder == "." ? "" : folder + "/"
        func quoted(_ text: String) -> String {
            text.allSatisfy { $0.isLetter || $0.isNumber || "/._-".contains($0) } ? text : "'\(text)'"
        }
        return [
            (
                "sgmse data make \(quoted(place + "recipe.yaml")) --to \(quoted(place + "data"))",
                "brings the recordings to one rate and layout"
            ),
            ("sgmse check \(quoted(place + "experiment.yaml"))", "mistakes of the spec, and of every pair"),
            ("sgmse run \(quoted(place + "experiment.yaml"))", "trains and evaluates"),
            ("sgmse compare \(quoted(title))", "the table"),
        ]
    }

    // MARK: Files

    private static func recipe(_ title: String, _ proposal: FolderProposal, _ rate: Int) -> String {
        let sets = proposal.sets.map {
            "  - { name: \($0), speech: recordings, noisy: recordings, table: pairs.csv }\n"
        }.joined()
        return """
            # The recordings of \(title): which files are pairs stands in pairs.csv.
            name: \(YAMLText.scalar(title))
            rate: \(rate)
            sources:
              - { name: recordings, path: \
            \(YAMLText.scalar(proposal.folder.replacingOccurrences(of: "$", with: "$$"))) }
            sets:
            \(sets)law: pairs

            """
    }

    private static func spec(_ title: String, _ proposal: FolderProposal, _ rate: Int, _ home: String) -> String {
        let path = YAMLText.scalar("\(home)/data".replacingOccurrences(of: "$", with: "$$"))
        let wide = """
            transform: { n_fft: 1534, hop_length: 384, spec_factor: 0.065, spec_abs_exponent: 0.667 }
            backbone: ncsnpp_48k
            sde: { name: ouve, theta: 2.0, sigma_min: 0.1, sigma_max: 1.0 }
            """
        let metrics =
            rate == 8000 ? "[pesq_nb, estoi, si_sdr]" : rate == 16_000 ? "[pesq, estoi, si_sdr]" : "[estoi, si_sdr]"
        let validates = proposal.sets.contains("valid")
        let training = validates ? "" : ", num_eval_files: 0"
        return """
            # \(title): SGMSE+ on your own recordings. sgmse registry shows everything that can be named here.
            name: \(YAMLText.scalar(title))
            data: { path: \(path), sample_rate: \(rate) }
            \(rate == 48_000 ? wide : "backbone: ncsnpp_v2\nsde: ouve")
            train: { max_steps: 50000, batch_size: 4\(training) }
            evaluate:
              sets: [test]
              N: [30, 50]
              metrics: \(metrics)
              anchors: [noisy, wiener]\(validates ? "" : "\n  checkpoint: last")

            """
    }
}
