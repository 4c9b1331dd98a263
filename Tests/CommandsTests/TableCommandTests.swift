import Foundation
import TestFolders
import Testing

/// `sgmse table`, as a person runs it.
@Suite struct TableCommandTests {
    private let scratch: TestFolder

    init() throws {
        scratch = try TestFolder()
        try write(
            "reported/a.yaml",
            """
            paper: P
            mark: V
            source: s
            set: S
            figures:
              - { system: Noisy, values: { si_sdr: 1.0, polqa: 2.0 } }
              - { system: tiny, values: { si_sdr: 5.0 ± 1.0 } }

            """)
        try write(
            "tables/t.yaml",
            """
            title: T
            paper: P
            sets: [{ reported: S, test_set: test, anchors: ../tiny.yaml }]
            columns: [polqa, si_sdr]
            rows:
              - { label: Noisy, anchor: noisy, known: { si_sdr: 90 ± 1 } }
              - { label: tiny, spec: ../tiny.yaml, N: 2 }

            """)
        try write("tiny.yaml", tinySpec)
    }

    private func write(_ name: String, _ text: String) throws {
        let url = URL(fileURLWithPath: scratch.path + "/" + name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    private func table(_ arguments: String...) throws -> Program.End {
        try Program(["table", "--tables", "tables", "--reported", "reported"] + arguments, in: scratch.path).wait()
    }

    @Test func tablesAreListedAndOpenCellsSayWhatFillsThem() throws {
        #expect(try table().out.contains("t"))
        let end = try table("t")
        #expect(
            end.code == 0 && end.out.contains("sgmse run tiny.yaml") && end.out.contains("2.0 "),
            "\(end.out)\(end.error)")
        let wrong = try table("tt")
        #expect(wrong.code == 2 && wrong.error.contains("did you mean 't'?"), "\(wrong.error)")
    }

    @Test func fillingRunsTheCommandsAndTheCheckFails() throws {
        let end = try table("t", "--fill", "--check", "--provenance")
        #expect(end.code == 3 && end.error.contains("error: known value missed: Noisy, si_sdr on S"), "\(end.error)")
        #expect(
            end.out.contains("±") && end.out.contains("provenance of ours") && !end.out.contains("open cells"),
            "\(end.out)")
        let json = try table("t", "--json")
        #expect(json.out.contains("\"ours\"") && json.out.contains("\"problems\""))
        // Another meaning of the spec makes the number stale.
        try write("tiny.yaml", tinySpec.replacingOccurrences(of: "max_steps: 6", with: "max_steps: 7"))
        let stale = try table("t", "--check", "--no-holes")
        #expect(
            stale.code == 3
                && stale.error.contains("error: stale: tiny, si_sdr on S: the spec has changed since it was run"),
            "\(stale.error)")
    }
}
