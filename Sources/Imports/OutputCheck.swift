import Audio
import Corpora
import Foundation

/// The properties of one file of another system's output, compared with its clean file.
struct OutputCheck: Sendable {
    enum Fault: Hashable, Sendable {
        case unreadable
        case rate(Int)
        case length(difference: Int)
        case notFinite
        /// The output is the clean file itself.
        case clean
        /// The delay of the output in samples; negative where it is early.
        case late(Int)
    }

    var fault: Fault?
    var content: AudioFingerprint?

    init(_ enhanced: String, clean: String, rate: Int) {
        guard let header = try? SoundFile.header(of: enhanced), header.channels == 1 else {
            fault = .unreadable
            return
        }
        guard header.sampleRate == rate else {
            fault = .rate(header.sampleRate)
            return
        }
        guard let output = try? SoundFile.readMono(enhanced, sampleRate: rate),
            let target = try? SoundFile.readMono(clean, sampleRate: rate)
        else {
            fault = .unreadable
            return
        }
        content = AudioFingerprint(digest: AudioDigest(of: [output]), earlier: ContentHash(of: output))
        if output.count != target.count {
            fault = .length(difference: output.count - target.count)
        } else if output.contains(where: { !$0.isFinite }) {
            fault = .notFinite
        } else if output == target {
            fault = .clean
        } else if let alignment = Alignment(of: output, against: target, sampleRate: rate),
            alignment.isShifted(by: max(1, rate / 1000), sampleRate: rate, inRoom: false)
        {
            fault = .late(alignment.delay)
        }
    }

    /// The faults of a folder, each kind once.
    static func problems(_ checks: [(name: String, check: OutputCheck)], rate: Int) -> [ImportFailure.Problem] {
        func files(_ holds: (Fault) -> Bool) -> [String] {
            checks.filter { $0.check.fault.map(holds) ?? false }.map(\.name)
        }
        var problems: [ImportFailure.Problem] = []
        func add(_ code: String, _ summary: String, fix: String, _ holds: (Fault) -> Bool) {
            let found = files(holds)
            if !found.isEmpty { problems.append(.init(code, summary, fix: fix, files: found)) }
        }
        add("unreadable", "files that are no audio of one channel", fix: "write WAV or FLAC files of one channel") {
            $0 == .unreadable
        }
        add("rate", "files at another sample rate than the set's \(rate) Hz", fix: "convert them to \(rate) Hz") {
            if case .rate = $0 { true } else { false }
        }
        add(
            "length", "files that are longer or shorter than the clean ones",
            fix: "write as many samples as the noisy file has: nothing is cut or padded here"
        ) {
            if case .length = $0 { true } else { false }
        }
        add("not-finite", "files with samples that are no numbers", fix: "enhance them again") { $0 == .notFinite }
        add("clean", "files that are the clean ones themselves", fix: "check which folder was given") { $0 == .clean }
        let lags = checks.compactMap { if case .late(let lag) = $0.check.fault { lag } else { nil } }.sorted()
        if !lags.isEmpty {
            let typical = lags[lags.count / 2]
            let time = String(format: "%.1f ms", 1000 * Double(abs(typical)) / Double(rate))
            add(
                "alignment",
                """
                files that are \(typical > 0 ? "late" : "early") against the clean ones, typically by \(abs(typical)) \
                samples (\(time))
                """,
                fix: "remove the delay of the system: SI-SDR and the metrics like it compare sample by sample"
            ) { if case .late = $0 { true } else { false } }
        }
        return problems
    }
}
