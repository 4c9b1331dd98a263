import Foundation
import TestFolders
import Testing

/// `sgmse metrics` over folders of short files, as a person runs it.
@Suite struct MetricsCommandTests {
    private let scratch: TestFolder

    /// Six pairs with their manifest, in `set`: cafe at 0 and 10 dB, street at 0 dB.
    init() throws {
        scratch = try TestFolder()
        var manifest = "file,noise,snr_db\n"
        for index in 0..<6 {
            let (noise, snr) = (index % 2 == 0 ? "cafe" : "street", index % 4 == 2 ? 10.0 : 0)
            let speech = Self.speech(seed: index)
            try write(speech, "set/clean/p\(index).wav")
            try write(zip(speech, Self.noise(seed: index)).map { $0 + 0.1 * $1 }, "set/noisy/p\(index).wav")
            try write(zip(speech, Self.noise(seed: index + 9)).map { $0 + 0.02 * $1 }, "out/p\(index).wav")
            manifest += "p\(index)\(index < 3 ? ".wav" : ""),\(noise),\(snr)\n"
        }
        try Data(manifest.utf8).write(to: URL(fileURLWithPath: scratch.path + "/set/manifest.csv"))
    }

    /// Harmonics that come and go, 0.8 s at 16 kHz.
    private static func speech(seed: Int) -> [Double] {
        (0..<12800).map { n in
            let t = Double(n) / 16000
            let tone = (1...8).reduce(0.0) { $0 + sin(2 * .pi * Double(130 + 10 * seed) * Double($1) * t) / Double($1) }
            return 0.1 * tone * pow(sin(2 * .pi * 3 * t), 2)
        }
    }

    private static func noise(seed: Int) -> [Double] {
        (0..<12800).map { n in sin(Double(n * n % 7919 + 31 * seed * n)) }
    }

