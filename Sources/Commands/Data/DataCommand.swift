import ArgumentParser

/// `sgmse data`: corpora, made and checked by declaration.
struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Make corpora from recipes, check them, and look at them.",
        discussion: """
            A recipe is a YAML file: sources, sets, the law by which clean and noisy files are made, seed and rate. \
            Recipes that the program knows are called by name; sgmse data show lists them, sgmse data show RECIPE \
            prints one. Nothing is downloaded.
            """,
        subcommands: [DataMake.self, DataCheck.self, DataShow.self])
}
