import ArgumentParser
import Audio
import Corpora
import CorpusRecipes
import Foundation
import JSONValues
import Reports
import SpecLanguage
import SystemCalls

/// `sgmse data show`: the recipes there are, one recipe, or a corpus.
struct DataShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "List the recipes, print one, or say what a corpus holds.",
        discussion: """
            Without an argument: the recipes that the program knows, with the sources that each needs. With a recipe: \
            its YAML, ready to be saved and changed. With a folder: its sets with pairs, hours, rates, speakers, noise \
            types and SNRs, by headers and manifests; sgmse data check reads the audio.
            """)

    @Argument(help: "A recipe's name, a YAML file, or the folder of a corpus.")
    var subject: String?

    @Flag(help: "Print a JSON document.")
    var json = false

    func run() throws {
        guard let subject else { return try list() }
        if POSIX.isFolder(subject) {
            return try show(subject)
        }
        let recipe = try RecipeLoader(environment: environmentVariable).load(subject)
        if json { return try emit(Self.document(of: recipe)) }
        if let text = RecipeLibrary.text(of: subject) { return try emit(text, terminator: "") }
        try emit(recipe.declaration, terminator: "")
    }

    // MARK: Recipes

    private func list() throws {
        let recipes = try RecipeLibrary.names.map { try RecipeLoader().load($0) }
        if json { return try emit(.array(recipes.map(Self.document))) }
        for recipe in recipes {
            try emit("\(recipe.name) — \(recipe.title)" + (recipe.reference.isEmpty ? "" : " [\(recipe.reference)]"))
            for source in recipe.sources { try emit("    --from \(source.name)=FOLDER  \(source.title)") }
        }
    }

    private static func document(of recipe: Recipe) -> Reports.JSON {
        [
            "name": .string(recipe.name), "title": .string(recipe.title), "reference": .string(recipe.reference),
            "rate": .integer(recipe.rate),
            "seed": .integer(Int(clamping: recipe.seed)), "encoding": .string(recipe.encoding.rawValue),
            "sources": .array(
                recipe.sources.map { source -> Reports.JSON in
                    [
                        "name": .string(source.name), "title": .string(source.title),
                        "published": .string(source.published),
                        "size": .string(source.size), "holds": .array(source.holds.map(Reports.JSON.string)),
                    ]
                }),
            "sets": .array(recipe.sets.map { .string($0.name) }), "declaration": .string(recipe.declaration),
        ]
    }

    // MARK: Corpora

    private func show(_ folder: String) throws {
        let summaries = try Corpus(orSetAt: folder).sets.map(SetSummary.init)
        let record = RecipeRecord(in: folder)
        if json {
            return try emit(
                .object([
                    .init("folder", .string(folder)), .init("recipe", record?.document ?? .null),
                    .init("sets", .array(summaries.map(\.document))),
                ]))
        }
        if let record { try emit("\(folder): made by the recipe '\(record.recipe)', content \(record.content)") }
        try emit(SetSummary.table(of: summaries))
    }
}

/// What a set holds, by headers and manifest.
struct SetSummary {
    let set: PairedSet
    private let hours: Double
    private let rates: [Int]
    private let unreadable: Int

    init(_ set: PairedSet) {
        self.set = set
        let headers = set.headers().compactMap { try? $0.noisy.get() }
        hours = headers.reduce(0) { $0 + $1.duration } / 3600
        rates = Set(headers.map(\.sampleRate)).sorted()
        unreadable = set.files.count - headers.count
    }

    private var speakers: Set<String> { Set(self.set.files.compactMap(\.speaker)) }
    private var noises: [(String, Int)] {
        Dictionary(grouping: set.files.compactMap { $0.entry?.noise }) { $0 }.map { ($0.key, $0.value.count) }.sorted {
            $0.0 < $1.0
        }
    }
    private var snrs: [Double] { self.set.files.compactMap { $0.entry?.snr } }
    private var range: String {
        guard let least = snrs.min(), let most = snrs.max() else { return "" }
        return least == most ? "\(least)" : "\(least) to \(most)"
    }

    static func table(of summaries: [SetSummary]) -> Table {
        var table = Table(
            columns: [
                Table.Column("set", alignment: .leading, isKey: true), Table.Column("pairs"), Table.Column("hours"),
                Table.Column("rate", unit: "Hz"),
                Table.Column("speakers"), Table.Column("noise types"), Table.Column("SNR", unit: "dB"),
                Table.Column("unpaired"),
            ])
        table.rows = summaries.map { one in
            Table.Row([
                .text(one.set.name), .integer(one.set.files.count), .number(one.hours, digits: 2),
                .text(one.rates.map(String.init).joined(separator: ", ")), .integer(one.speakers.count),
                .integer(one.noises.count),
                .text(one.range), .integer(one.set.unpaired.count),
            ])
        }
        for one in summaries where one.unreadable > 0 {
            table.notes.append("! \(one.set.name): \(one.unreadable) files cannot be read")
        }
        return table
    }

    var document: Reports.JSON {
        [
            "name": .string(set.name), "layout": .string(set.layout.rawValue), "pairs": .integer(set.files.count),
            "hours": .number(hours),
            "rates": .array(rates.map(Reports.JSON.integer)),
            "speakers": .array(speakers.sorted().map(Reports.JSON.string)),
            "noises": .object(noises.map { .init($0.0, .integer($0.1)) }),
            "snr_db": [snrs.min().map(Reports.JSON.number) ?? .null, snrs.max().map(Reports.JSON.number) ?? .null],
            "unpaired": .array(set.unpaired.map(Reports.JSON.string)), "unreadable": .integer(unreadable),
        ]
    }
}