    /// White noise: a linear congruential generator.
    private static func breath(seed: Int) -> [Double] {
        var state = UInt32(truncatingIfNeeded: 2_654_435_761 &* (seed + 1))
        return (0..<12800).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Double(state >> 8) / Double(1 << 23) - 1
        }
    }

    /// Writes 16-bit PCM.
    private func write(_ samples: [Double], _ name: String, rate: Int = 16000) throws {
        func bytes(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let data = samples.flatMap { bytes(Int((max(-1, min(1, $0)) * 32767).rounded()), 2) }
        let format =
            bytes(16, 4) + bytes(1, 2) + bytes(1, 2) + bytes(rate, 4) + bytes(2 * rate, 4) + bytes(2, 2) + bytes(16, 2)
        let body = Array("WAVEfmt ".utf8) + format + Array("data".utf8) + bytes(data.count, 4) + data
        let url = URL(fileURLWithPath: scratch.path + "/" + name)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(Array("RIFF".utf8) + bytes(body.count, 4) + body).write(to: url)
    }

    private func metrics(_ arguments: String...) throws -> Program.End {
        try Program(["metrics"] + arguments, in: scratch.path).wait()
    }

    private func document(_ end: Program.End) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(end.out.utf8)) as? [String: Any])
    }

    private func text(_ name: String) throws -> String {
        String(decoding: try #require(scratch.data(name)), as: UTF8.self)
    }

    @Test func aManifestBreaksTheMeansDownByNoiseAndSNR() throws {
        let end = try metrics(
            "--clean", "set/clean", "--noisy", "set/noisy", "--enhanced", "out", "--metrics", "si_sdr", "estoi",
            "--json")
        #expect(end.code == 0, "\(end.error)")
        let summaries = try #require(try document(end)["summaries"] as? [[String: Any]])
        func summary(_ system: String, _ group: String?) throws -> [String: Any] {
            try #require(summaries.first { $0["system"] as? String == system && $0["group"] as? String == group })
        }
        #expect(summaries.count == 10)  // two systems: all files, two noises, two SNRs
        for system in ["noisy", "enhanced"] {
            #expect(try summary(system, nil)["files"] as? Int == 6)
            #expect(try summary(system, "cafe")["files"] as? Int == 3)
            #expect(try summary(system, "street")["files"] as? Int == 3)
            #expect(try summary(system, "10 dB")["files"] as? Int == 1)
            #expect(try summary(system, "0 dB")["files"] as? Int == 5)
        }
        // The mean of a group is the mean of its files' own values.
        let files = try #require(try document(end)["files"] as? [[String: Any]])
        let cafe = files.filter { $0["system"] as? String == "enhanced" && $0["noise"] as? String == "cafe" }
            .compactMap { ($0["scores"] as? [[String: Any]])?[0]["value"] as? Double }
        let score = try #require((try summary("enhanced", "cafe")["scores"] as? [[String: Any]])?[0])
        #expect(cafe.count == 3)
        let mean = try #require(score["mean"] as? Double)
        #expect(abs(mean - cafe.reduce(0, +) / 3) < 1e-12)
        #expect(score["n"] as? Int == 3 && score["plus_infinite"] as? Int == 0 && score["missing"] as? Int == 0)
        let (lower, upper) = (try #require(score["lower"] as? Double), try #require(score["upper"] as? Double))
        #expect(lower <= upper && score["std"] is Double)
        let single = try #require((try summary("enhanced", "10 dB")["scores"] as? [[String: Any]])?[0])
        #expect(single["std"] is NSNull && single["lower"] is NSNull && single["mean"] is Double)
    }

    @Test func theTableHasGroupsSignaturesAndNoSpreadOfOneFile() throws {
        let end = try metrics(
            "--clean", "set/clean", "--noisy", "set/noisy", "--enhanced", "out", "--metrics", "si_sdr", "--format",
            "table")
        #expect(end.code == 0, "\(end.error)")
        for text in ["noise cafe", "noise street", "0 dB", "10 dB", "si_sdr: si_sdr|native|f64|no-mean-removal|v1"] {
            #expect(end.out.contains(text))
        }
        let line = try #require(
            end.out.split(separator: "\n").first { $0.contains("enhanced") && $0.contains("10 dB") })
        #expect(line.contains("(1)") && !line.contains("±"))
        #expect(
            try metrics("--clean", "set/clean", "--enhanced", "out", "--metrics", "si_sdr", "--format", "terminal").code
                == 0)
    }

    @Test func valuesThatAreAllInfiniteAreWrittenSo() throws {
        let end = try metrics(
            "--clean", "set/clean", "--enhanced", "set/clean", "--metrics", "si_sdr", "--format", "csv", "--output", "."
        )
        #expect(end.code == 0, "\(end.error)")
        #expect(end.out.contains("enhanced,,all,si_sdr,dB,inf,,0,,,6,0,si_sdr|native|f64|no-mean-removal|v1,\n"))
        #expect(try text("_avg_results.txt").hasPrefix("si_sdr: inf (n 0, 6 inf) si_sdr|"))
        #expect(try text("_results.csv").contains("p0.wav,inf,"))
        let table = try metrics(
            "--clean", "set/clean", "--enhanced", "set/clean", "--metrics", "si_sdr", "--output", ".")
        #expect(table.out.contains("inf (0, 6 inf)"))
    }

    @Test func failuresAreTypedInEveryFileAndQuotedByRFC4180() throws {
        try write(Self.speech(seed: 1), "odd/clean/a\"b, c.wav")
        try write([Double](repeating: 0, count: 12800), "odd/out/a\"b, c.wav")
        let end = try metrics(
            "--clean", "odd/clean", "--enhanced", "odd/out", "--metrics", "si_sdr", "seg_snr", "stoi", "--json")
        #expect(end.code == 1)
        #expect(end.error.contains("a\"b, c.wav: no si_sdr, seg_snr: the enhanced signal is silent"))
        let failures = try #require(try document(end)["failures"] as? [[String: Any]])
        #expect(failures.map { $0["metric"] as? String } == ["si_sdr", "seg_snr"])
        #expect(failures.allSatisfy { $0["code"] as? String == "silent" })
        let csv = try text("odd/out/_results.csv").split(separator: "\n")
        #expect(csv[0].hasPrefix("filename,si_sdr,seg_snr,stoi,si_sdr/reason,si_sdr/signature,si_sdr/conversion,"))
        #expect(csv[1].hasPrefix("\"a\"\"b, c.wav\",,,0.0,silent: the enhanced signal is silent,si_sdr|native"))
    }

    @Test func resamplingIsOnRecord() throws {
        try write(Self.speech(seed: 1), "fast/clean/a.wav", rate: 22050)
        try write(zip(Self.speech(seed: 1), Self.noise(seed: 1)).map { $0 + 0.05 * $1 }, "fast/out/a.wav", rate: 22050)
        let refused = try metrics("--clean", "fast/clean", "--enhanced", "fast/out", "--metrics", "pesq")
        #expect(refused.code == 1 && refused.error.contains("22050 Hz"))
        let end = try metrics("--clean", "fast/clean", "--enhanced", "fast/out", "--metrics", "pesq", "--resample")
        #expect(end.code == 0, "\(end.error)")
        let record = "22050 → 16000 Hz (soxr-hq)"
        #expect(end.out.contains("pesq|wb|16000|soxr-hq|v1, \(record) in 1 file"))
        #expect(try text("fast/out/_results.csv").contains(record))
        #expect(try text("fast/out/_avg_results.txt").contains(record))
    }

    @Test func anUnreadableFileIsNamedOnceWithAdviceThatApplies() throws {
        try Data("not audio".utf8).write(to: URL(fileURLWithPath: scratch.path + "/out/p0.wav"))
        try write(Self.speech(seed: 1), "out/p1.wav", rate: 8000)
        let end = try metrics("--clean", "set/clean", "--enhanced", "out", "--metrics", "si_sdr", "estoi", "seg_snr")
        #expect(end.code == 1)
        let lines = end.error.split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("p0.wav: no metric: out/p0.wav") } == 1)
        #expect(
            lines.count {
                $0.hasPrefix("p1.wav: no metric: out/p1.wav") && $0.hasSuffix("convert this one to 16000 Hz")
            } == 1)
        #expect(!end.error.contains("spec"))
        #expect(end.out.contains("(4, 2 missing)"))
    }

    @Test func foldersAreCheckedBeforeTheWork() throws {
        let cases = [
            (["--clean", "none", "--enhanced", "out"], "--clean none: no such folder"),
            (["--clean", "set/clean", "--noisy", "none", "--enhanced", "out"], "--noisy none: no such folder"),
            (["--clean", "set/clean", "--enhanced", "none"], "--enhanced none: no such folder"),
            (["--clean", "set/clean", "--enhanced", "out", "--output", "none"], "--output none: no such folder"),
        ]
        for (arguments, message) in cases {
            let end = try Program(["metrics"] + arguments, in: scratch.path).wait()
            #expect(end.code == 2 && end.error.contains(message), "\(end.error)")
            #expect(end.out.isEmpty)
        }
        // A folder that nobody can write to, the superuser included.
        let end = try metrics("--clean", "set/clean", "--enhanced", "out", "--output", "/proc/self")
        #expect(end.code == 5 && end.error.contains("/proc/self: nothing can be written there"), "\(end.error)")
        #expect(!end.error.contains("Cocoa"))
    }

    @Test func theRegistryStatesWhatAMetricIs() throws {
        let end = try Program.run("registry", "metric")
        #expect(end.code == 0)
        #expect(
            end.out.contains(
                "MOS, 0.999…4.999, higher is better, at 16000 Hz, needs clean, signature pesq|wb|16000|soxr-hq|v1"))
        #expect(
            end.out.contains("dB, −∞…∞, higher is better, any rate, needs clean and noisy, signature si_sir|native"))
        #expect(
            end.out.contains("no unit, -1…1, higher is better, any rate, needs clean, signature estoi|10000|octave|v1"))
    }

    // MARK: Files as they are in the field

    private func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: scratch.path + "/" + name)
    }

    @Test func missingOutputsStopTheScoringUnlessTheyAreAllowed() throws {
        for index in 1..<6 { try remove("out/p\(index).wav") }
        let end = try metrics(
            "--clean", "set/clean", "--noisy", "set/noisy", "--enhanced", "out", "--metrics", "si_sdr")
        #expect(end.code == 3 && end.out.isEmpty)
        #expect(end.error.contains("5 of 6 clean files have no enhanced file in out: p1.wav, p2.wav"), "\(end.error)")
        #expect(scratch.data("out/_results.csv") == nil)
        let allowed = try metrics("--clean", "set/clean", "--enhanced", "out", "--metrics", "si_sdr", "--partial")
        #expect(allowed.code == 0 && allowed.error.contains("warning: 5 of 6"), "\(allowed.error)")
        #expect(allowed.out.contains("! 5 outputs are missing"))
        #expect(try text("out/_avg_results.txt").contains("(n 1, 5 outputs missing)"))
        let json = try metrics(
            "--clean", "set/clean", "--enhanced", "out", "--metrics", "si_sdr", "--allow-missing", "--json")
        #expect(try (document(json)["missing_outputs"] as? [String])?.count == 5)
    }

    @Test func outputsThatAreLateLongerOrAtAHigherRateAreMadeToFitWhereThatIsAskedAndSigned() throws {
        for index in 0..<6 {
            // Voiced and unvoiced: what is periodic alone has no certain delay.
            let clean = zip(Self.speech(seed: index), Self.breath(seed: index)).map { $0 + 0.05 * $1 }
            let enhanced = zip(clean, Self.breath(seed: index + 9)).map { $0 + 0.02 * $1 }
            try write(clean, "fit/p\(index).wav")
            try write(enhanced, "right/p\(index).wav")
            try write([Double](repeating: 0, count: 160) + enhanced.dropLast(160), "late/p\(index).wav")
            try write(enhanced + [Double](repeating: 0, count: 77), "long/p\(index).wav")
            try write(enhanced.flatMap { [$0, $0] }, "fast/p\(index).wav", rate: 32_000)
        }
        func mean(_ folder: String, _ options: String...) throws -> (
            value: Double?, signatures: Set<String>, end: Program.End
        ) {
            let arguments =
                ["metrics", "--clean", "fit", "--enhanced", folder, "--metrics", "si_sdr", "--json"] + options
            let end = try Program(arguments, in: scratch.path).wait()
            let parsed = try document(end)
            let whole = (parsed["summaries"] as? [[String: Any]])?.first { $0["by"] is NSNull }
            let summary = (whole?["scores"] as? [[String: Any]])?.first
            let computed = ((parsed["metrics"] as? [[String: Any]])?.first?["computed"] as? [[String: Any]]) ?? []
            return (summary?["mean"] as? Double, Set(computed.compactMap { $0["signature"] as? String }), end)
        }
        let plain = try #require(try mean("right").value)
        #expect(try #require(try mean("late").value) < 0)
        let aligned = try mean("late", "--align")
        #expect(
            try abs(#require(aligned.value) - plain) < 0.5
                && aligned.signatures == ["si_sdr|native|f64|no-mean-removal|v1|aligned"], "\(aligned)")
        #expect(!aligned.end.error.contains("late"))
        #expect(try mean("long").value == nil)
        let trimmed = try mean("long", "--trim")
        #expect(
            try abs(#require(trimmed.value) - plain) < 0.01
                && trimmed.signatures == ["si_sdr|native|f64|no-mean-removal|v1|trimmed"], "\(trimmed)")
        let lowered = try mean("fast", "--resample")
        #expect(
            try #require(lowered.value) > 5 && lowered.signatures == ["si_sdr|native|f64|no-mean-removal|v1|resampled"],
            "\(lowered)")
        // What fits already is not touched, and keeps its signature.
        let fitting = try mean("right", "--align", "--trim", "--resample")
        #expect(fitting.value == plain && fitting.signatures == ["si_sdr|native|f64|no-mean-removal|v1"])
        try remove("late/p3.wav")
        #expect(try mean("late", "--align", "--partial").end.code == 0)
    }

    /// What is periodic has peaks of one height at every multiple of its period.
    @Test func aDelayThatIsUncertainIsSaidAndNothingIsMoved() throws {
        for index in 0..<3 {
            let tone = Self.speech(seed: index)
            try write(tone, "tone/p\(index).wav")
            try write([Double](repeating: 0, count: 160) + tone.dropLast(160), "tone-late/p\(index).wav")
        }
        let end = try metrics("--clean", "tone", "--enhanced", "tone-late", "--metrics", "si_sdr", "--align", "--json")
        #expect(
            end.code == 0
                && end.error.contains(
                    "warning: 3 of 3 outputs, such as p0.wav, were not moved: their delay is uncertain"),
            "\(end.error)")
        let computed = try #require(
            (document(end)["metrics"] as? [[String: Any]])?.first?["computed"] as? [[String: Any]])
        #expect(computed.compactMap { $0["signature"] as? String } == ["si_sdr|native|f64|no-mean-removal|v1"])
    }

    @Test func aFailingCallKeepsTheResultsOfAnEarlierOne() throws {
        #expect(try metrics("--clean", "set/clean", "--enhanced", "out", "--metrics", "si_sdr").code == 0)
        let before = try (text("out/_results.csv"), text("out/_avg_results.txt"))
        try Data("not audio".utf8).write(to: URL(fileURLWithPath: scratch.path + "/out/p0.wav"))
        let end = try metrics("--clean", "set/clean", "--enhanced", "out", "--metrics", "si_sdr")
        #expect(end.code == 1 && end.error.contains("_results.failed.csv and _avg_results.failed.txt"), "\(end.error)")
        #expect(try (text("out/_results.csv"), text("out/_avg_results.txt")) == before)
        #expect(try text("out/_results.failed.csv").contains("unreadable"))
        try remove("out/p0.wav")
        #expect(try metrics("--clean", "set/clean", "--enhanced", "out", "--metrics", "si_sdr").code == 3)
        #expect(try (text("out/_results.csv"), text("out/_avg_results.txt")) == before)
        #expect(scratch.files("").allSatisfy { !$0.contains(".sgmse-part-") })
    }

    /// A limit on the size of files stands for a full disk: neither result file changes.
    @Test func aFullDiskChangesNeitherResultFile() throws {
        for index in 0..<40 {
            let name = String(repeating: "long-name-", count: 20) + "\(index).wav"
            try write([0.1, 0.2, 0.1], "many/clean/" + name)
            try write([0.1, 0.2, 0.2], "many/out/" + name)
        }
        let call = ["metrics", "--clean", "many/clean", "--enhanced", "many/out", "--metrics", "si_sdr"]
        #expect(try Program(call, in: scratch.path).wait().code == 0)
        let before = try text("many/out/_results.csv")
        try write([0.1, 0.2, 0.0], "many/out/" + String(repeating: "long-name-", count: 20) + "0.wav")
        let end = try Program(call, in: scratch.path, fileSizeLimit: 4096).wait()
        #expect(end.code == 5 || end.isSignal, "\(end)")
        #expect(try text("many/out/_results.csv") == before)
    }

    @Test func linksHiddenFilesAndSpellingsOfUnicodeAreRead() throws {
        let place = URL(fileURLWithPath: scratch.path)
        for (link, target) in [("clean-link", "set/clean"), ("out-link", "out")] {
            try FileManager.default.createSymbolicLink(atPath: place.path + "/" + link, withDestinationPath: target)
        }
        for name in ["set/clean/._p0.wav", "out/._p0.wav", "out/._p9.wav"] {
            try Data("AppleDouble".utf8).write(to: place.appendingPathComponent(name))
        }
        try write(Self.speech(seed: 7), "set/clean/Zo\u{EB}.wav")
        try write(zip(Self.speech(seed: 7), Self.noise(seed: 7)).map { $0 + 0.02 * $1 }, "out/Zoe\u{308}.wav")
        let end = try metrics(
            "--clean", "clean-link", "--enhanced", "out-link/", "--metrics", "si_sdr", "--output", ".")
        #expect(end.code == 0 && end.out.contains("(7)"), "\(end.error)")
    }

    @Test func pairsOfTheDNSChallengeAreMadeAndTheRuleIsSaid() throws {
        for id in 1...3 {
            try write(Self.speech(seed: id), "dns/clean/clean_fileid_\(id).wav")
            try write(
                zip(Self.speech(seed: id), Self.noise(seed: id)).map { $0 + 0.02 * $1 },
                "dns/out/book_0006\(id)_snr10_fileid_\(id).wav")
        }
        let end = try metrics("--clean", "dns/clean", "--enhanced", "dns/out", "--metrics", "si_sdr")
        #expect(end.code == 0 && end.out.contains("(3)"), "\(end.error)")
        #expect(
            end.error.contains(
                """
                note: 3 files were paired by the number behind 'fileid_', such as book_00061_snr10_fileid_1.wav with \
                clean_fileid_1.wav
                """
            ))
    }

    @Test func filesFromAPipeAreScoredWholeWithANote() throws {
        var bytes = try #require(scratch.data("out/p0.wav"))
        for (place, word) in [(4, [0x24, 0xF0, 0xFF, 0x7F]), (40, [0x00, 0xF0, 0xFF, 0x7F])] as [(Int, [UInt8])] {
            bytes.replaceSubrange(place..<place + 4, with: word)
        }
        try bytes.write(to: URL(fileURLWithPath: scratch.path + "/out/p0.wav"))
        let end = try metrics("--clean", "set/clean", "--enhanced", "out", "--metrics", "si_sdr")
        #expect(
            end.code == 0 && end.error.contains("note: 1 file was written to a pipe, such as out/p0.wav"),
            "\(end.error)")
    }

    @Test func aRateThatIsTooHighForAMetricMentionsResampling() throws {
        try write(Self.speech(seed: 1), "high/clean/a.wav", rate: 48000)
        try write(Self.speech(seed: 2), "high/out/a.wav", rate: 48000)
        let end = try metrics("--clean", "high/clean", "--enhanced", "high/out", "--metrics", "pesq")
        #expect(end.code == 1 && end.error.contains("--resample converts the files to 16000 Hz"), "\(end.error)")
    }
}
