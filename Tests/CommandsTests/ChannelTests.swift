import Foundation
import Runs
import TestFolders
import Testing

/// Standard output, standard error and the working folder in every state a shell can hand over.
@Suite final class ChannelTests {
    private let scratch: TestFolder

    init() throws {
        scratch = try TestFolder()
        let store = try RunStore(at: scratch.store)
        let provenance = Provenance(
            gitCommit: "0123abc", version: "1.0", machine: "test", threads: 1, commandLine: "sgmse run a.yaml")
        let run = try store.register(
            RunDraft(
                name: "plain", key: RunKey(identity: "plain", seed: 0, dataFingerprint: "data"),
                spec: StoredSpec(file: "a.yaml", written: "name: plain", resolved: "{}"), provenance: provenance))
        let event = EventRecord(kind: "reason", message: "bad\u{1B}[2Jtext\u{9B}31m\u{202E}")
        _ = try store.record(TrainingBatch(events: [event]), of: run.id)
        try store.close()
    }

    /// Runs a line of shell in the scratch folder, `$sgmse` being the program.
    private func shell(_ line: String) throws -> (code: Int32, isSignal: Bool, out: String, error: String) {
        let process = Process()
        let (out, error) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = URL(fileURLWithPath: scratch.path)
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["SGMSE_STORE": scratch.store, "sgmse": Program.path]) { $1 }
        (process.standardOutput, process.standardError) = (out, error)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let message = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, process.terminationReason == .uncaughtSignal, text, message)
    }

    @Test(arguments: [
        "ls", "ls --json", "compare --format csv", "registry", "registry --schema", "show plain", "doctor",
        "note plain", "--help",
        "--version", "checkpoint list", "export csv plain", "import command 'python train.py --base_dir d'",
    ])
    func outputThatCannotBeWrittenExitsWith5(command: String) throws {
        let full = try shell("$sgmse \(command) > /dev/full")
        #expect(full.code == 5 && full.error.contains("No space left on device"), "\(command): \(full)")
        let closed = try shell("$sgmse \(command) >&-")
        #expect(closed.code == 5 && closed.error.contains("standard output cannot be written"), "\(command): \(closed)")
    }

    @Test func aReaderThatHasGoneIsNoMessage() throws {
        let end = try shell("{ sleep 0.3; $sgmse registry; echo $? >&2; } | true")
        #expect(end.error == "141\n", "\(end)")
    }

    @Test(arguments: ["2>&-", "2>/dev/full", "2> >(exit)", "<&- 2>&-", "<&-", "2>/dev/full >/dev/null"])
    func messagesThatCannotBeWrittenStopNothing(redirection: String) throws {
        let command = "sleep 0.2; exec $sgmse run '\(try scratch.spec(tinySpec, "tiny.yaml"))' --no-table"
        let end = try shell("( \(command) ) \(redirection)")
        #expect(end.code == 0 && !end.isSignal, "\(redirection): \(end)")
        let store = try RunStore(at: scratch.store, access: .readOnly)
        #expect(try store.integrityProblems().isEmpty)
        #expect(try store.run(named: "tiny").status == .finished)
    }

    /// A store opened where standard output should be would be written over by the first line of it.
    @Test func aStoreIsNeverOpenedAsStandardOutput() throws {
        let end = try shell("$sgmse tag plain one two <&- >&- 2>&-")
        #expect(end.code == 5 && !end.isSignal, "\(end)")
        let store = try RunStore(at: scratch.store, access: .readOnly)
        #expect(try store.run(named: "plain").tags == ["one", "two"] && store.integrityProblems().isEmpty)
    }

    @Test func noCharacterOfANameReachesTheTerminalAsACommand() throws {
        for command in [
            "ls", "show plain", "compare", "logs plain", "explain plain", "show $'no\\e[2J\\x9b\\u202esuch'",
            "check $'no\\e]0;x\\a.yaml'", "ls --where $'\\e[1m=2'",
        ] {
            let end = try shell("$sgmse \(command)")
            for scalar in (end.out + end.error).unicodeScalars where scalar != "\n" && scalar != "\t" {
                #expect(
                    scalar.properties.generalCategory != .control && !(0x202A...0x202E).contains(scalar.value),
                    "\(command): \(end)")
            }
        }
        let shown = try shell("$sgmse logs plain").out
        #expect(shown.contains("bad\\u{1B}[2Jtext\\u{9B}31m\\u{202E}\n"), "\(shown)")
        let data = try shell("$sgmse logs plain --json").out
        let lines = try #require(try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [[String: Any]])
        #expect(
            lines.contains { ($0["text"] as? String)?.contains("bad\u{1B}[2Jtext\u{9B}31m\u{202E}") == true }, "\(data)"
        )
    }

    @Test func aDeletedWorkingFolderEndsAtOnce() throws {
        for command in ["ls", "doctor", "run x.yaml", "ls --store x.sqlite"] {
            let end = try shell("unset SGMSE_STORE; mkdir d; cd d; rmdir ../d; timeout 20 $sgmse \(command)")
            #expect(
                end.code == 2 && end.error.contains("the working folder is not there any more"), "\(command): \(end)")
        }
    }

    /// Standard output and standard error have one writer each, which cannot trap.
    @Test func nothingElseWritesToTheStandardChannels() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Commands")
        let files =
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        let sources = files.filter { $0.pathExtension == "swift" && $0.lastPathComponent != "Channel.swift" }
        #expect(sources.count > 40)
        for source in sources {
            let text = try String(contentsOf: source, encoding: .utf8)
            for word in [
                "print(", "Swift.print", "FileHandle.standardError", "FileHandle.standardOutput", "availableData",
                "readDataToEndOfFile", "fputs(", "stdout",
            ] {
                let found = text.components(separatedBy: word).dropLast().contains { before in
                    word != "print(" || !(before.last?.isLetter ?? false)
                }
                #expect(!found, "\(source.lastPathComponent): \(word)")
            }
        }
    }
}
