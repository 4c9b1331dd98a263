import Foundation
import Testing

/// What every source file keeps.
@Suite struct SourceTextTests {
    private static let root =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private struct File {
        var path: String
        var lines: [Substring]
    }

    private static func files(in folders: [String]) throws -> [File] {
        try folders.flatMap { folder in
            let names = FileManager.default.enumerator(atPath: "\(root)/\(folder)")?.compactMap { $0 as? String } ?? []
            return try names.filter { $0.hasSuffix(".swift") }.sorted().map { name in
                let text = try String(contentsOfFile: "\(root)/\(folder)/\(name)", encoding: .utf8)
                return File(
                    path: "\(folder)/\(name)", lines: text.split(separator: "\n", omittingEmptySubsequences: false))
            }
        }
    }

    /// What a protocol documents for all types that have it.
    private static let documentedElsewhere: Set<Substring> = [
        "description", "debugDescription", "summary", "hint", "category", "place", "hashValue", "rawValue", "schema",
        "declaration", "written", "configuration", "errorDescription", "id", "startIndex", "endIndex", "count",
    ]
    private static let modifiers: Set<Substring> = [
        "public", "static", "final", "indirect", "mutating", "nonisolated", "override", "private(set)",
        "package(set)", "internal(set)", "unsafe", "borrowing", "consuming",
    ]
    private static let kinds: Set<Substring> = [
        "func", "var", "let", "struct", "class", "enum", "protocol", "actor", "subscript", "typealias",
    ]

    /// The name of a public declaration that needs a doc comment; `nil` for any other line.
    private static func declaration(in line: Substring) -> Substring? {
        let words = line.drop { $0 == " " }.split(separator: " ", maxSplits: 8).drop { $0.hasPrefix("@") }
        guard words.first == "public" else { return nil }
        let rest = words.drop(while: modifiers.contains)
        guard let kind = rest.first, kinds.contains(kind) || kind.hasPrefix("subscript(") else { return nil }
        let name = (rest.dropFirst().first ?? kind).prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        let isWitness =
            documentedElsewhere.contains(name)
            || kind == "func" && ["", "hash", "encode", "type"].contains(name)
        return isWitness ? nil : name
    }

    @Test func publicDeclarationsHaveADocComment() throws {
        let files = try Self.files(in: ["Sources"])
        #expect(files.count > 500)
        var missing: [String] = []
        for file in files {
            for (number, line) in file.lines.enumerated() where line.contains("public ") {
                guard let name = Self.declaration(in: line) else { continue }
                let above = file.lines[..<number].last {
                    let text = $0.drop { $0 == " " }
                    return !text.hasPrefix("@") && !text.hasPrefix("#if")
                }
                if above?.drop(while: { $0 == " " }).hasPrefix("///") != true {
                    missing.append("\(file.path):\(number + 1): \(name)")
                }
            }
        }
        #expect(missing == [])
    }

    @Test func theTestFindsWhatItLooksFor() {
        #expect(Self.declaration(in: "    public static func scan(_ path: String) {") == "scan")
        #expect(Self.declaration(in: "    @safe public final class Reader {") == "Reader")
        #expect(Self.declaration(in: "    public var summary: String { \"\" }") == nil)
        #expect(Self.declaration(in: "    public init(path: String) {") == nil)
        #expect(Self.declaration(in: "    public static func == (a: A, b: A) -> Bool {") == nil)
    }

    @Test func linesFit120Columns() throws {
        let long = try Self.files(in: ["Sources", "Tests"]).flatMap { file in
            file.lines.enumerated().filter { $1.count > 120 }.map { "\(file.path):\($0.offset + 1)" }
        }
        #expect(long == [])
    }
}
