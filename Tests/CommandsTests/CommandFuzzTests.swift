import ArgumentParser
import Commands
import Foundation
import Glibc
import TestFolders
import Testing

/// Every command with senseless flags, values and names: an exit code and a message, never a signal.
///
/// Commands and options are those that the program itself lists, so a new one is tried too. `SGMSE_FUZZ=2000` tries
/// more.
@Suite(.serialized) struct CommandFuzzTests {
    private static let calls = ProcessInfo.processInfo.environment["SGMSE_FUZZ"].flatMap { Int($0) } ?? 120

    /// No path leads out of the folder of the test: some commands write where they are told to.
    private static let values = [
        " ", "0", "1", "-1", "nan", "inf", "-inf", "1e308", "1e-320", "9223372036854775807", "-9223372036854775808",
        "18446744073709551616", "0x10", "1_000", "٣", "\u{1B}[2J", "a\u{202E}b", ".", "./", "no/such/place",
        "spec.yaml/below", "a\nb", "name='", "not not",
        "train.lr=nan", "train.lr=", "=", "a.b.c=1", "[", "{", "*", "~", "é", "tiny", "spec.yaml", "store.sqlite",
        "data/test/clean", "pesq", "test", "csv", "backbone=ncsnpp and", "python train.py --base_dir d",
        String(repeating: "(", count: 20_000), String(repeating: "not ", count: 5_000),
        String(repeating: "[", count: 20_000),
        String(repeating: "x", count: 100_000),
    ]

    /// Commands, with what each takes, as `--experimental-dump-help` states it.
    private struct Command: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable { var kind, name: String }
            var kind: String
            var preferredName: Name?
        }
        var commandName: String
        var subcommands: [Command]?
        var arguments: [Argument]?

        /// The commands without subcommands below this one, each with the words that call it.
        func leaves(_ path: [String] = []) -> [(path: [String], arguments: [Argument])] {
            let inner = (subcommands ?? []).filter { $0.commandName != "help" }
            return inner.isEmpty ? [(path, arguments ?? [])] : inner.flatMap { $0.leaves(path + [$0.commandName]) }
        }
    }

    private struct Dump: Decodable { var command: Command }

    private static func commands() throws -> [(path: [String], arguments: [Command.Argument])] {
        let help = try Program.run("--experimental-dump-help")
        let known = try JSONDecoder().decode(Dump.self, from: Data(help.out.utf8)).command.leaves()
        #expect(known.count > 30)
        return known
    }

    /// A call of a random command with random values.
    private static func call(_ commands: [(path: [String], arguments: [Command.Argument])], _ random: inout Draws)
        -> [String]
    {
        let (path, arguments) = commands[random.below(commands.count)]
        var words = path
        for argument in arguments where argument.kind == "positional" && random.below(5) > 0 {
            words.append(
                random.below(2) == 0
                    ? ["tiny", "spec.yaml", "tiny", "data"][random.below(4)] : values[random.below(values.count)])
        }
        let options = arguments.filter {
            $0.kind != "positional" && !["help", "version"].contains($0.preferredName?.name)
        }
        for _ in 0..<random.below(4) where !options.isEmpty {
            let option = options[random.below(options.count)]
            guard let name = option.preferredName else { continue }
            words.append((name.kind == "long" ? "--" : "-") + name.name)
            if option.kind == "option" { words.append(values[random.below(values.count)]) }
        }
        return words
    }

    private struct Draws {
        var state: UInt64

        mutating func below(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(count))
        }
    }

    /// Reading the arguments of thousands of calls, within this process.
    @Test func noArgumentsEndTheParser() throws {
        let commands = try Self.commands()
        var random = Draws(state: 1)
        for _ in 0..<max(2000, Self.calls) { _ = try? SGMSE.parseAsRoot(Self.call(commands, &random)) }
    }

    /// Calls that last are ended by SIGTERM, which they obey.
    @Test func noCallEndsByASignal() throws {
        let commands = try Self.commands()
        let scratch = try TestFolder()
        #expect(try Program.run("run", scratch.spec(tinySpec), "--no-table", in: scratch.path).code == 0)
        var random = Draws(state: 2)
        let all = (0..<Self.calls).map { _ in Self.call(commands, &random) }
        DispatchQueue.concurrentPerform(iterations: 4) { part in
            for number in stride(from: part, to: all.count, by: 4) { Self.expectAnEnd(of: all[number], in: scratch) }
        }
    }

    /// Every setting of a spec with numbers at and beyond every limit.
    @Test func noSettingEndsByASignal() throws {
        let scratch = try TestFolder()
        let shown = try Program.run("show", scratch.spec(tinySpec), "--json", in: scratch.path).out
        let paths = Self.paths(try JSONSerialization.jsonObject(with: Data(shown.utf8)), "")
        #expect(paths.count > 60)
        let numbers = ["0", "-1", "1e308", "9223372036854775807", "1e18", ".nan", "[1e300]", "-9e18"]
        var random = Draws(state: 3)
        let all = (0..<Self.calls).map { number -> [String] in
            let path = paths[number % paths.count]
            return [
                ["plan", "check", "plan"][random.below(3)], "spec.yaml", "--set",
                "\(path)=\(numbers[random.below(numbers.count)])",
            ]
        }
        DispatchQueue.concurrentPerform(iterations: 4) { part in
            for number in stride(from: part, to: all.count, by: 4) { Self.expectAnEnd(of: all[number], in: scratch) }
        }
    }

    private static func paths(_ value: Any, _ path: String) -> [String] {
        guard let object = value as? [String: Any] else { return [path] }
        return object.sorted { $0.key < $1.key }.flatMap {
            paths($0.value, path.isEmpty ? $0.key : path + "." + $0.key)
        }
    }

    private static func expectAnEnd(of arguments: [String], in scratch: TestFolder) {
        let shown = arguments.map { $0.count > 60 ? $0.prefix(20) + "…(\($0.count))" : $0[...] }.joined(separator: " ")
        guard let program = try? Program(arguments, in: scratch.path, environment: ["TMPDIR": scratch.path]) else {
            Issue.record("cannot be started: \(shown)")
            return
        }
        let start = ContinuousClock.now
        while program.process.isRunning, ContinuousClock.now - start < .seconds(6) { usleep(5_000) }
        if program.process.isRunning { kill(program.process.processIdentifier, SIGTERM) }
        let asked = ContinuousClock.now
        while program.process.isRunning, ContinuousClock.now - asked < .seconds(10) { usleep(5_000) }
        if program.process.isRunning {
            Issue.record("does not end: sgmse \(shown)")
            _ = program.kill()
            return
        }
        let end = program.wait()
        let codes: Set<Int32> = [0, 1, 2, 3, 5, 130]
        #expect(!end.isSignal && codes.contains(end.code), "sgmse \(shown): \(end.code) \(end.error.suffix(300))")
    }
}
