import Audio
import Corpora
import CorpusRecipes
import Foundation
import Kernels
import TestFolders
import Testing

/// Simulated rooms against what physics says of them.
@Suite struct RoomTests {
    private let rate = 16_000
    private func stream(_ seed: UInt64) -> RandomStream { RandomStream(seed: seed, purpose: "room test") }

    private func response(
        _ room: ShoeBox, _ source: SIMD3<Double>, _ microphone: SIMD3<Double>, order: Int = 3, seed: UInt64? = 1
    ) -> [Float] {
        RoomResponse(of: room, from: source, to: microphone, order: order, sampleRate: rate, tail: seed.map(stream))
            .samples
    }

    /// The direct sound comes after r / c, between the samples, and with 1 / (4πr).
    @Test(arguments: [1.0, 1.7, 3.33, 6.01]) func directSoundHasItsDelayAndLevel(distance: Double) {
        let room = ShoeBox(size: [12, 9, 5], absorption: 0.99)
        let direct = response(room, [2, 3, 2], [2 + distance, 3, 2], order: 0, seed: nil)
        // The centre of a pulse is where its phase says: compare with the phase at 1 kHz.
        func part(_ frequency: Double) -> (re: Double, im: Double) {
            direct.enumerated().reduce((0, 0)) { sum, sample in
                let angle = 2 * .pi * frequency * Double(sample.offset - RoomResponse.lead) / Double(rate)
                return (sum.0 + Double(sample.element) * cos(angle), sum.1 - Double(sample.element) * sin(angle))
            }
        }
        let (one, two) = (part(1000), part(1010))
        let turn = atan2(two.im, two.re) - atan2(one.im, one.re)
        let delay = -(turn - 2 * .pi * (turn / (2 * .pi)).rounded()) / (2 * .pi * 10)
        #expect(abs(delay - distance / 343) < 0.02 / Double(rate))
        #expect(abs((one.re * one.re + one.im * one.im).squareRoot() * 4 * .pi * distance - 1) < 0.005)
        #expect(Double(direct.map { abs($0) }.max() ?? 0) <= 1.001 / (4 * .pi * distance))
    }

