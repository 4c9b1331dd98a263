import Foundation
import Testing

/// Where pointers may be: the compiler asks for the word `unsafe` in all targets, so that a text search finds them all.
@Suite struct UnsafeCodeTests {
    /// The modules whose work is to call C, or to read and write bytes.
    private static let floors: Set<String> = [
        "Audio", "Collectives", "Digests", "Installation", "Kernels", "SystemCalls", "WeightFiles", "YAML",
        "Zlib",
    ]

    private static let sources =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/Sources"

    /// Lines of code with the word `unsafe`, which `'unsafe-inline'` of the web is not.
    private static func unsafeLines(of module: String) throws -> [String] {
        let files = FileManager.default.enumerator(atPath: "\(sources)/\(module)")?.compactMap { $0 as? String } ?? []
        return try files.filter { $0.hasSuffix(".swift") }.sorted().flatMap { file in
            let lines = try String(contentsOfFile: "\(sources)/\(module)/\(file)", encoding: .utf8).split(
                separator: "\n")
            return lines.filter { !$0.drop(while: { $0 == " " }).hasPrefix("//") && $0.contains(/\bunsafe\b(?!-)/) }
                .map { "\(module)/\(file): \($0)" }
        }
    }

    @Test func onlyTheFloorsHaveUnsafeCode() throws {
        let modules = try FileManager.default.contentsOfDirectory(atPath: Self.sources)
        #expect(Self.floors.isSubset(of: modules))
        for module in modules where !Self.floors.contains(module) {
            #expect(try Self.unsafeLines(of: module) == [])
        }
    }

    @Test(arguments: floors)
    func everyFloorNeedsIt(module: String) throws {
        #expect(try !Self.unsafeLines(of: module).isEmpty, "\(module) is no floor any more")
    }
}
