import Foundation
import Installation
import TestFolders
import Testing

/// The program as a lab has it: below a prefix, with its library of experiments, far from any checkout.
@Suite struct InstalledProgramTests {
    private let scratch: TestFolder
    private let program: String

    init() throws {
        scratch = try TestFolder()
        program = scratch.path + "/prefix/bin/sgmse"
        let library = scratch.path + "/prefix/share/sgmse/experiments"
        for folder in ["prefix/bin", "work"] { try Self.makeFolder(scratch.path + "/" + folder) }
        for folder in ["base", "tables", "reported"] { try Self.makeFolder(library + "/" + folder) }
        do { try FileManager.default.linkItem(atPath: Program.path, toPath: program) } catch {
            try FileManager.default.copyItem(atPath: Program.path, toPath: program)
        }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: library + "/" + name))
        }
        try write("base/tiny.yaml", tinySpec)
        try write("start.yaml", "name: start\nextends: base/tiny.yaml\nevaluate: { sets: [test], N: [2] }\n")
        try write(
            "tables/t.yaml",
            """
            title: T
            paper: P
            sets: [{ reported: S, test_set: test }]
            columns: [si_sdr]
            rows: [{ label: start, spec: ../start.yaml, N: 2 }]

            """)
        try write(
            "reported/p.yaml",
            "paper: P\nmark: V\nsource: s\nset: S\nfigures: [{ system: start, values: { si_sdr: 5.0 } }]\n")
    }

    private static func makeFolder(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    private func sgmse(_ words: String..., environment: [String: String] = [:]) throws -> Program.End {
        let work = scratch.path + "/work"
        return try Program(words, in: work, environment: environment, program: program).wait()
    }

    @Test func experimentsOfTheLibraryGoByName() throws {
        let end = try sgmse("run", "start", "--no-table")
        #expect(end.code == 0, "\(end.error)")
        // Everything that was made lies in the working folder.
        #expect(scratch.files("store.sqlite") == ["work/store.sqlite"])
        for name in ["start", "start.yaml", "sgmse:start", "sgmse:start.yaml"] {
            let plan = try sgmse("plan", name)
            #expect(plan.out.contains("0 steps to do"), "\(plan)")
        }
        #expect(try sgmse("check", "start").code == 0)
        let wrong = try sgmse("run", "strat")
        #expect(wrong.code == 2 && wrong.error.contains("did you mean 'start' of the library?"), "\(wrong)")
        let listed = try sgmse("registry", "experiment")
        #expect(
            listed.out.contains("  base/tiny — ") && listed.out.contains("  start — ")
                && !listed.out.contains("tables/"), "\(listed)")
    }

    @Test func aSpecExtendsOneOfTheLibrary() throws {
        _ = try scratch.spec("name: mine\nextends: sgmse:start.yaml\ntrain: { lr: 5.0e-4 }\n", "work/mine.yaml")
        let shown = try sgmse("show", "mine.yaml", "--origins")
        #expect(
            shown.code == 0 && shown.out.contains("sgmse:base/tiny.yaml") && shown.out.contains("lr: 0.0005"),
            "\(shown)")
        _ = try scratch.spec("extends: sgmse:base/tyni.yaml\n", "work/wrong.yaml")
        let wrong = try sgmse("check", "wrong.yaml", "--no-data")
        #expect(
            wrong.code == 2 && wrong.error.contains("cannot read 'sgmse:base/tyni.yaml': there is no such file"),
            "\(wrong)")
        #expect(wrong.error.contains("did you mean 'tiny.yaml'?"), "\(wrong)")
    }

    @Test func showTakesRunsBeforeTheLibrary() throws {
        let before = try sgmse("show", "start")
        #expect(before.code == 0 && before.out.contains("max_steps: 6"), "\(before)")
        #expect(try sgmse("run", "start", "--no-table").code == 0)
        let after = try sgmse("show", "start")
        #expect(after.code == 0 && after.out.contains("si_sdr") && !after.out.contains("max_steps: 6\n"), "\(after)")
        #expect(try sgmse("show", "sgmse:start").out == before.out)
        let unknown = try sgmse("show", "strat")
        #expect(unknown.code == 2 && unknown.error.contains("no run is called 'strat'"), "\(unknown)")
    }

    @Test func tablesOfTheLibraryAreFound() throws {
        let list = try sgmse("table")
        #expect(list.code == 0 && list.out.contains("si_sdr"), "\(list)")
        let table = try sgmse("table", "t")
        #expect(
            table.code == 0 && table.out.contains("sgmse run sgmse:start.yaml") && table.out.contains("5.0"), "\(table)"
        )
    }

    @Test func aFileOfTheWorkingFolderComesBeforeTheLibrary() throws {
        _ = try scratch.spec(tinySpec.replacingOccurrences(of: "max_steps: 6", with: "max_steps: 9"), "work/start.yaml")
        let shown = try sgmse("show", "start.yaml")
        #expect(shown.out.contains("max_steps: 9"), "\(shown)")
    }

    @Test func withoutALibraryItIsSaidWhatToDo() throws {
        try FileManager.default.removeItem(atPath: scratch.path + "/prefix/share")
        let end = try sgmse("run", "sgmse:start.yaml")
        #expect(end.code == 2 && end.error.contains("SGMSE_EXPERIMENTS names one"), "\(end)")
        _ = try scratch.spec(tinySpec, "elsewhere.yaml")
        let other = try sgmse("show", "elsewhere", environment: ["SGMSE_EXPERIMENTS": scratch.path])
        #expect(other.code == 0 && other.out.contains("max_steps: 6"), "\(other)")
    }

    @Test func theVersionNamesTheProgram() throws {
        let version = try sgmse("--version")
        #expect(version.code == 0 && version.out.hasPrefix("sgmse \(BuildFacts.version)\n"), "\(version)")
        for subject in ["commit", "build", "instruction sets", "SQLite", "plugins", "experiments"] {
            #expect(version.out.contains("\n\(subject): "), "\(version)")
        }
        #expect(version.out.contains(scratch.path + "/prefix/share/sgmse/experiments"), "\(version)")
        // Plugins are looked for where they are opened from; a named folder comes first.
        for (folder, name) in [("prefix/lib/sgmse", "torch"), ("prefix/lib/sgmse", "mpi"), ("mine", "mpi")] {
            try Self.makeFolder(scratch.path + "/" + folder)
            try Data().write(to: URL(fileURLWithPath: scratch.path + "/\(folder)/libsgmse-\(name).so"))
        }
        let found = try sgmse("--version", environment: ["SGMSE_PLUGINS": scratch.path + "/mine"])
        let paths = ["mine/libsgmse-mpi.so", "prefix/lib/sgmse/libsgmse-torch.so"].map { scratch.path + "/" + $0 }
        #expect(found.out.contains("\nplugins: \(paths.joined(separator: ", "))\n"), "\(found)")
    }
}
