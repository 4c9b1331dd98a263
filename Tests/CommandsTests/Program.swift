import Foundation
import TestFolders
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// The program as a process: run to its end, or begun and killed.
final class Program {
    static let path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/sgmse"

    let process = Process()
    private let (out, error) = (Pipe(), Pipe())
    private let said = Said()

    struct End {
        var code: Int32
        var isSignal: Bool
        var out: String
        var error: String
    }

    /// - Parameter fileSizeLimit: Bytes that no file may exceed, in place of a full disk.
    init(
        _ arguments: [String], in folder: String = NSTemporaryDirectory(), fileSizeLimit: Int? = nil,
        environment: [String: String] = [:],
        program: String = Program.path
    ) throws {
        if let fileSizeLimit {
            // The shell counts in blocks of 512 bytes, where POSIX does; bash in POSIX mode and dash do.
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "ulimit -f \(fileSizeLimit / 512); exec \"$0\" \"$@\"", program] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = arguments
        }
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = out
        process.standardError = error
        process.standardInput = FileHandle.nullDevice
        process.environment = ProcessInfo.processInfo.environment.merging(["SGMSE_STORE": folder + "/store.sqlite"]) {
            $1
        }.merging(environment) { $1 }
        try process.run()
        said.read(out.fileHandleForReading, error.fileHandleForReading)
    }

    /// Runs the program to its end.
    static func run(_ arguments: String..., in folder: String = NSTemporaryDirectory()) throws -> End {
        try Program(arguments, in: folder).wait()
    }

    static func run(arguments: [String], in folder: String = NSTemporaryDirectory()) throws -> End {
        try Program(arguments, in: folder).wait()
    }

    /// Runs the program to its end with its messages going to a terminal, and returns what the terminal was told.
    static func onTerminal(_ arguments: [String], in folder: String, environment: [String: String] = [:]) throws
        -> String
    {
        // A pair of terminals, unlocked and named by ioctl_tty(2): TIOCSPTLCK and TIOCGPTN.
        let terminal = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (lock, number) = (Int32(0), UInt32(0))
        guard terminal >= 0, unsafe ioctl(terminal, 0x4004_5431, &lock) == 0,
            unsafe ioctl(terminal, 0x8004_5430, &number) == 0
        else {
            throw CocoaError(.featureUnsupported)
        }
        let end = unsafe open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle(fileDescriptor: end, closeOnDealloc: false)
        process.environment = ProcessInfo.processInfo.environment.merging(["SGMSE_STORE": folder + "/store.sqlite"]) {
            $1
        }.merging(environment) { $1 }
        try process.run()
        close(end)
        var (told, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 4096))
        while case let count = unsafe read(terminal, &buffer, buffer.count), count > 0 { told += buffer[..<count] }
        process.waitUntilExit()
        close(terminal)
        return String(decoding: told, as: UTF8.self)
    }

    /// Runs the program to its end with output and messages going to one file, and returns what is in it.
    static func intoOneFile(_ arguments: [String], in folder: String) throws -> Data {
        let file = URL(fileURLWithPath: folder + "/" + UUID().uuidString)
        try Data().write(to: file)
        let handle = try FileHandle(forWritingTo: file)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = handle
        process.standardError = handle
        process.environment = ProcessInfo.processInfo.environment.merging(["SGMSE_STORE": folder + "/store.sqlite"]) {
            $1
        }
        try process.run()
        process.waitUntilExit()
        return try Data(contentsOf: file)
    }

    func wait() -> End {
        process.waitUntilExit()
        let (out, error) = said.whole()
        return End(
            code: process.terminationStatus, isSignal: process.terminationReason == .uncaughtSignal, out: out,
            error: error)
    }

    /// Standard error so far.
    var messages: String { said.errors }

    /// Waits until `condition` holds; false where the process ended first.
    func waitUntil(_ condition: () -> Bool) -> Bool {
        while !condition() {
            guard process.isRunning else { return condition() }
            usleep(500)
        }
        return true
    }

    /// Whether the process has a file of that name open.
    func hasOpen(_ name: String) -> Bool {
        let folder = "/proc/\(process.processIdentifier)/fd"
        let open = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return open.contains {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: folder + "/" + $0))?.hasSuffix(name) == true
        }
    }

    /// Ends the process without a warning.
    ///
    /// - Returns: Whether the signal is what ended it.
    func kill() -> Bool {
        _ = Glibc.kill(process.processIdentifier, SIGKILL)
        return wait().isSignal
    }

    /// What a process says on its two channels, read as it comes.
    private final class Said: @unchecked Sendable {  // guarded by `lock`
        private let lock = NSLock()
        private var texts = ["", ""]
        private let group = DispatchGroup()

        func read(_ out: FileHandle, _ error: FileHandle) {
            for (index, handle) in [out, error].enumerated() {
                group.enter()
                let descriptor = handle.fileDescriptor
                Thread.detachNewThread { [self] in
                    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
                    while case let data = file.availableData, !data.isEmpty {
                        lock.withLock { texts[index] += String(decoding: data, as: UTF8.self) }
                    }
                    group.leave()
                }
            }
        }

        var errors: String { lock.withLock { texts[1] } }

        func whole() -> (String, String) {
            group.wait()
            return lock.withLock { (texts[0], texts[1]) }
        }
    }
}

extension TestFolder {
    /// Writes a spec and returns its path.
    func spec(_ text: String, _ name: String = "spec.yaml") throws -> String { try write(text, to: name) }

    func files(_ ending: String) -> [String] { names.filter { $0.hasSuffix(ending) } }
}

/// A spec that is trained and evaluated in about a second.
let tinySpec = """
    name: tiny
    data:
      corpus: { name: synthetic, train: 4, valid: 1, test: 2, test_ood: 2, shortest: 0.5, longest: 0.6 }
      num_frames: 16
    transform: { n_fft: 126, hop_length: 63 }
    backbone: { name: ncsnpp_v2, nf: 8, ch_mult: [1, 1], num_res_blocks: 1, attn_resolutions: [] }
    sde: sbve
    objective: { loss_type: data_prediction }
    train: { lr: 1.0e-3, batch_size: 1, max_steps: 6, num_eval_files: 1, validate_every: 3, validation_N: 2 }
    evaluate:
      sets: [test, test-ood]
      N: [2, 3]
      checkpoint: last
      metrics: [si_sdr]
      anchors: [noisy]
      keep_audio: all

    """
