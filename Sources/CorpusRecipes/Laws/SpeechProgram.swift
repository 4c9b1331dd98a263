import Audio
import Corpora
import Foundation
import SystemCalls

/// The program espeak-ng, which speaks a text in one of its voices: the same samples for the same text, voice and
/// version.
struct SpeechProgram: Sendable {
    private static let name = "espeak-ng"
    /// Hz of all its voices.
    static let rate = 22_050

    /// As it states its version: `eSpeak NG 1.51`.
    let version: String

    /// - Throws: `CorpusError` where the program is not installed.
    init() throws {
        let path = Self.temporaryFile(".txt")
        defer { POSIX.unlink(path) }
        guard try Self.run(["--version"], output: path) == 0,
            let text = FileManager.default.contents(atPath: path).map({ String(decoding: $0, as: UTF8.self) }),
            let match = text.firstMatch(of: /([0-9]+(?:\.[0-9]+)+(?:-\w+)?)/)
        else {
            throw CorpusError(
                Self.name, .notThere("this recipe needs the program espeak-ng; on Debian: apt-get install espeak-ng"))
        }
        version = "eSpeak NG \(match.1)"
    }

    /// The spoken text at a rate.
    ///
    /// - Throws: `CorpusError` where the program fails; `SoundFileError`, `ResamplingError`.
    func samples(of text: String, _ voice: SpokenVoice, sampleRate: Int) throws -> [Float] {
        let path = Self.temporaryFile(".wav")
        defer { POSIX.unlink(path) }
        let arguments = ["-v", voice.name, "-p", "\(voice.pitch)", "-s", "\(voice.speed)", "-w", path, "--", text]
        let code = try Self.run(arguments, output: "/dev/null")
        guard code == 0 else {
            let failure = "it ended with code \(code) for the voice \(voice.name)"
            throw CorpusError(Self.name, .notThere("\(failure); install espeak-ng with its data again"))
        }
        return try SoundFile.readMono(path, convertedTo: sampleRate)
    }

    private static func temporaryFile(_ ending: String) -> String {
        NSTemporaryDirectory() + "sgmse-speech-\(UUID().uuidString)\(ending)"
    }

    /// Calls the program, which is looked up in PATH, and waits for it.
    ///
    /// - Returns: Its exit code; 127 where it is not there, 128 and the signal where one ended it.
    private static func run(_ arguments: [String], output: String) throws(CorpusError) -> Int32 {
        // Ctrl-C interrupts sgmse alone: the running call of espeak-ng is finished first.
        let files = [
            ProgramStart.File(0, "/dev/null", O_RDONLY),
            ProgramStart.File(1, output, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600),
            ProgramStart.File(2, "/dev/null", O_WRONLY),
        ]
        let (error, child) = ProgramStart([name] + arguments, files: files, group: .own).start()
        guard error != ENOENT else { return 127 }
        guard error == 0 else { throw CorpusError(name, .disk(POSIX.message(error))) }
        var end = POSIX.waitpid(child, 0)
        while end.process < 0 {
            guard errno == EINTR else { return 127 }
            end = POSIX.waitpid(child, 0)
        }
        return POSIX.exitCode(end.status)
    }
}
