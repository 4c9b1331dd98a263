import ArgumentParser
import Foundation

/// `sgmse manual FOLDER`: a page for each command, for `scripts/install` and `scripts/docs`.
struct Manual: ParsableCommand {
    enum Format: String, ExpressibleByArgument {
        case man, markdown
    }

    static let configuration = CommandConfiguration(
        abstract: "Write a page for each command into a folder.", shouldDisplay: false)

    @Argument(help: "The folder; it must exist.")
    var folder: String

    @Option(help: "man, or markdown for the documentation site.")
    var format: Format = .man

    func validate() throws {
        if folder.isEmpty { throw ValidationError("the folder's name is empty") }
    }

    func run() throws {
        for page in try CommandPage.root().all {
            let (name, text) =
                switch format {
                case .man: ("\(page.name).1", ManualPage(page).text)
                case .markdown: ("\(page.name).md", ReferencePage(page).text)
                }
            let path = "\(folder)/\(name)"
            do {
                try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch {
                throw ValidationError("\(path): cannot be written: \(error.localizedDescription)")
            }
        }
    }
}
