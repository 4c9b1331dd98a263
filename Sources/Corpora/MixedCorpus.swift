import Audio
import Failures
import Foundation
import Kernels
public import Parallelism
import SystemCalls

/// The recipe `mixture`: clean files of a folder with noise files of another, at stated ratios.
///
/// Each clean file gets one draw of noise, a file and a place in it, which all ratios share: what differs between the
/// sets of a series is the ratio alone. A noise shorter than the speech is repeated, a longer one cut at a random
/// place. One set per ratio, `test-<ratio>dB`; a manifest names the noise's class and file.
public struct MixedCorpus: CorpusMaker {
    /// The name by which a spec chooses this recipe.
    public static let name = "mixture"
    /// Raised whenever equal parameters would give other audio; part of the record and of the folder's name.
    public static let version = 1

    /// Folder with the speech; `.wav` and `.flac`, nested folders included.
    public var clean: String
    /// Folder with the noise.
    public var noise: String
    /// SNRs in dB: ratios of mean squares over the whole file, silence included. Finite, each once.
    public var snrs: [Double]
    /// Hz; both folders must have it.
    public var sampleRate = 16_000
    /// How many clean files, drawn without replacement; all of them if `nil`.
    public var count: Int?
    /// Decides which clean files are drawn, and each file's noise and its place in the noise.
    public var seed: UInt64 = 42
    /// s; shorter clean files and noises are left out.
    public var minimumSpeech = 0.0
    /// s; shorter noise recordings are left out.
    public var minimumNoise = 0.0
    /// The largest absolute sample: a pair whose peak is higher is scaled down to it, both files alike.
    public var ceiling = 0.99
    /// How the class of a noise recording is derived from its path.
    public var noiseClass = NoiseClass.folder
    /// Only noises of these classes; all if empty.
    public var classes: [String] = []
    /// A digest of names, sizes and times of the source files, so that other recordings make another corpus.
    public var sources = ""

    public init(clean: String, noise: String, snrs: [Double]) {
        self.clean = clean
        self.noise = noise
        self.snrs = snrs
    }

    /// The part of a noise file's path that gives its class.
    public enum NoiseClass: String, Hashable, Sendable, Codable, CaseIterable {
        /// The folder that contains it, or its name in a flat folder.
        case folder
        /// The last field of an ESC-50 name, `fold-clip-take-target.wav`: one of 50 numbers.
        case esc50 = "esc-50"
    }

    /// Fifty clean files in ESC-50 noise at 0, 5 and 10 dB, speech of 0.5 s and noise of 1 s at least.
    ///
    /// The published script draws a new noise for every ratio; here the ratios share one. ESC-50 is Piczak, *ESC:
    /// Dataset for environmental sound classification*, ACM Multimedia, 2015.
    public static func esc50(clean: String, noise: String) -> MixedCorpus {
        var recipe = MixedCorpus(clean: clean, noise: noise, snrs: [0, 5, 10])
        (recipe.count, recipe.minimumSpeech, recipe.minimumNoise) = (50, 0.5, 1)
        recipe.noiseClass = .esc50
        return recipe
    }

    /// Names, sizes and times of the recordings in the folders; empty where one is missing.
    public func digestOfSources() -> String {
        var hasher = ContentHasher()
        for folder in [clean, noise] {
            guard let files = try? SoundFolder.files(in: folder) else { return "" }
            for file in files {
                guard let facts = FileFacts(at: "\(folder)/\(file)") else { return "" }
                hasher.combine(file)
                hasher.combine(UInt64(facts.bytes))
                hasher.combine(UInt64(bitPattern: Int64(facts.seconds)))
                hasher.combine(UInt64(facts.nanoseconds))
            }
        }
        return hasher.finish().description
    }

    /// One set per ratio, in the order of ``snrs``, such as `test-5dB`.
    public var setNames: [String] { snrs.map(setName) }

    private func setName(_ snr: Double) -> String {
        "test-\(snr == snr.rounded() ? "\(Int(snr))" : "\(snr)")dB"
    }

    /// Mixes every clean file at every ratio, in parallel; the same bytes for any number of workers.
    ///
    /// - Throws: ``CorpusError`` where a folder is missing, a file cannot be read, or no recording qualifies;
    ///   `Interrupted`.
    public func make(in folder: String, interruption: Interruption) throws {
        guard !snrs.isEmpty, snrs.allSatisfy(\.isFinite), Set(snrs).count == snrs.count else {
            throw CorpusError(folder, .impossible("the ratios \(snrs) must be finite and differ"))
        }
        let (speech, noises) = try recordings()
        let layout = Layout.denoising
        for name in setNames {
            for part in [layout.cleanFolder, layout.noisyFolder] {
                for file in speech { try makeFolder(above: "\(folder)/\(name)/\(part)/\(file)") }
            }
        }
        let results = try speech.indices.map { $0 }.parallelMap(block: 2, interruption: interruption) { number in
            Result<[Manifest.Entry], CorpusError> { () throws(CorpusError) in
                try mix(number, speech[number], noises, into: folder)
            }
        }
        let entries = try results.map { try $0.get() }
        for (index, name) in setNames.enumerated() {
            do {
                let table = Manifest.csv(entries.map { $0[index] })
                try Data(table.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)/\(Manifest.fileName)"))
            } catch {
                throw CorpusError(folder, .disk(error.localizedDescription))
            }
        }
    }