    /// The energy of a room that takes little decays as Eyring's formula says.
    @Test(arguments: [
        (SIMD3(8.0, 6, 3), 0.1), (SIMD3(8.0, 6, 3), 0.28), (SIMD3(14.0, 12, 5), 0.2), (SIMD3(5.0, 5, 2.5), 0.15),
        (SIMD3(15.0, 6, 2.2), 0.25),
    ])
    func energyDecaysAsEyringSays(size: SIMD3<Double>, absorption: Double) throws {
        let room = ShoeBox(size: size, absorption: absorption)
        for (order, seed) in [(3, 1), (1, 2), (3, 3)] as [(Int, UInt64)] {
            let samples = response(
                room, [1.5, 1.2, 1.1], [size.x - 1.3, size.y - 1.7, size.z - 1.05], order: order, seed: seed)
            let measured = try #require(EnergyDecay.t60(of: samples, sampleRate: rate))
            #expect(
                abs(measured / room.eyringT60 - 1) < 0.1, "order \(order): \(measured) s, Eyring \(room.eyringT60) s")
        }
    }

    /// Late sound continues early sound: with more images traced, the energy behind 20 ms hardly changes.
    @Test func noiseStandsForTheImagesThatAreLeftOut() {
        let room = ShoeBox(size: [7, 6, 3], absorption: 0.2)
        let energies = [1, 4].map { order -> Double in
            let samples = response(room, [1.5, 1.2, 1.1], [5, 4.1, 1.9], order: order)
            return samples.dropFirst(RoomResponse.lead + rate / 50).reduce(0.0) { $0 + Double($1) * Double($1) }
        }
        #expect(abs(10 * log10(energies[0] / energies[1])) < 2)
    }

    @Test func sourceAndMicrophoneCanBeExchanged() {
        let room = ShoeBox(size: [8, 6, 3], absorption: 0.2)
        let (one, other) = (
            response(room, [1.5, 1.2, 1.1], [6, 4.3, 2]), response(room, [6, 4.3, 2], [1.5, 1.2, 1.1])
        )
        let greatest = one.map { abs($0) }.max() ?? 0
        #expect(one.count == other.count && zip(one, other).allSatisfy { abs($0 - $1) <= 1e-5 * greatest })
    }

    @Test func wallsFollowFromTheTimeBySabine() throws {
        let room = try #require(ShoeBox(size: [10, 8, 4], sabineT60: 0.6))
        #expect(abs(0.1611 * room.volume / (room.surface * room.absorption) - 0.6) < 0.001)
        #expect(room.eyringT60 < 0.6)
        #expect(ShoeBox(size: [15, 15, 6], sabineT60: 0.2) == nil)
    }

    @Test func anExponentialDecayIsMeasuredAsWhatItIs() throws {
        for t60 in [0.3, 0.8] {
            let noise = stream(5).normals(Int(1.2 * t60 * Double(rate)))
            let decay = noise.enumerated().map { $1 * Float(pow(10, -3 * Double($0) / Double(rate) / t60)) }
            #expect(try abs(#require(EnergyDecay.t60(of: decay, sampleRate: rate)) / t60 - 1) < 0.03)
        }
        #expect(EnergyDecay.t60(of: [1, 0, 0], sampleRate: rate) == nil)
    }

    @Test func convolutionIsTheSum() {
        let (x, h) = (stream(1).normals(50), stream(2).normals(13))
        let made = Convolution.convolve(x, h, from: 4)
        for index in 0..<50 {
            let expected = (0..<13).reduce(0.0) { sum, tap in
                let place = index + 4 - tap
                return x.indices.contains(place) ? sum + Double(x[place]) * Double(h[tap]) : sum
            }
            #expect(abs(Double(made[index]) - expected) < 1e-5)
        }
    }

    // MARK: Recipes

    @Test func wsj0ReverbHasRoomsAsAskedAndItsMeasuresInTheNames() throws {
        let folder = try TestFolder()
        for (index, set) in [
            "si_tr_s/011/011a0101", "si_tr_s/01t/01ta0102", "si_dt_05/050/050a0501", "si_et_05/440/440c0201",
        ].enumerated() {
            try folder.write(TestFolder.speech(seed: index, count: 24_000), "wsj0/\(set).wav")
        }
        let record = try folder.make(try RecipeLoader().load("wsj0-reverb"), from: ["wsj0": "wsj0"], to: "made").record
        #expect(record.pairs == ["train": 2, "valid": 1, "test": 1])
        let corpus = try Corpus(at: folder.path + "/made")
        for file in corpus.sets.flatMap(\.files) {
            let columns = try #require(file.entry?.other)
            func number(_ name: String) throws -> Double { try #require(Double(columns[name] ?? "")) }
            #expect(try (0.4...1).contains(number("t60_asked_s")) && number("t60_eyring_s") < number("t60_asked_s"))
            let size = try #require(columns["room_m"]).split(separator: " ").compactMap { Double($0) }
            #expect((5...15).contains(size[0]) && (5...15).contains(size[1]) && (2...6).contains(size[2]))
            let (clean, wet) = (try SoundFile.readMono(file.cleanPath), try SoundFile.readMono(file.noisyPath))
            #expect(clean.count == 32_000 && wet.count == 32_000 && abs((wet.max() ?? 0) - 0.9) < 0.001)
            func power(_ x: [Float]) -> Double { x.reduce(0) { $0 + Double($1) * Double($1) } }
            #expect(try abs(10 * log10(power(clean) / power(wet)) - number("drr_db")) < 0.01)
            #expect(
                file.name.contains("_\(columns["drr_db"] ?? "?").wav")
                    && file.entry?.other["snr_measured_db"]?.isEmpty != false)
        }
        #expect(
            try CorpusScan(reading: corpus).findings(expecting: .init(sampleRate: rate)).allSatisfy {
                $0.severity != .error
            })
    }

    @Test func earsWhamIsMixedByLoudnessInPiecesOfItsSplits() throws {
        let folder = try TestFolder()
        func speech(_ name: String, _ seconds: Double, seed: Int) throws {
            try folder.write(TestFolder.speech(seed: seed, count: Int(seconds * 16_000)), "ears/\(name).wav")
        }
        try speech("p001/emo_anger", 15, seed: 1)
        try speech("p001/melodic_song", 5, seed: 2)
        try speech("p001/short", 3, seed: 3)
        try speech("p100/rainbow_fast", 5, seed: 4)
        try speech("p102/sentences", 4.5, seed: 5)
        try cuts(["p102": ["sentences": [[0, -1]]]], in: folder)
        let channels = [3, 4].map { TestFolder.noise(seed: $0, count: 16_000 * 12) }
        try SoundFile.write(Sound(channels: channels, sampleRate: 16_000), to: try folder.file("wham/n.wav"))
        let recipe = try RecipeLoader().load("ears-wham", overrides: ["rate=16000"])
        let record = try folder.make(recipe, from: ["ears": "ears", "wham": "wham", "benchmark": "bench"], to: "made")
            .record
        #expect(record.pairs == ["train": 2, "valid": 1, "test": 1])
        let files = try Corpus(at: folder.path + "/made").sets.flatMap(\.files)
        #expect(
            files[0].name == "p001/emo_anger_1.wav" && files[1].name == "p001/emo_anger_2.wav"
                && files[0].speaker == "p001")
        #expect(try files.prefix(2).map { try SoundFile.header(of: $0.cleanPath).frames } == [160_000, 80_000])
        // The test set alone has ramps, of 10 ms, in both files.
        let test = try #require(files.last)
        for path in [test.cleanPath, test.noisyPath] {
            let samples = try SoundFile.readMono(path)
            #expect(samples[0] == 0 && samples.last == 0 && samples.count == 72_000)
        }
        #expect(try SoundFile.readMono(files[0].noisyPath).first != 0)
        for file in files {
            let snr = try #require(file.entry?.snr)
            #expect((snr * 10).rounded() / 10 == snr && snr >= -2.5)
            let (clean, noisy) = (try SoundFile.readMono(file.cleanPath), try SoundFile.readMono(file.noisyPath))
            let levels = [clean, zip(noisy, clean).map { $0 - $1 }].map {
                Loudness.integrated($0, sampleRate: 16_000) ?? 99
            }
            #expect(abs(levels[0] - levels[1] - snr) < 0.01)
        }
        let half = try RecipeLoader().load("ears-wham-16k", overrides: ["rate=8000"])
        let lower = try folder.make(half, from: ["ears-wham": "made"], to: "lower").record
        #expect(lower.pairs == record.pairs)
        #expect(try Corpus(at: folder.path + "/lower").set("test").files[0].entry?.snr == files.last?.entry?.snr)
    }

    private func cuts(_ list: [String: [String: [[Int]]]], in folder: TestFolder) throws {
        try JSONEncoder().encode(list).write(to: URL(fileURLWithPath: try folder.file("bench/test_files.json")))
    }

    @Test func thePublishedListCutsTheTestSetAndItsStylesTakeTurnsInTheSNRs() throws {
        let folder = try TestFolder()
        let seconds = 4 * 12
        try folder.write(
            TestFolder.speech(seed: 1, count: 16_000 * (seconds + 1)), "ears/p102/emo_anger_freeform.wav")
        for (name, seed) in [
            ("p102/regular_a", 2), ("p103/whisper_b", 3), ("p001/a", 4), ("p100/b", 5), ("p102/unlisted", 6),
        ] {
            try folder.write(TestFolder.speech(seed: seed, count: 72_000), "ears/\(name).wav")
        }
        let pieces = (0..<12).map { [64_000 * $0, $0 == 11 ? -1 : 64_000 * ($0 + 1)] }
        try cuts(
            [
                "p102": ["emo_anger_freeform": pieces + [[0, 30 * 16_000]], "regular_a": [[8000, 72_000]]],
                "p103": ["whisper_b": [[0, -1]]],
            ], in: folder)
        try folder.write(TestFolder.noise(seed: 3, count: 16_000 * 12), "wham/long.wav")
        try folder.write(TestFolder.noise(seed: 4, count: 16_000), "wham/short.wav")
        let sources = ["ears": "ears", "wham": "wham", "benchmark": "bench"]
        try folder.make(
            try RecipeLoader().load("ears-wham", overrides: ["rate=16000", "law.ceiling=1.0"]), from: sources,
            to: "made")
        let test = try Corpus(at: folder.path + "/made").set("test").files
        #expect(test.count == 14 && !test.contains { $0.name.contains("unlisted") })
        #expect(
            try test.first { $0.name == "p102/regular_a.wav" }.map { try SoundFile.header(of: $0.cleanPath).frames }
                == 64_000)
        let anger = test.filter { $0.name.contains("anger") }
        #expect(
            try anger.map { try SoundFile.header(of: $0.cleanPath).duration }.sorted() == [Double](
                repeating: 4, count: 11) + [5])
        // One in each twelfth of -2.5 to 17.5 dB, but for what was raised against clipping.
        let parts = try anger.map { file -> Int in
            let snr: Double = try #require(file.entry?.snr)
            return Int(((snr + 2.5) / (20.0 / 12) - 1e-9).rounded(.down))
        }
        .sorted()
        #expect(zip(parts, 0..<12).allSatisfy { abs($0 - $1) <= 1 }, "\(parts)")
        let all = try Corpus(at: folder.path + "/made").sets.flatMap(\.files)
        #expect(all.allSatisfy { $0.entry?.other["noise_file"] == "wham/long.wav" })
        // A recording that the list names and that is not there.
        try FileManager.default.removeItem(atPath: folder.path + "/ears/p103")
        let given = sources.mapValues { folder.path + "/" + $0 }
        let recipe = try RecipeLoader().load("ears-wham", overrides: ["rate=16000"])
        let maker = try RecipeMaker(recipe, sources: try SourceFolders(recipe, given: given))
        #expect(
            maker.incomplete.first?.hasPrefix("1 of the 3 recordings that") == true
                && maker.incomplete[0].hasSuffix("p103/whisper_b first"))
        let error = #expect(throws: CorpusError.self) {
            try SourceFolders(recipe, given: given.filter { $0.key != "benchmark" })
        }
        #expect(error?.description.contains("https://github.com/sp-uhh/ears_benchmark") == true)
    }

    @Test func responsesAreCutAtTheirPeakAndLoudnessIsKept() throws {
        let folder = try TestFolder()
        for (name, seed) in [("p001/a", 1), ("p100/b", 2), ("p102/c", 3)] {
            try folder.write(TestFolder.speech(seed: seed, count: 80_000), "ears/\(name).wav")
        }
        func response(_ name: String, t60: Double, seed: UInt64) throws {
            let tail = stream(seed).normals(Int(1.2 * t60 * 16_000)).enumerated().map {
                0.02 * $1 * Float(pow(10, -3 * Double($0) / 16_000 / t60))
            }
            try folder.write([Float](repeating: 0, count: 700) + [0.5] + tail, "irs/\(name).wav")
        }
        try response("short", t60: 0.5, seed: 1)
        try response("long", t60: 3, seed: 2)
        try cuts(["p102": ["c": [[0, -1]]]], in: folder)
        let recipe = try RecipeLoader().load("ears-reverb", overrides: ["rate=16000"])
        try folder.make(recipe, from: ["ears": "ears", "responses": "irs", "benchmark": "bench"], to: "made")
        let corpus = try Corpus(at: folder.path + "/made")
        for file in corpus.sets.flatMap(\.files) {
            #expect(file.entry?.other["response_file"] == "responses/short.wav")
            let measured = try #require(Double(file.entry?.other["t60_measured_s"] ?? ""))
            #expect(abs(measured - 0.5) < 0.05)
            let (clean, wet) = (try SoundFile.readMono(file.cleanPath), try SoundFile.readMono(file.noisyPath))
            #expect(
                abs(
                    (Loudness.integrated(clean, sampleRate: 16_000) ?? 9)
                        - (Loudness.integrated(wet, sampleRate: 16_000) ?? 0)) < 0.01)
            let alignment = try #require(Alignment(of: wet, against: clean, sampleRate: 16_000))
            #expect(alignment.delay == 0)
        }
    }
}
