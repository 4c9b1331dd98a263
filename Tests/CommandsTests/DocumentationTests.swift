import Foundation
import TestFolders
import Testing

/// The pages beside the code.
@Suite struct DocumentationTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// README, CHANGELOG, the library's pages and the articles, as paths in the checkout.
    static let pages: [String] = {
        let folders = ["Sources", "experiments", "runs"].flatMap { folder in
            (FileManager.default.enumerator(atPath: "\(root)/\(folder)")?.compactMap { $0 as? String } ?? []).map {
                "\(folder)/\($0)"
            }
        }
        return (["README.md", "CHANGELOG.md"] + folders.filter { $0.hasSuffix(".md") }).sorted()
    }()

    @Test(arguments: pages) func everyLinkLeadsToAFile(page: String) throws {
        let text = try String(contentsOfFile: "\(Self.root)/\(page)", encoding: .utf8)
        let folder = (page as NSString).deletingLastPathComponent
        for match in text.matches(of: #/\]\((?<target>[^)\s#]+)(?:#[^)]*)?\)/#) {
            let target = String(match.target)
            // A link has a path or a scheme; anything else in brackets and parentheses is text, such as an interval.
            guard !target.contains("://"), target.contains("/") || target.hasSuffix(".md") else { continue }
            let path = "\(Self.root)/\(folder)/\(target)"
            #expect(FileManager.default.fileExists(atPath: path), "\(page): \(target)")
        }
    }

    /// The list of all commands names each, with its subcommands.
    @Test func theListOfCommandsIsWhole() throws {
        let scratch = try TestFolder()
        #expect(try Program.run("manual", scratch.path, "--format", "markdown").code == 0)
        let list = try String(
            contentsOfFile: "\(Self.root)/Sources/Commands/Commands.docc/AllCommands.md", encoding: .utf8)
        let commands = scratch.files(".md").map { $0.dropLast(3).split(separator: "-", maxSplits: 2).dropFirst() }
        #expect(commands.count > 35)
        let missing = commands.filter { words in
            guard let first = words.first else { return false }
            let isNamed = list.contains("sgmse \(first)") && (words.count == 1 || list.contains(words.last ?? ""))
            return !isNamed
        }
        #expect(missing.isEmpty)
    }

    /// Every page of the command reference that another one names is there.
    @Test func theCommandReferenceIsLinkedWhole() throws {
        let scratch = try TestFolder()
        #expect(try Program.run("manual", scratch.path, "--format", "markdown").code == 0)
        let texts = scratch.files(".md").map { String(decoding: scratch.data($0) ?? Data(), as: UTF8.self) }
        let linked = Set(texts.flatMap { $0.matches(of: #/<doc:(?<name>[^>]+)>/#).map { String($0.name) + ".md" } })
        #expect(linked.union(["sgmse.md"]) == Set(scratch.files(".md")))
        let run = String(decoding: try #require(scratch.data("sgmse-run.md")), as: UTF8.self)
        #expect(run.hasPrefix("# sgmse run\n\nTrain and evaluate") && run.contains("- `--jobs jobs`: "), "\(run)")
        #expect(!run.contains("command-line"), "hidden options are not shown")
    }
}