    // MARK: Sources

    /// The speech that is used and the noise it may get, sorted.
    private func recordings() throws(CorpusError) -> (speech: [String], noises: [String]) {
        for path in [clean, noise] where !FileManager.default.fileExists(atPath: path) {
            throw CorpusError(path, .missingFolder)
        }
        var speech = try longEnough(SoundFolder.files(in: clean), in: clean, minimum: minimumSpeech)
        if let count {
            guard count > 0, count <= speech.count else {
                throw CorpusError(clean, .impossible("\(count) files are to be drawn, \(speech.count) can be"))
            }
            let order = RandomStream(seed: seed, purpose: "mixture files").permutation(speech.count)
            speech = order.prefix(count).sorted().map { speech[$0] }
        }
        let allowed = try SoundFolder.files(in: noise).filter { classes.isEmpty || classes.contains(classOfNoise($0)) }
        let noises = try longEnough(allowed, in: noise, minimum: minimumNoise)
        guard !speech.isEmpty else { throw CorpusError(clean, .impossible("no speech file is long enough")) }
        guard !noises.isEmpty else {
            throw CorpusError(noise, .impossible("no noise file is of the classes and length"))
        }
        return (speech, noises)
    }

    private func longEnough(_ files: [String], in folder: String, minimum: Double) throws(CorpusError) -> [String] {
        let lengths = files.parallelMap(block: 64) { file in
            Result<Double, SoundFileError> { () throws(SoundFileError) in
                try SoundFile.header(of: "\(folder)/\(file)").duration
            }
        }
        var kept: [String] = []
        for (file, length) in zip(files, lengths) {
            switch length {
            case .success(let seconds): if seconds >= minimum { kept.append(file) }
            case .failure(let error): throw CorpusError(error.path, .impossible(error.summary))
            }
        }
        return kept
    }

    /// The class of a noise file, as the manifest will say.
    package func classOfNoise(_ file: String) -> String {
        let url = URL(fileURLWithPath: "/" + file)
        let stem = url.deletingPathExtension().lastPathComponent
        switch noiseClass {
        case .esc50: return stem.split(separator: "-").last.map(String.init) ?? stem
        case .folder:
            let parent = url.deletingLastPathComponent().lastPathComponent
            return parent == "/" ? stem : parent
        }
    }

    // MARK: Mixing

    /// Writes one clean file at all ratios; a noise cut that is silent is drawn again.
    private func mix(_ number: Int, _ file: String, _ noises: [String], into folder: String)
        throws(CorpusError) -> [Manifest.Entry]
    {
        do throws(SoundFileError) {
            let speech = try SoundFile.readMono("\(clean)/\(file)", sampleRate: sampleRate)
            guard speech.meanSquare > 0 else { throw SoundFileError("\(clean)/\(file)", .empty) }
            var draws = Draws(RandomStream(seed: seed, purpose: "mixture", number))
            let (source, cut) = try drawNoise(count: speech.count, from: noises, &draws)
            var entries: [Manifest.Entry] = []
            for snr in snrs {
                let mixture = Mixture(speech, with: cut, snr: snr, ceiling: ceiling)
                let set = "\(folder)/\(setName(snr))"
                try SoundFile.write(mixture.clean, sampleRate: sampleRate, to: "\(set)/clean/\(file)", durable: false)
                try SoundFile.write(mixture.noisy, sampleRate: sampleRate, to: "\(set)/noisy/\(file)", durable: false)
                entries.append(
                    Manifest.Entry(
                        file: file, speaker: PairedFile.speaker(inName: file), noise: classOfNoise(source), snr: snr,
                        seed: seed, other: ["noise_file": source, "gain": "\(mixture.gain)"]))
            }
            return entries
        } catch {
            throw CorpusError(error.path, .impossible("\(error.summary); \(error.hint ?? "")"))
        }
    }

    private func drawNoise(count: Int, from noises: [String], _ draws: inout Draws)
        throws(SoundFileError) -> (file: String, samples: [Float])
    {
        var source = noises[0]
        for _ in 0..<20 {
            source = draws.pick(noises)
            let all = try SoundFile.readMono("\(noise)/\(source)", sampleRate: sampleRate)
            let start = all.count > count ? draws.integer(0...all.count - count) : 0
            let cut = (0..<count).map { all[(start + $0) % all.count] }
            if cut.meanSquare > 1e-10 { return (source, cut) }
        }
        throw SoundFileError("\(noise)/\(source)", .unreadable("twenty draws of noise in a row were silent"))
    }

    private func makeFolder(above path: String) throws(CorpusError) {
        do {
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
            throw CorpusError(path, .disk(error.localizedDescription))
        }
    }
}
